"""What is kept of tasks and annotations, from what Label Studio's API says: equal answers are equal text."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from label_studio_crowd.store.people import DELETED_USER


def task_row(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a task."""
    at = as_time(task["updated_at"])
    return {
        "id": task["id"],
        "data": _as_json(task["data"]),
        "overlap": task["overlap"],
        "is_labeled": int(task["is_labeled"]),
        "updated_at": at,
        "data_changed_at": at,
    }


def annotator_of(annotation: Mapping[str, Any]) -> int:
    """Return who gave an annotation, as Label Studio's API has it."""
    annotator = annotation["completed_by"]
    if isinstance(annotator, Mapping):
        annotator = annotator["id"]
    return DELETED_USER if annotator is None else int(annotator)


def annotation_row(task: int, annotation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of an annotation."""
    return {
        "id": annotation["id"],
        "task": task,
        "annotator": annotator_of(annotation),
        "result": as_answer(annotation["result"]),
        "was_cancelled": int(bool(annotation["was_cancelled"])),
        "ground_truth": int(bool(annotation["ground_truth"])),
        "updated_at": as_time(annotation["updated_at"]),
        "lead_time": annotation["lead_time"],
        "parent_prediction": annotation.get("parent_prediction"),
    }


def as_answer(result: Any) -> str:
    """Return a result as JSON; what is no list of items, as models may write it, has none."""
    items = result if isinstance(result, list) else []
    return _as_json(_without_random_ids([item for item in items if isinstance(item, Mapping)]), sorts=False)


def _as_json(value: Any, *, sorts: bool = True) -> str:
    """Return JSON, its keys sorted so that equal values are equal text."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sorts else None).decode()
    except TypeError:  # nested deeper than 254 levels
        return json.dumps(value, sort_keys=sorts, ensure_ascii=False, separators=(",", ":"))


def _without_random_ids(result: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a result without random ids, so that equal answers are equal text.

    Those of regions that several items are about are replaced by numbers. Messages of a chat keep theirs: these can be
    the same in all results.
    """
    ids = Counter(str(item[name]) for item in result for name in _IDS if item.get(name) is not None)
    number = {name: f"r{place}" for place, name in enumerate((one for one, uses in ids.items() if uses > 1), 1)}
    return [_renamed(item, number) for item in result]


def _renamed(item: Mapping[str, Any], number: Mapping[str, str]) -> dict[str, Any]:
    value = item.get("value")
    if isinstance(value, Mapping) and "chatmessage" in value:
        return dict(item)
    named = {name: number[str(item[name])] for name in _IDS if str(item.get(name)) in number}
    return {name: value for name, value in item.items() if name not in _IDS} | named


_IDS: Final = ("id", "from_id", "to_id")
"""What names a region in an item of a result."""


def as_time(timestamp: str) -> str:
    """Return a time with its six digits of a second: Label Studio leaves them out when they are zero."""
    return timestamp if "." in timestamp else timestamp.replace("Z", ".000000Z")
