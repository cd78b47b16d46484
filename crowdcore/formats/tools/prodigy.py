"""Prodigy's JSON Lines (`prodigy db-out`): choices, yes and no to a label, spans, and shapes in pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_HASHES: Final = ("_input_hash", "_task_hash")
_WHO: Final = ("_annotator_id", "_session_id")


def rows_of(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Return a row for each answer, or for each span or shape; what was ignored, or rejected as a whole, is none.

    With options, the label is what was accepted of them. Without, it is accept or reject, where annotators judge a
    label, or the spans that they marked.
    """
    if not all("answer" in row and any(name in row for name in _HASHES) for row in found):
        return None
    if any("options" in row or "accept" in row for row in found):
        return [_choice(row) for row in found]
    marked = any("spans" in row and "label" not in row for row in found)
    return [one for row in found for one in (_regions(row) if marked else [_judgement(row)])]


def _who(row: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Return who answered which task; all rows have the same columns."""
    named = next((row[name] for name in _WHO if row.get(name) is not None), None)
    return {"task": row.get(task, row.get(_HASHES[0])), "annotator": named, "updated_at": row.get("_timestamp")}


def _choice(row: Mapping[str, Any]) -> dict[str, Any]:
    accepted = row.get("accept", []) if row["answer"] == "accept" else []
    return {**_who(row, "_task_hash"), "label": accepted or None}


def _judgement(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**_who(row, "_task_hash"), "label": None if row["answer"] == "ignore" else row["answer"]}


def _regions(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the spans or shapes that somebody marked; one without a place where there is nothing."""
    who = _who(row, "_input_hash")
    del who["updated_at"]
    if row["answer"] != "accept":
        return
    if not row.get("spans"):
        yield who
    for span in row.get("spans") or ():
        yield {**who, **_place(span), "label": span.get("label")}


def _place(span: Mapping[str, Any]) -> dict[str, Any]:
    if "start" in span:
        return {"start": span["start"], "end": span["end"]}
    if {"x", "y", "width", "height"} <= span.keys():
        return {name: span[name] for name in ("x", "y", "width", "height")}
    return {"points": span["points"]}
