"""What the command line shows: tables, plans and progress."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from label_studio_crowd.connection.doctor import Check
from label_studio_crowd.exchange.plan import Plan
from label_studio_crowd.feedback import Progress as Report
from label_studio_crowd.scoring.joint import people
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.store.people import annotator_name
from label_studio_crowd.store.reports import FinishedRun, RunReport
from label_studio_crowd.wording import count, listed, percent, plural

if TYPE_CHECKING:
    from label_studio_crowd.runs.watch import Round

_MARKS = {"ok": "[green]✓[/]", "note": "[yellow]•[/]", "wrong": "[red]✗[/]"}


@contextmanager
def progress_bars(console: Console) -> Iterator[Report]:
    """Show a bar for each stage that reports progress; nothing where the output is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        stages: dict[str, TaskID] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in stages:
                stages[what] = progress.add_task(what, total=total)
            progress.update(stages[what], completed=done, total=total)

        yield report


def show_projects(console: Console, projects: Sequence[Mapping[str, Any]], url: str) -> None:
    """Print a row for each project."""
    if not projects:
        console.print(f"This token's user sees no project at {url}.", highlight=False)
        return
    table = Table(title=f"Projects at {url}", title_justify="left")
    for name in ("project", "title", "tasks", "annotations", "last scored"):
        table.add_column(name, justify="left" if name in ("title", "last scored") else "right")
    for row in projects:
        when = "never" if row["scored_at"] is None else _local(row["scored_at"])
        table.add_row(
            str(row["project"]), escape(row["title"] or ""), f"{row['tasks']:,}", f"{row['annotations']:,}", when
        )
    console.print(table)
    useful = [row for row in projects if row["can_be_scored"] and row["tasks"]]
    # one with answers tells more
    first = next((row for row in useful if row["annotations"]), next(iter(useful), None))
    if first is not None:
        console.print(f"Next: label-studio-crowd look {first['project']}", highlight=False)
    else:
        console.print("None has tasks and a control that can be scored: doctor NUMBER says more.", highlight=False)


def _local(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(seconds))


def show_checks(console: Console, checks: Sequence[Check]) -> None:
    """Print what `doctor` found."""
    for check in checks:
        mend = f"\n    → {escape(check.mend)}" if check.mend else ""
        console.print(f"{_MARKS[check.level]} {escape(check.what)}{mend}", highlight=False)


def show_run(console: Console, report: RunReport, *, verbose: bool = False, of_file: bool = False) -> None:
    """Print a run in a few lines; if `verbose`, the rounds of training and the seconds of each stage, too."""
    quality, tasks = report.mean_consensus_quality, count(report.tasks or 0, "task")
    controls = report.control.split(", ")
    asked = escape(f"{plural(len(controls), 'control')} {listed(controls)}")
    method = report.consensus or "crowdlab"  # the only one of earlier releases
    believed = "" if quality is None else f", mean consensus quality {quality:.3f} by {method}"
    set_aside = ", ".join(f"{number} {reason}" for reason, number in report.set_aside.items())
    no_answers = f"; no answers: {set_aside}" if set_aside else ""
    number = "" if of_file else f"project {report.project}, "
    console.print(
        f"[bold]{escape(report.title)}[/] ({number}{asked}): "
        f"{count(report.labels or 0, 'label')} by {count(report.annotators or 0, 'annotator')} on "
        f"{report.labelled_tasks or 0:,} of {tasks}" + no_answers,
        highlight=False,
    )
    reasons = {"truth": "known truth", "quality": "quality", "labels": "the label limit", "skips": "labels and skips"}
    why = ", ".join(f"{number:,} by {reasons[name]}" for name, number in report.settled_by.items() if number)
    console.print(f"Settled: {report.settled or 0:,} of {tasks}{f' ({why})' if why else ''}{believed}", highlight=False)
    if report.model_disagrees:
        number, who = count(report.model_disagrees, "task"), "a model" if report.models else "the classifier"
        console.print(f"Model disagrees: {number}, where {who} contradicts all annotators", highlight=False)
    if report.models:
        heard = ", ".join(f"{version} ({count(tasks, 'task')})" for version, tasks in report.models.items())
        console.print(f"Models among the annotators: {escape(heard)}; their answers are no labels", highlight=False)
    if report.crowdlab_differs is not None and report.labelled_tasks:
        share = percent(1 - report.crowdlab_differs / report.labelled_tasks, 1)
        others = f", not on {report.crowdlab_differs:,}" if report.crowdlab_differs else ""
        of = f" (control {escape(controls[0])})" if len(controls) > 1 else ""
        console.print(f"Second opinion: CROWDLAB agrees on {share} of the labelled tasks{others}{of}", highlight=False)
    console.print(f"Classifier: {escape(report.classifier or '')}", highlight=False)
    for warning in report.warnings:
        console.print(f"{_MARKS['note']} {escape(warning)}", highlight=False)
    if verbose:
        for control, told in report.rounds.items():
            console.print(f"[dim]Training for {escape(control)}: {escape(told)}[/]", highlight=False)
        stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in report.seconds.items())
        waited = report.seconds_waited or 0
        console.print(f"[dim]{stages}; waiting for Label Studio {waited:.2f} s of these[/]", highlight=False)


