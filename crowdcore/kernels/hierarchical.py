"""Hierarchical Dawid-Skene: posteriors of tasks, rows of annotators, and the pool of dependent answers."""

from __future__ import annotations

from math import exp, lgamma, log, log1p, sqrt

import numpy as np
from numpy import uintp as place  # numba then leaves out the way round of negative places

from crowdcore.kernels import ROUNDING, Codes, Floats
from crowdcore.kernels.compiling import compiled

LITTLE = 1e-6
"""Probability below which a class adds nothing that could be seen."""


@compiled
def infer_tasks(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, cell: Codes, known: Codes,
    log_prior: Floats, exponent: float, log_rows: Floats, right: Floats, repeats: Floats,
    posterior: Floats, counts: Floats, totals: Floats,
) -> None:  # fmt: skip
    """Find the posteriors of tasks first to last that have answers or are known, and what follows from them.

    Parameters
    ----------
    cell : ndarray of shape (A,)
        Which row of `log_rows` and `counts` belongs to each answer's annotator and label.
    known : ndarray of shape (N,)
        Classes known to be true, -1 elsewhere.
    log_prior : ndarray of shape (N, K) or (1, K)
        Logarithm of what is believed of each task, or of all, before the answers.
    exponent : float
        The prior is raised to this power.
    log_rows : ndarray of shape (C, K), or (0, K)
        Logarithm of the chance of each cell's label for each true class. With none, posteriors stay as they are and
        only counts and totals of classes are found.
    right : ndarray of shape (M, K), or (0, K)
        The chance that each annotator recognises each class. With none, what errors have in common is not looked for.
    repeats : ndarray of shape (R, K, K)
        What is added to the logarithm of each true class's chance (last axis) when a label (second axis) comes for the
        second, third, ... time; beyond R as for the last. With R = 0 answers are independent.
    posterior : ndarray of shape (N, K)
        Renewed.
    counts : ndarray of shape (C, K)
        Added to: how often each cell is expected for each true class.
    totals : ndarray of shape (K + 7,)
        Classes' expected tasks are added to; then the largest change of a posterior; then added to: tasks' largest
        changes; products of the errors of two answers to a task, and of their standard deviations; the posteriors'
        mean log prior, and its variance under them; the logarithm of the answers' chance if `log_prior` is not
        normalised after it is raised to its power.
    """
    K = posterior.shape[1]
    logs, seen, active = np.empty(K), np.zeros(K, dtype=np.int64), np.empty(K, dtype=np.int64)
    largest = changes = together = apart = mean_prior = variance = evidence = 0.0
    k: int | np.unsignedinteger
    for i in range(first, last):
        begin, end, truth = indptr[i], indptr[i + 1], known[i]
        if begin == end and truth < 0:
            continue
        if len(log_rows):
            base = place(i if len(log_prior) > 1 else 0)
            for k in range(K):
                logs[k] = exponent * log_prior[base, k]
            for a in range(begin, end):
                c = place(cell[a])
                for k in range(K):
                    logs[k] += log_rows[c, k]
            if len(repeats):
                _discount(begin, end, label, repeats, seen, logs)
            if truth >= 0:
                evidence += logs[truth]
            else:
                change, chance = _renew(i, logs, posterior)
                largest = max(largest, change)
                changes += change
                evidence += chance
            mean = square = 0.0
            for k in range(K):
                mean += posterior[i, k] * log_prior[base, k]
                square += posterior[i, k] * log_prior[base, k] * log_prior[base, k]
            mean_prior += mean
            variance += square - mean * mean
        num_active = 0
        for k in range(K):
            totals[k] += posterior[i, k]
            if posterior[i, k] > LITTLE:
                active[num_active] = k
                num_active += 1
        for a in range(begin, end):
            c = place(cell[a])
            for k in range(K):
                counts[c, k] += posterior[i, k]
        if len(right) and end - begin > 1:
            for at in range(num_active):
                k = place(active[at])
                error = squares = spread = variances = 0.0
                for a in range(begin, end):
                    j = place(annotator[a])
                    e = (1.0 if label[a] == active[at] else 0.0) - right[j, k]
                    error += e
                    squares += e * e
                    v = right[j, k] * (1 - right[j, k])
                    spread += sqrt(v)
                    variances += v
                together += posterior[i, k] * (error * error - squares)
                apart += posterior[i, k] * (spread * spread - variances)
    if largest > totals[K]:
        totals[K] = largest
    totals[K + 1] += changes
    totals[K + 2] += together
    totals[K + 3] += apart
    totals[K + 4] += mean_prior
    totals[K + 5] += variance
    totals[K + 6] += evidence


