"""What the cells of a column say: labels and ids as codes, words for nothing, and the ways of some platforms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes, as_array, distinct, order_of
from crowdcore.formats.delimited import WORDS, typed
from crowdcore.formats.tables import Table, as_text

if TYPE_CHECKING:
    import pandas as pd


STATUS: Final = ("assignmentstatus", "assignment:status")
"""The columns of MTurk and Toloka that say whether an assignment was accepted, in small letters."""


def coded_column(column: pd.Series[Any]) -> tuple[Any, Codes]:
    """Return a categorical's distinct values, and each row's place among them, -1 where it has none.

    They are sorted, or in the order of an ordered categorical.
    """
    import pandas as pd

    categories = column.cat.categories.tolist()
    kinds = set(map(type, categories))
    is_text = str in kinds and kinds <= {str, int, float}  # JSON may have 1 in one row and "1" in another
    values = typed(map(as_text, categories)) if is_text else as_array(categories)
    ids = distinct(values) if order_of(column) is None else values
    places = np.append(pd.Index(ids).get_indexer(pd.Index(values)), -1)
    return ids, places[column.cat.codes.to_numpy()]


def without_words(labels: Any, codes: Codes, missing: Sequence[str] | None) -> list[str]:
    """Take words that stand for no answer out of the codes, in place; return what to say of it."""
    words = WORDS if missing is None else tuple(missing)
    said = {str(label): code for code, label in enumerate(labels.tolist()) if isinstance(label, str | int | float)}
    notes = []
    for word in words:
        if word in said:
            rows = codes == said[word]
            codes[rows] = -1
            notes.append(f"{rows.sum():,} x {word!r} taken as no answer" + (" (missing=)" if missing is None else ""))
    if missing is None and "None" in said:
        notes.append("'None' is taken as a class (missing=None if it stands for no answer)")
    return notes


def numbers_again(labels: Any, codes: Codes) -> tuple[Any, Codes]:
    """Return labels and codes anew where a word that stands for no answer was all that kept labels from being numbers.

    Examples
    --------
    >>> numbers_again(np.array(["1", "10", "9", "NA"], dtype=object), np.array([2, 0, -1, 1]))
    (array([ 1,  9, 10]), array([ 1,  0, -1,  2]))
    """
    used = np.unique(codes[codes >= 0])
    if len(used) == len(labels) or not all(isinstance(labels[code], str) for code in used):
        return labels, codes
    numbers = typed(labels[used])
    if numbers.dtype.kind not in "if":
        return labels, codes
    ids, places = np.unique(numbers, return_inverse=True)
    place = np.full(len(labels) + 1, -1, dtype=np.int64)
    place[used] = places
    return ids, place[codes]


def not_accepted(table: Table, codes: Codes) -> list[str]:
    """Take the answers of assignments that MTurk's or Toloka's requester has rejected out of the codes, in place.

    Returns
    -------
    list of str
        What to say of it.
    """
    name = next((name for name in table.columns if str(name).lower() in STATUS), None)
    if name is None:
        return []
    status = table.cells([name])[name].astype(object)
    out = (status.map(str).str.lower() == "rejected").to_numpy() & (codes >= 0)
    codes[out] = -1
    return [f"{out.sum():,} of rejected assignments taken as no answer"] if out.any() else []


def platform_labels(column: pd.Series[Any], path: Path) -> pd.Series[Any]:
    """Return labels as they are; of Zooniverse's, JSON with a value for each question, the value of the only one."""
    categories = column.cat.categories.tolist()
    if not categories or not all(isinstance(one, str) and one.startswith('[{"') for one in categories):
        return column
    values = []
    for text in categories:
        try:
            answers = json.loads(text)
        except ValueError:
            return column
        if len(answers) != 1 or not isinstance(answers[0].get("value"), str | int | float):
            raise ValueError(
                f"{path}, column {column.name!r}: expected one question with one value, found {text[:80]}. Write the "
                "answers to one question into a column of their own, and name it with label_column=."
            )
        values.append(answers[0]["value"])
    return column.map(dict(zip(categories, values, strict=True))).astype("category")


def name_unnamed(ids: dict[str, Any], codes: dict[str, Codes], rows: NDArray[np.bool_]) -> list[str]:
    """Tell answers without an annotator apart within their task, in place; return what to say of it.

    Label Studio forgets who made an annotation when the user is deleted. Two such answers to a task are two people's.
    """
    import pandas as pd

    rows &= codes["task"] >= 0
    if not rows.any():
        return []
    at = np.flatnonzero(rows)
    number = pd.Series(at).groupby(codes["task"][at]).cumcount().to_numpy()
    codes["annotator"][at] = len(ids["annotator"]) + number
    ids["annotator"] = as_array([*ids["annotator"].tolist(), *(f"unnamed {k + 1}" for k in range(number.max() + 1))])
    return [
        f"{len(at):,} answers do not say who gave them: the first of each task are taken for one annotator's, the "
        "second for another's, and so on"
    ]
