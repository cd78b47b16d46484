"""The demo's tables of answers that are not one class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from examples.command_line import Export
from examples.kinds_crowd import KindsCrowd
from examples.labelling import Pick
from examples.questions import Question
from examples.report import number, table_of, titled

__all__ = ["comparison", "people", "useful"]


def useful(crowd: KindsCrowd, place: Mapping[int, int], export: Export, links: str, count: int = 10) -> RenderableType:
    """Return the first tasks of the queue, beside the truth.

    Parameters
    ----------
    crowd
        What was asked, and the truth.
    place
        Task in Label Studio -> its index in the crowd.
    export
        What the plugin found.
    links
        An address with ``{}`` for the task's id.
    count
        How many, at most.
    """
    rows = {int(row["task"]): row for row in export.rows}
    table = table_of("place", "task", "labels so far", "consensus", "truth", "priority")
    first = export.queue[:count]
    for one in first:
        found = [(question, _consensus(question, rows[one.task])) for question in crowd.questions]
        consensus = " · ".join("-" if answer is None else question.show(answer) for question, answer in found)
        truth = crowd.show(crowd.truth[place[one.task]])
        table.add_row(str(one.position), str(one.task), str(one.labels), consensus, truth, number(one.score))
    title = f"The {len(first)} most useful tasks (the lowest priority comes first)"
    return titled(f"{title}; open one: {links.format('NUMBER')}", table)


def people(crowd: KindsCrowd, export: Export, names: Mapping[int, str]) -> RenderableType:
    """Return the annotators, the worst first, beside how their answers compare with the truth.

    Parameters
    ----------
    crowd
        What was asked, what they answered, and the truth.
    export
        What the plugin found.
    names
        Label Studio's user id -> the crowd's name.
    """
    given: defaultdict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for answer in crowd.answers:
        given[answer.annotator].append((answer.label, crowd.truth[answer.task]))
    estimates = {
        (names.get(int(row["annotator"]), row["name"]), row.get("control", crowd.questions[0].name)): row["quality"]
        for row in export.annotators
    }
    columns: list[str] = []
    for question in crowd.questions:
        columns += [f"{question.name}: estimated", f"{question.measure} here"]
    table = table_of("annotator", *columns, "labels")
    first = crowd.questions[0].name
    for name in sorted(given, key=lambda name: float(estimates.get((name, first)) or "nan")):
        cells = []
        for at, question in enumerate(crowd.questions):
            true = question.judge([said[at] for said, _ in given[name]], [truth[at] for _, truth in given[name]])
            cells += [number(float(estimates.get((name, question.name)) or "nan")), number(true)]
        table.add_row(name, *cells, str(len(given[name])))
    return titled("The annotators, the worst first, by the plugin's estimate", table)


def comparison(
    crowd: KindsCrowd, place: Mapping[int, int], moments: Mapping[str, tuple[Export, Sequence[Pick]]]
) -> RenderableType:
    """Return how plain majority and consensus compare with the truth, at each of some moments.

    Parameters
    ----------
    crowd
        What was asked, what was answered at first, and the truth.
    place
        Task in Label Studio -> its index in the crowd.
    moments
        The moment's name -> what the plugin found, and what had been answered besides.
    """
    table = table_of("", *moments)
    for at, question in enumerate(crowd.questions):
        voted, believed = [], []
        for export, picks in moments.values():
            answers: defaultdict[int, list[Any]] = defaultdict(list)
            for task, label in [
                *((answer.task, answer.label) for answer in crowd.answers),
                *((place[pick.task], pick.label) for pick in picks if pick.task is not None),
            ]:
                answers[task].append(label[at])
            found = {place[int(row["task"])]: _consensus(question, row) for row in export.rows}
            tasks = [task for task, answer in found.items() if answer is not None and answers[task]]
            truth = [crowd.truth[task][at] for task in tasks]
            voted.append(question.judge([question.vote(answers[task]) for task in tasks], truth))
            believed.append(question.judge([found[task] for task in tasks], truth))
        table.add_row(f"[bold]{question.name}[/bold]: {question.measure}")
        table.add_row("  plain majority", *map(number, voted))
        table.add_row("  consensus", *map(number, believed))
    return titled("Compared with the known truth", table)


def _consensus(question: Question, row: Mapping[str, str]) -> Any:
    """Return the consensus in a row of an export, None where it has none; further controls' columns have a suffix."""
    suffix = f":{question.name}" if f"consensus:{question.name}" in row else ""
    shown = row[f"consensus{suffix}"]
    return question.read(shown, row.get(f"consensus_json{suffix}", "")) if shown else None
