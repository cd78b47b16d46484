"""Repeated answers: several of one annotator to one task. Which of them count, and which of them is the latest."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes, Ids, plain

if TYPE_CHECKING:
    import pandas as pd

Repeated = Literal["latest", "first", "all", "error"]
"""Of an annotator's several answers to a task the latest counts, or the first, or each as an answer in its own right;
or they are an error."""

_ZONE: Final = r" [A-Z]{3,4}(?= \d{4}$)"

CHOICES: Final[tuple[Repeated, ...]] = get_args(Repeated)


def check_repeated(repeated: str | None) -> None:
    """Raise a ValueError if this is no way to take repeated answers."""
    if repeated is not None and repeated not in CHOICES:
        raise ValueError(
            f"repeated= is {repeated!r}; allowed are {', '.join(map(repr, CHOICES))}: which of an annotator's several "
            "answers to a task count."
        )


def repeats(indptr: Codes, annotator: Codes) -> NDArray[np.bool_]:
    """Return which answers have an earlier one of the same annotator to the same task before them, shape (A,)."""
    again: NDArray[np.bool_] = np.zeros(len(annotator), np.bool_)
    again[1:] = annotator[1:] == annotator[:-1]
    again[indptr[indptr < len(annotator)]] = False  # the first of its task
    return again


def kept_answers(again: NDArray[np.bool_], repeated: Repeated) -> NDArray[np.bool_]:
    """Return which answers count, of those in order; shape (A,).

    Examples
    --------
    >>> again = np.array([False, True, True, False])
    >>> [kept_answers(again, how).tolist() for how in ("latest", "first")]
    [[False, False, True, True], [True, False, False, True]]
    """
    if repeated == "latest":
        return np.append(~again[1:], True)
    return ~again if repeated == "first" else np.ones_like(again)


def tell_repeated(
    repeated: Repeated | None, ids: Mapping[str, Ids], indptr: Codes, annotator: Codes, label: Codes, places: Codes
) -> None:
    """Raise a ValueError, or warn, about repeated answers; nothing if the caller has said what to do.

    Parameters
    ----------
    repeated : {"latest", "first", "all", "error"} or None
        What was said.
    ids : mapping
        Ids by "task", "annotator" and "label".
    indptr, annotator, label : ndarray
        All answers.
    places : ndarray of int
        Which of them repeat the one before.
    """
    check_repeated(repeated)
    if repeated not in (None, "error"):
        return
    at = places[0]
    task = plain(ids["task"][np.searchsorted(indptr, at, side="right") - 1])
    who, labels = plain(ids["annotator"][annotator[at]]), ids["label"][label[at - 1 : at + 1]].tolist()
    found = (
        f"Annotator {who!r} answered task {task!r} more than once (labels {labels[0]!r} and {labels[1]!r}; "
        f"{len(places)} extra answers in total)."
    )
    choices = "repeated= 'latest', 'first', or 'all' to keep each as an answer in its own right"
    if repeated == "error":
        raise ValueError(
            f"{found} An annotator has at most one answer for a task: keep the latest of them, or say {choices}."
        )
    warnings.warn(
        f"{found} The latest counts, and {len(places)} earlier answers were set aside. To choose: "
        f"Crowd.from_long(frame, ...) with {choices}, or 'error'.",
        stacklevel=_callers_level(),
    )


def _callers_level() -> int:
    """Return how many calls away the code is that called this package, for its warnings."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("crowdcore."):
        frame, level = frame.f_back, level + 1
    return level - 1


def about_repeated(number: int, repeated: Repeated, by: str | None) -> str:
    """Return what became of so many repeated answers, and what says which is the latest: a column, or the rows."""
    many = f"{number:,} answer{'s' if number > 1 else ''} of annotators who answered a task more than once"
    if repeated == "all":
        return f"{many} count{'' if number > 1 else 's'} as answers in their own right (agreement is of the latest)"
    order = "the later row" if by is None else f"by {by!r}"
    which = "latest" if repeated == "latest" else "first"
    return f"{many} set aside: the {which} counts, {order} (repeated=latest|first|all|error)"


def refuse_repeated(num_repeated: int, what: str) -> None:
    """Raise a ValueError if there are repeated answers, which `what` has no room for."""
    if num_repeated:
        raise ValueError(
            f"{what} takes one answer of an annotator to a task; {num_repeated} answers repeat an earlier one. Make "
            "the crowd with repeated='latest' (or use its one_answer_each()), or choose a method that takes all, such "
            "as dawid-skene."
        )


def times_of(frame: pd.DataFrame, column: str | None, rows: Codes, known: Sequence[str]) -> Codes | None:
    """Return when each answer was given, as numbers to sort by, a missing time before all; None if nothing says so.

    Parameters
    ----------
    frame : DataFrame
        The answers.
    column : str or None
        The column that was named; None: the first of the known ones, where it can be read.
    rows : ndarray of int
        The rows that are answers.
    known : sequence of str
        Columns whose names are those of times.

    Raises
    ------
    ValueError
        If the column that was named is not there, or has a value that is no time.
    """
    if column is not None and column not in frame.columns:
        raise ValueError(f"There is no column {column!r} for the time; the columns are {list(frame.columns)[:12]}.")
    name = column or (known[0] if known else None)
    if name is None:
        return None
    try:
        return moments(frame[name].iloc[rows])
    except (ValueError, TypeError) as error:
        if column is None:
            return None
        raise ValueError(f"Column {column!r} has a value that is no time ({error}).") from None


def moments(values: pd.Series[Any]) -> Codes:
    """Return times as numbers to sort by, a missing one before all.

    Examples
    --------
    >>> import pandas as pd
    >>> moments(pd.Series(["2024-05-01T10:00:00Z", None, "2024-05-01T09:00:00.5Z"])).argsort().tolist()
    [1, 2, 0]
    """
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        of_category = np.append(moments(pd.Series(values.cat.categories)), np.iinfo(np.int64).min)
        taken: Codes = of_category[values.cat.codes.to_numpy()]
        return taken
    numbers: Any
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = values.to_numpy(dtype=np.float64, na_value=-np.inf)
    else:
        as_numbers = pd.to_numeric(values, errors="coerce")
        if as_numbers.notna().sum() == values.notna().sum():
            numbers = as_numbers.to_numpy(dtype=np.float64, na_value=-np.inf)
        else:
            texts = values.astype(str).where(values.notna())
            plain_times = texts.str.replace(_ZONE, "", regex=True)  # MTurk's PST and PDT, which nobody can read
            found = pd.to_datetime(plain_times, format="mixed", utc=True)
            numbers = found.astype("int64").to_numpy()  # nothing is the least of all
    _, rank = np.unique(numbers, return_inverse=True)
    ranks: Codes = rank.astype(np.int64)
    return ranks
