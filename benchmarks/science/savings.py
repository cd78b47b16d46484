"""How many labels does asking one by one save? Recorded answers against fixed numbers of labels a task.

    python -m benchmarks.science.savings [--data FOLDER] [--orders N] [--out FOLDER]

Replays crowds that have many answers a task: one is asked for at a time, in the order of the plugin's queue, until the
plugin settles the task. Then counts how many labels of every task, the same number of each, it takes to be right as
often, with majority vote and with our consensus. Prints the tables; --out writes them as Markdown, with a plot. The
crowds are in --data (by default the folder shared/data beside the checkout).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.cases import each_of
from benchmarks.science.papers.report import Report, Table, figure, positive
from benchmarks.science.papers.revealed import answers_needed
from benchmarks.science.papers.revealing import places, shown
from benchmarks.science.papers.running import carry_out, parser_of
from benchmarks.science.papers.trust import OURS, TARGET, chances
from benchmarks.science.plots import Panel
from benchmarks.science.settling import READERS, Recorded, reveal
from label_studio_crowd.scoring.consensus import find_class_beliefs

Floats = NDArray[np.float64]

LEAST_ANSWERS = 4.5
"""Answers a task, in the mean, of the crowds that are replayed."""
FIXED = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30)
FEW = 100
"""Tasks of each crowd with --quick."""


@dataclass(frozen=True)
class Run:
    """A crowd whose answers come in one order."""

    data: Path
    crowd: str
    order: int
    first: int | None


@dataclass(frozen=True, eq=False)
class Replay:
    """What labels bought; all figures are of the tasks whose truth is known.

    Attributes
    ----------
    tasks : int
        How many these are.
    asked, right, settled : float
        One by one: labels a task, the accuracy in the end, and the share settled by quality.
    labels : ndarray of shape (F,)
        With a fixed number for each task, in the mean, for some tasks have fewer recorded; the last is all.
    majority, consensus : ndarray of shape (F,)
        The accuracies then; of majority vote expected, with ties broken by chance.
    """

    tasks: int
    asked: float
    right: float
    settled: float
    labels: Floats
    majority: Floats
    consensus: Floats


@dataclass(frozen=True)
class Saving:
    """Labels that a fixed number a task needs to be as often right as one by one, and the share that is saved.

    Attributes
    ----------
    needed : float
        Labels a task; all that are recorded if they are not enough.
    enough : bool
        Whether they are.
    saved : float
        Share of these labels that asking one by one does without; at least that, if they are not enough.
    """

    needed: float
    enough: bool
    saved: float

    @property
    def cells(self) -> list[str]:
        """Both in words."""
        needed = figure(self.needed, 2) if self.enough else f"never ({figure(self.needed, 2)})"
        return [needed, f"{'' if self.enough else '≥ '}{self.saved:.0%}"]


def saving(asked: float, right: float, labels: Floats, accuracy: Floats) -> Saving:
    """Return what asking one by one saved against fixed numbers.

    Parameters
    ----------
    asked, right : float
        Labels a task and the accuracy, one by one.
    labels, accuracy : ndarray of shape (F,)
        Labels a task, ascending, and the accuracy with each; between them it is interpolated.

    Examples
    --------
    >>> saving(2.0, 0.85, np.array([1.0, 3.0, 5.0]), np.array([0.7, 0.8, 0.9]))
    Saving(needed=4.0, enough=True, saved=0.5)
    >>> saving(2.0, 0.95, np.array([1.0, 3.0, 5.0]), np.array([0.7, 0.8, 0.9]))
    Saving(needed=5.0, enough=False, saved=0.6)
    """
    needed = answers_needed(labels, accuracy, right)
    enough = bool(np.isfinite(needed))
    needed = needed if enough else float(labels[-1])
    return Saving(round(needed, 6), enough, round(1 - asked / needed, 6))


@cache
def read(data: Path, name: str, first: int | None) -> Recorded:
    """Return one of the crowds, or its first tasks."""
    recorded = READERS[name](data)
    if first is None:
        return recorded
    some = np.flatnonzero(recorded.truth >= 0)[:first]
    return Recorded(
        recorded.crowd.select_tasks(some),
        recorded.truth[some],
        lambda method, crowd: None if (P := recorded.predict(method, crowd)) is None else P[some],
    )


def large_enough(data: Path) -> list[str]:
    """Return the names of the crowds that have many answers a task."""
    return [name for name in READERS if _mean_answers(READERS[name](data)) >= LEAST_ANSWERS]


def _mean_answers(recorded: Recorded) -> float:
    return float(recorded.crowd.num_answers[recorded.truth >= 0].mean())


def replay(one: Run) -> Replay:
    """Return what labels bought in one order of the answers."""
    recorded = read(one.data, one.crowd, one.first)
    crowd, truth = recorded.crowd, recorded.truth
    judged = truth >= 0
    scores = reveal(recorded, OURS, TARGET, most=None, seed=one.order)
    place = places(crowd, np.random.default_rng(one.order))
    labels, majority, consensus = [], [], []
    for number in (*(number for number in FIXED if number < crowd.num_answers.max()), crowd.num_answers.max()):
        seen = shown(crowd, place < number)
        found = find_class_beliefs(OURS, seen, recorded.predict(OURS, seen))
        labels.append(seen.num_answers[judged].mean())
        majority.append(chances(seen, truth)[judged].mean())
        consensus.append((found.result.consensus == truth)[judged].mean())
    return Replay(
        int(judged.sum()),
        float(scores.answers.crowd.num_answers[judged].mean()),
        float((scores.result.consensus == truth)[judged].mean()),
        float((scores.settled_by == "quality")[judged].mean()),
        np.array(labels),
        np.array(majority),
        np.array(consensus),
    )


def mean_replay(some: Sequence[Replay]) -> Replay:
    """Return the mean over orders."""
    names = ("asked", "right", "settled", "labels", "majority", "consensus")
    return Replay(some[0].tasks, *(np.mean([getattr(one, name) for one in some], axis=0) for name in names))


def run(data: Path, orders: int, jobs: int, quick: bool = False) -> Report:
    """Replay all crowds that have many answers a task."""
    names = large_enough(data)
    runs = [Run(data, name, order, FEW if quick else None) for name in names for order in range(orders)]
    found = each_of(runs, replay, jobs, "replays")
    replays = {
        name: mean_replay([one for one, what in zip(found, runs, strict=True) if what.crowd == name]) for name in names
    }
    return Report(
        name="savings",
        title="How many labels asking one by one saves",
        about=f"Recorded answers of crowds that have {figure(LEAST_ANSWERS, 1)} a task or more. One by one: every task "
        "is asked about (every second one where there is a classifier), then those at the front of the plugin's queue "
        f"again, a tenth of them at a time, until the plugin settles them by quality {figure(TARGET, 1)}, or until no "
        "answer is left. Against it: the same number of labels for every task, with majority vote, ties broken by "
        f"chance, and with our consensus. Means over random orders of the answers ({orders}).",
        tables=[_savings(replays), _fixed(replays)],
        panels=list(_panels(replays)),
        notes=NOTES,
    )


def _savings(replays: dict[str, Replay]) -> Table:
    against = {
        name: [saving(one.asked, one.right, one.labels, accuracy) for accuracy in (one.majority, one.consensus)]
        for name, one in replays.items()
    }
    rows = [
        [
            name,
            f"{one.tasks:,}",
            figure(float(one.labels[-1]), 1),
            figure(one.asked, 2),
            figure(one.right),
            f"{one.settled:.0%}",
            figure(float(np.interp(one.asked, one.labels, one.majority))),
            *against[name][0].cells,
            *against[name][1].cells,
        ]
        for name, one in replays.items()
    ]
    rows.append(["median", *[""] * 7, _median(against, 0), "", _median(against, 1)])
    return Table(
        "Labels for the same accuracy",
        [
            "crowd", "tasks of known truth", "recorded a task", "one by one: labels a task", "right", "settled",
            "majority with as many", "majority needs", "saved", "our consensus, fixed number, needs", "saved",
        ],
        rows,
        about="Fixed numbers between two that were measured are interpolated. Never: all that are recorded, the number "
        "in brackets, are not enough; then at least so much is saved, and the median takes it as that.",
    )  # fmt: skip


def _median(against: dict[str, list[Saving]], which: int) -> str:
    return f"{np.median([savings[which].saved for savings in against.values()]):.0%}"


def _fixed(replays: dict[str, Replay]) -> Table:
    rows = []
    for name, one in replays.items():
        for labels, *accuracies in zip(one.labels, one.majority, one.consensus, strict=True):
            rows.append([name, figure(float(labels), 2), *(figure(float(accuracy)) for accuracy in accuracies)])
    return Table("The same number for every task", ["crowd", "labels a task", "majority", "our consensus"], rows)


def _panels(replays: dict[str, Replay]) -> Iterator[Panel]:
    for name, one in replays.items():
        yield {
            "title": name,
            "xlabel": "labels a task",
            "ylabel": "right",
            "series": [
                {"name": "majority vote, fixed number", "x": one.labels.tolist(), "y": one.majority.tolist()},
                {"name": "our consensus, fixed number", "x": one.labels.tolist(), "y": one.consensus.tolist()},
                {"name": "one by one", "x": [one.asked], "y": [one.right], "marks": True},
            ],
        }


NOTES = [
    "The answers are those that the crowd gave; nobody is asked anew, and everybody's answer may come next.",
    "What settles a task is the plugin's own rule, without its largest number of labels: quality, two labels where "
    "there is no classifier, and a task that falls clearly below the target later is asked about again.",
    "Labels and accuracy are of the tasks whose truth is known; the others are asked about too.",
    "The tutorial's crowd is generated, and its classifier is given; the others are answered by people, without one.",
]


def main() -> int:
    """Run the benchmark; see the module's description."""
    parser = parser_of("benchmarks.science.savings", __doc__)
    parser.add_argument("--orders", type=positive, default=3, help="orders in which each crowd's answers come (3)")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, help="processes at once (all cores)")
    parser.add_argument("--quick", action="store_true", help=f"the first {FEW} tasks of each crowd only")
    return carry_out(parser, "benchmarks.science.savings", run)


if __name__ == "__main__":
    sys.exit(main())
