"""What other annotation tools export, as the rows of a table: Argilla, Prodigy, doccano, CVAT, Hugging Face datasets.

Each module knows one tool: `rows_of` returns a row for each answer (task, annotator, label), or for each region that
somebody marked (with its place beside), or None where it is something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crowdcore.formats.tools import argilla, hugging_face, prodigy

Row = Mapping[str, Any]

TOOLS: Final = {
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
        rows = rows_of(found)
        if rows is not None:
            return Flattened(tool, rows)
    return None
