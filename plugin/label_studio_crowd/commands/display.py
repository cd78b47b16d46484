"""What the command line shows: tables, plans and progress."""

from __future__ import annotations

import time
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
from label_studio_crowd.files.tables import annotator_name
from label_studio_crowd.scoring.scores import Scores

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


def show_checks(console: Console, checks: Sequence[Check]) -> None:
    """Print what `doctor` found."""
    for check in checks:
        mend = f"\n    → {escape(check.mend)}" if check.mend else ""
        console.print(f"{_MARKS[check.level]} {escape(check.what)}{mend}", highlight=False)


def show_run(console: Console, report: Mapping[str, Any]) -> None:
    """Print a run in a few lines."""
    quality = report["mean_consensus_quality"]
    method = report.get("consensus", "crowdlab")  # the only one of earlier releases
    believed = "" if quality is None else f", mean consensus quality {quality:.3f} by {method}"
    set_aside = ", ".join(f"{count} {reason}" for reason, count in report["set_aside"].items())
    no_answers = f"; no answers: {set_aside}" if set_aside else ""
    console.print(
        f"[bold]{escape(report['title'])}[/] (project {report['project']}, control {escape(report['control'])}): "
        f"{_count(report['labels'], 'label')} by {_count(report['annotators'], 'annotator')} on "
        f"{report['labelled_tasks']:,} of {_count(report['tasks'], 'task')}" + no_answers,
        highlight=False,
    )
    reasons = {"truth": "known truth", "quality": "quality", "labels": "the most labels", "skips": "labels and skips"}
    why = ", ".join(f"{count:,} by {reasons[name]}" for name, count in report["settled_by"].items() if count)
    console.print(
        f"Settled: {report['settled']:,} of {_count(report['tasks'], 'task')}{f' ({why})' if why else ''}{believed}",
        highlight=False,
    )
    console.print(f"Classifier: {escape(report['classifier'])}", highlight=False)
    for warning in report["warnings"]:
        console.print(f"{_MARKS['note']} {escape(warning)}", highlight=False)
    stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in report["seconds"].items())
    console.print(
        f"[dim]{stages}; waiting for Label Studio {report['seconds_waited']:.2f} s of these[/]", highlight=False
    )


def show_plan(console: Console, plan: Plan, seconds: float, *, dry_run: bool) -> None:
    """Print what was changed in Label Studio, or would be, in about so many seconds."""
    if not plan:
        console.print("Label Studio is up to date: nothing to change.")
        return
    counts = plan.counts()
    version = counts["queue_version"]
    table = Table(
        title=f"Would change, in about {seconds:.0f} s" if dry_run else "Changed",
        title_justify="left",
        show_header=False,
        box=None,
    )
    rows = [
        ("queue", _count(counts["queue"], "task") + f" in {version}" * bool(version) + _edits(counts, "queue")),
        ("opened for one more annotator", counts["reopen"]),
        ("closed", counts["close"]),
        ("served from", counts["switch_to"]),
        ("consensus labels", _edits(counts, "consensus").removeprefix(": ")),
        ("queues deleted", ", ".join(counts["versions_deleted"])),
        ("left for the next run", counts["deferred"]),
    ]
    for name, value in rows:
        if value:
            table.add_row(name, str(value))
    console.print(table, highlight=False)


def _edits(counts: Mapping[str, Any], which: str) -> str:
    words = {"create": "new", "update": "changed", "delete": "deleted"}
    found = [f"{counts[f'{which}_{kind}']:,} {word}" for kind, word in words.items() if counts[f"{which}_{kind}"]]
    return ": " + ", ".join(found) if found else ""


def show_queue(console: Console, scores: Scores, queue: Sequence[int], url: str, project: int, top: int = 10) -> None:
    """Print the most useful tasks."""
    if not queue:
        console.print("The queue is empty: there is nothing left to label.")
        return
    crowd, result = scores.answers.crowd, scores.result
    row_of = {task: row for row, task in enumerate(crowd.tasks.tolist())}
    title = f"The {_count(min(top, len(queue)), 'most useful task')} of {len(queue):,}"
    table = Table(title=title, title_justify="left")
    for name in ("task", "priority", "votes", "consensus", "quality"):
        table.add_column(name, justify="left" if name in ("votes", "consensus") else "right")
    for task in queue[:top]:
        row = row_of[task]
        counts = crowd.counts[row]
        votes = ", ".join(f"{crowd.classes[code]} ×{counts[code]}" for code in counts.argsort()[::-1] if counts[code])
        judged = bool(votes) and result.consensus[row] >= 0
        table.add_row(
            str(task),
            f"{scores.priority[row]:.3f}",
            escape(votes) or "none yet",
            escape(str(crowd.classes[result.consensus[row]])) if judged else "-",
            f"{result.quality[row]:.3f}" if judged else "-",
        )
    console.print(table)
    console.print(f"Open one: {url}/projects/{project}/data?task=NUMBER", highlight=False, soft_wrap=True)


