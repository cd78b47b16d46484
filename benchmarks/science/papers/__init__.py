"""The published results of CROWDLAB, ActiveLab and peerannot: ``python -m benchmarks.science.papers``."""
