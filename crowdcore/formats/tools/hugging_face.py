"""Data sets with a row for each task, which has all its annotators and what each of them said, as the hub has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Row = Mapping[str, Any]
Pairs = list[tuple[Any, Any]]
"""Annotators and what they said."""

_ANNOTATORS: Final = (
    *("annotators", "annotator_ids", "annotator_id", "annotator", "workers", "worker_ids", "worker_id", "worker"),
    *("raters", "rater_ids", "rater_id", "rater", "users", "user_ids", "user_id", "user"),
)
_LABELS: Final = (
    *("annotations", "labels", "label", "answers", "answer", "responses", "response", "votes", "vote", "ratings"),
    *("rating", "judgments", "judgment"),
)
_WITH_COMMAS: Final = ("annotators", "annotations")
"""What may be a text with commas between its parts, as in Le-Wi-Di."""
_BY_NAME: Final = "annotations"
"""What holds an object of annotators and their labels, as in Le-Wi-Di; other objects count labels."""
_NAMELESS: Final = "annotator_labels"
"""What holds labels of nobody in particular, as in SNLI."""
_TASKS: Final = ("task", "task_id", "id", "idx", "item_id", "uid", "example_id", "pairID", "question_id")


def rows_of(found: Sequence[Row]) -> list[dict[str, Any]] | None:
    """Return a row for each answer; a row without any is a task without answers.

    Annotators and labels are two lists, texts with commas, a list of objects, an object of lists, or an object of
    annotators. Where annotators have no names, the first label of each task is taken for one annotator's, and so on.
    """
    told = [_pairs(row) for row in found]
    if all(pairs is None for pairs in told) or any(
        pairs is None and not _is_silent(row) for row, pairs in zip(found, told, strict=True)
    ):
        return None
    if not any(told):
        return []
    tasks = _tasks(found)
    return [
        {"task": task, "annotator": annotator, "label": label}
        for task, pairs in zip(tasks, told, strict=True)
        for annotator, label in pairs or [(None, None)]
    ]


def _pairs(row: Row) -> Pairs | None:
    """Return who said what, None if a row does not say it in a way that is known."""
    return next((pairs for at in _places(row) if (pairs := _listed(at)) is not None), _by_name(row))


def _places(row: Row) -> Iterator[Row]:
    """Yield where the two lists may be: in the row, or in an object, or a list of objects, that it has."""
    yield row
    for name in (*_ANNOTATORS, *_LABELS):
        held = row.get(name)
        if isinstance(held, Mapping):
            yield held
        elif isinstance(held, list) and held and all(isinstance(one, Mapping) for one in held):
            names = dict.fromkeys(key for one in held for key in one)
            yield {key: [one.get(key) for one in held] for key in names}


def _listed(at: Row) -> Pairs | None:
    who, what = (next((found for name in names if (found := _as_list(name, at.get(name)))), None)
                 for names in (_ANNOTATORS, _LABELS))  # fmt: skip
    if who is None or what is None or len(who) != len(what) or any(isinstance(one, Mapping | list) for one in who):
        return None
    return list(zip(who, what, strict=True))


def _as_list(name: str, value: Any) -> list[Any] | None:
    if isinstance(value, str) and name in _WITH_COMMAS:
        return [part.strip() for part in value.split(",")]
    return value if isinstance(value, list) else None


def _by_name(row: Row) -> Pairs | None:
    held = row.get(_BY_NAME)
    if isinstance(held, Mapping) and all(isinstance(label, str | int | float | None) for label in held.values()):
        return [(who, label) for who, label in held.items() if label is not None]
    labels = row.get(_NAMELESS)
    if isinstance(labels, list):
        return [(f"unnamed {number}", label) for number, label in enumerate(labels, 1) if label not in (None, "")]
    return None


def _is_silent(row: Row) -> bool:
    """Return whether a row has nothing where others have annotators or labels."""
    return not any(row.get(name) for name in (*_ANNOTATORS, *_LABELS, _NAMELESS))


def _tasks(found: Sequence[Row]) -> list[Any]:
    """Return what names the rows, each another one; their places if nothing does."""
    for name in _TASKS:
        named = [row.get(name) for row in found]
        if all(isinstance(one, str | int) for one in named) and len(set(named)) == len(named):
            return named
    return list(range(len(found)))
