"""doccano's JSON Lines, of which it exports one file for each annotator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_LABELS: Final = ("label", "labels", "entities")


def rows_of(found: Sequence[Mapping[str, Any]], annotator: str) -> list[dict[str, Any]] | None:
    """Return a row for each answer of one annotator's file, or for each span; None if it is something else.

    Parameters
    ----------
    found : sequence of dict
        What the lines hold.
    annotator : str
        Whose file it is.
    """
    name = next((name for name in _LABELS if all(isinstance(row.get(name), list) for row in found)), None)
    if name is None or not all("id" in row for row in found):
        return None
    marked = any(_is_span(value) for row in found for value in row[name])
    return [one for row in found for one in (_spans if marked else _answer)(row, name, annotator)]


def _answer(row: Mapping[str, Any], name: str, annotator: str) -> Iterator[dict[str, Any]]:
    """Yield what was chosen or written; who left it empty has not answered."""
    yield {"task": row["id"], "annotator": annotator, "label": row[name] or None}


def _spans(row: Mapping[str, Any], name: str, annotator: str) -> Iterator[dict[str, Any]]:
    """Yield the spans that were marked; one without a place where there are none."""
    who = {"task": row["id"], "annotator": annotator}
    if not row[name]:
        yield who
    for span in row[name]:
        if isinstance(span, Mapping):
            span = (span["start_offset"], span["end_offset"], span.get("label"))
        yield {**who, "start": span[0], "end": span[1], "label": span[2]}


def _is_span(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "start_offset" in value
    return isinstance(value, list) and len(value) == 3 and all(isinstance(one, int) for one in value[:2])
