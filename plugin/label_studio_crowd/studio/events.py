"""What Label Studio sends to a webhook, as an event. Pure.

Label Studio has plurals under singular keys (ANNOTATIONS_CREATED: a list under `annotation`), and tells of deleted
things their ids only. Every event kind is read with an object or a list under either key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import orjson

from label_studio_crowd.errors import UserError

Kind = Literal[
    "annotations", "annotations_deleted", "tasks", "tasks_deleted", "project", "project_deleted", "train", "unknown"
]

_KINDS: Final[Mapping[str, Kind]] = {
    "ANNOTATION_CREATED": "annotations",
    "ANNOTATIONS_CREATED": "annotations",
    "ANNOTATION_UPDATED": "annotations",
    "ANNOTATIONS_UPDATED": "annotations",
    "ANNOTATION_DELETED": "annotations_deleted",
    "ANNOTATIONS_DELETED": "annotations_deleted",
    "TASK_CREATED": "tasks",
    "TASKS_CREATED": "tasks",
    "TASK_UPDATED": "tasks",
    "TASKS_UPDATED": "tasks",
    "TASK_DELETED": "tasks_deleted",
    "TASKS_DELETED": "tasks_deleted",
    "PROJECT_CREATED": "project",
    "PROJECT_UPDATED": "project",
    "PROJECT_DELETED": "project_deleted",
    "START_TRAINING": "train",
}
_ANNOTATION_KEYS: Final = ("annotation", "annotations")
_TASK_KEYS: Final = ("task", "tasks")
_LARGEST_ID: Final = 2**63 - 1
_LARGEST_COUNT: Final = 2**31 - 1
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z")
_MISSING: Final = object()
_STORABLE: Final = "an object without lone surrogates, integers above 64 bits and nesting beyond 250 levels"


class MalformedEventError(UserError):
    """A webhook's body that Label Studio would not send; `field` is the path of the wrong part."""

    def __init__(self, field: str, found: Any, allowed: str) -> None:
        super().__init__(f"Malformed event: {field} is {_shown(found)}; allowed is {allowed}.")
        self.field = field


@dataclass(frozen=True)
class Event:
    """What happened in a project.

    An event of a known kind that names nothing (no annotations, tasks or ids) says only that something of that kind
    happened: what it was has to be read from Label Studio.

    Attributes
    ----------
    action
        As Label Studio sent it.
    kind
        What it is about; "unknown" for actions that no score depends on.
    project
        The project's id; None for an event of the organisation, or from a webhook that sends no payload.
    annotations
        Created or changed annotations, each once, as `Studio.tasks` gives them: id, completed_by (an id, or None for
        a deleted user), result (a list), updated_at, was_cancelled, ground_truth, lead_time, parent_prediction; and
        task, the id of theirs.
    tasks
        Created tasks, or those of the annotations, each once: id, data, updated_at, overlap, is_labeled as
        `Studio.tasks` gives them, and total_annotations and cancelled_annotations, the numbers of annotations that
        the task has now. With ANNOTATIONS_CREATED these numbers and is_labeled are from before.
    ids
        Of deleted annotations or tasks.
    project_info
        The project's settings and counts; they include its tokens.
    """

    action: str
    kind: Kind
    project: int | None = None
    annotations: tuple[Mapping[str, Any], ...] = ()
    tasks: tuple[Mapping[str, Any], ...] = ()
    ids: tuple[int, ...] = ()
    project_info: Mapping[str, Any] | None = field(default=None, repr=False)


def read_event(body: Any) -> Event:
    """Return the event in a webhook's body (parsed JSON).

    An action that is not known, of a later Label Studio for instance, is an event of the kind "unknown".

    Raises
    ------
    MalformedEventError
        If the body is none of Label Studio's.
    """
    if not isinstance(body, dict):
        raise MalformedEventError("body", body, "an object")
    action = body.get("action", _MISSING)
    if not isinstance(action, str) or not action:
        raise MalformedEventError("action", action, "the name of an action")
    kind = _KINDS.get(action, "unknown")
    if kind == "unknown":
        return Event(action, kind)
    project = body.get("project", _MISSING)
    annotations: tuple[Mapping[str, Any], ...] = ()
    tasks: tuple[Mapping[str, Any], ...] = ()
    ids: tuple[int, ...] = ()
    if kind == "annotations":
        annotations = _once(_annotation(item, path) for item, path in _items(body, _ANNOTATION_KEYS))
    if kind in ("annotations", "tasks"):
        tasks = _once(_task(item, path) for item, path in _items(body, _TASK_KEYS))
    if kind in ("annotations_deleted", "tasks_deleted"):
        keys = _ANNOTATION_KEYS if kind == "annotations_deleted" else _TASK_KEYS
        ids = tuple(_identity(item, path) for item, path in _items(body, keys))
    return Event(
        action,
        kind,
        None if project is _MISSING else _identity(project, "project"),
        annotations,
        tasks,
        ids,
        project if isinstance(project, dict) else None,
    )


