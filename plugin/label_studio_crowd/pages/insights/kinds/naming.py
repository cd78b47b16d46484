"""Words that several kinds of answers share."""

from __future__ import annotations

from collections.abc import Sequence


def some(named: Sequence[str], most: int) -> str:
    """Return the first of some things in words, and how many more there are.

    Examples
    --------
    >>> some(["a", "b", "c"], 2), some(["a"], 2)
    ('a, b and 1 more', 'a')
    """
    more = len(named) - most
    return ", ".join(named[:most]) + (f" and {more} more" if more > 0 else "")