@compiled
def _discount(begin: int, end: int, label: Codes, repeats: Floats, seen: Codes, logs: Floats) -> None:
    """Add what labels that come again are discounted by; `seen` is zero before and after."""
    for a in range(begin, end):
        said = place(label[a])
        times = min(seen[said], len(repeats))
        if times:
            for k in range(len(logs)):
                logs[k] += repeats[times - 1, said, k]
        seen[said] += 1
    for a in range(begin, end):
        seen[place(label[a])] = 0


@compiled
def _renew(i: int, logs: Floats, posterior: Floats) -> tuple[float, float]:
    """Renew a task's posterior by log joints; return its largest change, and the logarithm of their sum."""
    top = logs[0]
    for k in range(1, len(logs)):
        top = max(top, logs[k])
    total = change = 0.0
    for k in range(len(logs)):
        logs[k] = exp(logs[k] - top)
        total += logs[k]
    scale = 1 / total
    for k in range(len(logs)):
        after = logs[k] * scale
        change = max(change, abs(after - posterior[i, k]))
        posterior[i, k] = after
    return change, top + log(total)


@compiled
def prior_moments(
    first: int, last: int, indptr: Codes, known: Codes, log_prior: Floats, exponent: float, totals: Floats
) -> None:
    """Sum up what is believed before the answers of tasks first to last that have answers or are known.

    Parameters
    ----------
    indptr, known, log_prior, exponent
        As in `infer_tasks`.
    totals : ndarray of shape (3,)
        Added to: the logarithm of the sum of the powers, the mean log prior under the normalised powers, and its
        variance: the first is a function of the exponent, these are its derivatives.
    """
    K = log_prior.shape[1]
    for i in range(first, last):
        if indptr[i] == indptr[i + 1] and known[i] < 0:
            continue
        top = log_prior[i, 0]
        for k in range(1, K):
            top = max(top, log_prior[i, k])
        total = mean = square = 0.0
        for k in range(K):
            below = log_prior[i, k] - top
            power = exp(exponent * below)
            total += power
            mean += power * below
            square += power * below * below
        mean /= total
        totals[0] += exponent * top + log(total)
        totals[1] += top + mean
        totals[2] += square / total - mean * mean


@compiled
def _spread(logs: Floats, exponent: float, chances: Floats) -> None:
    """Fill in probabilities proportional to powers, given logarithms."""
    top = logs[0]
    for k in range(1, len(logs)):
        top = max(top, logs[k])
    total = 0.0
    for k in range(len(logs)):
        chances[k] = exp(exponent * (logs[k] - top))
        total += chances[k]
    for k in range(len(logs)):
        chances[k] /= total


@compiled
def sum_rows(
    cell_annotator: Codes, cell_label: Codes, counts: Floats, tasks: Floats, hits: Floats, pooled: Floats
) -> None:
    """Sum up the counts of cells.

    Parameters
    ----------
    cell_annotator, cell_label : ndarray of shape (C,)
        Whose cell it is, and of which label.
    counts : ndarray of shape (C, K)
        How often each cell is expected for each true class.
    tasks, hits : ndarray of shape (M, K)
        Added to: each annotator's answers to each true class; those of them that are right.
    pooled : ndarray of shape (K, K)
        Added to: true class, label.
    """
    for c in range(len(counts)):
        j, said = cell_annotator[c], cell_label[c]
        for k in range(counts.shape[1]):
            tasks[j, k] += counts[c, k]
            pooled[k, said] += counts[c, k]
        hits[j, said] += counts[c, said]


@compiled
def fill_rows(
    strength: float, cell_annotator: Codes, cell_label: Codes, counts: Floats, tasks: Floats, recognition: Floats,
    mistakes: Floats, log_rows: Floats,
) -> None:  # fmt: skip
    """Fill in the logarithm of the chance of each cell's label for each true class.

    Parameters
    ----------
    strength : float
        How many answers the expected row counts for.
    recognition : ndarray of shape (M, K)
        The chance that each annotator recognises each class, as expected of their skill.
    mistakes : ndarray of shape (K, K)
        Which label is given (second axis) where the true class (first) is not recognised.
    cell_annotator, cell_label, counts, tasks
        As in `sum_rows`.
    log_rows : ndarray of shape (C, K)
        Filled.
    """
    for c in range(len(counts)):
        j, said = cell_annotator[c], cell_label[c]
        for k in range(counts.shape[1]):
            expected = recognition[j, k] if k == said else (1 - recognition[j, k]) * mistakes[k, said]
            log_rows[c, k] = log((counts[c, k] + strength * expected) / (tasks[j, k] + strength))