def _items(body: Mapping[str, Any], keys: tuple[str, str]) -> Iterator[tuple[Any, str]]:
    """Yield the values of the keys, single or in a list, each with its path."""
    for key in keys:
        found = body.get(key, _MISSING)
        if isinstance(found, list):
            yield from ((item, f"{key}[{index}]") for index, item in enumerate(found))
        elif found is not _MISSING:
            yield found, key


def _once(rows: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return the last row of each id: Label Studio repeats a task for each of its annotations."""
    return tuple({row["id"]: row for row in rows}.values())


def _annotation(item: Any, path: str) -> dict[str, Any]:
    found = _Object(item, path)
    author = found.get("completed_by")
    result = found.get("result")
    return {
        "id": found.id("id"),
        "task": found.id("task"),
        "completed_by": None if author is None else found.id("completed_by"),
        "result": [] if result is None else _result(result, f"{path}.result"),
        "updated_at": found.time("updated_at"),
        "was_cancelled": found.flag("was_cancelled"),
        "ground_truth": found.flag("ground_truth"),
        "lead_time": found.seconds("lead_time"),
        "parent_prediction": None if found.is_missing("parent_prediction") else found.id("parent_prediction"),
    }


def _task(item: Any, path: str) -> dict[str, Any]:
    found = _Object(item, path)
    data = found.get("data")
    if not isinstance(data, dict) or not _storable(data):
        raise MalformedEventError(f"{path}.data", data, _STORABLE)
    return {
        "id": found.id("id"),
        "data": data,
        "updated_at": found.time("updated_at"),
        "overlap": found.count("overlap"),
        "is_labeled": found.flag("is_labeled"),
        "total_annotations": found.count("total_annotations"),
        "cancelled_annotations": found.count("cancelled_annotations"),
    }


def _result(result: Any, path: str) -> list[dict[str, Any]]:
    if not isinstance(result, list):
        raise MalformedEventError(path, result, "a list of objects")
    for index, item in enumerate(result):
        if not isinstance(item, dict) or not _storable(item):
            raise MalformedEventError(f"{path}[{index}]", item, _STORABLE)
    return result


def _storable(value: Any) -> bool:
    """Return whether a value can be written to the store."""
    try:
        orjson.dumps([value])  # in a list, as results are: that is one level deeper
    except TypeError:
        return False
    return True


def _identity(value: Any, path: str) -> int:
    """Return an id given as it is, or as an object that has one."""
    if isinstance(value, dict):
        value, path = value.get("id", _MISSING), f"{path}.id"
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LARGEST_ID:
        raise MalformedEventError(path, value, "an id (a positive integer)")
    return value


class _Object:
    """The fields of an object; they are checked as they are read."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise MalformedEventError(path, value, "an object")
        self._value = value
        self._path = path

    def get(self, name: str) -> Any:
        return self._value.get(name, _MISSING)

    def id(self, name: str) -> int:
        return _identity(self.get(name), f"{self._path}.{name}")

    def is_missing(self, name: str) -> bool:
        return self.get(name) in (None, _MISSING)

    def time(self, name: str) -> str:
        value = self.get(name)
        if isinstance(value, str) and _TIME.fullmatch(value):
            try:
                datetime.fromisoformat(value.rstrip("Z"))
            except ValueError:
                pass
            else:
                return value
        raise self._malformed(name, "a time like 2026-11-21T03:04:05.123456Z")

    def flag(self, name: str) -> bool:
        value = self.get(name)
        if not isinstance(value, bool):
            raise self._malformed(name, "true or false")
        return value

    def count(self, name: str) -> int:
        value = self.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_COUNT:
            raise self._malformed(name, f"an integer from 0 to {_LARGEST_COUNT}")
        return value

    def seconds(self, name: str) -> float | None:
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, float) and math.isfinite(value):
            return value
        if not isinstance(value, bool) and isinstance(value, int) and abs(value) <= _LARGEST_ID:
            return float(value)
        raise self._malformed(name, "a number of seconds or null")

    def _malformed(self, name: str, allowed: str) -> MalformedEventError:
        return MalformedEventError(f"{self._path}.{name}", self.get(name), allowed)


def _shown(value: Any) -> str:
    """Return a short description of a JSON value that is safe to print."""
    if value is _MISSING:
        return "missing"
    if value is None or isinstance(value, bool):
        return orjson.dumps(value).decode()
    if isinstance(value, int) and abs(value) > 2 * _LARGEST_ID:
        return "an integer above 64 bits"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return ascii(value[:40])
    return "a list" if isinstance(value, list) else "an object"
