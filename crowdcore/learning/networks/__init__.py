"""Networks that learn from a crowd: from a consensus, or straight from the answers.

They need the extra ``pip install 'label-studio-crowd[deep]'`` (torch, skorch). Without it they can be imported and
made, and `fit` says what to install.

>>> import numpy as np
>>> from crowdcore import Crowd
>>> from crowdcore.learning.networks import CrowdLayer
>>> CrowdLayer(kind="vw", epochs=5, seed=1)
CrowdLayer(epochs=5, kind='vw', seed=1)
"""

from crowdcore.learning.networks.answers_learners import CoNAL, CoupledCrossEntropy, CrowdLayer
from crowdcore.learning.networks.classifier import NetworkClassifier
from crowdcore.learning.networks.consensus import ConsensusNetwork
from crowdcore.learning.networks.course import NetworkCourse
from crowdcore.learning.networks.images import ImageTasks

__all__ = [
    "CoNAL",
    "ConsensusNetwork",
    "CoupledCrossEntropy",
    "CrowdLayer",
    "ImageTasks",
    "NetworkClassifier",
    "NetworkCourse",
]
