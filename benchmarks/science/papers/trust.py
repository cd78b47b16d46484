"""How far a consensus keeps to what people said, and what the plugin settles by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.generated import Known
from crowdcore import Crowd
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.scores import Scores, score
from label_studio_crowd.settings import TARGET_QUALITY, ConsensusMethod
from label_studio_crowd.studio.controls import Control

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

OURS: ConsensusMethod = "hierarchical-dawid-skene"
TARGET = TARGET_QUALITY[OURS]


@dataclass(frozen=True)
class Trust:
    """Counts of the tasks that have answers and a known truth, or means of such counts.

    Attributes
    ----------
    tasks, right, claimed : float
        How many, how many have the right consensus, and how many have by its quality.
    chance : float
        How many have the right label by majority vote, ties broken by chance: its expectation.
    unanimous, overruled, overruled_right, overruled_wrong : float
        Tasks with two answers or more, all alike; of these, those with another consensus; where the consensus is
        right, and where the people were.
    unsaid, unsaid_right : float
        Tasks whose consensus nobody said, and how many are right.
    settled, settled_right : float
        Tasks that the plugin settles by quality, and how many are right.
    settled_overruled, settled_unsaid, settled_unsaid_right : float
        Those of them that are overruled, those whose label nobody said, and how many of the latter are right.
    """

    tasks: float
    right: float
    claimed: float
    chance: float
    unanimous: float
    overruled: float
    overruled_right: float
    overruled_wrong: float
    unsaid: float
    unsaid_right: float
    settled: float
    settled_right: float
    settled_overruled: float
    settled_unsaid: float
    settled_unsaid_right: float


def plugin_scores(
    crowd: Crowd,
    pred_probs: Floats | None,
    *,
    method: ConsensusMethod = OURS,
    target: float = TARGET,
    most: int | None = None,
    settled_before: Mask | None = None,
) -> Scores:
    """Return what the plugin believes of a crowd, and which tasks it settles.

    Parameters
    ----------
    crowd : Crowd
        N tasks.
    pred_probs : ndarray of shape (N, K), or None
        A classifier's probabilities, out of sample.
    method, target
        The consensus, and the quality that settles a task.
    most : int, optional
        So many labels settle a task; by default no number does.
    settled_before : ndarray of shape (N,), optional
        Tasks that were settled by the last run.
    """
    nothing = np.zeros(len(crowd.tasks), np.int64)
    return score(
        Answers(crowd, nothing - 1, {}, 0, (), (), nothing, nothing, Control("label", "choices", ("text",))),
        pred_probs,
        target_quality=target,
        max_labels=int(crowd.num_answers.max(initial=0)) + 1 if most is None else most,
        consensus=method,
        settled_before=settled_before,
    )


def trust_of(known: Known, with_model: bool) -> Trust:
    """Return how far the plugin's consensus on a crowd keeps to what people said.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a"], ["b", "b"], ["a", "b"]])
    >>> trust = trust_of(Known(crowd, np.array([0, 1, -1])), with_model=False)
    >>> trust.tasks, trust.right, trust.unanimous, trust.overruled, trust.chance
    (2.0, 2.0, 2.0, 0.0, 2.0)
    """
    crowd, truth = known.crowd, known.truth
    found = plugin_scores(crowd, known.pred_probs if with_model else None)
    label, n = found.result.consensus, crowd.num_answers
    said = crowd.counts[np.arange(len(label)), label]
    judged = known.judged & (n > 0)
    right, unsaid = label == truth, said == 0
    unanimous = (n > 1) & (crowd.counts.max(axis=1) == n)
    overruled = unanimous & unsaid
    people = crowd.counts.argmax(axis=1) == truth
    settled = found.settled_by == "quality"
    masks = (
        unanimous, overruled, overruled & right, overruled & people, unsaid, unsaid & right,
        settled, settled & right, settled & overruled, settled & unsaid, settled & unsaid & right,
    )  # fmt: skip
    return Trust(
        float(judged.sum()),
        float(right[judged].sum()),
        float(found.result.quality[judged].sum()),
        float(chances(crowd, truth)[judged].sum()),
        *(float((mask & judged).sum()) for mask in masks),
    )


def chances(crowd: Crowd, truth: NDArray[np.int64]) -> Floats:
    """Return how probably majority vote is right on each task, ties broken by chance; shape (N,).

    Examples
    --------
    >>> chances(Crowd.from_wide([["a", "a"], ["a", "b"], ["b", "b"]]), np.array([0, 0, 0]))
    array([1. , 0.5, 0. ])
    """
    top = crowd.counts == crowd.counts.max(axis=1, keepdims=True)
    return np.where(top[np.arange(len(truth)), truth], 1 / top.sum(axis=1), 0.0)


def mean_trust(some: Sequence[Trust]) -> Trust:
    """Return the mean of counts."""
    return Trust(*np.mean([astuple(one) for one in some], axis=0).tolist())


def summed_trust(some: Sequence[Trust]) -> Trust:
    """Return the sum of counts."""
    return Trust(*np.sum([astuple(one) for one in some], axis=0).tolist())
