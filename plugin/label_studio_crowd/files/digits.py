"""How many digits numbers have that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_DIGITS: Final = 7


def rounded(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers with seven significant digits.

    Examples
    --------
    >>> rounded(np.array([1 / 3, 0.1 + 0.2, 1234567.891, -2e-9 / 3, 0.0, np.nan])).tolist()
    [0.3333333, 0.3, 1234568.0, -6.666667e-10, 0.0, nan]
    """
    x = np.asarray(numbers, np.float64)
    usual = np.isfinite(x) & (np.abs(x) > 1e-290) & (np.abs(x) < 1e290)
    size = np.floor(np.log10(np.abs(x), where=usual, out=np.zeros_like(x))).astype(int)
    shift = _DIGITS - 1 - size
    up, down = 10.0 ** np.maximum(shift, 0), 10.0 ** np.maximum(-shift, 0)  # one of both is 1: no digit is lost
    return np.where(usual, np.round(x / down * up) / up * down, x)


def with_few_digits(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns of numbers have seven significant digits."""
    columns = frame.select_dtypes(["float32", "float64"]).columns
    found: pd.DataFrame = frame.assign(**{name: rounded(frame[name].to_numpy()) for name in columns})
    return found
