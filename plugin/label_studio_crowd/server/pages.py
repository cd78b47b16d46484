"""The pages: what is asked for is read, worked out by `insights`, and filled into a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from sse_starlette import EventSourceResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from label_studio_crowd.pages import insights
from label_studio_crowd.pages.insights import Count, Oddity, OrderBy
from label_studio_crowd.pages.rendering import static_file, static_names
from label_studio_crowd.scoring.outlook import DryRun, Forecast, History, Reliability
from label_studio_crowd.server.forms import path_within, require_own_page
from label_studio_crowd.server.frames import NAMES_COOKIE, Frame, ProjectFrame
from label_studio_crowd.server.parts import TheParts
from label_studio_crowd.server.projects import not_served, served_projects
from label_studio_crowd.store.jobs import JobState, Kind, Needs
from label_studio_crowd.store.problems import Problems
from label_studio_crowd.store.reports import RunReport

router = APIRouter(include_in_schema=False)

_YEAR: Final = 365 * 86400
_RUNS: Final = 50
_OVERRULED: Final = 10
_KINDS: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOREVER: Final = {"Cache-Control": "private, max-age=31536000, immutable"}

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
PageNumber = Annotated[int, Query(ge=1, le=10**9)]


def _frame(request: Request, parts: TheParts) -> Frame:
    return Frame(request, parts)


def _project_frame(request: Request, parts: TheParts, project: Number) -> ProjectFrame:
    return ProjectFrame(request, parts, project)


AnyPage = Annotated[Frame, Depends(_frame)]
ProjectPage = Annotated[ProjectFrame, Depends(_project_frame)]


@router.get("/projects")
def show_projects(frame: AnyPage) -> HTMLResponse:
    """Show the state of all projects."""
    return frame.page("Projects", "projects", projects=frame.heads())


@router.get("/projects/{project}")
def show_overview(frame: ProjectPage) -> HTMLResponse:
    """Show a project at a glance."""
    if frame.snapshot is None:
        return frame.waiting("")
    facts, last = frame.stored.facts, frame.stored.runs.last()
    report = last.report if last else RunReport()
    overview = insights.project_overview(
        frame.snapshot, facts.read(History), facts.read(Forecast), frame.outlook_missing
    )
    return frame.section(
        "",
        "overview",
        overview=overview,
        steps=insights.next_steps(
            frame.snapshot, frame.people(frame.snapshot), frame.whole, served=frame.head.state != "looked"
        ),
        classes=insights.project_classes(frame.snapshot),
        labels=insights.labels_of(frame.snapshot),
        of_classes=frame.snapshot.of_classes,
        warnings=report.warnings,
        scored_with=insights.scored_with(frame.snapshot, report),
    )


@router.get("/projects/{project}/queue")
def show_queue(frame: ProjectPage, page: PageNumber = 1) -> HTMLResponse:
    """Show the next tasks, and why they are in the queue."""
    if frame.snapshot is None:
        return frame.waiting("queue")
    queue = insights.queue_page(frame.snapshot, frame.people(frame.snapshot), page, whole=frame.whole)
    return frame.section("queue", "queue", queue=queue, previews=frame.previews(row.task for row in queue.rows))


@router.get("/projects/{project}/suspects")
def show_suspects(
    frame: ProjectPage,
    page: PageNumber = 1,
    overruled: PageNumber = 1,
    disagrees: PageNumber = 1,
    crowdlab: PageNumber = 1,
    regions: PageNumber = 1,
    why: Oddity | None = None,
) -> HTMLResponse:
    """Show labels that are probably wrong, and consensus that the majority, the classifier or CROWDLAB do not share."""
    if frame.snapshot is None:
        return frame.waiting("suspects")
    people = frame.people(frame.snapshot)
    suspects = insights.suspect_labels(frame.snapshot, people, page)
    majorities = insights.overruled_majorities(frame.snapshot, people, overruled, _OVERRULED)
    disagreements = insights.model_disagreements(frame.snapshot, people, disagrees, _OVERRULED)
    opinions = insights.second_opinions(frame.snapshot, people, crowdlab, _OVERRULED)
    odd = insights.odd_regions(frame.snapshot, people, regions, why=why)
    tasks = [row.task for part in (suspects, majorities, disagreements, opinions) for row in part.rows]
    tasks += [row.task for row in odd.rows] if odd else []
    return frame.section(
        "suspects",
        "suspects",
        suspects=suspects,
        unheard=insights.unheard_classes(frame.snapshot),
        overruled=majorities,
        disagreements=disagreements,
        opinions=opinions,
        odd=odd,
        odd_numbers=insights.odd_numbers(frame.snapshot),
        why=why or "",
        previews=frame.previews(tasks),
    )


@router.get("/projects/{project}/annotators")
def show_annotators(
    frame: ProjectPage, page: PageNumber = 1, order_by: OrderBy = "quality", descending: bool = False
) -> HTMLResponse:
    """Show how good the annotators are."""
    if frame.snapshot is None:
        return frame.waiting("annotators")
    people = frame.people(frame.snapshot)
    return frame.section(
        "annotators",
        "annotators",
        annotators=insights.annotators_page(frame.snapshot, people, page, order_by=order_by, descending=descending),
        copying=insights.copying_groups(frame.snapshot, people),
        order_by=order_by,
        descending=descending,
    )


@router.get("/projects/{project}/annotators/{annotator}")
def show_annotator(frame: ProjectPage, annotator: str) -> Response:
    """Show one annotator; who is asked for by a key of the other kind is led to their page."""
    if frame.snapshot is None:
        return frame.waiting("annotators")
    people = frame.people(frame.snapshot)
    row = people.row(annotator)
    if row is None:
        raise HTTPException(404, f"There is no annotator {annotator[:20]!r} in this project.")
    person = people.everybody[row]
    if person.key != annotator:
        return RedirectResponse(frame.links.annotator(person.key), 303)
    details = insights.annotator_details(frame.snapshot, people, row)
    previews = frame.previews([*(one.task for one in details.mistakes), *(one.task for one in details.odd)])
    at = f"annotators/{person.key}"
    return frame.section("annotators", "annotator", title=person.name, at=at, annotator=details, previews=previews)


@router.get("/projects/{project}/tasks/{task}")
def show_task(frame: ProjectPage, task: Number) -> HTMLResponse:
    """Show one task: its consensus, and what each annotator answered."""
    if frame.snapshot is None or frame.whole is None:
        return frame.waiting("queue")
    row = frame.snapshot.row(task)
    if row is None:
        raise HTTPException(404, f"There is no task {task} in this project, or no run has seen it yet.")
    data = frame.stored.mirror.data([task]).get(task, {})
    whole = insights.whole_task(frame.whole, frame.snapshot, frame.people(frame.snapshot), row, data)
    previews, at = frame.previews([task]), f"tasks/{task}"
    return frame.section("tasks", "whole", title=f"Task {task}", at=at, whole=whole, previews=previews)


@router.get("/projects/{project}/agreement")
def show_agreement(frame: ProjectPage) -> HTMLResponse:
    """Show who agrees with whom."""
    if frame.snapshot is None:
        return frame.waiting("agreement")
    agreement = insights.project_agreement(
        frame.snapshot, frame.people(frame.snapshot), frame.stored.facts.read(Reliability), frame.outlook_missing
    )
    return frame.section("agreement", "agreement", agreement=agreement)


@router.get("/projects/{project}/runs")
def show_runs(frame: ProjectPage) -> HTMLResponse:
    """Show the last runs and, if somebody asked, what a run would change now."""
    facts = frame.stored.facts
    runs = insights.past_runs(frame.stored.runs.newest(_RUNS), facts.read(Problems))
    dry_run = _shown(frame.shown[frame.project], facts.read(DryRun))
    return frame.section("runs", "runs", runs=runs, dry_run=dry_run)


@dataclass(frozen=True)
class ShownDryRun:
    """What a run would change, if somebody asked: when that was (Unix time), and in about how many seconds.

    `job` is the one that finds it out; None where nobody asked.
    """

    job: JobState | None
    at: float | None
    changes: Sequence[Count]
    seconds: float

    @property
    def under_way(self) -> bool:
        """Whether somebody is at it, or is about to be."""
        return self.job is not None and self.job.word in ("waiting", "working")


def _shown(jobs: Sequence[JobState], found: DryRun | None) -> ShownDryRun:
    job = next((job for job in jobs if job.kind == "plan"), None)
    if found is None:
        return ShownDryRun(job, None, (), 0.0)
    return ShownDryRun(job, found.at, insights.changes_made(found.report.changes), found.report.expected_seconds)


# ---------------------------------------------------------------------- what a click does


@router.post("/projects/{project}/rescore", dependencies=[Depends(require_own_page)])
def rescore(parts: TheParts, project: Number) -> Response:
    """Start a run at once."""
    return _marked(parts, project, "rescore")


@router.post("/projects/{project}/dry-run", dependencies=[Depends(require_own_page)])
def dry_run(parts: TheParts, project: Number) -> Response:
    """Let a worker find out what a run would change."""
    return _marked(parts, project, "plan")


def _marked(parts: TheParts, project: int, kind: Kind) -> Response:
    served = served_projects(parts.backend)
    if project not in served:
        raise not_served(project, served)
    with parts.turn:
        parts.backend.jobs.mark(project, kind, Needs.CHANGED | Needs.PULL | Needs.ASKED, at_once=True)
    return RedirectResponse(f"/projects/{project}/runs", 303)


@router.post("/names", dependencies=[Depends(require_own_page)])
async def show_or_hide_names(names: Literal["shown", "hidden"], back: str = "") -> Response:
    """Show annotators' names on all pages of this browser, or pseudonyms."""
    answer = RedirectResponse(path_within(back), 303)
    answer.set_cookie(NAMES_COOKIE, names, max_age=_YEAR if names == "hidden" else 0, httponly=True, samesite="lax")
    return answer


