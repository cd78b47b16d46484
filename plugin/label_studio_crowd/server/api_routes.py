"""The JSON API: the state of each project, and the results of its last run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query
from starlette.exceptions import HTTPException

from label_studio_crowd.scoring.outlook import Forecast
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.server.api_models import (
    Annotator,
    ModelAnswer,
    Page,
    ProjectDetails,
    ProjectState,
    Run,
    Runs,
    Task,
    TaskAnnotation,
    TaskDetails,
)
from label_studio_crowd.server.parts import TheParts
from label_studio_crowd.server.problems import described
from label_studio_crowd.server.projects import main_job, not_served, served_projects
from label_studio_crowd.server.tables import (
    Choice,
    Direction,
    OrderBy,
    TaskTable,
    annotators_of,
    classes_of,
    settled_by,
)
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.store.jobs import JobState
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import annotator_name
from label_studio_crowd.store.projects import ProjectStore
from label_studio_crowd.store.reports import FinishedRun, RunReport
from label_studio_crowd.studio.addresses import project_url, task_url
from label_studio_crowd.studio.controls import Control

router = APIRouter(prefix="/api", tags=["projects"], responses=described(401, 422, 503))

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many items at most.")]
Offset = Annotated[int, Query(ge=0, le=2**31, description="How many items to skip first.")]
Quality = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)]


@router.get("/projects", operation_id="list_projects")
def list_projects(parts: TheParts, limit: Limit = 100, offset: Offset = 0) -> Page[ProjectState]:
    """List the projects that are served."""
    served = served_projects(parts.backend)
    chosen = list(served.items())[offset : offset + limit]
    return Page(
        total=len(served),
        limit=limit,
        offset=offset,
        items=[ProjectState(**_state(parts.backend, project, jobs)) for project, jobs in chosen],
    )


@router.get("/projects/{project}", operation_id="get_project", responses=described(404))
def get_project(parts: TheParts, project: Number) -> ProjectDetails:
    """Show the state of a project, and how it was scored."""
    backend, served = parts.backend, served_projects(parts.backend)
    if project not in served:
        raise not_served(project, served)
    stored = backend.project(project)
    snapshot, last = backend.snapshot(stored), stored.runs.last()
    report = last.report if last else RunReport()
    return ProjectDetails(
        **_state(backend, project, served[project]),
        control=snapshot.control if snapshot else None,
        classifier=report.classifier,
        consensus=report.consensus,
        show_consensus=snapshot.show_consensus if snapshot else None,
        classes=classes_of(snapshot) if snapshot else [],
        settled_by=settled_by(snapshot) if snapshot else {},
        model_disagrees=int(snapshot.model_disagrees.sum()) if snapshot else 0,
        crowdlab_differs=int(snapshot.crowdlab_differs.sum()) if snapshot else 0,
        warnings=list(report.warnings),
        seconds=dict(report.seconds),
    )


class _Scored:
    """A project that has had a run."""

    def __init__(self, parts: TheParts, project: Number) -> None:
        served = served_projects(parts.backend)
        if project not in served:
            raise not_served(project, served)
        stored = parts.backend.project(project)
        snapshot = parts.backend.snapshot(stored)
        if snapshot is None:
            word = main_job(served[project]).word
            raise HTTPException(404, f"Project {project} has had no run yet (its state is {word!r}): ask again later.")
        self.stored: ProjectStore = stored
        self.snapshot: Snapshot = snapshot
        self.url = project_url(parts.backend.settings, project)


Scored = Annotated[_Scored, Depends(_Scored)]


@router.get("/projects/{project}/queue", operation_id="get_queue", responses=described(404))
def get_queue(scored: Scored, limit: Limit = 100, offset: Offset = 0) -> Page[Task]:
    """List the tasks of the queue, in the order in which they are served."""
    table = TaskTable(scored.snapshot, scored.url)
    rows = scored.snapshot.queue_rows
    items = table.spelled_out(rows[offset : offset + limit].tolist())
    return Page(total=len(rows), limit=limit, offset=offset, items=items)


@router.get("/projects/{project}/tasks", operation_id="list_tasks", responses=described(404))
def list_tasks(
    scored: Scored,
    settled: Annotated[bool | None, Query(description="Only tasks that need no more labels, or only others.")] = None,
    labelled: Annotated[bool | None, Query(description="Only tasks with labels, or only others.")] = None,
    min_quality: Quality = None,
    max_quality: Quality = None,
    model_disagrees: Annotated[
        bool | None, Query(description="Only tasks where a model disagrees with all annotators, or only others.")
    ] = None,
    crowdlab_differs: Annotated[
        bool | None, Query(description="Only tasks where CROWDLAB's label is another, or only others.")
    ] = None,
    order_by: OrderBy = "id",
    direction: Direction = "ascending",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Page[Task]:
    """List tasks. Those of unknown quality match no bounds, and come last."""
    table = TaskTable(scored.snapshot, scored.url)
    wanted = Choice(settled, labelled, min_quality, max_quality, model_disagrees, crowdlab_differs, order_by, direction)
    rows = table.rows(wanted)
    items = table.spelled_out(rows[offset : offset + limit].tolist())
    return Page(total=len(rows), limit=limit, offset=offset, items=items)


@router.get("/projects/{project}/tasks/{task}", operation_id="get_task", responses=described(400, 404))
def get_task(scored: Scored, project: Number, task: Number) -> TaskDetails:
    """Show a task, its annotations, and what models among the annotators say of it."""
    snapshot, mirror = scored.snapshot, scored.stored.mirror
    row = snapshot.row(task)
    if row is None and not mirror.data([task]):
        raise HTTPException(404, f"Project {project} has no known task {task}.")
    control, known = snapshot.scored_control(), scored.stored.people.names()
    return TaskDetails(
        task=task,
        believed=None if row is None else TaskTable(snapshot, scored.url).spelled_out([row])[0],
        annotations=[_annotation(control, known, annotation) for annotation in mirror.annotations_of(task)],
        model_answers=[_model_answer(control, known, row) for row in scored.stored.model_answers.answers(task)],
        url=task_url(scored.url, task),
    )


@router.get("/projects/{project}/annotators", operation_id="list_annotators", responses=described(404))
def list_annotators(scored: Scored, limit: Limit = 100, offset: Offset = 0) -> Page[Annotator]:
    """List the annotators, by increasing quality."""
    found = annotators_of(scored.snapshot, scored.stored.people.names(), slice(offset, offset + limit))
    return Page(total=len(scored.snapshot.annotators), limit=limit, offset=offset, items=found)


@router.get("/projects/{project}/runs", operation_id="list_runs", responses=described(404))
def list_runs(
    parts: TheParts, project: Number, limit: Limit = 100, offset: Annotated[int, Query(ge=0, le=1000)] = 0
) -> Runs:
    """List the last runs, the newest first."""
    served = served_projects(parts.backend)
    if project not in served:
        raise not_served(project, served)
    found = parts.backend.project(project).runs.newest(offset + limit)[offset:]
    return Runs(limit=limit, offset=offset, items=[_run(run) for run in found])


def _state(backend: Backend, project: int, jobs: list[JobState]) -> dict[str, Any]:
    """Return the fields of a `ProjectState`."""
    job, stored, url = main_job(jobs), backend.project(project), project_url(backend.settings, project)
    snapshot, last = backend.snapshot(stored), stored.runs.last()
    training = next((other for other in jobs if other.kind == "train"), None)
    return {
        "project": project,
        "title": snapshot.title if snapshot else None,
        "state": job.word,
        "problem": job.problem,
        "failures": job.failures,
        "retry_at": _time(job.next_try),
        "wanted_since": _time(job.wanted_since),
        "training": training.word if training else None,
        "training_problem": training.problem if training else None,
        "last_run_at": _time(last.finished_at) if last else None,
        "numbers": TaskTable(snapshot, url).numbers(stored.facts.read(Forecast)) if snapshot else None,
        "url": url,
    }


def _time(at: float | None) -> datetime | None:
    return None if at is None else _moment(at)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, timezone.utc)


def _label(control: Control, annotation: Annotation) -> str | None:
    try:
        answer = control.read(orjson.loads(annotation.result))
    except (ValueError, AttributeError, TypeError):  # several labels; and over REST, annotators can send any shape
        return None
    return None if answer is None else control.show(answer)


def _model_answer(control: Control, known: Mapping[int, str], prediction: Annotation) -> ModelAnswer:
    return ModelAnswer(
        id=prediction.id,
        annotator=prediction.annotator,
        name=annotator_name(prediction.annotator, known),
        label=_label(control, prediction),
        updated_at=prediction.updated_at,
    )


def _annotation(control: Control, known: Mapping[int, str], annotation: Annotation) -> TaskAnnotation:
    return TaskAnnotation(
        id=annotation.id,
        annotator=annotation.annotator,
        name=annotator_name(annotation.annotator, known),
        label=_label(control, annotation),
        skipped=bool(annotation.was_cancelled),
        ground_truth=bool(annotation.ground_truth),
        updated_at=annotation.updated_at,
    )


def _run(run: FinishedRun) -> Run:
    """Return a run's report; what another release did not report is null."""
    report = run.report.as_json()
    shown = {name: report[name] for name in Run.model_fields if name in report}
    return Run(**shown, finished_at=_moment(run.finished_at))
