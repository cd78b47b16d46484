"""The steps of GLAD's M-step."""

from __future__ import annotations

from math import exp, log

from numpy import uintp as place  # numba then leaves out the way round of negative places

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled


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
        As in `crowdcore.kernels.posteriors.ability_pass`.
    """
    value = 0.0
    for i in range(first, last):
        e = ease[i]
        slope_i = 0.0
        bend_i = 0.0
        factor = 1.0
        for a in range(indptr[i], indptr[i + 1]):
            j = place(annotator[a])
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
            residual[place(annotator[a])] -= cross[a] * t
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
                t += cross[a] * direction[place(annotator[a])]
            t /= bend_t[i]
            for a in range(indptr[i], indptr[i + 1]):
                image[place(annotator[a])] -= cross[a] * t
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
            t -= cross[a] * step_a[place(annotator[a])]
        step_t[i] = t / bend_t[i]
