"""The science of label-studio-crowd: what a crowd's answers say, and which answer to ask for next.

>>> from crowdcore import Crowd, confidence_scores, hierarchical_dawid_skene
>>> crowd = Crowd.from_codes(
...     [0, 0, 1, 1, 2], [0, 1, 0, 1, 1], [0, 0, 1, 0, 1],
...     tasks=["a", "b", "c", "d"], annotators=["ann", "bob"], classes=["no", "yes"])
>>> pred_probs = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.5, 0.5]]
>>> result = hierarchical_dawid_skene(crowd, pred_probs)
>>> result.labels.tolist()  # a model is heard as far as it foretells answers; five are too few to see that
['no', 'no', 'yes', None]
>>> crowd.tasks[confidence_scores(result).argmin()]  # one more label is worth most here
'd'

The published methods are beside it: CROWDLAB for the labels, ActiveLab for the choice of tasks.

>>> from crowdcore import activelab, crowdlab
>>> crowdlab(crowd, pred_probs).labels.tolist()
['no', 'yes', 'yes', 'no']
>>> crowd.tasks[activelab(crowd, pred_probs).argmin()]
'd'

Answers that are not one class have a consensus, too: sets, ordered classes, numbers, and more in `crowdcore.kinds`.

>>> from crowdcore import AnswerTable, numbers
>>> lengths = AnswerTable.from_codes([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [4, 5, 4, 9, 10], tasks="ab", annotators="xyz")
>>> numbers(lengths, tolerance=1.0).consensus.round().tolist()
[4.0, 9.0]

People who come from cleanlab find its function names and frames in `crowdcore.cleanlab_api`.
"""

from typing import TYPE_CHECKING

from crowdcore.cleanlab.activelab_scores import active_learning_scores, activelab
from crowdcore.cleanlab.crowdlab_consensus import CrowdlabResult, crowdlab
from crowdcore.cleanlab.temperatures import apply_temperature, fit_temperature
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.confidence import confidence_scores, least_confidence
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.votes.annotators import AnnotatorStats
from crowdcore.votes.majority import majority_vote

if TYPE_CHECKING:
    from crowdcore.kinds import AnswerTable, label_sets, numbers, ordered

    __version__: str
else:
    _KINDS = ("AnswerTable", "label_sets", "numbers", "ordered")

    def __getattr__(name):
        """Look up what takes longer than all imports here but NumPy's when it is asked for: kinds, and the version."""
        if name in _KINDS:
            from crowdcore import kinds

            return getattr(kinds, name)
        if name != "__version__":
            raise AttributeError(f"module 'crowdcore' has no attribute {name!r}")
        from importlib.metadata import version

        return version("label-studio-crowd")


__all__ = [
    "AnnotatorStats",
    "AnswerTable",
    "Crowd",
    "CrowdlabResult",
    "HierarchicalResult",
    "active_learning_scores",
    "activelab",
    "apply_temperature",
    "confidence_scores",
    "crowdlab",
    "fit_temperature",
    "hierarchical_dawid_skene",
    "label_sets",
    "least_confidence",
    "majority_vote",
    "numbers",
    "ordered",
]
