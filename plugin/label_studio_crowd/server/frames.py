"""What every page shows around its content: the project and its state, whose names are shown, the version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timezone, tzinfo
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from label_studio_crowd.files.tables import available_formats
from label_studio_crowd.pages.insights import Numbers, People, project_numbers
from label_studio_crowd.pages.previews import Shown, task_previews
from label_studio_crowd.pages.rendering import page_html
from label_studio_crowd.pages.words import moment
from label_studio_crowd.scoring.outlook import NOT_YET
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.server.live import page_versions, version_of
from label_studio_crowd.server.parts import TheParts
from label_studio_crowd.server.problems import answer_error, wants_page
from label_studio_crowd.server.projects import main_job, not_served, shown_projects
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.store.jobs import JobProgress, JobState, Kind
from label_studio_crowd.store.projects import OnlyLookedAt, ProjectStore, Title
from label_studio_crowd.studio.addresses import project_url, task_url

SECTIONS: Final = (
    ("", "Overview"),
    ("queue", "Queue"),
    ("suspects", "Suspects"),
    ("annotators", "Annotators"),
    ("agreement", "Agreement"),
    ("runs", "Runs"),
)
_WORK: Final[Mapping[Kind, str]] = {
    "rescore": "scoring",
    "train": "training the classifier",
    "plan": "checking what a run would change",
    "forecast": "making the forecast",
}
_FORMAT_NAMES: Final = {".csv": "CSV", ".json": "JSON", ".parquet": "Parquet"}
NAMES_COOKIE: Final = "names"
_ZONE_COOKIE: Final = "zone"
_ANEW: Final = {"Cache-Control": "private, no-cache"}


@dataclass(frozen=True)
class UnderWay:
    """A job that is under way: what it does, and its progress; None where that is not known."""

    what: str
    progress: JobProgress | None


@dataclass(frozen=True)
class Head:
    """The state of a project; times are Unix times.

    Attributes
    ----------
    number, title, url
        `url` is its address in Label Studio.
    state
        As in the JSON API; "looked" where the project is not connected, but was looked at.
    problem, failures, retry_at
        Why the last run failed, how often it did in a row, and when it is tried again.
    away
        Whether it failed because Label Studio does not answer.
    rests
        Whether it failed because there is nothing to score, so that it is not tried again until that changes.
    under_way
        The scoring first.
    last_run_at, numbers
        None before the first run has ended.
    looked_at
        When a project that is not connected was last looked at; None for others.
    """

    number: int
    title: str
    url: str
    state: str
    problem: str | None
    failures: int
    retry_at: float | None
    away: bool
    rests: bool
    under_way: tuple[UnderWay, ...]
    last_run_at: float | None
    numbers: Numbers | None
    looked_at: float | None

    @property
    def queue(self) -> int:
        """How many tasks are in the queue."""
        return 0 if self.numbers is None else self.numbers.queue


@dataclass(frozen=True)
class PageLinks:
    """Where the links of a project's pages lead.

    Attributes
    ----------
    control
        The control that the pages are about; "" for the first.
    """

    project: int
    url: str
    control: str = ""

    def section(self, name: str, **query: object) -> str:
        """Return the address of a page of the project."""
        asked = {"control": self.control, **query}
        words = urlencode({what: value for what, value in asked.items() if value not in ("", None)})
        return f"/projects/{self.project}" + f"/{name}" * bool(name) + f"?{words}" * bool(words)

    def annotator(self, key: str) -> str:
        """Return the address of an annotator's page."""
        return self.section(f"annotators/{key}")

    def whole(self, task: int) -> str:
        """Return the address of a task's own page."""
        return self.section(f"tasks/{task}")

    def table(self, name: str, ending: str) -> str:
        """Return the address of a table of the project as a file."""
        return f"/projects/{self.project}/tables/{name}.{ending}"

    def task(self, task: int) -> str:
        """Return a task's address in Label Studio."""
        return task_url(self.url, task)

    def image(self, task: int, path: str) -> str:
        """Return the address of a task's picture that Label Studio has at a path; of one in its data, the same."""
        if path.startswith("data:"):
            return path
        return f"/projects/{self.project}/tasks/{task}/image?{urlencode({'path': path})}"


class Frame:
    """A page that is of no project, or of all.

    Parameters
    ----------
    request
        What is asked for.
    parts
        What the server stands on.
    """

    def __init__(self, request: Request, parts: TheParts) -> None:
        self.backend = parts.backend
        self.path = request.url.path + f"?{request.url.query}" * bool(request.url.query)
        self.hidden = request.cookies.get(NAMES_COOKIE) == "hidden"
        self.zone = zone_of(request)
        # before anything else is read: what changes while the page is made makes it out of date
        self.versions = page_versions(self.backend)
        self.shown = shown_projects(self.backend)

    def heads(self) -> list[Head]:
        """Return the state of each project."""
        return [head_of(self.backend, project, jobs) for project, jobs in self.shown.items()]

    def page(self, title: str, part: str, **values: Any) -> HTMLResponse:
        """Return a page."""
        around = {"project": None, "events": "/events", "version": version_of(self.versions, None), "taken": ""}
        return self._filled(title, part, {**around, **values})

    def _filled(self, title: str, part: str, values: Mapping[str, Any]) -> HTMLResponse:
        text = page_html(
            "page.html",
            title=title,
            part=f"parts/{part}.html",
            hidden=self.hidden,
            here=self.path,
            zone=self.zone,
            **values,
        )
        return HTMLResponse(text, headers=_ANEW)