# ---------------------------------------------------------------------- what pages ask for


@router.get("/events")
async def tell_of_all(parts: TheParts) -> Response:
    """Send an event when a project's state changes."""
    return EventSourceResponse(parts.live.versions(None))


@router.get("/projects/{project}/events")
async def tell_of_one(parts: TheParts, project: Number) -> Response:
    """Send an event when the pages of a project change."""
    return EventSourceResponse(parts.live.versions(project))


def _shown_path(frame: ProjectPage, task: Number, path: str) -> str:
    """Return the path that is asked for, if the task has a picture there."""
    shown = frame.previews([task]).get(task, ())
    if not any(field.kind == "image" and field.address == path for field in shown):
        raise HTTPException(404, f"Task {task} has no such picture.")
    return path


ShownPath = Annotated[str, Depends(_shown_path)]


@router.get("/projects/{project}/tasks/{task}/image")
async def show_image(parts: TheParts, path: ShownPath) -> Response:
    """Show a task's picture that Label Studio has at a path."""
    return await parts.images.fetch(path)


@router.get("/static/{name}")
async def show_static(name: str) -> Response:
    """Show a style sheet, a script or an icon."""
    if name not in static_names():
        raise HTTPException(404, "There is no such file.")
    return Response(static_file(name), media_type=_KINDS[name.rpartition(".")[2]], headers=_FOREVER)
