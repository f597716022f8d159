"""What `make faults` runs: real servers are killed, cut off and damaged while people work, and everything that was
acknowledged is looked for afterwards, once and no more.

python -m faults [--seed N] [--count N] [--quick]

Servers listen on sockets and on this machine's loopback address only, and all of it ends by itself.
"""
