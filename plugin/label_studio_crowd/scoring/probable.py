"""How probable each class of a task is, by the consensus and by the classifier; kept without what is hardly possible.

Of thousands of classes, a task has a few that are possible: these alone are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore import CrowdlabResult
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.kinds import SetResult
from label_studio_crowd.scoring.kinds import KindBelief
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.store.trainings import Probabilities
from label_studio_crowd.studio.controls import PATH_SEPARATOR

LEAST: Final = 0.005
"""The least probability that is kept, of the consensus or the classifier."""
ONE: Final = 10_000
"""What stands for the probability of 1: a snapshot keeps whole numbers, which take two bytes."""

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Probable:
    """The classes that are possible for each task: P of them, by task and then class.

    Attributes
    ----------
    numbers
        How many of them each task has; (N,).
    label
        Codes of `names`; (P,).
    probability
        That the class is the task's or, where several may apply, that it applies, as a share of `ONE`; -1 for a task of
        which nobody has said anything; (P,).
    by_model
        The classifier's probability of it, -1 where it has not seen the task; (P,).
    names
        What the codes stand for; empty where that is the classes themselves.
    """

    numbers: Codes
    label: Codes
    probability: Codes
    by_model: Codes
    names: tuple[str, ...] = ()


def probable_classes(scores: Scores, probabilities: Probabilities) -> Probable:
    """Return the classes that are possible for each task.

    Parameters
    ----------
    scores
        Those of one control, of N tasks; there is nothing to return of answers that are no classes.
    probabilities
        The classifier's; none for a control that it was not trained for.
    """
    found, names = _posterior(scores)
    N, K = found.shape
    said = (scores.answers.crowd.num_answers > 0) | (scores.answers.known_labels >= 0)
    by_model = np.full((N, K), np.nan)
    tasks = np.asarray(scores.answers.crowd.tasks)
    seen = np.isin(tasks, probabilities.tasks)
    if not names and seen.any():
        by_model[seen] = probabilities.pred_probs[np.searchsorted(probabilities.tasks, tasks[seen])]
    believed = np.where(said[:, None], found, np.nan)
    kept = np.nan_to_num(np.fmax(believed, by_model)) >= LEAST
    row, label = np.nonzero(kept)
    return Probable(np.bincount(row, minlength=N), label, _packed(believed[kept]), _packed(by_model[kept]), names)


def _packed(shares: Floats) -> Codes:
    return np.where(np.isnan(shares), -1, np.rint(ONE * np.nan_to_num(shares))).astype(np.int64)


def unpacked(kept: Codes) -> Floats:
    """Return the probabilities that whole numbers stand for; NaN for -1."""
    return np.where(kept < 0, np.nan, kept / ONE)


def _posterior(scores: Scores) -> tuple[Floats, tuple[str, ...]]:
    """Return the probability of each class of each task, (N, K), and the classes' names where they are others."""
    result: Any = scores.result
    if isinstance(result, HierarchicalResult | CrowdlabResult):
        return result.posterior, ()
    if isinstance(result, KindBelief) and isinstance(result.found, SetResult):
        labels = result.found.classes.tolist()
        names = (PATH_SEPARATOR.join(label) if isinstance(label, tuple) else str(label) for label in labels)
        return result.found.probability, tuple(names)
    return np.empty((len(scores.priority), 0)), ()
