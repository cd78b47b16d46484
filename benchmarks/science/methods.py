"""All methods of crowdcore on crowds whose truth is known: accuracy, log loss, calibration, seconds.

    python -m benchmarks.science.methods [--data FOLDER] [--out FOLDER]

Prints the tables; --out writes them as Markdown. The crowds are in --data (by default the folder shared/data beside
the checkout). LabelMe's probabilities are those of logistic regression on its features, out of fold, fitted to the
majority's labels; those of cifar10h-hard and the toy come with them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.science.papers.datasets import (
    PUBLIC,
    SURVEY,
    read_cifar10h,
    read_labelme,
    read_public,
    read_simulation,
    read_survey,
    read_toy,
)
from benchmarks.science.papers.report import Report, Table, figure, progress
from benchmarks.science.papers.running import carry_out, parser_of
from crowdcore import Crowd
from crowdcore.aggregate.methods import METHODS, Method
from label_studio_crowd.files.comparison import BINS, Row, compare
from label_studio_crowd.files.evidence import Evidence

SIMULATIONS = {
    "independent": "independent",
    "independent-imbalanced": "imbalanced",
    "discrete_difficulty": "difficulty",
}
PRIOR = 0.1
"""Pseudo-counts that Dawid-Skene is shown with once more."""


@dataclass(frozen=True, eq=False)
class Case:
    """A crowd by name, what else its methods may use, and its true labels by task."""

    name: str
    evidence: Evidence
    truth: pd.Series[Any]


def cases(data: Path) -> Iterator[Case]:
    """Read the crowds, one after the other."""
    toy = read_toy(data)
    yield _coded("toy", Crowd.from_wide(toy["labels"]), toy["truth"], toy["pred_probs"], toy["X"])
    labelme = read_labelme(data)
    yield _coded("LabelMe", labelme.crowd, labelme.truth, labelme.pred_probs, labelme.features)
    hard = read_cifar10h(data)
    yield _coded("cifar10h-hard", hard.crowd, hard.truth, hard.pred_probs)
    for name in SURVEY:
        yield _coded(name, *read_survey(data, name))
    for name in PUBLIC:
        yield _coded(name, *read_public(data, name))
    for folder_name, name in SIMULATIONS.items():
        yield _coded(name, *read_simulation(data, folder_name))


def _coded(name: str, crowd: Crowd, truth: Any, pred_probs: Any = None, features: Any = None) -> Case:
    judged = truth >= 0
    known = pd.Series(crowd.classes[truth[judged]], index=crowd.tasks[judged], name="truth")
    probabilities = pred_probs if pred_probs is None else pd.DataFrame(pred_probs, crowd.tasks, crowd.classes.tolist())
    return Case(name, Evidence(crowd, probabilities, features), known)


def shown_methods() -> dict[str, Method]:
    """Return all methods: those that use what there is once with each kind of it, and one with an option once more."""
    plain = METHODS["dawid-skene"]
    name = f"{plain.name}[confusion_prior={PRIOR}]"
    shown = [*METHODS.values(), replace(plain, name=name, make=partial(plain.make, confusion_prior=PRIOR))]
    return {way.name: way for method in shown for way in _ways(method)}


def _ways(method: Method) -> Iterator[Method]:
    """Return a method that sees answers and what it needs only, and then with each kind of evidence that it can use."""
    used = {"pred_probs": "probabilities", "features": "features"}
    takes = method.takes - used.keys()
    yield replace(method, takes=takes)
    for what in sorted(used.keys() & method.takes, reverse=True):
        yield replace(method, name=f"{method.name}, {used[what]}", needs=method.needs | {what}, takes=takes)


def run(data: Path) -> Report:
    """Run every method on every crowd that has what it needs."""
    methods = shown_methods()
    found: dict[str, dict[str, Row]] = {}
    sizes, judged = [], []
    for case in cases(data):
        progress.print(case.name)
        rows = compare(case.evidence, case.truth, list(methods.values()))
        found[case.name] = {row.method: row for row in rows if row.accuracy is not None}
        sizes.append(_size(case))
        judged.append(int(case.truth.index.isin(case.evidence.crowd.tasks[case.evidence.crowd.num_answers > 0]).sum()))
        for row in rows:
            if row.note.startswith("failed"):
                progress.print(f"{row.method} {row.note}", markup=False)
    report = Report(
        "methods",
        "All methods on crowds whose truth is known",
        "What each method is, and which to choose: [methods](../methods.md).",
    )
    head = (
        "crowd", "tasks", "of known truth", "annotators", "classes", "answers", "a task", "with probabilities",
        "with features",
    )  # fmt: skip
    report.tables.append(Table("The crowds", head, sizes))
    alone = [name for name, method in methods.items() if not method.needs]
    informed = [name for name, method in methods.items() if method.needs]
    for about, names in (("answers alone", alone), ("with a model or features", informed)):
        crowds = [crowd for crowd, rows in found.items() if any(name in rows for name in names)]
        for what, attribute, digits in (
            ("Accuracy", "accuracy", 3),
            ("Log loss", "log_loss", 2),
            ("Calibration error", "calibration_error", 3),
            ("Milliseconds", "milliseconds", 1),
        ):
            body = _body(found, crowds, names, attribute, digits)
            report.tables.append(Table(f"{what}, {about}", ("method", *crowds, "mean"), body))
    refusing = [name for name in methods if any(name in rows and rows[name].undecided for rows in found.values())]
    report.tables.append(
        Table(
            "Methods that may refuse",
            ("method", *found),
            [
                [name, *(_told(rows.get(name), size) for rows, size in zip(found.values(), judged, strict=True))]
                for name in refusing
            ],
            "Share of the tasks that have a label, and how many of these labels are right.",
        )
    )
    absent = [
        name for name, method in methods.items() if method.binary and not any(name in rows for rows in found.values())
    ]
    report.notes += [
        "Every method has its own defaults; nothing was tuned. The row with an option shows what the option does. Rows "
        "are in the order of their means.",
        "Accuracy is of all tasks with answers and a known truth; a task without a label counts as wrong.",
        "Log loss is the mean of minus the natural logarithm of the truth's probability, each at least 1e-15 (34.5). "
        f"Calibration error is the mean gap between a label's probability and the share that is right, over {BINS} "
        "bins; of methods that may refuse, of the labels there are.",
        "Where a method has no probabilities shares of the votes stand for them, 0 for a class that nobody chose. "
        "Those of label-quality-score are the model's.",
        "Milliseconds are of the clock, after compilation, on a machine that had other work: read them as sizes. The "
        "model's probabilities are given; what learns from features trains its classifier within its time.",
        "hierarchical-dawid-skene uses what there is. Here it is given answers alone, or the probabilities, or the "
        "features beside them.",
    ]
    if absent:
        report.notes.append(f"No crowd here has two classes, as {' and '.join(absent)} need.")
    return report


def _size(case: Case) -> list[str]:
    crowd = case.evidence.crowd
    tasks, answers = len(crowd.tasks), len(crowd.label)
    numbers = [tasks, len(case.truth), len(crowd.annotators), len(crowd.classes), answers]
    given = ["yes" if what is not None else "" for what in (case.evidence.pred_probs, case.evidence.features)]
    return [case.name, *(f"{number:,}" for number in numbers), f"{answers / tasks:.1f}", *given]


def _told(row: Row | None, judged: int) -> str:
    if row is None or row.accuracy is None or row.undecided is None:
        return ""
    told = judged - row.undecided
    return f"{figure(told / judged, 2)}, {figure(row.accuracy * judged / told, 2)}" if told else "0"


def _body(
    found: dict[str, dict[str, Row]], crowds: Sequence[str], names: Sequence[str], attribute: str, digits: int
) -> list[list[str]]:
    """Return a line for each method that ran on all the crowds, best mean first, then for those that ran on some."""
    lines = []
    for name in names:
        values = [_value(found[crowd].get(name), attribute) for crowd in crowds]
        if any(value is not None for value in values):
            mean = None if None in values else float(np.mean([value for value in values if value is not None]))
            lines.append((name, values, mean))
    sign = -1 if attribute == "accuracy" else 1
    lines.sort(key=lambda line: np.inf if line[2] is None else sign * line[2])
    return [[name, *(figure(value, digits) for value in values), figure(mean, digits)] for name, values, mean in lines]


def _value(row: Row | None, attribute: str) -> float | None:
    if row is None:
        return None
    if attribute == "milliseconds":
        return None if row.seconds is None else 1000 * row.seconds
    value: float | None = getattr(row, attribute)
    return value


def main() -> int:
    """Run the benchmark; see the module's description."""
    return carry_out(parser_of("benchmarks.science.methods", __doc__), "benchmarks.science.methods", run)


if __name__ == "__main__":
    sys.exit(main())
