"""The walks over the tasks of CROWDLAB and ActiveLab: compare answers, combine them with the model, score tasks.

Inputs are read-only arrays, contiguous (`kernels.frozen`), so that each kernel is compiled once. In all of them

- ``first, last`` are the range of tasks;
- ``indptr, annotator, label`` are the answers, of shape (N + 1,), (A,), (A,);
- ``truth``, of shape (N,), are the labels known to be true, -1 elsewhere;
- ``models``, of shape (P, N, K), are the models' probabilities;
- ``consensus``, of shape (N,), are class codes, -1 where there is none.
"""

from __future__ import annotations

import numpy as np
from numpy import uintp as place  # numba then leaves out the way round of negative places

from crowdcore.kernels import ROUNDING, Codes, Floats
from crowdcore.kernels.compiling import compiled

CELLS = 2048
"""Tasks x classes at a time, so that what is known of their answers stays in the nearest memory."""


@compiled
def _tasks_at_a_time(K: int) -> int:
    return max(1, CELLS // K)


@compiled
def _starts(first: int, last: int, indptr: Codes, starts: Codes) -> Codes:
    """Return how many of some tasks begin at each of their answers, in the room given if it is enough.

    With these the answers of many tasks are walked through as one: a loop over those of each task would end where the
    processor does not expect it.
    """
    offset, size = indptr[first], indptr[last] - indptr[first]
    if len(starts) <= size:
        starts = np.empty(2 * size + 1, dtype=np.int64)
    starts[: size + 1] = 0
    for i in range(first, last):
        starts[place(indptr[i] - offset)] += 1
    return starts


@compiled
def compare_with(
    first: int, last: int, indptr: Codes, label: Codes, truth: Codes, models: Floats, consensus: Codes,
    told: Floats, errors: Floats, agreement: Floats,
) -> None:  # fmt: skip
    """Compare answers and models with a consensus, where a task's answers can be compared with something.

    Parameters
    ----------
    told : ndarray of shape (K,)
        Added to: how often each class is the consensus.
    errors : ndarray of shape (P,)
        Added to: how often each model's most probable class (of equals the first) is another.
    agreement : ndarray of shape (1,)
        Added to: the share of each task's answers that equal the consensus.
    """
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        n = end - begin
        if n == 0 or (n == 1 and truth[i] < 0):
            continue
        c = consensus[i]
        same = 0
        for a in range(begin, end):
            same += 1 if label[a] == c else 0
        agreement[0] += same / n
        told[c] += 1
        for p in range(len(models)):
            value = models[p, i, place(c)]
            rivals = 0
            for k in range(len(told)):
                rivals += 1 if models[p, i, k] > value or (k < c and models[p, i, k] == value) else 0
            errors[p] += 1 if rivals else 0


@compiled
def _combine(
    begin: int, end: int, starts: Codes, indptr: Codes, annotator: Codes, label: Codes, models: Floats,
    weight: Floats, model_weight: Floats, right: float, wrong: float, heard: Floats, rows: Floats,
) -> None:  # fmt: skip
    """Fill rows with the posteriors of tasks `begin` to `end`; `heard` is room for a number for each of them."""
    K = rows.shape[1]
    rows[: end - begin] = 0.0
    heard[: end - begin] = 0.0
    for p in range(len(models)):
        for i in range(end - begin):
            for k in range(K):
                rows[i, k] += model_weight[p] * models[p, begin + i, k]
    i, offset = -1, indptr[begin]
    for a in range(offset, indptr[end]):
        i += starts[place(a - offset)]
        w = weight[place(annotator[a])]
        heard[place(i)] += w
        rows[place(i), place(label[a])] += w * (right - wrong)
    backing = model_weight.sum()
    for i in range(end - begin):
        share = 1 / (backing + heard[i])
        for k in range(K):
            rows[i, k] = min(max((rows[i, k] + heard[i] * wrong) * share, 0.0), 1.0)


@compiled
def _near(row: Floats, top: float) -> int:
    """Return how many entries are not clearly below the top."""
    found = 0
    for k in range(len(row)):
        found += 1 if row[k] >= top - ROUNDING else 0
    return found


@compiled
def best_labels(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, truth: Codes, models: Floats,
    weight: Floats, model_weight: Floats, right: float, wrong: float, consensus: Codes,
) -> None:  # fmt: skip
    """Replace the consensus of tasks with answers by the most probable class, where it is clearly the most probable.

    Parameters
    ----------
    weight, model_weight : ndarray of shape (M,), (P,)
        Weight of each annotator's answers and of each model.
    right, wrong : float
        The probability that an answer gives to its own label, and to each other one.
    """
    K = models.shape[2]
    size = _tasks_at_a_time(K)
    rows, heard = np.empty((size, K)), np.empty(size)
    starts: Codes = np.empty(0, dtype=np.int64)
    for begin in range(first, last, size):
        end = min(begin + size, last)
        starts = _starts(begin, end, indptr, starts)
        _combine(
            begin, end, starts, indptr, annotator, label, models, weight, model_weight, right, wrong, heard, rows
        )  # fmt: skip
        for i in range(begin, end):
            row = rows[i - begin]
            if indptr[i] == indptr[i + 1] or truth[i] >= 0 or _near(row, row[place(consensus[i])]) == 1:
                continue
            best = row.argmax()
            if _near(row, row[best]) == 1:
                consensus[i] = best


@compiled
def believe(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, truth: Codes, models: Floats,
    weight: Floats, model_weight: Floats, model_share: Floats, right: float, wrong: float, listen: bool,
    consensus: Codes, posterior: Floats, quality: Floats, label_quality: Floats, agreement: Floats,
) -> None:  # fmt: skip
    """Find the posterior of each task, and what it says of the consensus and of each answer.

    Parameters
    ----------
    weight, model_weight, right, wrong
        As in `best_labels`.
    model_share : ndarray of shape (P,)
        The models' shares, which sum to 1, where there are no answers or they are not listened to.
    listen : bool
        Whether answers count; otherwise the posterior is the models'.
    posterior : ndarray of shape (N, K)
        Filled.
    quality, label_quality : ndarray of shape (N,), (A,)
        Filled: the posterior of the consensus (of the first class where there is none) and of each answer's label.
    agreement : ndarray of shape (N,)
        Filled: the share of the answers that equal the consensus; NaN without answers.
    """
    K = models.shape[2]
    size = _tasks_at_a_time(K)
    heard = np.empty(size)
    starts: Codes = np.empty(0, dtype=np.int64)
    for begin in range(first, last, size):
        end = min(begin + size, last)
        starts = _starts(begin, end, indptr, starts)
        rows = posterior[begin:end]
        _combine(
            begin, end, starts, indptr, annotator, label, models, weight, model_weight, right, wrong, heard, rows
        )  # fmt: skip
        for i in range(begin, end):
            if truth[i] >= 0:
                posterior[i] = 0.0
                posterior[i, truth[i]] = 1.0
            elif not listen or indptr[i] == indptr[i + 1]:
                for k in range(K):
                    mean = 0.0 if len(models) else 1 / K
                    for p in range(len(models)):
                        mean += model_share[p] * models[p, i, k]
                    posterior[i, k] = min(max(mean, 0.0), 1.0)
            quality[i] = posterior[i, max(consensus[i], 0)]
            agreement[i] = 0.0
        i, offset = begin - 1, indptr[begin]
        for a in range(offset, indptr[end]):
            i += starts[place(a - offset)]
            label_quality[a] = posterior[place(i), place(label[a])]
            agreement[place(i)] += 1.0 if label[a] == consensus[place(i)] else 0.0
        for i in range(begin, end):
            agreement[i] /= indptr[i + 1] - indptr[i]


@compiled
def score_tasks(
    first: int, last: int, indptr: Codes, annotator: Codes, weight: Floats, quality: Floats,
    model_weight: float, average: float, ignorance: float, scores: Floats,
) -> None:  # fmt: skip
    """Fill in ActiveLab's scores.

    Parameters
    ----------
    quality : ndarray of shape (N,)
        How far each consensus is to be believed.
    model_weight, average : float
        Weight of all models, and of an average annotator.
    ignorance : float
        The probability that an annotator who knew nothing would give to the consensus.
    scores : ndarray of shape (N,)
        Filled.
    """
    for i in range(first, last):
        backing = model_weight
        for a in range(indptr[i], indptr[i + 1]):
            backing += weight[place(annotator[a])]
        scores[i] = (quality[i] * backing + average * ignorance) / (backing + average)
