"""What Label Studio tells a webhook, as an event. Pure.

An event is a hint, and no more: everybody who labels can read the webhook's secret, and send what they like. So it only
says in which project something happened. What happened is read from Label Studio.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import orjson

from label_studio_crowd.errors import UserError

Kind = Literal["annotations", "tasks", "project", "project_deleted", "train", "unknown"]

_KINDS: Final[Mapping[str, Kind]] = {
    "ANNOTATION_CREATED": "annotations",
    "ANNOTATIONS_CREATED": "annotations",
    "ANNOTATION_UPDATED": "annotations",
    "ANNOTATIONS_UPDATED": "annotations",
    "ANNOTATION_DELETED": "annotations",
    "ANNOTATIONS_DELETED": "annotations",
    "TASK_CREATED": "tasks",
    "TASKS_CREATED": "tasks",
    "TASK_UPDATED": "tasks",
    "TASKS_UPDATED": "tasks",
    "TASK_DELETED": "tasks",
    "TASKS_DELETED": "tasks",
    "PROJECT_CREATED": "project",
    "PROJECT_UPDATED": "project",
    "PROJECT_DELETED": "project_deleted",
    "START_TRAINING": "train",
}
_LARGEST_ID: Final = 2**63 - 1
_MISSING: Final = object()


class MalformedEventError(UserError):
    """A webhook's body that Label Studio would not send; `field` is the path of the wrong part."""

    def __init__(self, field: str, found: Any, allowed: str) -> None:
        super().__init__(f"Malformed event: {field} is {_shown(found)}; allowed is {allowed}.")
        self.field = field


@dataclass(frozen=True)
class Event:
    """Something happened in a project.

    Attributes
    ----------
    action
        As Label Studio sent it.
    kind
        What it is about; "unknown" for actions that no score depends on.
    project
        The project's id; None for an event of the organisation, or from a webhook that sends no payload.
    project_info
        The project's settings and counts; they include its tokens.
    """

    action: str
    kind: Kind
    project: int | None = None
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
    if kind == "unknown" or "project" not in body:
        return Event(action, kind)
    project = body["project"]
    return Event(action, kind, _identity(project), project if isinstance(project, dict) else None)


def _identity(project: Any) -> int:
    """Return a project's id, given as it is, or as an object that has one."""
    value, path = project, "project"
    if isinstance(project, dict):
        value, path = project.get("id", _MISSING), "project.id"
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LARGEST_ID:
        raise MalformedEventError(path, value, "an id (a positive integer)")
    return value


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
