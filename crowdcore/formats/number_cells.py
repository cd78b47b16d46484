"""Numbers as cells say them, and what among them is none."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import plain
from crowdcore.crowd.table import Crowd

MOSTLY: Final = 0.8
"""The share of answers that are numbers, or ratings, where the others are mistakes."""
_WRITTEN: Final = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d+)?")


def number_of(label: Any) -> float:
    """Return the number that a label says, NaN where it says none, or an infinite one.

    Examples
    --------
    >>> [number_of(label) for label in (3, "2.50", "007", "1e999", True)]
    [3.0, 2.5, nan, nan, nan]
    """
    value = plain(label)
    if isinstance(value, str):
        text = value.strip()
        value = float(text) if _WRITTEN.fullmatch(text) and any(map(str.isdigit, text)) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        return np.nan
    return float(value)


def as_numbers(crowd: Crowd) -> Crowd | None:
    """Return the answers that are numbers, with these as classes; None where most are none."""
    numbers = np.array([number_of(label) for label in crowd.classes.tolist()], np.float64)
    there: NDArray[np.bool_] = ~np.isnan(numbers)[crowd.label]
    if not there.any() or there.mean() < MOSTLY:
        return None
    kept = crowd if there.all() else crowd.select_answers(there)
    classes, code = np.unique(numbers, return_inverse=True)
    return Crowd.from_codes(
        kept.task, kept.annotator, code[kept.label], tasks=kept.tasks, annotators=kept.annotators,
        classes=classes[~np.isnan(classes)], repeated="all",
    )  # fmt: skip


def check_numbers(crowd: Crowd, what: str, why: str = "which is no number") -> None:
    """Raise a ValueError that names the first answer that is no number."""
    odd = np.array([np.isnan(number_of(label)) for label in crowd.classes.tolist()], np.bool_)
    refuse_first(crowd, odd, what, why)


def refuse_first(crowd: Crowd, odd: NDArray[np.bool_], what: str, why: str) -> None:
    """Raise a ValueError that names the first answer of an odd class, of shape (K,), if there is one.

    Parameters
    ----------
    what : str
        Where the answers are, such as "Column 'length'".
    why : str
        What is wrong with it.
    """
    at = np.flatnonzero(odd[crowd.label])
    if len(at):
        label, task, who = (
            plain(ids[code[at[0]]])
            for ids, code in (
                (crowd.classes, crowd.label), (crowd.tasks, crowd.task), (crowd.annotators, crowd.annotator),
            )
        )  # fmt: skip
        more = f" ({len(at):,} such answers in total)" if len(at) > 1 else ""
        raise ValueError(
            f"{what} has {label!r} for task {task!r}, annotator {who!r}{more}, {why}. Correct it, "
            "say with missing= that it stands for no answer, or that each label is one class: kind=choice."
        )