def zone_of(request: Request) -> tzinfo:
    """Return the reader's time zone, as the pages' script has noted it in a cookie; UTC before that, and without it."""
    try:
        return ZoneInfo(request.cookies.get(_ZONE_COOKIE) or "UTC")
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return timezone.utc


class ProjectFrame(Frame):
    """A page of a project.

    Raises
    ------
    HTTPException
        404, if the project has no pages.
    """

    def __init__(self, request: Request, parts: TheParts, project: int) -> None:
        super().__init__(request, parts)
        if project not in self.shown:
            raise not_served(project, self.shown)
        self.project = project
        self.stored = self.backend.project(project)
        self.whole = self.backend.snapshot(self.stored)
        asked = request.query_params.get("control") or None
        self.snapshot = None if self.whole is None else self.whole.of_control(asked)
        if self.snapshot is None and self.whole is not None:
            named = ", ".join(map(repr, self.whole.controls))
            raise HTTPException(404, f"No control {str(asked)[:40]!r} is scored in this project; it has {named}.")
        self.head = head_of(self.backend, project, self.shown[project])
        self.links = PageLinks(project, self.head.url, asked or "")

    @property
    def outlook_missing(self) -> str:
        """Why there is no forecast, and no coefficient of agreement."""
        job = next((job for job in self.shown[self.project] if job.kind == "forecast"), None)
        if job is None or job.word == "fresh":
            return NOT_YET
        if job.next_try is None:
            return "It is being computed."
        if job.away:
            return Markup("It waits for Label Studio. The next try is at {}.").format(moment(job.next_try))
        words = "It could not be computed: {} The next try is at {}."
        return Markup(words).format(job.problem, moment(job.next_try))

    def people(self, snapshot: Snapshot) -> People:
        """Return who the annotators are, as this page may name them."""
        return People(snapshot, self.stored.people.names(), hidden=self.hidden)

    def previews(self, tasks: Iterable[int]) -> dict[int, tuple[Shown, ...]]:
        """Return what annotators see of tasks."""
        if self.snapshot is None:
            return {}
        return task_previews(self.stored.mirror, self.snapshot, self.backend.settings, tasks)

    def section(self, section: str, part: str, *, title: str = "", at: str = "", **values: Any) -> HTMLResponse:
        """Return one of the project's pages; `at` is its address in the project, where that is not the section's."""
        title = f"{title or dict(SECTIONS)[section]} · {self.head.title}"
        around = {
            "project": self.head,
            "only_looked_at": self.head.state == "looked",
            "looked_at": self.head.looked_at,
            "sections": SECTIONS,
            "section": section,
            "links": self.links,
            "calibrated": self.snapshot is not None and self.snapshot.calibrated,
            "formats": [(ending.removeprefix("."), _FORMAT_NAMES[ending]) for ending in available_formats()],
            "is_class": self.snapshot is None or self.snapshot.is_class,
            "control": self.snapshot.control if self.snapshot is not None else "",
            "controls": self._controls(at or section),
            "events": f"/projects/{self.project}/events",
            "version": version_of(self.versions, self.project),
            "taken": "" if self.snapshot is None else self.snapshot.taken_at,
        }
        return self._filled(title, part, {"previews": {}, **around, **values})

    def _controls(self, section: str) -> list[tuple[str, str]]:
        """Return the controls to choose from, with the address of this page for each; none where there is one."""
        if self.whole is None or not self.whole.others:
            return []
        return [(name, replace(self.links, control=name).section(section)) for name in self.whole.controls]

    def waiting(self, section: str) -> HTMLResponse:
        """Return the page that says that there is nothing to show yet."""
        return self.section(section, "waiting")


def head_of(backend: Backend, project: int, jobs: Sequence[JobState]) -> Head:
    """Return the state of a project."""
    job, stored = main_job(jobs) if jobs else None, backend.project(project)
    snapshot, last = backend.snapshot(stored), stored.runs.last()
    looked = stored.facts.read(OnlyLookedAt)
    at_work = {other.kind: other.progress for other in jobs if other.claimed}
    return Head(
        number=project,
        title=_title(stored, project) if snapshot is None else snapshot.title,
        url=project_url(backend.settings, project),
        state=job.word if job else "looked",
        problem=job.problem if job else None,
        failures=job.failures if job else 0,
        retry_at=job.next_try if job else None,
        away=job is not None and job.away,
        rests=job is not None and job.rests,
        under_way=tuple(UnderWay(what, at_work[kind]) for kind, what in _WORK.items() if kind in at_work),
        last_run_at=None if last is None else last.finished_at,
        numbers=None if snapshot is None else project_numbers(snapshot),
        looked_at=None if job or looked is None else looked.at,
    )


def _title(stored: ProjectStore, project: int) -> str:
    known = stored.facts.read(Title)
    return known.title if known is not None and known.title else f"Project {project}"


async def answer_in_kind(request: Request, error: Exception) -> Response:
    """Return the answer to an error of a kind in `EXPECTED`: a page for a browser, otherwise JSON."""
    answer = await answer_error(request, error)
    if not wants_page(request) or request.url.path.startswith("/api/"):
        return answer
    detail = orjson.loads(answer.body)["detail"]
    text = page_html(
        "page.html",
        title=_TITLES.get(answer.status_code, "That did not work"),
        part="parts/problem.html",
        detail=detail,
        hidden=request.cookies.get(NAMES_COOKIE) == "hidden",
        here="/projects",
        zone=zone_of(request),
        project=None,
        events="",
        version="",
        taken="",
    )
    return HTMLResponse(text, answer.status_code, headers=_kept(answer))


_TITLES: Final = {403: "Request refused", 404: "Not found", 503: "The store does not answer"}


def _kept(answer: Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name in ("retry-after", "www-authenticate")}
