"""Numbers that tell tasks and classes apart by their answers alone, and random draws that follow from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd

Colours = NDArray[np.uint64]
ROUNDS = 3
"""How many steps away answers are seen: from a task to its annotators, to their other tasks, and on."""


def colours(crowd: Crowd, known: Codes) -> tuple[Colours, Colours]:
    """Return a number for each task, shape (N,), and for each class, shape (K,), whatever the ids and their order.

    Colour refinement (Weisfeiler & Leman 1968) on the graph of answers: tasks, annotators and classes begin alike, and
    each is told apart in every round by the others that it shares answers with. Tasks with the same answers, and only
    they as a rule, stay alike. Known labels are the answers of an annotator who is unlike all others.
    """
    N, M, K = len(crowd.tasks), len(crowd.annotators), len(crowd.classes)
    told = np.flatnonzero(known >= 0)
    task = np.concatenate([crowd.task, told])
    annotator = np.concatenate([crowd.annotator, np.full(len(told), M)])
    label = np.concatenate([crowd.label, known[told]])
    tasks, annotators, classes = (_ones(size) for size in (N, M + 1, K))
    annotators[M] = 2
    for _ in range(ROUNDS):
        answers = _mixed(tasks[task] + _mixed(annotators[annotator] + _mixed(classes[label])))
        tasks, annotators, classes = (
            _refined(old, answers, at) for old, at in ((tasks, task), (annotators, annotator), (classes, label))
        )
    return tasks, classes


def draw_shares(tasks: Colours, classes: Colours, num_shares: int, seed: int) -> Floats:
    """Draw shares of each task and class that sum to 1, all equally likely: (N, K, G) of a flat Dirichlet distribution.

    Tasks of one colour have the same shares, and so have classes.
    """
    drawn = _mixed(np.arange(num_shares, dtype=np.uint64) + _mixed(np.array([seed], dtype=np.uint64)))
    mixed = _mixed(tasks[:, None, None] + _mixed(classes[:, None] + drawn))
    uniform = ((mixed >> np.uint64(11)) + 0.5) * 2.0**-53  # neither 0 nor 1
    sizes = -np.log(uniform)
    shares: Floats = sizes / sizes.sum(axis=2, keepdims=True)
    return shares


def _ones(size: int) -> Colours:
    return np.ones(size, dtype=np.uint64)


def _refined(old: Colours, answers: Colours, at: Codes) -> Colours:
    """Return each one's colour with those of its answers, in whatever order."""
    sums = np.zeros_like(old)
    np.add.at(sums, at, answers)
    return _mixed(old + sums)


def _mixed(numbers: Colours) -> Colours:
    """Return numbers that look random and differ where the given ones do (the finish of SplitMix64)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Colours = mixed ^ (mixed >> np.uint64(31))
    return found
