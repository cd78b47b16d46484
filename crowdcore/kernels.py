"""The few compiled loops. Each has a plain numpy twin in the tests; importing this compiles nothing.

Kernels are compiled by numba on first use and cached on disk. They release Python's lock, so that `in_parts`
runs them on all cores; parts depend only on the data, so results do not depend on the number of cores.
A crowd's answers come as in `Crowd`: those of task ``i`` are at ``indptr[i]:indptr[i + 1]``. Each answer's
``cell`` is ``annotator * K + label``.
"""

from __future__ import annotations

import functools
import itertools
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from math import exp, log
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])

PART = 1 << 16
"""Answers below which a second thread does not pay."""
MOST_PARTS = 4
CLOSE = 1e-9
"""Votes that differ by less, relatively, are tied; the last bits depend on the order of summing."""

HARD, SOFT, COUNT = 2, 1, 0


def compiled(function: Function) -> Function:
    """Return the function, compiled by numba when it is first called."""

    @functools.cache
    def ready() -> Callable[..., Any]:
        njit = import_module("numba").njit
        try:
            dispatcher: Any = njit(cache=True, nogil=True)(function)
        except RuntimeError:  # no folder that can be written: compiled anew in each process
            return cast("Callable[..., Any]", njit(nogil=True)(function))
        _announce(dispatcher.stats.cache_path)
        return cast("Callable[..., Any]", dispatcher)

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        return ready()(*args)

    return cast("Function", call)


@functools.cache
def _announce(cache: str) -> None:
    if not any(Path(cache).glob("kernels.*.nbi")):
        logging.getLogger("crowdcore").warning(
            "Compiling crowdcore's kernels, once after installation: a few seconds for each algorithm."
        )


