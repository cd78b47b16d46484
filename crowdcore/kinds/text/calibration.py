"""From how far words are believed to the chance that all of a text is right, and to the share of wrong words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ENOUGH = 30
"""Known texts from which the constants are fitted anew."""
LEAST = 1e-6


@dataclass(frozen=True)
class Calibration:
    r"""What turns beliefs in words into beliefs in texts.

    A text of n words that are believed with probabilities p, and as a whole with probability w, is all right with
    probability :math:`\sigma(base + words\; \mathrm{logit} \prod p + whole\; \mathrm{logit}\, w)`: wrong words come
    together, and both views see the same answers, so each counts for less than 1. Of its words,
    :math:`more \sum (1 - p) / n + missed` are wrong.

    Attributes
    ----------
    base, words, whole : float
        Of the chance that all is right.
    more, missed : float
        Of the share of wrong words: how many times more are wrong than is believed, and how many everybody gets wrong.

    Notes
    -----
    The defaults are those of CrowdSpeech's dev-clean with 2 to 7 answers a text.
    """

    base: float = 0.2
    words: float = 0.45
    whole: float = 0.3
    more: float = 1.0
    missed: float = 0.0055

    def all_right(self, log_belief: Floats, wholly: Floats) -> Floats:
        """Return the probability that every word of a text is right.

        Parameters
        ----------
        log_belief, wholly : ndarray of shape (N,)
            Each text's sum of the logarithms of its words' beliefs, and its probability as a whole.
        """
        return _all_right(self.base, self.words, self.whole, log_belief, wholly)

    def wrong(self, doubt: Floats, size: Floats) -> Floats:
        """Return the expected share of wrong words.

        Parameters
        ----------
        doubt, size : ndarray of shape (N,)
            Each text's sum of its words' doubts, 1 less their belief, and the number of words.
        """
        found: Floats = np.minimum(self.more * doubt / np.maximum(size, 1) + self.missed, 1.0)
        return found

    def fitted(self, log_belief: Floats, wholly: Floats, doubt: Floats, size: Floats, errors: Floats) -> Calibration:
        """Return the calibration that makes the errors of known texts likeliest; the same with fewer than 30 of them.

        That all is right is a Bernoulli draw; the number of wrong words is a Poisson one, with as much larger a
        variance as errors show. The constants, and the logarithms of the factors, have Cauchy
        priors around what they were: 30 texts move them little, unless they say something else altogether.

        Parameters
        ----------
        log_belief, wholly, doubt, size : ndarray of shape (T,)
            As above, of the consensus of known texts without what is known.
        errors : ndarray of shape (T,)
            Words that were wrong.
        """
        if len(errors) < ENOUGH:
            return self

        def right(moved: Floats) -> tuple[float, float, float]:
            return self.base + float(moved[0]), self.words * exp(moved[1]), self.whole * exp(moved[2])

        def wrong(moved: Floats) -> tuple[float, float]:
            return self.more * exp(moved[0]), max(self.missed + float(moved[1]), 0.0)

        base, words, whole = right(
            _most_likely(
                (0.3, 0.2, 0.2), lambda at: _bernoulli(errors == 0, _all_right(*right(at), log_belief, wholly))
            )
        )
        more, missed = self.more, self.missed
        for _ in range(2):
            expected = more * doubt + missed * size
            spread = max(float(np.mean((errors - expected) ** 2 / np.maximum(expected, 0.1))), 1.0)

            def likelihood(at: Floats, spread: float = spread) -> float:
                return _poisson(errors, wrong(at)[0] * doubt + wrong(at)[1] * size) / spread

            more, missed = wrong(_most_likely((0.3, 0.1), likelihood))
        return Calibration(base, words, whole, more, missed)


def _all_right(base: float, words: float, whole: float, log_belief: Floats, wholly: Floats) -> Floats:
    from scipy.special import expit, logit

    log_belief = np.minimum(log_belief, -LEAST)
    wholly = np.clip(wholly, LEAST, 1 - LEAST)
    by_words = log_belief - np.log(-np.expm1(log_belief))
    found: Floats = expit(base + words * by_words + whole * logit(wholly))
    return found


def _bernoulli(happened: NDArray[np.bool_], chance: Floats) -> float:
    chance = np.clip(chance, LEAST, 1 - LEAST)
    return float(np.log(np.where(happened, chance, 1 - chance)).sum())


def _poisson(counts: Floats, mean: Floats) -> float:
    mean = np.maximum(mean, LEAST)
    return float((counts * np.log(mean) - mean).sum())


def _most_likely(spread: tuple[float, ...], likelihood: Callable[[Floats], float]) -> Floats:
    """Return the numbers with the largest log posterior; their priors are Cauchy's around 0, as wide."""
    from scipy.optimize import minimize

    def loss(moved: Floats) -> float:
        return float(np.log1p((moved / np.array(spread)) ** 2).sum()) - likelihood(moved)

    found: Floats = minimize(loss, np.zeros(len(spread)), method="Nelder-Mead", options={"maxiter": 2000}).x
    return found
