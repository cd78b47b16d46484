"""What other annotation tools export, as the rows of a table: Argilla, Prodigy, doccano, CVAT, Hugging Face datasets.

Each module knows one tool: `rows_of` returns a row for each answer (task, annotator, label), or for each region that
somebody marked (with its place beside), or None where it is something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crowdcore.formats.tools import argilla, hugging_face, prodigy

Row = Mapping[str, Any]

RowsOf = Callable[[Sequence[Row]], list[dict[str, Any]] | None]

_BROKEN: Final = (KeyError, TypeError, AttributeError, ValueError, IndexError)
"""What a record without an expected part, or with another thing in its place, leads to."""

TOOLS: Final[Mapping[str, RowsOf]] = {
    "Argilla's export": argilla.rows_of,
    "Prodigy's export": prodigy.rows_of,
    "lists of annotators and answers": hugging_face.rows_of,
}
"""What is known of JSON that is a list of objects, by what messages call it."""


@dataclass(frozen=True)
class Flattened:
    """A tool's export as rows.

    Attributes
    ----------
    tool : str
        What messages call it.
    rows : list of dict
        A row for each answer, or for each region.
    """

    tool: str
    rows: list[dict[str, Any]]


def flattened(found: Sequence[Any]) -> Flattened | None:
    """Return the rows of a known tool's export; None if it is none.

    Parameters
    ----------
    found : sequence
        What its JSON, or the lines of its JSON Lines, hold.

    Examples
    --------
    >>> record = {"id": 7, "fields": {"text": "a"}, "responses": {"mood": [{"value": "good", "user_id": "ann"}]}}
    >>> flattened([record])
    Flattened(tool="Argilla's export", rows=[{'task': 7, 'annotator': 'ann', 'label': 'good'}])
    """
    if not found or not all(isinstance(row, Mapping) for row in found):
        return None
    for tool, rows_of in TOOLS.items():
        rows = read_records(tool, rows_of, found)
        if rows is not None:
            return Flattened(tool, rows)
    return None


def read_records(tool: str, rows_of: RowsOf, found: Sequence[Row]) -> list[dict[str, Any]] | None:
    """Return a tool's rows; of a record that lacks what the tool writes, say which one it is.

    Raises
    ------
    ValueError
        If there is such a record, or no record has an answer.

    Examples
    --------
    >>> record = {"id": 7, "fields": {"text": "a"}, "responses": {"mood": [{"value": "good"}]}}
    >>> read_records("Argilla's export", argilla.rows_of, [record])
    Traceback (most recent call last):
    ValueError: It looks like Argilla's export, but record 0 (counted from 0) is not as this tool writes it ...
    """
    try:
        rows = rows_of(found)
    except _BROKEN as error:
        place = next((place for place, record in enumerate(found) if _is_broken(rows_of, record)), 0)
        raise ValueError(
            f"It looks like {tool}, but record {place} (counted from 0) is not as this tool writes it "
            f"({type(error).__name__}: {error}). Export it anew, or write a table with task, annotator and label."
        ) from None
    if rows is not None and not rows:
        raise ValueError(f"It looks like {tool}, and none of its {len(found)} records has an answer.")
    return rows


def _is_broken(rows_of: RowsOf, record: Row) -> bool:
    try:
        rows_of([record])
    except _BROKEN:
        return True
    return False
