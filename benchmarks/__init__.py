"""What `make bench` runs: figures as ratios within one run, and the decision quality that speed is for."""
