"""Data sets with a row for each task, in which one column lists the annotators and another what each of them said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_ANNOTATORS: Final = (
    *("annotators", "annotator_ids", "annotator_id", "workers", "worker_ids", "raters", "rater_ids", "users"),
    *("user_ids",),
)
_LABELS: Final = ("annotations", "labels", "label", "answers", "responses", "votes", "ratings", "judgments")
_TASKS: Final = ("task", "task_id", "id", "idx", "item_id", "uid", "example_id")


def rows_of(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Return a row for each answer."""
    who, what = _listed(found, _ANNOTATORS), _listed(found, _LABELS)
    if who is None or what is None or not all(len(row[who]) == len(row[what]) for row in found):
        return None
    task = next((name for name in _TASKS if all(name in row for row in found)), None)
    return [
        {"task": place if task is None else row[task], "annotator": annotator, "label": label}
        for place, row in enumerate(found)
        for annotator, label in zip(row[who], row[what], strict=True)
    ]


def _listed(found: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str | None:
    """Return the first of these columns that has a list in each row."""
    return next((name for name in names if all(isinstance(row.get(name), list) for row in found)), None)
