"""True labels in a column of the table that has the answers; and whether they are labels of the same kind."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from crowdcore.crowd.columns import some
from crowdcore.crowd.ids import Codes, plain
from crowdcore.crowd.table import Crowd
from crowdcore.formats.cells import coded_column, without_words
from crowdcore.formats.tables import Table

if TYPE_CHECKING:
    import pandas as pd


_UNSEEN: Final = frozenset("\u200b\u200c\u200d\u2060\ufeff")
"""Signs of no width."""
MANY_NUMBERS = 20
"""More different numbers than these may be no classes, but what they are."""


def truth_of(
    table: Table, column: str, tasks: Any, codes: Codes, crowd: Crowd, is_sure: bool
) -> tuple[pd.Series[Any] | None, str]:
    """Return the true labels in a column beside the answers, by task, and what to say of it.

    Parameters
    ----------
    table : Table
        The answers' table.
    column : str
        The column.
    tasks, codes : ndarray
        Task ids, and each row's place among them, -1 for none.
    crowd : Crowd
        The answers.
    is_sure : bool
        Whether somebody has said that the column has the truth; otherwise one that cannot be it is left alone.

    Raises
    ------
    ValueError
        If somebody has said so, and there is no such column, a task has several true labels, or none is a class.
    """
    import pandas as pd

    if column not in table.columns:
        raise ValueError(
            f"{table.path} has no column {column!r}; its columns are {some(table.columns)}: correct truth_column=."
        )
    cells = table.cells([column])[column]
    labels, said = coded_column(cells)
    without_words(labels, said, None)
    known = (said >= 0) & (codes >= 0)
    pairs = pd.DataFrame({"task": codes[known], "label": said[known]}).drop_duplicates()
    twice = pairs["task"].duplicated()
    shared = set(crowd.classes.tolist()) & set(labels.tolist())
    if not is_sure and (twice.any() or not shared):
        return None, f"column {column!r} is not taken as the truth: truth_column= names one"
    if twice.any():
        task = tasks[pairs["task"][twice].iloc[0]]
        raise ValueError(
            f"{table.path}, column {column!r}: task {plain(task)!r} has several true labels. A task has one: correct "
            "the column."
        )
    check_shared(f"{table.path}, column {column!r}", labels, crowd)
    series: pd.Series[Any] = pd.Series(labels[pairs["label"]], index=tasks[pairs["task"]], name="truth")
    return series, f"the truth of {len(series):,} task{'s' * (len(series) != 1)} in column {column!r}"


def check_shared(where: str, labels: Any, crowd: Crowd) -> None:
    """Raise a ValueError if no true label is a class of the crowd; it says so if only case or blanks differ."""
    classes = crowd.classes.tolist()
    found = list(dict.fromkeys(map(plain, labels.tolist())))
    if not found or not classes or set(found) & set(classes):
        return
    if len(classes) > MANY_NUMBERS and crowd.classes.dtype.kind in "if" and labels.dtype.kind in "if":
        return  # the true one of many numbers may be none that was given
    alike = _alike(found, classes)
    reason = (
        f"They differ only in case or blanks, as {alike[0][0]!r} and {alike[0][1]!r}: write them the same way."
        if alike
        else "Is it another column, or another file?"
    )
    raise ValueError(
        f"{where}: none of its labels ({', '.join(map(repr, found[:6]))}) is a class of the answers "
        f"({', '.join(map(repr, classes[:6]))}). {reason}"
    )


def nearly_classes(labels: Any, crowd: Crowd) -> list[str]:
    """Return what to say of true labels that are no classes, but differ from one in case or blanks only."""
    classes = crowd.classes.tolist()
    alike = _alike([label for label in dict.fromkeys(map(plain, labels.tolist())) if label not in classes], classes)
    return [
        f"The true label {label!r} is not the class {other!r}, from which only case or blanks tell it."
        for label, other in alike[:1]
    ]


def loosely(label: Any) -> str:
    """Return a label without what people do not see: case, blanks around it, how its characters are put together.

    Examples
    --------
    >>> loosely("Cafe\u0301\u00a0") == loosely("caf\u00e9\u200b")
    True
    """
    seen = "".join(sign for sign in str(label) if sign not in _UNSEEN)
    return unicodedata.normalize("NFC", seen).strip().casefold()


def _alike(labels: list[Any], classes: list[Any]) -> list[tuple[Any, Any]]:
    """Return the labels that are a class but for case and blanks, and the class."""
    loose = {loosely(label): label for label in classes}
    return [(label, loose[key]) for label in labels if (key := loosely(label)) in loose]
