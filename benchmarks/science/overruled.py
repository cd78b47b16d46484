"""Labels that nobody gave: how often the consensus is one, and who is right then.

    python -m benchmarks.science.overruled [--data FOLDER] [--random N] [--seed N] [--jobs N] [--out FOLDER] [--quick]

Counts, on the crowds of `benchmarks.science.papers.cases`, the tasks whose consensus none of their annotators gave:
those with one answer, with answers that are all alike, and with answers that differ.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.cases import GROUPS, Case, add_case_options, all_cases, each_of
from benchmarks.science.papers.report import Report, Table, figure
from benchmarks.science.papers.running import carry_out, parser_of
from crowdcore import Crowd, hierarchical_dawid_skene
from crowdcore.votes import overruled_tasks, within_answers

Mask = NDArray[np.bool_]

TARGET = 0.9
CLAUSES = ("one answer", "two or more, all alike", "answers that differ", "all")
SETTINGS = {"model": "with a model", "features": "with features", "alone": "answers alone"}


@dataclass(frozen=True)
class Count:
    """Overruled tasks: how many, in how many the consensus is right, and in how many the best label given is."""

    tasks: int = 0
    ours: int = 0
    given: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.tasks + other.tasks, self.ours + other.ours, self.given + other.given)

    def cells(self) -> list[str]:
        """Return the number of tasks, and the shares that are right."""
        shares = [figure(right / self.tasks, 2) if self.tasks else "" for right in (self.ours, self.given)]
        return [f"{self.tasks:,}", " / ".join(shares) if self.tasks else ""]


@dataclass(frozen=True)
class Counts:
    """What was counted on one crowd: tasks with answers, overruled ones by clause, and those of them at the target."""

    case: Case
    setting: str
    tasks: int
    found: dict[str, Count]
    settled: dict[str, Count]


def measure(case: Case) -> Counts:
    """Count the overruled tasks of a crowd."""
    known = case.read()
    setting = "features" if known.features is not None else "alone" if known.pred_probs is None else "model"
    P = known.pred_probs if known.features is None else None
    result = hierarchical_dawid_skene(known.crowd, P, features=known.features)
    truth, given = known.truth, within_answers(result).consensus
    overruled = overruled_tasks(known.crowd, result.consensus)
    sure = result.quality >= TARGET

    def count(which: Mask) -> Count:
        return Count(*(int(mask[which].sum()) for mask in (which, result.consensus == truth, given == truth)))

    clauses = [(name, mask & overruled) for name, mask in split(known.crowd)]
    return Counts(
        case,
        setting,
        int(np.count_nonzero(known.crowd.num_answers)),
        {name: count(mask) for name, mask in clauses},
        {name: count(mask & sure) for name, mask in clauses},
    )


def split(crowd: Crowd) -> Iterator[tuple[str, Mask]]:
    """Yield the tasks of each of `CLAUSES`."""
    alike, number = crowd.counts.max(axis=1) == crowd.num_answers, crowd.num_answers
    yield from zip(CLAUSES, (number == 1, alike & (number > 1), ~alike, number > 0), strict=True)


def run(data: Path, random: int, seed: int, jobs: int, quick: bool = False) -> Report:
    """Return the counts on all crowds."""
    counts = each_of(all_cases(data, random, seed, quick), measure, jobs, "crowds")
    return Report(
        name="overruled",
        title="Labels that nobody gave",
        about="How often the consensus of a task with answers is a label that none of its annotators gave, and how "
        "often it is right then; and how often the most probable of the labels that were given is right instead.",
        tables=[_summary(counts, settled=False), _summary(counts, settled=True), _every_crowd(counts)],
        notes=[
            "Cells with two shares: how often the consensus is right there, and the most probable of the labels given. "
            "The rest has another label."
        ],
    )


def _summary(counts: Sequence[Counts], *, settled: bool) -> Table:
    rows = []
    for setting in SETTINGS:
        for group in GROUPS:
            some = [one for one in counts if (one.setting, one.case.group) == (setting, group)]
            if some:
                found = [one.settled if settled else one.found for one in some]
                sums = [sum((each[name] for each in found), Count()) for name in CLAUSES]
                tasks = sum(one.tasks for one in some)
                hit = sum(one["all"].tasks > 0 for one in found)
                name = f"{SETTINGS[setting]}: {group}"
                rows.append(
                    [name, str(len(some)), str(hit), f"{tasks:,}", *(cell for one in sums for cell in one.cells())]
                )
    return Table(
        f"Those with a quality of {TARGET} or more" if settled else "All overruled tasks",
        ["crowds", "number", "with any", "tasks", *(cell for name in CLAUSES for cell in (name, "right"))],
        rows,
    )


def _every_crowd(counts: Sequence[Counts]) -> Table:
    some = sorted((one for one in counts if one.found["all"].tasks), key=lambda one: list(SETTINGS).index(one.setting))
    return Table(
        "Every crowd that has any",
        ["crowd", "has", "tasks", *(cell for name in CLAUSES for cell in (name, "right")), f"at {TARGET}", "right"],
        [
            [
                one.case.name,
                SETTINGS[one.setting],
                f"{one.tasks:,}",
                *(cell for name in CLAUSES for cell in one.found[name].cells()),
                *one.settled["all"].cells(),
            ]
            for one in some
        ],
    )


def main() -> int:
    """Run the benchmark; see the module's description."""
    parser = parser_of("benchmarks.science.overruled", __doc__)
    add_case_options(parser)
    return carry_out(parser, "benchmarks.science.overruled", run)


if __name__ == "__main__":
    sys.exit(main())