def show_plan(console: Console, plan: Plan, seconds: float, *, dry_run: bool) -> None:
    """Print what was changed in Label Studio, or would be, in about so many seconds."""
    if not plan:
        console.print("Label Studio is up to date: nothing to change.")
        return
    counts = plan.counts()
    table = Table(
        title=f"Would change, in about {seconds:.0f} s" if dry_run else "Changed",
        title_justify="left",
        show_header=False,
        box=None,
    )
    queue = _edits(counts.queue_create, counts.queue_update, counts.queue_delete)
    in_version = f" in {counts.queue_version}" * bool(counts.queue_version)
    rows = [
        ("queue", f"{count(counts.queue, 'task')}{in_version}{f': {queue}' if queue else ''}"),
        ("opened for one more annotator", counts.reopen),
        ("closed", counts.close),
        ("served from", counts.switch_to),
        ("consensus labels", _edits(counts.consensus_create, counts.consensus_update, counts.consensus_delete)),
        ("queues deleted", ", ".join(counts.versions_deleted)),
        ("left for the next run", counts.deferred),
    ]
    for name, value in rows:
        if value:
            table.add_row(name, str(value))
    console.print(table, highlight=False)


def _edits(new: int, changed: int, deleted: int) -> str:
    kinds = {"new": new, "changed": changed, "deleted": deleted}
    return ", ".join(f"{number:,} {kind}" for kind, number in kinds.items() if number)


def show_queue(console: Console, scores: Scores, queue: Sequence[int], project_url: str, top: int = 10) -> None:
    """Print the most useful tasks, and where one opens, if the project is anywhere."""
    if not queue:
        console.print("The queue is empty: there is nothing left to label.")
        return
    crowd = scores.answers.crowd
    row_of = {task: row for row, task in enumerate(crowd.tasks.tolist())}
    title = f"The {count(min(top, len(queue)), 'most useful task')} of {len(queue):,}; the lowest priority comes first"
    table = Table(title=title, title_justify="left")
    for name in ("task", "priority", "votes", "consensus", "quality"):
        table.add_column(name, justify="left" if name in ("votes", "consensus") else "right")
    for task in queue[:top]:
        row = row_of[task]
        given = [_votes(part, row) for part in scores.controls]
        judged = any(given)
        agreed = [_agreed(part, row) for part, votes in zip(scores.controls, given, strict=True) if votes]
        table.add_row(
            str(task),
            f"{scores.priority[row]:.3f}",
            escape("; ".join(filter(None, given))) or "none yet",
            escape("; ".join(filter(None, agreed))) or "-",
            f"{scores.least_quality[row]:.3f}" if judged else "-",
        )
    console.print(table)
    if project_url:
        console.print(f"Open one: {project_url}/data?task=NUMBER", highlight=False, soft_wrap=True)


def _votes(scores: Scores, row: int) -> str:
    """Return what people said of a task, the most frequent first."""
    labels = scores.answers.labels
    said = Counter(labels.label[labels.indptr[row] : labels.indptr[row + 1]].tolist())
    names = scores.answers.names
    return ", ".join(f"{names[code]} ×{count}" for code, count in said.most_common())


def _agreed(scores: Scores, row: int) -> str:
    """Return the consensus of a task, "" without one."""
    code = int(scores.result.consensus[row])
    return scores.answers.names[code] if code >= 0 else ""


def show_annotators(console: Console, scores: Scores, names: Mapping[int, str], most: int = 5) -> None:
    """Print the worst and the best annotators."""
    # of whom nothing is known last
    order = sorted(people(scores), key=lambda one: (np.isnan(one.quality), one.quality, one.agreement))
    rated = [one for one in order if not np.isnan(one.quality)]
    groups = {"Annotators": order[: 2 * most]}
    if len(rated) > 2 * most:
        groups = {f"The {most} worst annotators": rated[:most], f"The {most} best annotators": rated[: -most - 1 : -1]}
    for title, group in groups.items():
        table = Table(title=title, title_justify="left")
        for name in ("annotator", "quality", "90 % interval", "agrees with consensus", "labels", "mostly wrong on"):
            table.add_column(name, justify="left" if name in ("annotator", "mostly wrong on") else "right")
        for one in group:
            table.add_row(
                escape(annotator_name(one.annotator, names)),
                "-" if np.isnan(one.quality) else f"{one.quality:.3f}",
                "-" if np.isnan(one.low) else f"{one.low:.2f} - {one.high:.2f}",
                "-" if np.isnan(one.agreement) else f"{one.agreement:.3f}",
                str(one.labels),
                escape(one.worst) or "-",
            )
        if group:
            console.print(table)


