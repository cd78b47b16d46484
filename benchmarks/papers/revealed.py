"""Real crowds whose recorded answers are revealed one at a time: how many a rule needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import Crowd

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Rule = Callable[[Crowd, Any], Floats]
Consensus = Callable[[Crowd, Any], Codes]


def reveal(
    crowd: Crowd,
    truth: Codes,
    rule: Rule,
    consensus: Consensus,
    pred_probs: ArrayLike | None = None,
    *,
    rounds: int = 40,
    seed: int = 0,
) -> tuple[Codes, Floats]:
    """Reveal a crowd's answers in the order that a rule asks for.

    Without a model one answer of each task is known at first; with one, of half of them.

    Parameters
    ----------
    crowd : Crowd
        N tasks with all their answers; those of a task are revealed in a random order.
    truth : ndarray of shape (N,)
        Class codes, -1 where the truth is not known; these tasks are not judged.
    rule : callable
        ``rule(crowd, pred_probs)`` gives a score for each task, low where a label is wanted.
    consensus : callable
        ``consensus(crowd, pred_probs)`` gives class codes; -1, where there is none, is taken as wrong.
    pred_probs : array_like of shape (N, K), optional
        A model's probabilities, out of sample.
    rounds : int
        In how many batches all the answers would be revealed.
    seed : int
        Seed of the order and of ties.

    Returns
    -------
    num_answers : ndarray of shape (R,)
        How many answers were known after each batch.
    accuracy : ndarray of shape (R,)
        Share of the judged tasks whose consensus was right then.
    """
    rng = np.random.default_rng(seed)
    n, N = crowd.num_answers, len(crowd.tasks)
    order = np.lexsort((rng.random(len(crowd.label)), crowd.task))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - crowd.indptr[crowd.task]
    first = np.ones(N, dtype=bool) if pred_probs is None else rng.random(N) < 0.5
    revealed = np.minimum(first, n).astype(np.int64)
    batch = max(1, len(crowd.label) // rounds)
    judged = truth >= 0
    found: list[tuple[int, float]] = []
    while True:
        here = place < revealed[crowd.task]
        known = Crowd.from_codes(
            crowd.task[here], crowd.annotator[here], crowd.label[here],
            tasks=crowd.tasks, annotators=crowd.annotators, classes=crowd.classes,
        )  # fmt: skip
        right = consensus(known, pred_probs)[judged] == truth[judged]
        found.append((int(here.sum()), float(right.mean())))
        left = revealed < n
        if not left.any():
            break
        scores = np.where(left, rule(known, pred_probs), np.inf)
        chosen = np.lexsort((rng.random(N), scores))[:batch]
        revealed[chosen[left[chosen]]] += 1
    sizes, accuracies = zip(*found, strict=True)
    return np.array(sizes), np.array(accuracies)


def answers_needed(num_answers: Codes, accuracy: Floats, target: float) -> float:
    """Return how many answers `reveal` took to reach an accuracy, between batches by interpolation; NaN if never."""
    reached = np.flatnonzero(accuracy >= target)
    if not len(reached):
        return float("nan")
    at = reached[0]
    if at == 0:
        return float(num_answers[0])
    share = (target - accuracy[at - 1]) / (accuracy[at] - accuracy[at - 1])
    return float(num_answers[at - 1] + share * (num_answers[at] - num_answers[at - 1]))
