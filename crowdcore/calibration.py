"""Temperature scaling: make a model's probabilities as sure as the crowd's votes say they may be."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd import Crowd
from crowdcore.probabilities import as_ensemble

COARSE = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 3.0, 5.0, 8.0)
SMALLEST = 1e-30


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
    temperatures = temperatures_of(crowd, models)
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
    P = np.maximum(np.asarray(pred_probs, dtype=np.float64), SMALLEST)
    P /= P.sum(axis=-1, keepdims=True)
    np.log(P, out=P)
    P /= T.reshape((*T.shape, 1, 1)) if T.ndim else T
    P -= P.max(axis=-1, keepdims=True)
    np.exp(P, out=P)
    P /= P.sum(axis=-1, keepdims=True)
    return P


def temperatures_of(crowd: Crowd, models: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `fit_temperature` for each of the models, shape (P,), whose probabilities are checked."""
    answered = np.flatnonzero(crowd.num_answers)
    if not len(answered):
        return np.ones(len(models))
    row, label = np.nonzero(crowd.counts[answered])
    share = crowd.counts[answered][row, label] / crowd.num_answers[answered][row]
    return np.array([_search(P[answered], row, label, share) for P in models])


def _search(
    P: NDArray[np.float64], row: NDArray[np.intp], label: NDArray[np.intp], share: NDArray[np.float64]
) -> float:
    """Minimise the loss. Row, label and share say where votes are; it needs the model only there."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.ascontiguousarray(P.T))  # a row for each class: sums over classes are then fast

    def loss(T: float) -> float:
        scaled = np.exp(logs / T)
        p = scaled[label, row] / scaled.sum(axis=0)[row]
        return -float((share * np.log(np.maximum(p, SMALLEST))).sum())

    best = int(np.argmin([loss(T) for T in COARSE]))
    fine: list[float] = []
    if best > 0:
        fine += np.linspace(COARSE[best - 1], COARSE[best], 4, endpoint=False).tolist()
    if best < len(COARSE) - 1:
        fine += np.linspace(COARSE[best], COARSE[best + 1], 5).tolist()
    return fine[int(np.argmin([loss(T) for T in fine]))]


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
