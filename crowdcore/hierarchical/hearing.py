"""How far a model is heard: its probabilities, as far as they foretell what annotators say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SMALLEST = 1e-12
"""Probability that stands for a model's zeros."""
POWERS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
LEAST_LOSS = 1e-9
"""Loss of likelihood an answer below which it is rounding."""
LEAST_TRANSLATION = 1.15
"""How many times more a model's translation has to foretell than the model itself."""
MOST_TURNED = 0.5
"""Share of the tasks whose label a translation may change; if it changes more, people and model contradict."""
USUAL_TASKS = 5.0
"""How many tasks a model's own probabilities count for where its classes are translated."""


@dataclass(frozen=True, eq=False)
class HeardModel:
    """A model's probabilities as they are used, and the say that it has earned.

    Attributes
    ----------
    pred_probs : ndarray of shape (N, K)
        Probabilities: the geometric mean of the classes' shares and the model, with the weight `earned`.
    earned : float
        In [0, 1]: 0 for a model that foretells answers no better than the classes' shares do.
    """

    pred_probs: Floats
    earned: float


def hear(T: Floats, shares: Floats, heard: Bools, P: Floats, most_exponent: float, knows_shares: bool) -> HeardModel:
    r"""Return the model as far as it foretells the answers better than the classes' shares do.

    The gain is :math:`G = \max_b \sum_i \log \sum_k q_{ik}(b) \, T_{ik} / s_k` over tasks that have answers, with
    :math:`q(b) \propto p^b`: since :math:`T_{ik} / s_k` is proportional to the chance of task i's answers where class
    k is true, G is how much likelier the answers are with the model than with the classes' shares. The model has not
    seen them. By Schwarz's criterion, a gain of :math:`\log N` may be luck, and
    :math:`\max(0, 1 - \log N / G)` is what the model has earned.

    Of three readings of the model that with the largest gain is taken: as it is; with the classes' shares put right,
    for :math:`(K - 1) / 2 \, \log N`; and translated, if that foretells far more.

    Parameters
    ----------
    T : ndarray of shape (N, K)
        Posteriors of the tasks by the answers alone.
    shares : ndarray of shape (K,)
        The classes' shares by the answers alone.
    heard : ndarray of bool, shape (N,)
        Tasks that have answers.
    P : ndarray of shape (N, K)
        The model's probabilities, none of them 0.
    most_exponent : float
        The largest power the model may be raised to.
    knows_shares : bool
        Whether the model has learned how common classes are from these same tasks.

    Examples
    --------
    >>> T = np.repeat([[0.95, 0.05], [0.1, 0.9]], 20, axis=0)
    >>> heard, shares = np.ones(40, dtype=bool), np.array([0.5, 0.5])
    >>> sees, sees_nothing = np.where(T > 0.5, 0.8, 0.2), np.tile([[0.8, 0.2], [0.2, 0.8]], (20, 1))
    >>> [round(hear(T, shares, heard, P, 2.0, False).earned, 2) for P in (sees, sees_nothing)]
    [0.84, 0.0]
    """
    if not heard.any():
        return HeardModel(P, 1.0)
    price = luck(heard)
    likelihood = T[heard] / shares
    gain, best = foretold(likelihood, P[heard], most_exponent), P
    if not knows_shares:
        mended = _normalised(P * (shares / P[heard].mean(axis=0)))
        found = foretold(likelihood, mended[heard], most_exponent) - (len(shares) - 1) / 2 * price
        gain, best = (found, mended) if found > gain else (gain, best)
    if gain <= price:
        return HeardModel(P, 0.0)
    translated = hear_translated(T, shares, heard, best, most_exponent, LEAST_TRANSLATION * gain + price)
    return translated if translated.earned else _earning(best, gain, price, shares)


def hear_translated(
    T: Floats, shares: Floats, heard: Bools, P: Floats, most_exponent: float, least: float
) -> HeardModel:
    """Return the translated model if it foretells more than `least`; if not, one that has earned nothing.

    Parameters
    ----------
    least : float
        The gain that there has to be.
    T, shares, heard, P, most_exponent
        As in `hear`.
    """
    translated = translate(P, T, heard)
    gain = foretold(T[heard] / shares, translated[heard], most_exponent)
    turned = np.mean(P.argmax(axis=1)[heard] != translated.argmax(axis=1)[heard])
    if gain <= least or turned > MOST_TURNED:
        return HeardModel(P, 0.0)
    return _earning(translated, gain, luck(heard), shares)


def luck(heard: Bools) -> float:
    """Return how much a model may foretell by luck, as a logarithm."""
    return float(np.log(max(np.count_nonzero(heard), 2)))


def _earning(P: Floats, gain: float, price: float, shares: Floats) -> HeardModel:
    earned = 1 - price / gain
    return HeardModel(_normalised(np.exp(earned * np.log(P) + (1 - earned) * np.log(shares))), earned)


def foretold(likelihood: Floats, P: Floats, most_exponent: float) -> float:
    """Return the logarithm of how much likelier a model makes the answers than the classes' shares do, at least 0.

    Parameters
    ----------
    likelihood : ndarray of shape (N, K)
        Chances of each task's answers if each class is true, over their chance with the classes' shares.
    P : ndarray of shape (N, K)
        The model's probabilities.
    most_exponent : float
        The largest power that the model may be raised to; the best of a few powers counts.
    """
    log_P, best = np.log(P), 0.0
    for power in POWERS:
        if power <= most_exponent:
            q = np.exp(power * log_P)
            chance = (q * likelihood).sum(axis=1) / q.sum(axis=1)
            best = max(best, float(np.log(np.maximum(chance, SMALLEST)).sum()))
    return best


def translate(P: Floats, T: Floats, heard: Bools) -> Floats:
    """Return the model's probabilities put right by what is true where it says each class; of each task by the others.

    A model that takes one class for another, or all for as common, is understood then.

    Parameters
    ----------
    P, T : ndarray of shape (N, K)
        The model's probabilities; posteriors by the answers.
    heard : ndarray of bool, shape (N,)
        Tasks that have answers.
    """
    K = P.shape[1]
    top = P.argmax(axis=1)
    said, true = np.zeros((K, K)), np.zeros((K, K))
    np.add.at(said, top[heard], P[heard])
    np.add.at(true, top[heard], T[heard])
    usual = USUAL_TASKS * (said + 1 / K) / (said.sum(axis=1, keepdims=True) + 1)
    own = heard[:, None]
    return _normalised(P * (true[top] - own * T + usual[top]) / (said[top] - own * P + usual[top]))


def goes_against(log_P: Floats, crowd: Crowd, known: Codes) -> bool:
    """Return whether the model contradicts answers of which most stand alone: dealt anew they would fit it better.

    A model learned from few of them expects, where it has not seen one, what is missing there: the opposite. With
    annotators who are taken to say the opposite, too, that fits very well.
    """
    told = np.flatnonzero(known >= 0)
    said = crowd.num_answers + (known >= 0)
    if 2 * np.count_nonzero(said > 1) > np.count_nonzero(said):
        return False
    task, label = np.concatenate([crowd.task, told]), np.concatenate([crowd.label, known[told]])
    shares = np.bincount(label, minlength=log_P.shape[1]) / max(len(label), 1)
    gain = log_P[task, label].sum() - (log_P @ shares)[task].sum()
    return bool(gain < -LEAST_LOSS * len(label))


def _normalised(q: Floats) -> Floats:
    np.maximum(q, SMALLEST, out=q)
    q /= q.sum(axis=1, keepdims=True)
    return q
