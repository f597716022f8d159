"""Tables that strangers upload (CSV in its dialects, XLSX), read by a child process with limits of its own.

``reading.read`` is what the rest of the house calls. What the child runs (all other modules here) imports the standard
library alone, so that it starts fast, stays small, and has nothing at hand that a file could do harm with.
"""
