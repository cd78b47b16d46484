"""Temperature scaling: make a model's probabilities as sure as the crowd's votes say they may be."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.crowd.evidence import as_ensemble
from crowdcore.crowd.table import Crowd

COARSE = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 3.0, 5.0, 8.0)
PART = 1 << 14
"""Tasks below which a second thread does not pay."""

Floats = NDArray[np.float64]


def fit_temperature(votes: Crowd | ArrayLike, pred_probs: ArrayLike) -> float | NDArray[np.float64]:
    """Return the temperature at which probabilities agree best with the crowd's votes.

    The loss is the mean over tasks with answers of the cross-entropy, in units of ln K, between the shares
    of a task's votes and the scaled probabilities. It is searched on a coarse grid from 0.1 to 8, then on a
    fine one around the best point.

    Parameters
    ----------
    votes : Crowd or array_like of shape (N, K)
        The answers, or how many of them each class got.
    pred_probs : array_like of shape (N, K) or (P, N, K)
        Class probabilities of one model, or of an ensemble.

    Returns
    -------
    float or ndarray of shape (P,)
        Above 1 the model was too sure, below 1 not sure enough. 1 if there are no answers.

    Raises
    ------
    ValueError
        If shapes differ or `pred_probs` are not probabilities.

    Notes
    -----
    The search of cleanlab 2.9.0, without its error: there, votes are counted at the wrong classes as soon
    as an answer is missing. Source: Goh & Mueller 2023, arXiv 2301.11856.

    Examples
    --------
    >>> votes = [[3, 1], [1, 3], [4, 0]]
    >>> fit_temperature(votes, [[0.99, 0.01], [0.01, 0.99], [0.99, 0.01]])  # too sure
    2.75
    """
    crowd = votes if isinstance(votes, Crowd) else _crowd(np.asarray(votes))
    models = as_ensemble(crowd, pred_probs)
    temperatures: Floats = np.ones(len(models))
    if len(crowd.label):
        logs = logarithms(models)
        temperatures = search_temperatures(lambda grid: temperature_losses(crowd, logs, grid), len(models))
    return float(temperatures[0]) if np.ndim(pred_probs) == 2 else temperatures


def apply_temperature(pred_probs: ArrayLike, temperature: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities softened (temperature above 1) or sharpened (below 1).

    Parameters
    ----------
    pred_probs : array_like of shape (..., N, K)
        Probabilities. A zero counts as 1e-30.
    temperature : float, or array_like of shape (P,) for an ensemble (P, N, K)
        Larger than 0.

    Returns
    -------
    ndarray of the shape of `pred_probs`
        softmax(ln p / temperature); rows sum to 1.

    Raises
    ------
    ValueError
        If a temperature is not a positive number.

    Examples
    --------
    >>> apply_temperature([[0.8, 0.2]], 0.5).round(3)
    array([[0.941, 0.059]])
    """
    T = np.asarray(temperature, dtype=np.float64)
    if not (np.isfinite(T) & (T > 0)).all():
        raise ValueError(f"temperature is {T.tolist()}; it must be a finite number above 0.")
    P = np.asarray(pred_probs, dtype=np.float64)
    return scaled(logarithms(P.reshape(-1, *P.shape[-2:])), np.atleast_1d(T)).reshape(P.shape)


def logarithms(models: Floats) -> Floats:
    """Return natural logarithms of probabilities (P, N, K); a large negative number stands for that of 0."""
    models, logs = kernels.frozen(models), np.empty(models.shape)
    for given, found in zip(models, logs, strict=True):
        _in_rows(found, lambda first, last, P=given, into=found: kernels.log_rows(first, last, P, into))
    return logs


def scaled(logs: Floats, temperatures: Floats) -> Floats:
    """Return probabilities (P, N, K) for their `logarithms`, scaled by temperatures (P,), or (1,) for all."""
    logs, models = kernels.frozen(logs), np.empty(logs.shape)
    for given, found, value in zip(logs, models, np.broadcast_to(temperatures, len(logs)).tolist(), strict=True):
        _in_rows(
            found,
            lambda first, last, L=given, T=value, into=found: kernels.scale_rows(first, last, L, T, into),
        )
    return models


def _in_rows(table: Floats, work: Callable[..., None]) -> None:
    """Call ``work(first, last)`` for ranges of a table's rows, several at a time."""
    parts = max(1, min(kernels.MOST_PARTS, len(table) // PART))
    edges = np.linspace(0, len(table), 1 + parts, dtype=int).tolist()
    kernels.in_parts(lambda _, first, last: work(first, last), list(itertools.pairwise(edges)))


def search_temperatures(losses: Callable[[Floats], Floats], num_models: int) -> Floats:
    """Return the temperature of least loss for each of the models, shape (P,).

    `losses` gives them for temperatures of shape (P, T), a row for each model, in the same shape.
    """
    coarse = np.array(COARSE)
    best = losses(np.tile(coarse, (num_models, 1))).argmin(axis=1)
    fine = np.empty((num_models, 9))
    for row, at in zip(fine, best, strict=True):
        below = np.linspace(coarse[at - 1], coarse[at], 4, endpoint=False) if at > 0 else coarse[:0]
        above = np.linspace(coarse[at], coarse[at + 1], 5) if at < len(coarse) - 1 else coarse[:0]
        both = np.concatenate([below, above])
        row[:] = np.append(both, np.repeat(both[-1], len(row) - len(both)))
    found: Floats = fine[np.arange(num_models), losses(fine).argmin(axis=1)]
    return found


def temperature_losses(crowd: Crowd, logs: Floats, temperatures: Floats) -> Floats:
    """Return the sum over answered tasks of each model's loss at each of its temperatures, shape (P, T).

    `logs`, of shape (P, N, K), are the models' `logarithms`.
    """
    found = np.zeros_like(temperatures)
    logs = kernels.frozen(logs)
    for p in range(len(logs)):

        def work(_: int, first: int, last: int, p: int = p) -> Floats:
            losses = np.zeros(temperatures.shape[1])
            kernels.temperature_losses(first, last, crowd.indptr, crowd.label, logs[p], temperatures[p], losses)
            return losses

        found[p] = sum(kernels.in_parts(work, kernels.part_bounds(crowd.indptr, 0)))
    return found


def _crowd(counts: NDArray[np.int64]) -> Crowd:
    """Return a crowd with these votes; who gave them makes no difference."""
    if counts.ndim != 2 or (counts.size and (counts.dtype.kind not in "iu" or counts.min() < 0)):
        raise ValueError(
            f"votes have shape {counts.shape} and type {counts.dtype}; expected a Crowd, or a matrix (N, K) "
            "of how often each class was chosen, not negative."
        )
    N, K = counts.shape
    num_answers = counts.sum(axis=1, dtype=np.int64)
    indptr = np.concatenate([[0], np.cumsum(num_answers)])
    return Crowd(
        np.arange(N),
        np.arange(num_answers.max(initial=0)),
        np.arange(K),
        indptr,
        np.arange(indptr[-1]) - np.repeat(indptr[:-1], num_answers),
        np.repeat(np.tile(np.arange(K), N), counts.ravel()),
    )
