"""What is a number, where an argument or an answer has to be one."""

from __future__ import annotations

from typing import Any

import numpy as np


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number, of Python's type or NumPy's; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)


def is_number(value: Any) -> bool:
    """Return whether a value is a number, which may be infinite; NaN is none.

    Examples
    --------
    >>> [is_number(value) for value in (1, np.float32(2.5), float("inf"), float("nan"), True, "1")]
    [True, True, True, False, False, False]
    """
    return is_whole(value) or (isinstance(value, float | np.floating) and not np.isnan(value))


def check_flag(name: str, value: Any) -> None:
    """Raise a ValueError if an argument is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} is {value!r}; it must be True or False.")
