"""The demo's tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from examples.command_line import Export, TaskRow
from examples.labelling import Pick

__all__ = ["accuracies", "accuracy", "annotators", "most_useful", "number", "picks_table", "table_of", "titled"]


def most_useful(export: Export, truth: Mapping[int, str], links: str, count: int = 10) -> RenderableType:
    """Return the first tasks of the queue, beside the truth.

    Parameters
    ----------
    export
        What the plugin found.
    truth
        Task -> right label, where it is known.
    links
        An address with ``{}`` for the task's id.
    count
        How many, at most.
    """
    table = table_of("place", "task", "labels so far", "consensus", "quality", "truth", "priority", "open")
    first = export.queue[:count]
    for row in first:
        votes = ", ".join(export.votes.get(row.task, [])) or "none"
        table.add_row(
            str(row.position),
            str(row.task),
            votes,
            row.consensus or "-",
            number(row.quality),
            truth.get(row.task, "-"),
            number(row.score),
            links.format(row.task),
        )
    return titled(f"The {len(first)} most useful tasks (the lowest priority comes first)", table)


def annotators(
    export: Export, names: Mapping[int, str], skill: Mapping[str, float], truth: Mapping[str, float]
) -> RenderableType:
    """Return the five worst and the five best annotators, beside what is known of them.

    Parameters
    ----------
    export
        What the plugin found.
    names
        Label Studio's user id -> the crowd's name.
    skill
        Name -> stated accuracy, where there is one.
    truth
        Name -> the share of right answers among those given, where the truth is known.
    """
    rows = [row for row in export.annotators if int(float(row["num_labels"] or 0)) and row["quality"]]
    rows.sort(key=lambda row: float(row["quality"]))
    tables = []
    half = 5 if len(rows) >= 10 else (len(rows) + 1) // 2
    for title, part in (("worst", rows[:half]), ("best", rows[::-1][: len(rows) - half][:5])):
        table = table_of(
            "annotator",
            "estimated quality",
            "stated skill",
            "right answers here",
            "agrees with consensus",
            "mostly wrong on",
            "labels",
        )
        for row in part:
            user = row["annotator"]
            name = names.get(int(user), row["name"]) if user.isdecimal() else row["name"]
            table.add_row(
                name,
                number(float(row["quality"])),
                number(skill.get(name)),
                number(truth.get(name)),
                number(float(row["agreement_with_consensus"] or "nan")),
                row["mostly_wrong_on"] or "-",
                row["num_labels"],
            )
        tables.append(titled(f"The {len(part)} {title} annotators, by the plugin's estimate", table))
    return Group(*tables)


def accuracy(
    rows: Collection[TaskRow], truth: Mapping[int, str], column: Literal["majority", "consensus"]
) -> float | None:
    """Return the share of tasks whose `column` ("majority" or "consensus") is the truth; None without any."""
    known = [row for row in rows if row.task in truth]
    if not known:
        return None
    given = (row.majority if column == "majority" else row.consensus for row in known)
    return sum(label == truth[row.task] for label, row in zip(given, known, strict=True)) / len(known)


def accuracies(moments: Mapping[str, Export], truth: Mapping[int, str]) -> RenderableType:
    """Return how majority vote and consensus compare with the truth, at each of some moments."""
    table = table_of("", *moments)
    exports = list(moments.values())
    first = {row.task for row in exports[0].tasks if row.labels}
    everywhere = {
        "tasks with labels": [[row for row in export.tasks if row.labels] for export in exports],
        "tasks that had labels at first": [[row for row in export.tasks if row.task in first] for export in exports],
    }
    if len(exports) == 1:
        everywhere.popitem()
    for where, parts in everywhere.items():
        table.add_row(f"[bold]{where}[/bold]", *(f"{sum(r.task in truth for r in part)}" for part in parts))
        table.add_row("  majority vote", *(number(accuracy(part, truth, "majority")) for part in parts))
        table.add_row("  consensus", *(number(accuracy(part, truth, "consensus")) for part in parts))
    return titled("Accuracy against the known truth", table)


def picks_table(picks: Sequence[Pick], show: Callable[[Any], str]) -> RenderableType:
    """Return which task each pick was, its place in the queue, and what was answered, as `show` makes text of it."""
    table = table_of("pick", "annotator", "task", "place in the queue", "expected", "answer")
    for pick in picks:
        right = pick.position is not None and pick.position == pick.expected
        table.add_row(
            str(pick.number),
            pick.annotator,
            str(pick.task or "no task"),
            f"{pick.position or 'not in it'}" if right else f"[red]{pick.position or 'not in it'}[/red]",
            str(pick.expected or "-"),
            "-" if pick.label is None else show(pick.label),
        )
    return titled("Served by Label Studio's next-task API", table)


def table_of(*columns: str) -> Table:
    """Return an empty table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name == "open")
    return table


def titled(title: str, table: Table) -> Group:
    """Return a table below its title."""
    return Group(Text(f"\n{title}", style="bold"), table)


def number(value: float | None) -> str:
    """Return three digits after the point, "-" for none."""
    return "-" if value is None or value != value else f"{value:.3f}"
