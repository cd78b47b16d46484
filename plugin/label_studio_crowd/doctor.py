"""What is right with a project, what is wrong, and how to mend it. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from label_studio_crowd.connection import connection, stored_options, wrong_settings
from label_studio_crowd.errors import UserError
from label_studio_crowd.labels import find_control
from label_studio_crowd.mirror import ProjectMirror
from label_studio_crowd.plan import QUEUE_PREFIX, is_ours
from label_studio_crowd.publish import measured_costs
from label_studio_crowd.pull import look_up
from label_studio_crowd.settings import Settings
from label_studio_crowd.studio import Studio, StudioError

_SLOW_IMPORT = 3.0
_TESTED = ((1, 20), (1, 24))
"""Label Studio's versions from (included) to (excluded) that the exchange is known to fit."""


@dataclass(frozen=True)
class Check:
    """A finding: `level` is ok, note (worth knowing) or wrong (keeps the queue from working)."""

    level: str
    what: str
    mend: str = ""


def examine(studio: Studio, mirror: ProjectMirror, project: int, settings: Settings) -> Iterator[Check]:
    """Yield findings, from the ground up; stop at one without which the rest cannot be looked at."""
    try:
        user = studio.user()
        version = studio.version()
        info = look_up(studio, mirror, project)
    except StudioError as error:
        yield Check("wrong", str(error))
        return
    yield from _server(studio, version, user)
    yield Check(
        "ok",
        f"project {project} {info['title']!r}: {info['task_number']} tasks, "
        f"{info['total_annotations_number']} annotations",
    )
    settings = settings.over(stored_options(mirror))
    try:
        control = find_control(info["label_config"], settings.control)
        yield Check("ok", f"scores the control {control.name!r} ({control.kind}, {len(control.classes)} classes)")
    except UserError as error:
        yield Check("wrong", str(error))
    if info["ground_truth_number"] and not settings.trust_ground_truth:
        yield Check(
            "note",
            f"{info['ground_truth_number']} annotations carry the ground-truth flag and count as answers",
            "imported annotations have it by default; --trust-ground-truth takes them as the truth",
        )
    yield from _queue(studio, mirror, project, info)


def _server(studio: Studio, version: str, user: dict[str, Any]) -> Iterator[Check]:
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    oldest, newest = _TESTED
    if oldest <= numbers < newest:
        yield Check("ok", f"Label Studio {version} at {studio.url}")
    else:
        span = f"{'.'.join(map(str, oldest))} to {newest[0]}.{newest[1] - 1}"
        yield Check("note", f"Label Studio {version} at {studio.url} is not one this release was tested with ({span})")
    yield Check("ok", f"{studio.token_kind} of {user.get('email')}")
    if studio.token_kind == "access token":
        yield Check("wrong", "the token is an access token, which lives five minutes", "use the personal access token")


def _queue(studio: Studio, mirror: ProjectMirror, project: int, info: dict[str, Any]) -> Iterator[Check]:
    connect = f"label-studio-crowd connect --project {project}"
    record = connection(mirror)
    if record is None:
        yield Check("note", "not connected: annotators are served in Label Studio's own order", connect)
        return
    yield Check("ok", "connected; `disconnect` puts every setting back")
    wrong = wrong_settings(info)
    for name, (found, needed) in wrong.items():
        yield Check("wrong", f"{name} is {found!r}, not {needed!r}: the queue is not served in order", connect)
    if not wrong:
        yield Check("ok", "sampling serves the queue in order")
    versions = {name: state for name, state in studio.model_versions(project).items() if is_ours(name)}
    active = info["model_version"] or ""
    sync = f"label-studio-crowd sync --project {project}"
    if active in versions and active.startswith(QUEUE_PREFIX):
        yield Check("ok", f"the project serves {active}: {versions[active].count} tasks")
    elif mirror.last_run() is None:
        yield Check("note", "no queue yet", sync)
    else:
        yield Check("wrong", f"the project's model version is {active!r}, not our queue", sync)
    if (seconds := measured_costs(mirror).bulk) > _SLOW_IMPORT:
        yield Check(
            "note",
            f"an import of predictions takes {seconds:.1f} s on this server",
            "start Label Studio with fflag_fix_back_4620_memory_efficient_predictions_import_08012025_short=true: "
            "about 0.2 s",
        )
    if backends := studio.backends(project):
        titles = ", ".join(repr(row.get("title")) for row in backends)
        yield Check("note", f"ML backends are connected ({titles})", "let them leave the project's model version alone")
