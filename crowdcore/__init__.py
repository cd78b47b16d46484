"""The science of label-studio-crowd: what a crowd's answers say, and which answer to ask for next.

>>> from crowdcore import Crowd, activelab, crowdlab
>>> crowd = Crowd.from_codes(
...     [0, 0, 1, 1, 2], [0, 1, 0, 1, 1], [0, 0, 1, 0, 1],
...     tasks=["a", "b", "c", "d"], annotators=["ann", "bob"], classes=["no", "yes"])
>>> pred_probs = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.5, 0.5]]
>>> crowdlab(crowd, pred_probs).labels.tolist()
['no', 'yes', 'yes', 'no']
>>> crowd.tasks[activelab(crowd, pred_probs).argmin()]  # one more label is worth most here
'd'

People who come from cleanlab find its function names and frames in `crowdcore.cleanlab_api`.
"""

from crowdcore.active import active_learning_scores, activelab
from crowdcore.annotators import AnnotatorStats
from crowdcore.calibration import apply_temperature, fit_temperature
from crowdcore.consensus import CrowdlabResult, crowdlab
from crowdcore.crowd import Crowd
from crowdcore.majority import majority_vote

__all__ = [
    "AnnotatorStats",
    "Crowd",
    "CrowdlabResult",
    "active_learning_scores",
    "activelab",
    "apply_temperature",
    "crowdlab",
    "fit_temperature",
    "majority_vote",
]
