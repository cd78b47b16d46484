"""The published results of CROWDLAB, ActiveLab and peerannot, computed anew: ``python -m benchmarks.papers``."""
