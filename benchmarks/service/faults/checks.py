"""What should be there after a fault, and what is: in the mirror, in Label Studio, and among what others have."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from benchmarks.service.faults.executioner import worker_processes
from benchmarks.service.faults.outcome import Outcome
from label_studio_crowd.exchange.pull import update_mirror
from label_studio_crowd.project import Project
from label_studio_crowd.runs.rescore import How, rescore
from label_studio_crowd.runs.run import Run
from label_studio_crowd.store.mirror import Mirror
from label_studio_crowd.store.projects import ProjectStore, Store
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.records import Prediction
from label_studio_crowd.studio.versions import QUEUE_PREFIX, is_ours

if TYPE_CHECKING:
    from benchmarks.service.faults.room import Room


def check(room: Room, stored: ProjectStore, here: Sequence[int], found: Outcome) -> None:
    """Note in `found` what is not as it should be; these annotations should be `here`."""
    studio = Studio(room.studio_url, room.house.studio.admin_token)
    project = Project(number=room.project.id, studio=studio, store=stored, settings=room.settings())
    _check_mirror(project, here, found)
    ours = [row for row in studio.predictions(project.number) if is_ours(row.model_version)]
    _check_predictions(stored, ours, found)
    _check_others(room, found)
    _check_queue(room, project, ours, found)
    _check_processes(room, found)
    _check_answers(room, found)


def _check_mirror(project: Project, here: Sequence[int], found: Outcome) -> None:
    """Compare the mirror with a new one."""
    mirror = project.store.mirror
    with tempfile.TemporaryDirectory() as directory:
        with contextlib.closing(Store(f"sqlite:///{directory}/fresh.sqlite")) as store:
            afresh = replace(project, store=store.project(project.studio.url, project.number))
            update_mirror(afresh, full=True)
            found.problems += _differences(mirror, afresh.store.mirror)
            there = {row.id for row in afresh.store.mirror.annotations()}
        held = {row.id for row in mirror.annotations()}
    found.lost = len((there | set(here)) - held) + len(set(here) - there)


def _check_predictions(stored: ProjectStore, ours: Sequence[Prediction], found: Outcome) -> None:
    found.duplicates = len(ours) - len({(row.task, row.model_version) for row in ours})
    if _facts(stored.published.predictions()) != _facts(ours):
        found.problems.append("predictions in Label Studio are not those that the mirror remembers")


def _check_others(room: Room, found: Outcome) -> None:
    traces = room.house.traces(room.project.id)
    found.touched = [
        f"{name}: {where}" for name, value in room.before.items() if (where := _first_difference(value, traces[name]))
    ]


def _check_queue(room: Room, project: Project, ours: Sequence[Prediction], found: Outcome) -> None:
    """Ask whether one more rescore would change nothing, and whether the queue that it plans is served."""
    run = _dry_run(project)
    if run.plan or run.plan.deferred:
        changes = {name: value for name, value in asdict(run.plan.counts()).items() if value}
        found.problems.append(f"one more rescore would change something: {changes}")
    served = room.house.ask("GET", f"/api/projects/{room.project.id}/")["model_version"]
    queue = {row.task for row in ours if row.model_version == served}
    if not str(served).startswith(QUEUE_PREFIX) or not queue or queue != set(run.plan.queue):
        found.problems.append(f"the project serves {served!r}, {len(queue)} tasks of {len(run.plan.queue)}")
    task = room.house.visitor.next(room.project.id)
    if task is None or task["id"] not in queue:
        found.problems.append("somebody new is served " + ("nothing" if task is None else "what is not queued"))


def _dry_run(project: Project) -> Run:
    with project.store.exclusive(patience=60):
        run = rescore(project, How(dry_run=True))
    assert run is not None, "it was not told to stop where nothing has changed"
    return run


def _check_processes(room: Room, found: Outcome) -> None:
    written = "".join(process.log.read_text() for process in (room.service, *room.workers))
    if tracebacks := written.count("Traceback (most recent call last)"):
        found.problems.append(f"{tracebacks} tracebacks in the logs")
    if not room.workers and len(workers := worker_processes(room.folder)) != 1:
        found.problems.append(f"{len(workers)} worker processes")


def _check_answers(room: Room, found: Outcome) -> None:
    statuses: Counter[str] = Counter()
    for line in room.service.http.get("/metrics").text.splitlines():
        if told := re.fullmatch(r'label_studio_crowd_request_seconds_count\{.*status="(\d+)"\} ([\d.e+]+)', line):
            statuses[told[1]] += round(float(told[2]))
    found.answered = ", ".join(f"{count:,} x {status}" for status, count in sorted(statuses.items()))


def _first_difference(before: Any, after: Any) -> str:
    """Say where two values differ, and how; nothing if they are the same."""
    if before == after:
        return ""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return next(f"{key}.{found}" for key in before if (found := _first_difference(before[key], after[key])))
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return next(f"{at}.{found}" for at, pair in pairs if (found := _first_difference(*pair)))
    return f"{before!r:.60} → {after!r:.60}"


def _differences(mirror: Mirror, fresh: Mirror) -> list[str]:
    pairs: dict[str, tuple[Any, Any]] = {
        "tasks": (mirror.tasks().ids.tolist(), fresh.tasks().ids.tolist()),
        "data": (mirror.data(), fresh.data()),
        "overlaps": (mirror.tasks().overlap.tolist(), fresh.tasks().overlap.tolist()),
        "states": (mirror.tasks().is_labeled.tolist(), fresh.tasks().is_labeled.tolist()),
        "annotations": (mirror.annotations(), fresh.annotations()),
    }
    return [f"the mirror's {name} are not those of a full pull" for name, (ours, new) in pairs.items() if ours != new]


def _facts(predictions: Sequence[Prediction]) -> list[tuple[Any, ...]]:
    rows = sorted(predictions, key=lambda row: row.id)
    return [(row.id, row.task, row.model_version, row.score, [item["value"] for item in row.result]) for row in rows]