def show_status(console: Console, state: Mapping[str, Any], last: FinishedRun | None) -> None:
    """Print how a project stands."""
    if state["problem"]:
        console.print(f"{_MARKS['wrong']} {escape(state['problem'])}", highlight=False)
    for job in state["service"]:
        if job["problem"] and job["problem"] != state["problem"]:
            at = job["retry_at"]
            again = "now" if at is None else time.strftime("at %H:%M:%S %Z", time.localtime(at))
            away = job["state"] == "away"
            begin = "The service waits for Label Studio to" if away else "The service could not"
            what = f"{begin} {job['job']}: {job['problem']} It tries again {again}."
            console.print(f"{_MARKS['note' if away else 'wrong']} {escape(what)}", highlight=False)
    if last is None:
        looked = (
            "" if state["connected"] or not state["looked_at"] else f"only looked at, {_local(state['looked_at'])}; "
        )
        known = f"{looked}{'connected, ' * state['connected']}never synced."
        console.print(f"{escape(state['title'])}: {known}", highlight=False)
        return
    console.print(
        f"Last run: {_local(last.finished_at)}" + ", no longer connected" * (not state["connected"]), highlight=False
    )
    show_run(console, last.report)
    if state["labels_needed"]:
        console.print(f"Labels still needed: {_in_words(state['labels_needed'])}", highlight=False)
    new = ((state["new_annotations"], "annotation"), (state["new_tasks"], "task"))
    since = ", ".join(f"{number:+,} {plural(abs(number), thing)}" for number, thing in new) + "."
    if not state["connected"]:
        console.print(f"Since then {since}", highlight=False)
        return
    console.print(
        f"Served from {escape(state['model_version'] or 'no version')} ({count(state['queue'], 'task')}); "
        f"since then {since}",
        highlight=False,
    )


def _in_words(needed: Mapping[str, Any]) -> str:
    """Return how many labels are needed, with the interval, or why that is not known."""
    if needed["value"] is None:
        return f"not known. {escape(needed['reason'])}"
    if not needed["value"]:
        return "none, every task is settled."
    between = "" if needed["low"] is None else f" (90 % interval {needed['low']:,.0f} to {needed['high']:,.0f})"
    return f"about {needed['value']:,.0f}{between}."


def show_round(console: Console, found: Round) -> None:
    """Print a round of watching in a line."""
    when = time.strftime("%H:%M:%S %Z")
    if found.run is None:
        console.print(f"{when} {escape(str(found.problem))} Trying again in {found.pause:.0f} s.", highlight=False)
        return
    report = found.run.report()
    changes = report.changes
    console.print(
        f"{when} {count(report.labels or 0, 'label')}, {report.settled or 0:,} of {count(report.tasks or 0, 'task')} "
        f"settled, {changes.queue:,} in the queue; {count(report.changed_tasks or 0, 'task')} changed, "
        f"{count(changes.tasks, 'task')} opened or closed, "
        f"{count(changes.queue_edits + changes.consensus_edits, 'prediction')} written"
        + ", trained anew"
        * bool(report.trained),
        highlight=False,
    )


WATCHED = "Nothing is lost: watch or sync goes on from here."


def show_quiet(console: Console, since: float | None, every: float) -> None:
    """Print that watching has found nothing new, since when (Unix time), and how often it looks."""
    when = "" if since is None else f" since {time.strftime('%H:%M', time.localtime(since))}"
    console.print(f"{time.strftime('%H:%M:%S %Z')} Nothing new{when}; looking every {every:g} s.", highlight=False)


def show_changes(console: Console, changes: Sequence[str], *, dry_run: bool, begun: bool = False) -> None:
    """Print what was changed in a project, or would be; or is about to be, if that has begun."""
    title = "Changes:" if begun else "Would change:" if dry_run else "Changed:"
    console.print(title if changes else "Nothing to change.", highlight=False)
    for change in changes:
        console.print(f"  {change}", highlight=False, markup=False)


def show_kept(console: Console, project: int) -> None:
    """Print where the results of a project are that was disconnected."""
    console.print(
        f"The results of the last run stay here: export {project}, report {project} and the pages of serve show them, "
        f"as after look {project}. disconnect {project} --forget deletes them.",
        highlight=False,
    )