def part_bounds(indptr: Codes, result_size: int) -> list[tuple[int, int]]:
    """Return ranges of tasks with about equally many answers.

    There are as many as pay for results of this size, which each part has to itself, at most `MOST_PARTS`.
    """
    answers = int(indptr[-1])
    parts = max(1, min(MOST_PARTS, answers // max(PART, 2 * result_size)))
    inner = np.searchsorted(indptr, np.arange(1, parts) * answers // parts)
    edges = [0, *inner.tolist(), len(indptr) - 1]
    return list(itertools.pairwise(edges))


def in_parts(work: Callable[[int, int, int], Any], bounds: list[tuple[int, int]]) -> list[Any]:
    """Return ``work(part, first, last)`` of each part, in order; several run at a time."""
    if len(bounds) == 1:
        return [work(0, *bounds[0])]
    return list(_pool().map(lambda part: work(part, *bounds[part]), range(len(bounds))))


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(MOST_PARTS, os.cpu_count() or 1), thread_name_prefix="crowdcore")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_pool.cache_clear)


@compiled
def weighted_votes(
    first_task: int,
    last_task: int,
    indptr: Codes,
    annotator: Codes,
    label: Codes,
    weight: Floats,
    share_ties: bool,
    votes: Floats,
    codes: Codes,
    agreed: Floats,
) -> None:
    """Count votes of a range of tasks, find the winners and how far each annotator agrees with them.

    Parameters
    ----------
    indptr, annotator, label : ndarray of shape (N + 1,), (A,), (A,)
        The answers.
    weight : ndarray of shape (M, K)
        Weight of each annotator's votes for each class; may be negative.
    share_ties : bool
        Whether tied winners share the credit for agreement; otherwise the first of them takes it.
    votes : ndarray of shape (N, K)
        Filled with shares of the votes: V_k + S over their sum, S the size of the negative votes.
    codes : ndarray of shape (N,)
        Filled with the first winner; -1 without answers.
    agreed : ndarray of shape (M,)
        Added to: the sum of credits.
    """
    K = votes.shape[1]
    for i in range(first_task, last_task):
        first, last = indptr[i], indptr[i + 1]
        if first == last:
            codes[i] = -1
            for k in range(K):
                votes[i, k] = 1 / K
            continue
        for k in range(K):
            votes[i, k] = 0.0
        size = 0.0
        total = 0.0
        for a in range(first, last):
            k = label[a]
            w = weight[annotator[a], k]
            votes[i, k] += w
            total += w
            size += abs(w)
        top = votes[i, 0]
        winner = 0
        for k in range(1, K):
            winner = k if votes[i, k] > top + CLOSE * size else winner
            top = max(top, votes[i, k])
        codes[i] = winner
        if share_ties:
            floor = top - CLOSE * size
            tied = 0
            for k in range(K):
                tied += 1 if votes[i, k] >= floor else 0
            credit = 1 / tied
            for a in range(first, last):
                agreed[annotator[a]] += credit if votes[i, label[a]] >= floor else 0.0
        else:
            for a in range(first, last):
                agreed[annotator[a]] += 1.0 if label[a] == winner else 0.0
        negative = (size - total) / 2
        total += K * negative
        for k in range(K):
            votes[i, k] = max(votes[i, k] + negative, 0.0) / total if total > 0 else 1 / K


@compiled
def confusion_pass(
    mode: int,
    first: int,
    last: int,
    indptr: Codes,
    cell: Codes,
    log_confusion: Floats,
    log_prior: Floats,
    known: Codes,
    probas: Floats,
    counts: Floats,
    totals: Floats,
) -> None:
    """Walk over tasks first to last: posterior of each, and expected counts of confusion under it.

    Parameters
    ----------
    mode : int
        `SOFT`: the posterior; `HARD`: the most probable classes, ties shared; `COUNT`: leave `probas` as
        they are and only count.
    log_confusion : ndarray of shape (M * K, K)
        Logarithm of the chance of each cell's label for each true class.
    log_prior : ndarray of shape (K,)
        Logarithm of the share of each class.
    known : ndarray of shape (N,)
        Classes known to be true, -1 elsewhere.
    probas : ndarray of shape (N, K)
        Filled; rows of tasks without answers that are not known are left alone and not counted.
    counts : ndarray of shape (M * K, K)
        Added to: how often each cell is expected for each true class.
    totals : ndarray of shape (K + 2,)
        Added to: sum of `probas`; sum of log evidence; sum of the expected log joint.
    """
    K = probas.shape[1]
    evidence = 0.0
    expected = 0.0
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        truth = known[i]
        if begin == end and truth < 0:
            continue
        if mode != COUNT:
            for k in range(K):
                probas[i, k] = log_prior[k]
            for a in range(begin, end):
                c = cell[a]
                for k in range(K):
                    probas[i, k] += log_confusion[c, k]
            if truth >= 0:
                joint = probas[i, truth]
                evidence += joint
                expected += joint
                for k in range(K):
                    probas[i, k] = 0.0
                probas[i, truth] = 1.0
            else:
                top = probas[i, 0]
                for k in range(1, K):
                    top = max(top, probas[i, k])
                total = 0.0
                inner = 0.0
                for k in range(K):
                    above = probas[i, k] - top
                    if mode == SOFT:
                        p = exp(above)
                        inner += p * above
                    else:
                        p = 1.0 if above >= -CLOSE else 0.0
                    probas[i, k] = p
                    total += p
                for k in range(K):
                    probas[i, k] /= total
                evidence += top + (log(total) if mode == SOFT else 0.0)
                expected += top + inner / total
        for k in range(K):
            totals[k] += probas[i, k]
        for a in range(begin, end):
            c = cell[a]
            for k in range(K):
                counts[c, k] += probas[i, k]
    totals[K] += evidence
    totals[K + 1] += expected


@compiled
def spike_pass(
    hard: bool,
    first: int,
    last: int,
    indptr: Codes,
    cell: Codes,
    other: Floats,
    bonus: Floats,
    log_prior: Floats,
    known: Codes,
    probas: Floats,
    matched: Floats,
    totals: Floats,
) -> None:
    """Do `confusion_pass` for annotators whose labels are alike likely for all true classes but the label's own.

    Parameters
    ----------
    other : ndarray of shape (M * K,)
        Logarithm of the chance of each cell's label if another class is true.
    bonus : ndarray of shape (M * K,)
        How much larger that is if the label is true.
    matched : ndarray of shape (M * K,)
        Added to: in how many of each cell's answers the label is expected to be true.
    hard, first, last, indptr, cell, log_prior, known, probas, totals
        As in `confusion_pass`; ``hard`` is false for `SOFT`.
    """
    K = probas.shape[1]
    evidence = 0.0
    expected = 0.0
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        truth = known[i]
        if begin == end and truth < 0:
            continue
        base = 0.0
        for k in range(K):
            probas[i, k] = log_prior[k]
        for a in range(begin, end):
            c = cell[a]
            base += other[c]
            probas[i, c % K] += bonus[c]
        if truth >= 0:
            joint = probas[i, truth] + base
            evidence += joint
            expected += joint
            for k in range(K):
                probas[i, k] = 0.0
            probas[i, truth] = 1.0
        else:
            top = probas[i, 0]
            for k in range(1, K):
                top = max(top, probas[i, k])
            total = 0.0
            inner = 0.0
            for k in range(K):
                above = probas[i, k] - top
                if hard:
                    p = 1.0 if above >= -CLOSE else 0.0
                else:
                    p = exp(above)
                    inner += p * above
                probas[i, k] = p
                total += p
            for k in range(K):
                probas[i, k] /= total
            evidence += base + top + (0.0 if hard else log(total))
            expected += base + top + inner / total
        for k in range(K):
            totals[k] += probas[i, k]
        for a in range(begin, end):
            c = cell[a]
            matched[c] += probas[i, c % K]
    totals[K] += evidence
    totals[K + 1] += expected


@compiled
def ability_pass(
    first: int,
    last: int,
    indptr: Codes,
    annotator: Codes,
    label: Codes,
    ability: Floats,
    ease: Floats,
    log_prior: Floats,
    known: Codes,
    probas: Floats,
    belief: Floats,
) -> float:
    """Do GLAD's E-step for tasks first to last, and return the sum of the entropy and the log prior under it.

    Parameters
    ----------
    ability, ease : ndarray of shape (M,), (N,)
        The annotators' ability; e to the power of the tasks' easiness.
    belief : ndarray of shape (A,)
        Filled with the probability of each answer's label.
    indptr, annotator, label, log_prior, known, probas
        As in `confusion_pass`.
    """
    K = probas.shape[1]
    bonus = log(max(K - 1.0, 1.0))
    free = 0.0
    for i in range(first, last):
        begin, end = indptr[i], indptr[i + 1]
        truth = known[i]
        if begin == end and truth < 0:
            continue
        if truth >= 0:
            free += log_prior[truth]
            for k in range(K):
                probas[i, k] = 0.0
            probas[i, truth] = 1.0
        else:
            for k in range(K):
                probas[i, k] = log_prior[k]
            for a in range(begin, end):
                probas[i, label[a]] += ability[annotator[a]] * ease[i] + bonus
            top = probas[i, 0]
            for k in range(1, K):
                top = max(top, probas[i, k])
            total = 0.0
            inner = 0.0
            for k in range(K):
                above = probas[i, k] - top
                p = exp(above)
                inner += p * above
                probas[i, k] = p
                total += p
            free += log(total) - inner / total
            for k in range(K):
                probas[i, k] /= total
                free += probas[i, k] * log_prior[k]
        for a in range(begin, end):
            belief[a] = probas[i, label[a]]
    return free


@compiled
def ability_slope(
    first: int,
    last: int,
    indptr: Codes,
    annotator: Codes,
    belief: Floats,
    ability: Floats,
    ease: Floats,
    to_ability: Floats,
    to_ease: Floats,
    cross: Floats,
) -> float:
    """Return the sum of ``belief * x - log(1 + e**x)``, x = ability * ease, of tasks first to last.

    Parameters
    ----------
    to_ability : ndarray of shape (2, M)
        Added to: derivative by each annotator's ability, and its expected curvature.
    to_ease : ndarray of shape (2, N)
        Filled: the same by the logarithm of each task's ease.
    cross : ndarray of shape (A,)
        Filled: expected mixed curvature.
    indptr, annotator, belief, ability, ease
        As in `ability_pass`.
    """
    value = 0.0
    for i in range(first, last):
        e = ease[i]
        slope_i = 0.0
        bend_i = 0.0
        factor = 1.0
        for a in range(indptr[i], indptr[i + 1]):
            j = annotator[a]
            x = ability[j] * e
            small = exp(-abs(x))
            over = 1 / (1 + small)
            factor *= 1 + small  # one logarithm for many answers; each factor is at most 2
            if factor > 1e280:
                value -= log(factor)
                factor = 1.0
            value += belief[a] * x - max(x, 0.0)
            slope = belief[a] - (over if x >= 0 else small * over)
            bend = small * over * over
            to_ability[0, j] += slope * e
            to_ability[1, j] += bend * e * e
            slope_i += slope * x
            bend_i += bend * x * x
            cross[a] = bend * e * x
        value -= log(factor)
        to_ease[0, i] = slope_i
        to_ease[1, i] = bend_i
    return value


@compiled
def solve_arrow(
    indptr: Codes,
    annotator: Codes,
    cross: Floats,
    slope_a: Floats,
    bend_a: Floats,
    slope_t: Floats,
    bend_t: Floats,
    step_a: Floats,
    step_t: Floats,
    n_iter: int,
    tol: float,
) -> None:
    """Solve ``[A C'; C T] step = slope``, A and T diagonal, by conjugate gradients on the annotators' part.

    Parameters
    ----------
    cross : ndarray of shape (A,)
        C's entry of each answer, at its task and annotator.
    slope_a, bend_a : ndarray of shape (M,)
        Right side and diagonal of annotators.
    slope_t, bend_t : ndarray of shape (N,)
        Those of tasks.
    step_a, step_t : ndarray of shape (M,), (N,)
        Filled with the solution.
    n_iter, tol : int, float
        Most iterations; how much smaller the residual is to become.
    """
    N = len(slope_t)
    residual = slope_a.copy()
    for i in range(N):
        t = slope_t[i] / bend_t[i]
        for a in range(indptr[i], indptr[i + 1]):
            residual[annotator[a]] -= cross[a] * t
    step_a[:] = 0.0
    direction = residual / bend_a
    power = (residual * direction).sum()
    enough = power * tol * tol
    for _ in range(n_iter):
        if power <= enough:
            break
        image = bend_a * direction
        for i in range(N):
            t = 0.0
            for a in range(indptr[i], indptr[i + 1]):
                t += cross[a] * direction[annotator[a]]
            t /= bend_t[i]
            for a in range(indptr[i], indptr[i + 1]):
                image[annotator[a]] -= cross[a] * t
        curvature = (direction * image).sum()
        if not curvature > 0:
            break
        step_a += power / curvature * direction
        residual -= power / curvature * image
        scaled = residual / bend_a
        new_power = (residual * scaled).sum()
        direction = scaled + new_power / power * direction
        power = new_power
    for i in range(N):
        t = slope_t[i]
        for a in range(indptr[i], indptr[i + 1]):
            t -= cross[a] * step_a[annotator[a]]
        step_t[i] = t / bend_t[i]


@compiled
def pass_messages(
    indptr: Codes, annotator: Codes, sign: Floats, message: Floats, num_annotators: int, n_iter: int, tol: float
) -> int:
    """Pass KOS's messages between tasks and annotators; return the number of iterations done.

    Messages are scaled to a largest size of 1 after each iteration, which changes no sign. What cancels up to
    rounding is 0, or the order of sums would decide its sign.

    Parameters
    ----------
    indptr, annotator : ndarray of shape (N + 1,), (A,)
        The answers.
    sign : ndarray of shape (A,)
        -1 or 1, the answers themselves.
    message : ndarray of shape (A,)
        From annotators to tasks; the start, and filled with the last.
    tol : float
        Ends when no message changes by more.
    """
    N = len(indptr) - 1
    said = np.empty(num_annotators)
    loud = np.empty(num_annotators)
    new = np.empty_like(message)
    for iteration in range(n_iter):
        said[:] = 0.0
        loud[:] = 0.0
        for i in range(N):
            total, size = 0.0, 0.0
            for a in range(indptr[i], indptr[i + 1]):
                total += sign[a] * message[a]
                size += abs(message[a])
            for a in range(indptr[i], indptr[i + 1]):
                heard = sign[a] * total - message[a]  # the message to the annotator, times the sign
                new[a] = heard if abs(heard) > CLOSE * size else 0.0
                said[annotator[a]] += new[a]
                loud[annotator[a]] += abs(new[a])
        largest = 0.0
        for a in range(len(message)):
            told = said[annotator[a]] - new[a]
            new[a] = told if abs(told) > CLOSE * loud[annotator[a]] else 0.0
            largest = max(largest, abs(new[a]))
        if largest == 0.0:
            return iteration
        change = 0.0
        for a in range(len(message)):
            scaled = new[a] / largest
            change = max(change, abs(scaled - message[a]))
            message[a] = scaled
        if change <= tol:
            return iteration + 1
    return n_iter


@compiled
def shared_tasks(
    indptr: Codes, annotator: Codes, label: Codes, starts: Codes, answer: Codes, task: Codes, pairs: Codes,
    other: Codes, common: Floats, agreeing: Floats,
) -> None:  # fmt: skip
    """Find the annotators who share tasks, how many, and on how many they agree; as a CSR matrix.

    Parameters
    ----------
    starts, answer : ndarray of shape (M + 1,), (A,)
        Each annotator's answers: places in `annotator`, `label` and `task`.
    pairs : ndarray of shape (M + 1,)
        The matrix's row pointers; filled if `other` is empty, and nothing else is.
    other, common, agreeing : ndarray of shape (pairs[M],)
        Filled: column, tasks in common, tasks with the same label. Columns are in increasing order.
    """
    M = len(starts) - 1
    seen = np.full(M, -1, dtype=np.int64)
    shared = np.zeros(M)
    same = np.zeros(M)
    for j in range(M):
        size = 0
        found = np.empty(M if len(other) else 0, dtype=np.int64)
        for b in range(starts[j], starts[j + 1]):
            mine = answer[b]
            i = task[mine]
            for a in range(indptr[i], indptr[i + 1]):
                who = annotator[a]
                if who == j:
                    continue
                if seen[who] != j:
                    seen[who] = j
                    shared[who] = 0.0
                    same[who] = 0.0
                    if len(other):
                        found[size] = who
                    size += 1
                shared[who] += 1
                same[who] += label[a] == label[mine]
        if len(other):
            row = np.sort(found[:size])
            for n in range(size):
                other[pairs[j] + n] = row[n]
                common[pairs[j] + n] = shared[row[n]]
                agreeing[pairs[j] + n] = same[row[n]]
        else:
            pairs[j + 1] = pairs[j] + size


@compiled
def robust_rank_one(
    pairs: Codes, other: Codes, size: Floats, trim: int, least: float, u: Floats, v: Floats, n_iter: int, tol: float
) -> int:
    """Find u and v with ``u v' = size`` where observed, outliers left out; return the iterations done.

    Parameters
    ----------
    pairs, other, size : ndarray of shape (M + 1,), (P,), (P,)
        A symmetric CSR matrix, not negative.
    trim : int
        How many of the largest and of the smallest estimates of each entry are left out.
    least : float
        Takes the place of estimates that are 0 altogether.
    u, v : ndarray of shape (M,)
        The start, and filled with the result.
    tol : float
        Ends when ``u v'`` changes by less, in the Frobenius norm.
    """
    M = len(u)
    for iteration in range(n_iter):
        before_u = u.copy()
        before_v = v.copy()
        for side in range(2):
            to, by = (v, u) if side == 0 else (u, v)
            for j in range(M):
                degree = pairs[j + 1] - pairs[j]
                if degree == 0:
                    continue
                y = np.empty(degree)
                for n in range(degree):
                    y[n] = size[pairs[j] + n] / by[other[pairs[j] + n]]
                y.sort()
                below = np.searchsorted(y, to[j], "left")
                above = degree - np.searchsorted(y, to[j], "right")
                begin = min(below, trim)
                end = degree - min(above, trim)
                if begin < end:
                    to[j] = y[begin:end].mean()
                if not to[j] > 0:
                    to[j] = least
        du = u - before_u
        dv = v - before_v
        change = (
            (du * du).sum() * (v * v).sum()
            + (before_u * before_u).sum() * (dv * dv).sum()
            + 2 * (du * before_u).sum() * (v * dv).sum()
        )
        if max(change, 0.0) < tol * tol:
            return iteration + 1
    return n_iter
