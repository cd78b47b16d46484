"""crowdcore beside cleanlab, crowd-kit and peerannot: seconds and peak memory on the same crowds, in one run."""