@compiled
def row_evidence(
    strength: float, cell_annotator: Codes, cell_label: Codes, counts: Floats, tasks: Floats, recognition: Floats,
    mistakes: Floats,
) -> float:  # fmt: skip
    """Return the logarithm of the counts' chance if rows are Dirichlet of that strength around the expected ones.

    The parameters are those of `fill_rows`.
    """
    evidence = 0.0
    for c in range(len(counts)):
        j, said = cell_annotator[c], cell_label[c]
        for k in range(counts.shape[1]):
            if counts[c, k] > LITTLE:
                expected = recognition[j, k] if k == said else (1 - recognition[j, k]) * mistakes[k, said]
                evidence += lgamma(strength * expected + counts[c, k]) - lgamma(strength * expected)
    for j in range(len(tasks)):
        for k in range(tasks.shape[1]):
            if tasks[j, k] > LITTLE:
                evidence -= lgamma(strength + tasks[j, k]) - lgamma(strength)
    return evidence


@compiled
def repeat_discounts(ratio: float, pooled: Floats, repeats: Floats) -> None:
    """Fill in what `infer_tasks` adds for repeated labels: ``log(1 + m ratio / pooled[k, l])`` at ``m - 1, l, k``."""
    for m in range(len(repeats)):
        for k in range(len(pooled)):
            for said in range(len(pooled)):
                repeats[m, said, k] = log1p((m + 1) * ratio / pooled[k, said])


@compiled
def pool_answers(
    first: int, last: int, indptr: Codes, label: Codes, cell: Codes, known: Codes, log_prior: Floats, exponent: float,
    rows: Floats, correlation: float, least: float, consensus: Codes, posterior: Floats, confidence: Floats,
    quality: Floats, label_quality: Floats, agreement: Floats,
) -> None:  # fmt: skip
    """Take the most probable labels, and mix posteriors with what single answers say, for tasks first to last.

    Parameters
    ----------
    correlation, least : float
        The correlation of a task's answers; the least weight of single answers.
    log_prior : ndarray of shape (N, K) or (0, K)
        As in `infer_tasks`; with none, single answers are heard without a prior.
    rows : ndarray of shape (C, K)
        The chance of each cell's label for each true class.
    indptr, label, cell, known, exponent
        As in `infer_tasks`.
    consensus : ndarray of shape (N,)
        Filled; -1 where there is neither an answer nor a prior of the task's own.
    posterior : ndarray of shape (N, K)
        Renewed.
    confidence : ndarray of shape (N,)
        Filled: the posterior of the most probable label before mixing; 1 / K where the consensus is -1.
    quality, agreement : ndarray of shape (N,)
        Filled: the mixed posterior of the consensus; the share of the answers that equal it.
    label_quality : ndarray of shape (A,)
        Filled: the mixed posterior of each answer.
    """
    K = posterior.shape[1]
    prior, one, mean = np.full(K, 1 / K), np.empty(K), np.empty(K)
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        n, row = end - begin, posterior[i]
        best = 0
        for k in range(1, K):
            if row[k] > row[best]:
                best = k
        consensus[i] = best
        confidence[i] = row[best]
        if n == 0 and known[i] < 0 and not len(log_prior):
            consensus[i] = -1
            confidence[i] = 1 / K
        if n > 1 and known[i] < 0:
            if len(log_prior):
                _spread(log_prior[i], exponent, prior)
            mean[:] = 0.0
            for a in range(begin, end):
                c, total = place(cell[a]), 0.0
                for k in range(K):
                    one[k] = prior[k] * rows[c, k]
                    total += one[k]
                for k in range(K):
                    mean[k] += one[k] / total / n
            weight = max(n * correlation / (1 + (n - 1) * correlation), least)
            for k in range(K):
                gain = mean[k] - mean[best]
                if gain > ROUNDING:
                    lead = row[best] - row[k]
                    weight = min(weight, 0.999 * lead / (lead + gain))
            for k in range(K):
                row[k] += weight * (mean[k] - row[k])
        quality[i] = row[best]
        same = 0
        for a in range(begin, end):
            label_quality[a] = row[label[a]]
            same += 1 if label[a] == consensus[i] else 0
        agreement[i] = same / n if n else np.nan
