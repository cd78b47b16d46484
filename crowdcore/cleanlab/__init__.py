"""The methods of cleanlab's authors: CROWDLAB for the labels, ActiveLab for the choice of tasks.

>>> from crowdcore import Crowd
>>> from crowdcore.cleanlab import activelab, crowdlab
>>> crowd = Crowd.from_wide([["no", "no"], ["yes", "no"], [None, "yes"]])
>>> pred_probs = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]
>>> crowdlab(crowd, pred_probs).labels.tolist()
['no', 'yes', 'yes']
>>> activelab(crowd, pred_probs).argmin()  # the task that one more label is worth most for
np.int64(1)
"""

from crowdcore.cleanlab.activelab_scores import active_learning_scores, activelab
from crowdcore.cleanlab.crowdlab_consensus import CrowdlabResult, crowdlab
from crowdcore.cleanlab.temperatures import apply_temperature, fit_temperature

__all__ = [
    "CrowdlabResult",
    "active_learning_scores",
    "activelab",
    "apply_temperature",
    "crowdlab",
    "fit_temperature",
]
