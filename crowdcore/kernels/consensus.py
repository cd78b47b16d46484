"""CROWDLAB's walks over the tasks: count, break ties, compare, combine with the model, rate annotators.

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

TIED = -2
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
def tally_votes(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, truth: Codes,
    top: Codes, class_votes: Codes, tallies: Codes,
) -> None:  # fmt: skip
    """Find each task's most frequent label, and how far annotators agree with each other.

    Parameters
    ----------
    top : ndarray of shape (N,)
        Filled: the label, -1 without answers, `TIED` for a tie.
    class_votes : ndarray of shape (K,)
        Added to: how often each class was chosen.
    tallies : ndarray of shape (M, 4)
        Added to, for each annotator: other answers to the same tasks, and those that agree (a known truth is one
        more); answers to tasks without a tie, and those that equal the most frequent label.
    """
    votes = np.zeros(len(class_votes), dtype=np.int64)
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        if begin == end:
            top[i] = -1
            continue
        for a in range(begin, end):
            votes[place(label[a])] += 1
        most, winner, tied = 0, 0, False
        for a in range(begin, end):
            k = label[a]
            if votes[k] > most:
                most, winner, tied = votes[k], k, False
            elif votes[k] == most and k != winner:
                tied = True
        top[i] = TIED if tied else winner
        known = truth[i]
        others = end - begin - 1 + (1 if known >= 0 else 0)
        for a in range(begin, end):
            j, k = place(annotator[a]), place(label[a])
            class_votes[k] += 1
            tallies[j, 0] += others
            tallies[j, 1] += votes[k] - 1 + (1 if known == k else 0)
            if not tied:
                tallies[j, 2] += 1
                tallies[j, 3] += 1 if k == winner else 0
        for a in range(begin, end):
            votes[place(label[a])] = 0


@compiled
def _keep_largest(values: Floats, among: Codes) -> int:
    """Keep only those `among` the classes whose values are the largest, and return how many these are."""
    top = -np.inf
    for k in range(len(values)):
        if among[k]:
            top = max(top, values[k])
    left = 0
    for k in range(len(values)):
        among[k] = 1 if among[k] and values[k] >= top - ROUNDING else 0
        left += among[k]
    return left


@compiled
def break_ties(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, models: Floats,
    class_votes: Floats, reliability: Floats, chance: Floats, top: Codes,
) -> int:  # fmt: skip
    """Break ties: by the models' mean, the rarer class, the more reliable annotators, chance; return how many are left.

    Parameters
    ----------
    class_votes : ndarray of shape (K,)
        How often each class was chosen in the whole crowd.
    reliability : ndarray of shape (M,)
        How often each annotator is right on tasks without a tie.
    chance : ndarray of shape (N,) or (0,)
        Random numbers in [0, 1), looked at where nothing else helps; without them such ties are left.
    top : ndarray of shape (N,)
        As `tally_votes` left it; a tie that is broken is replaced by the label.
    """
    K = len(class_votes)
    votes, among = np.zeros(K, dtype=np.int64), np.zeros(K, dtype=np.int64)
    values = np.zeros(K)
    unbroken = 0
    for i in range(first, last):
        if top[i] != TIED:
            continue
        begin, end = indptr[i], indptr[i + 1]
        votes[:] = 0
        most = 0
        for a in range(begin, end):
            votes[place(label[a])] += 1
            most = max(most, votes[place(label[a])])
        for k in range(K):
            among[k] = 1 if votes[k] == most else 0
        left = 2
        if len(models):
            for k in range(K):
                values[k] = 0.0
                for p in range(len(models)):
                    values[k] += models[p, i, k] / len(models)
            left = _keep_largest(values, among)
        if left > 1:
            for k in range(K):
                values[k] = -class_votes[k]
            left = _keep_largest(values, among)
        if left > 1:
            values[:] = 0.0
            for a in range(begin, end):
                values[place(label[a])] += reliability[place(annotator[a])] / votes[place(label[a])]
            left = _keep_largest(values, among)
        if left > 1 and not len(chance):
            unbroken += 1
            continue
        pick = int(chance[i] * left) if left > 1 else 0
        for k in range(K):
            if among[k]:
                if pick == 0:
                    top[i] = k
                    break
                pick -= 1
    return unbroken


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
    starts = np.empty(0, dtype=np.int64)
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
    starts = np.empty(0, dtype=np.int64)
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
def rate_annotators(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, truth: Codes, consensus: Codes,
    quality: Floats, label_quality: Floats, ratings: Floats, cells: Floats,
) -> None:  # fmt: skip
    """Sum up what a consensus says of each annotator.

    Parameters
    ----------
    quality, label_quality : ndarray of shape (N,), (A,)
        How far each consensus and each answer is to be believed.
    ratings : ndarray of shape (M, 5)
        Added to, for each annotator: answers; those that equal the consensus; the sum of their qualities; answers that
        can be compared with something; those of them that equal the consensus.
    cells : ndarray of shape (M * K, 3) or (0, 3)
        Added to, for each annotator and label: answers; those that equal the consensus; the sum of the consensus'
        qualities.
    """
    K = len(cells) // len(ratings) if len(ratings) else 0
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        compared = end - begin > 1 or truth[i] >= 0
        for a in range(begin, end):
            j = place(annotator[a])
            same = 1.0 if label[a] == consensus[i] else 0.0
            ratings[j, 0] += 1
            ratings[j, 1] += same
            ratings[j, 2] += label_quality[a]
            if compared:
                ratings[j, 3] += 1
                ratings[j, 4] += same
            if K:
                c = place(annotator[a] * K + label[a])
                cells[c, 0] += 1
                cells[c, 1] += same
                cells[c, 2] += quality[i]


@compiled
def worst_classes(at: Codes, figures: Floats, K: int, worst: Codes) -> None:
    """Find the label that is wrong most often when each annotator gives it.

    Parameters
    ----------
    at, figures : ndarray of shape (C,), (C, 3)
        Cells ``annotator * K + label`` that occur, in increasing order, and their figures as in `rate_annotators`.
    worst : ndarray of shape (M,)
        Filled for annotators with a cell: the label; of equals the one given most often, then the one given to tasks of
        higher quality, then the first.
    """
    here = -1
    accuracy, size, believed = 0.0, 0.0, 0.0
    for c in range(len(at)):
        j = at[c] // K
        new_size = figures[c, 0]
        new_accuracy, new_believed = figures[c, 1] / new_size, figures[c, 2] / new_size
        if j == here:
            if new_accuracy != accuracy:
                worse = new_accuracy < accuracy
            elif new_size != size:
                worse = new_size > size
            else:
                worse = new_believed > believed + ROUNDING
            if not worse:
                continue
        here, accuracy, size, believed = j, new_accuracy, new_size, new_believed
        worst[j] = at[c] - j * K


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