def show_annotators(console: Console, scores: Scores, names: Mapping[int, str], most: int = 5) -> None:
    """Print the worst and the best annotators."""
    crowd, stats = scores.answers.crowd, scores.result.annotators
    order = np.lexsort((scores.agreement, scores.annotator_quality))  # of whom nothing is known last
    rated = order[np.isfinite(scores.annotator_quality[order])].tolist()
    groups = {"Annotators": order[stats.num_answers[order] > 0].tolist()[: 2 * most]}
    if len(rated) > 2 * most:
        groups = {f"The {most} worst annotators": rated[:most], f"The {most} best annotators": rated[: -most - 1 : -1]}
    for title, rows in groups.items():
        table = Table(title=title, title_justify="left")
        for name in ("annotator", "quality", "90 % interval", "agrees with consensus", "labels", "worst class"):
            table.add_column(name, justify="left" if name in ("annotator", "worst class") else "right")
        for row in rows:
            low, high = scores.quality_interval[row]
            quality, agreement = scores.annotator_quality[row], scores.agreement[row]
            worst = scores.worst_class[row]
            table.add_row(
                escape(annotator_name(int(crowd.annotators[row]), names)),
                f"{quality:.3f}" if quality == quality else "-",
                f"{low:.2f} - {high:.2f}" if low == low else "-",
                f"{agreement:.3f}" if agreement == agreement else "-",
                str(stats.num_answers[row]),
                escape(str(crowd.classes[worst])) if worst >= 0 else "-",
            )
        if rows:
            console.print(table)


def show_status(console: Console, state: Mapping[str, Any]) -> None:
    """Print how a project stands."""
    for job in state["service"]:
        if job["problem"]:
            at = job["retry_at"]
            again = "now" if at is None else time.strftime("at %H:%M:%S", time.localtime(at))
            away = job["state"] == "away"
            begin = "The service waits for Label Studio, to" if away else "The service could not"
            what = f"{begin} {job['job']}: {job['problem']} It tries again {again}."
            console.print(f"{_MARKS['note' if away else 'wrong']} {escape(what)}", highlight=False)
    last = state["last_run"]
    if last is None:
        console.print(f"{escape(state['title'])}: {'connected, ' * state['connected']}never synced.", highlight=False)
        return
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last["finished_at"]))
    console.print(f"Last run: {when}" + ", not connected any more" * (not state["connected"]), highlight=False)
    show_run(console, last)
    console.print(
        f"Served from {escape(state['model_version'] or 'no version')} ({_count(state['queue'], 'task')}); since then "
        f"{state['new_annotations']:+,} annotations, {state['new_tasks']:+,} tasks.",
        highlight=False,
    )


def show_round(console: Console, found: Round) -> None:
    """Print a round of watching in a line."""
    when = time.strftime("%H:%M:%S")
    if found.run is None:
        console.print(f"{when} {escape(str(found.problem))} Trying again in {found.pause:.0f} s.", highlight=False)
        return
    report = found.run.report()
    counts = report["changes"]
    tasks = counts["reopen"] + counts["close"]
    edits = sum(
        counts[f"{which}_{kind}"] for which in ("queue", "consensus") for kind in ("create", "update", "delete")
    )
    console.print(
        f"{when} {_count(report['labels'], 'label')}, {report['settled']:,} of {_count(report['tasks'], 'task')} "
        f"settled, {counts['queue']:,} in the queue; {_count(report['changed_tasks'], 'task')} changed, "
        f"{_count(tasks, 'task')} opened or closed, {_count(edits, 'prediction')} written"
        + ", trained anew"
        * report["trained"],
        highlight=False,
    )


def show_changes(console: Console, changes: Sequence[str], *, dry_run: bool) -> None:
    """Print what was changed in a project, or would be."""
    title = "Nothing to change." if not changes else "Would change:" if dry_run else "Changed:"
    console.print(title, highlight=False)
    for change in changes:
        console.print(f"  {change}", highlight=False, markup=False)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + "s" * (number != 1)
