"""GLAD's two steps."""

from __future__ import annotations

from math import exp, log

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled


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
