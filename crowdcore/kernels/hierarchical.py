"""Hierarchical Dawid-Skene: posteriors of tasks, rows of annotators, and the pool of dependent answers."""

from __future__ import annotations

from math import exp, lgamma, log, sqrt

import numpy as np
from numpy import uintp as place  # numba then leaves out the way round of negative places

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled

LITTLE = 1e-6
"""Probability below which a class adds nothing that could be seen."""
LEAST_STRENGTH = 1e-3


@compiled
def infer_tasks(
    first: int, last: int, indptr: Codes, annotator: Codes, label: Codes, cell: Codes, known: Codes,
    log_prior: Floats, exponent: float, log_rows: Floats, right: Floats, rows: Floats, ratio: float,
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
    rows : ndarray of shape (C, K), or (0, K)
        The chance of each cell's label for each true class; needed where `ratio` is not 0.
    ratio : float
        How much less of a surprise the same label is again (a Pólya urn); 0 where answers are independent.
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
    logs, seen, active, product = np.empty(K), np.zeros(K, dtype=np.int64), np.empty(K, dtype=np.int64), np.empty(K)
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
            if ratio:
                _discount(begin, end, label, cell, rows, ratio, seen, product, logs)
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
        teaches = end - begin > 1 or truth >= 0 or len(log_prior) > 1  # a lone answer is believed as its annotator is
        num_active = 0
        for k in range(K):
            totals[k] += posterior[i, k] if teaches else 0.0
            if posterior[i, k] > LITTLE:
                active[num_active] = k
                num_active += 1
        if teaches:
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
def _discount(
    begin: int, end: int, label: Codes, cell: Codes, rows: Floats, ratio: float, seen: Codes, product: Floats,
    logs: Floats,
) -> None:  # fmt: skip
    """Add what labels that come again are discounted by; `seen` is zero before and after."""
    for a in range(begin, end):
        seen[place(label[a])] += 1
    for a in range(begin, end):
        said = place(label[a])
        times = seen[said]
        seen[said] = 0
        if times < 2:
            continue
        for k in range(len(logs)):
            product[k] = 0.0
        for b in range(a, end):
            if label[b] == label[a]:
                c = place(cell[b])
                for k in range(len(logs)):
                    product[k] += rows[c, k]
        for k in range(len(logs)):
            urn, usual = 1.0, product[k] / times
            for m in range(1, times):
                urn *= 1 + m * ratio / usual
                if urn > 1e200:
                    logs[k] += log(urn)
                    urn = 1.0
            logs[k] += log(urn)


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
def spread(logs: Floats, exponent: float, chances: Floats) -> None:
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
def strength(log_row: Floats, said: int) -> float:
    """Return how many times likelier a label is where it is true than elsewhere, as a logarithm; hardly ever 0.

    Parameters
    ----------
    log_row : ndarray of shape (K,)
        Logarithm of the label's chance for each true class.
    said : int
        The label.
    """
    other = -np.inf
    for k in range(len(log_row)):
        if k != said:
            other = max(other, log_row[k])
    return max(log_row[said] - other, LEAST_STRENGTH) if len(log_row) > 1 else 1.0


@compiled
def weigh_answers(
    prior: Floats, exponent: float, own: bool, says: Floats, total: float, strongest: float, pair: float,
    several: float, as_one: float, row: Floats, one: Floats,
) -> None:  # fmt: skip
    """Fill in a task's posterior, as answers that depend on each other let believe it.

    Parameters
    ----------
    prior : ndarray of shape (K,)
        Logarithm of what is believed before the answers, to be raised to `exponent`.
    own : bool
        Whether the prior is the task's own, not that of all: only such a one is heard beside a lone answer.
    says : ndarray of shape (K,)
        What the answers say: the sum of the logarithms of their chances for each true class.
    total, strongest : float
        The sum and the largest of the answers' strengths: they say as much as N = total / strongest equal ones.
    pair, several, as_one
        See `crowdcore.hierarchical.dependence.Dependence`.
    row : ndarray of shape (K,)
        Filled.
    one : ndarray of shape (K,)
        Overwritten.

    Notes
    -----
    Answers count for N / (1 + (N - 1) pair + several (1 - 1 / N)) independent ones, or all for one, with chance
    `as_one`. Either way, one more answer that agrees never lowers what is believed of its label: the divisor grows less
    than what the answers say.
    """
    equal = max(total / strongest, 1.0) if strongest > 0 else 1.0
    many = 1 / (1 + (equal - 1) * pair + several * (1 - 1 / equal))
    for k in range(len(row)):
        row[k] = exponent * prior[k] + many * says[k]
        one[k] = (exponent * prior[k] if own else 0.0) + says[k] / equal
    spread(row, 1.0, row)
    spread(one, 1.0, one)
    for k in range(len(row)):
        row[k] += as_one * (one[k] - row[k])


@compiled
def pool_answers(
    first: int, last: int, indptr: Codes, label: Codes, cell: Codes, known: Codes, log_prior: Floats, exponent: float,
    log_rows: Floats, own: bool, pair: float, several: float, as_one: float, consensus: Codes, posterior: Floats,
    confidence: Floats, quality: Floats, label_quality: Floats, agreement: Floats,
) -> None:  # fmt: skip
    """Find what is believed of tasks first to last, and take the most probable labels.

    Parameters
    ----------
    log_prior : ndarray of shape (N, K) or (1, K)
        As in `infer_tasks`.
    log_rows : ndarray of shape (C, K)
        Logarithm of the chance of each cell's label for each true class.
    own : bool
        Whether tasks have priors of their own; if not, a task of which nothing is heard has no consensus.
    pair, several, as_one : float
        As in `weigh_answers`.
    indptr, label, cell, known, exponent
        As in `infer_tasks`.
    consensus : ndarray of shape (N,)
        Filled; -1 where nothing is heard.
    posterior : ndarray of shape (N, K)
        Renewed.
    confidence : ndarray of shape (N,)
        Filled: what is believed of the consensus if answers are independent; 1 / K where it is -1.
    quality, agreement : ndarray of shape (N,)
        Filled: the posterior of the consensus; the share of the answers that equal it.
    label_quality : ndarray of shape (A,)
        Filled: the posterior of each answer.
    """
    K = posterior.shape[1]
    says, one = np.empty(K), np.empty(K)
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        n, row, prior = end - begin, posterior[i], log_prior[i if len(log_prior) > 1 else 0]
        says[:] = 0.0
        if n and known[i] < 0:
            total = strongest = 0.0
            for a in range(begin, end):
                log_row = log_rows[place(cell[a])]
                adds = strength(log_row, label[a])
                total += adds
                strongest = max(strongest, adds)
                for k in range(K):
                    says[k] += log_row[k]
            weigh_answers(prior, exponent, own, says, total, strongest, pair, several, as_one, row, one)
        best = 0
        for k in range(1, K):
            if row[k] > row[best]:
                best = k
        consensus[i] = best
        quality[i] = row[best]
        confidence[i] = row[best]
        if n and known[i] < 0:
            for k in range(K):
                one[k] = exponent * prior[k] + says[k]
            spread(one, 1.0, one)
            confidence[i] = one[best]
        if n == 0 and known[i] < 0 and not own:
            consensus[i] = -1
            confidence[i] = 1 / K
        same = 0
        for a in range(begin, end):
            label_quality[a] = row[label[a]]
            same += 1 if label[a] == consensus[i] else 0
        agreement[i] = same / n if n else np.nan
