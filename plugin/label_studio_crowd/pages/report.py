"""The report: what the pages show, in one file that needs no server, no network and no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timezone
from pathlib import Path
from typing import Final

import numpy as np
from markupsafe import Markup

from label_studio_crowd.errors import UserError
from label_studio_crowd.pages import insights
from label_studio_crowd.pages.previews import task_previews
from label_studio_crowd.pages.rendering import page_html, static_file
from label_studio_crowd.scoring.outlook import Forecast, History, Reliability
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.problems import Problems
from label_studio_crowd.store.projects import OnlyLookedAt, ProjectStore
from label_studio_crowd.store.reports import RunReport
from label_studio_crowd.studio.addresses import project_url, task_url

_SUSPECTS: Final = 50
_OVERRULED: Final = 25
_DISAGREEMENTS: Final = 25
_QUEUE: Final = 25
_RUNS: Final = 20
_ANNOTATORS: Final = 1000
_DETAILED: Final = 300
_WHOLE: Final = 30
"""Tasks of which all answers are shown."""
_ENDINGS: Final = (".html", ".htm")
_STYLES: Final = ("pico.css", "crowd.css")


@dataclass(frozen=True)
class _Links:
    """Where the report's links lead: to Label Studio, and to its own details of some annotators and tasks."""

    url: str
    detailed: frozenset[str]
    whole_tasks: frozenset[int]

    def section(self, name: str, **query: object) -> str:
        return ""

    def annotator(self, key: str) -> str:
        return f"#about-{key}" if key in self.detailed else ""

    def whole(self, task: int) -> str:
        return f"#whole-{task}" if task in self.whole_tasks else ""

    def task(self, task: int) -> str:
        return task_url(self.url, task) if self.url else ""

    def image(self, task: int, path: str) -> str:
        return ""


def check_report_path(path: Path) -> None:
    """Raise a `UserError` if a report cannot be written there; called before anything is computed."""
    if path.suffix.lower() not in _ENDINGS:
        raise UserError(f"--out is {path.name!r}: a report's name ends in {' or '.join(_ENDINGS)}.")
    if path.is_dir():
        raise UserError(f"--out is {path}, which is a folder: name a file in it.")
    if not path.parent.is_dir():
        raise UserError(f"--out is in {path.parent}, which is not a folder: create it, or choose another one.")


def write_report(html: str, path: Path) -> None:
    """Write a report.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    check_report_path(path)
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): correct --out.") from None


def report_html(
    stored: ProjectStore,
    snapshot: Snapshot,
    settings: Settings,
    project: int,
    *,
    hide_names: bool = False,
    whole: Snapshot | None = None,
) -> str:
    """Return a project's report.

    Parameters
    ----------
    stored
        Has the runs, the forecast, the names and the tasks' data.
    snapshot
        What the last run believed of the control that the report is about.
    settings
        Label Studio's address.
    project
        The project's number.
    hide_names
        Call the annotators "annotator 1" and so on, and leave out who they are.
    whole
        The project's snapshot, with all controls [snapshot].

    Returns
    -------
    str
        HTML; the same for the same contents of the store.
    """
    people = insights.People(snapshot, stored.people.names(), hidden=hide_names)
    whole = whole or snapshot
    queue = insights.queue_page(snapshot, people, 1, _QUEUE, whole=whole)
    suspects = insights.suspect_labels(snapshot, people, 1, _SUSPECTS)
    overruled = insights.overruled_majorities(snapshot, people, 1, _OVERRULED)
    disagreements = insights.model_disagreements(snapshot, people, 1, _DISAGREEMENTS)
    opinions = insights.second_opinions(snapshot, people, 1, _DISAGREEMENTS)
    odd = insights.odd_regions(snapshot, people, 1, _SUSPECTS)
    annotators = insights.annotators_page(snapshot, people, 1, _ANNOTATORS)
    rows = {person.key: row for row, person in enumerate(people.everybody)}
    detailed = [row.person.key for row in annotators.rows if row.labels][:_DETAILED]
    details = [insights.annotator_details(snapshot, people, rows[key]) for key in detailed]
    shown = [row.task for page in (queue, suspects, overruled, disagreements, opinions) for row in page.rows]
    of_odd = [] if odd is None else [row.task for row in odd.rows]
    first = list(dict.fromkeys([*of_odd, *shown, *_least_sure(snapshot)]))[:_WHOLE]
    shown += [*of_odd, *first]
    shown += [row.task for one in details for row in one.mistakes] + [row.task for one in details for row in one.odd]
    runs, facts = stored.runs.newest(_RUNS), stored.facts
    looked = facts.read(OnlyLookedAt)
    report = runs[0].report if runs else RunReport()
    url = "" if settings.url.startswith("file:") else project_url(settings, project)  # an export is no address
    return page_html(
        "report.html",
        title=snapshot.title,
        taken_at=snapshot.taken_at,
        zone=timezone.utc,
        url=url,
        only_looked_at=looked is not None,
        looked_at=None if looked is None else looked.at,
        style=Markup("\n".join(static_file(name).decode() for name in _STYLES)),
        links=_Links(url, frozenset(detailed), frozenset(first)),
        whole_tasks=_whole_tasks(stored, snapshot, people, first),
        previews=task_previews(stored.mirror, snapshot, settings, shown),
        calibrated=snapshot.calibrated,
        is_class=snapshot.is_class,
        control=snapshot.control,
        controls=snapshot.all_controls,
        overview=insights.project_overview(snapshot, facts.read(History), facts.read(Forecast)),
        steps=insights.next_steps(snapshot, people, whole, served=looked is None),
        classes=insights.project_classes(snapshot),
        labels=insights.labels_of(snapshot),
        of_classes=snapshot.of_classes,
        warnings=report.warnings,
        scored_with=insights.scored_with(snapshot, report),
        queue=queue,
        suspects=suspects,
        unheard=insights.unheard_classes(snapshot),
        overruled=overruled,
        disagreements=disagreements,
        opinions=opinions,
        odd=odd,
        odd_numbers=insights.odd_numbers(snapshot),
        why="",
        annotators=annotators,
        copying=insights.copying_groups(snapshot, people),
        details=details,
        order_by="quality",
        descending=False,
        agreement=insights.project_agreement(snapshot, people, facts.read(Reliability)),
        runs=insights.past_runs(runs, facts.read(Problems))[:_RUNS],
    )


def _least_sure(snapshot: Snapshot) -> list[int]:
    """Return the tasks with answers whose consensus is least sure."""
    answered = np.flatnonzero(snapshot.labels)
    unsure: list[int] = snapshot.tasks[answered[np.argsort(snapshot.quality[answered], kind="stable")]].tolist()
    return unsure[:_WHOLE]


def _whole_tasks(
    stored: ProjectStore, snapshot: Snapshot, people: insights.People, tasks: Sequence[int]
) -> list[insights.WholeTask]:
    data = stored.mirror.data(tasks)
    rows = ((task, snapshot.row(task)) for task in tasks)
    return [
        insights.whole_task(snapshot, snapshot, people, row, data.get(task, {}))
        for task, row in rows
        if row is not None
    ]
