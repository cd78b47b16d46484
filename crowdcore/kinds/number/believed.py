"""What is believed of numbers while the model is fitted, in standardised numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DEGREES = 4.0
"""Degrees of freedom of the errors' distribution: gross errors are not rare."""


@dataclass(frozen=True, eq=False)
class Prior:
    """What is expected of N tasks before their answers.

    Attributes
    ----------
    mean, variance : ndarray of shape (N,)
        Of each task's truth.
    is_usual : ndarray of bool, shape (N,)
        Whether that is the same as of all others, and no prediction's.
    explained : float
        Share of the truths' variance that predictions foretell.
    """

    mean: Floats
    variance: Floats
    is_usual: NDArray[np.bool_]
    explained: float = 0.0


@dataclass(frozen=True, eq=False)
class Believed:
    """Where expectation maximisation ended, in standardised numbers: as `NumberFit`, with variances.

    Attributes
    ----------
    precision : ndarray of shape (A,)
        How much each answer tells of its task's truth.
    """

    prior: Prior
    mean: Floats
    variance: Floats
    bias: Floats
    spread2: Floats
    usual2: float
    precision: Floats
