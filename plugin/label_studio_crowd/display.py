"""What the command line shows: tables, plans and progress."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from label_studio_crowd.doctor import Check
from label_studio_crowd.export import annotator_name
from label_studio_crowd.plan import Plan
from label_studio_crowd.scoring import Scores
from label_studio_crowd.studio import Progress as Report

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
    believed = "" if quality is None else f", mean consensus quality {quality:.3f}"
    set_aside = ", ".join(f"{count} {reason}" for reason, count in report["set_aside"].items())
    console.print(
        f"[bold]{escape(report['title'])}[/] (project {report['project']}, control {report['control']}): "
        f"{report['labels']:,} labels by {report['annotators']} annotators on {report['labelled_tasks']:,} of "
        f"{report['tasks']:,} tasks" + (f"; no answers: {set_aside}" if set_aside else ""),
        highlight=False,
    )
    console.print(f"Settled: {report['settled']:,} of {report['tasks']:,} tasks{believed}", highlight=False)
    console.print(f"Classifier: {escape(report['classifier'])}", highlight=False)
    for warning in report["warnings"]:
        console.print(f"{_MARKS['note']} {escape(warning)}", highlight=False)
    stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in report["seconds"].items())
    console.print(f"[dim]{stages}[/]", highlight=False)


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
    rows = [
        ("queue", f"{counts['queue']:,} tasks in {counts['queue_version']}" + _edits(counts, "queue")),
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
    crowd, result = scores.answers.crowd, scores.result
    row_of = {task: row for row, task in enumerate(crowd.tasks.tolist())}
    table = Table(title=f"The {min(top, len(queue))} most useful tasks of {len(queue):,}", title_justify="left")
    for name in ("task", "score", "votes", "consensus", "quality", "open"):
        numeric = name in ("task", "score", "quality")
        table.add_column(name, justify="right" if numeric else "left", no_wrap=name not in ("votes", "consensus"))
    for task in queue[:top]:
        row = row_of[task]
        counts = crowd.counts[row]
        votes = ", ".join(f"{crowd.classes[code]} ×{counts[code]}" for code in counts.argsort()[::-1] if counts[code])
        consensus = "-" if result.consensus[row] < 0 else str(crowd.classes[result.consensus[row]])
        table.add_row(
            str(task),
            f"{scores.priority[row]:.3f}",
            escape(votes) or "none yet",
            escape(consensus),
            f"{result.quality[row]:.3f}",
            f"{url}/projects/{project}/data?task={task}",
        )
    console.print(table)


def show_annotators(console: Console, scores: Scores, names: Mapping[int, str], most: int = 5) -> None:
    """Print the worst and the best annotators."""
    crowd, stats = scores.answers.crowd, scores.result.annotators
    order = scores.result.annotators_frame().index.tolist()
    rated = [a for a in order if stats.quality[crowd.annotators.tolist().index(a)] >= 0]
    groups = {"Annotators": rated}
    if len(rated) > 2 * most:
        groups = {f"The {most} worst annotators": rated[:most], f"The {most} best annotators": rated[: -most - 1 : -1]}
    position = {annotator: row for row, annotator in enumerate(crowd.annotators.tolist())}
    for title, annotators in groups.items():
        table = Table(title=title, title_justify="left")
        for name in ("annotator", "quality", "agrees with consensus", "labels", "worst class"):
            table.add_column(name, justify="left" if name in ("annotator", "worst class") else "right")
        for annotator in annotators:
            row = position[annotator]
            worst = stats.worst_class[row]
            table.add_row(
                escape(annotator_name(annotator, names)),
                f"{stats.quality[row]:.3f}",
                f"{stats.agreement_with_consensus[row]:.3f}",
                str(stats.num_answers[row]),
                escape(str(crowd.classes[worst])) if worst >= 0 else "-",
            )
        if annotators:
            console.print(table)


def show_last_run(console: Console, finished_at: float) -> None:
    """Print when the last run ended."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(finished_at))
    console.print(f"Last run: {when}", highlight=False)
