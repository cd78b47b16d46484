"""What networks take from the consensus: the one place where this folder looks up to `crowdcore.hierarchical`."""

from __future__ import annotations

from typing import Any

import numpy as np

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.learning.networks.tasks import Floats

HELD_OUT = 0.15
"""Share of the tasks by whose answers an early stop is chosen."""


def consensus_of(
    crowd: Crowd,
    pred_probs: Floats | None = None,
    *,
    features: Any = None,
    classifier: Any = None,
    known_labels: Any = None,
) -> HierarchicalResult:
    """Return hierarchical Dawid-Skene's consensus."""
    return hierarchical_dawid_skene(
        crowd, pred_probs, features=features, classifier=classifier, known_labels=known_labels
    )


def held_out(places: Codes, seed: int) -> tuple[Codes, Codes]:
    """Return the places to learn from, and those held out: none where there are too few."""
    drawn = np.random.default_rng(seed).permutation(len(places))
    at = np.zeros(len(places), dtype=bool)
    at[drawn[: int(HELD_OUT * len(places))]] = True
    return places[~at], places[at]


def answer_likelihoods(crowd: Crowd, learned: Codes, judged: Codes) -> Floats:
    """Return the logarithm of the probability of each judged task's answers, by class; shape (n, K).

    Annotators' confusion matrices are what the answers to the other tasks tell.
    """
    logs = np.log(consensus_of(crowd.select_tasks(learned)).confusion())
    part = crowd.select_tasks(judged)
    found = np.zeros((len(judged), len(crowd.classes)))
    np.add.at(found, part.task, logs[part.annotator, :, part.label])
    return found
