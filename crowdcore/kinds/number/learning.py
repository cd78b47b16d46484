"""A regressor that learns from a consensus of numbers, for the prior of the next."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.number.model import fit_numbers
from crowdcore.kinds.table import AnswerTable
from crowdcore.learning.numbers import OutOfFoldNumbers

Floats = NDArray[np.float64]


def learned(
    table: AnswerTable, answers: Floats, truth: Floats, predictions: Floats, usual: NDArray[np.bool_], features: Any,
    regressor: Any,
) -> Floats:  # fmt: skip
    """Return a regressor's predictions, out of fold, shape (N,).

    It learns once, from what is believed without it. From what is believed with it, it would learn its own predictions
    wherever answers are few.

    Parameters
    ----------
    table, answers, truth, predictions, usual
        As for `fit_numbers`.
    features, regressor
        As for `crowdcore.kinds.numbers`.
    """
    informative = (table.num_answers > 0) | ~np.isnan(truth)
    learner = OutOfFoldNumbers(table.tasks, features, regressor, informative)
    return learner.predict(fit_numbers(table, answers, truth, predictions, usual).mean)
