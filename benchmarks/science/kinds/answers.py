"""The consensus of sets, of ordered classes and of numbers, beside other ways, on crowds whose truth is known.

    python -m benchmarks.science.kinds.answers [--data FOLDER] [--out FOLDER]

The crowds are in --data (by default the folder shared/data beside the checkout); what is drawn at random is named so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import trim_mean
from sklearn.metrics import average_precision_score, f1_score, log_loss

from benchmarks.science.kinds.crowds import Answer, answers_of, read_crowd, table_of
from benchmarks.science.papers.report import Claim, Report, Table, figure, since
from benchmarks.science.papers.running import carry_out, parser_of
from crowdcore import Crowd, hierarchical_dawid_skene
from crowdcore.aggregate import DawidSkene
from crowdcore.kinds import AnswerTable, label_sets, numbers, ordered

Floats = NDArray[np.float64]

NUMBERS = ("valence", "anger", "joy", "surprise", "wordsim", "airway-outer")
AREAS = ("airway-outer",)
"""Where errors are shares of the number."""
OTHER_SCALE = ("wordsim",)
"""Where the truth has another scale than the answers."""
GROSS, DRAWS = 0.05, 10
ACCURACY, F1, AUPRC, MAE = 0.855, 0.76, 0.86, 0.22
GAIN, LOSS, HELD = 0.005, 0.04, (0.75, 0.95)


def run(data: Path) -> Report:
    """Measure everything."""
    report = Report(
        "kinds",
        "The consensus of sets, ordered classes and numbers, beside other ways",
        "What each of them is: [kinds of answers](../kinds.md). Every method sees the same answers, and nothing else.",
    )
    for part in (_sets, _rare, _degrees, _numbers, _gross, _seconds):
        part(data, report)
    report.notes += [
        "Relations: 948 sentences on medicine, about 15 answers each, 12 classes; experts' truth for two of them.",
        "Areas of airways are compared as logarithms. The truth of word similarity has another scale than the answers: "
        "only the correlation is compared there, and no interval.",
        "Held: how many of the 90 % intervals hold the truth. Experts and crowds differ; what they share is taken from "
        "these crowds (.7 of an answer's deviation), so this says that it fits, not that it holds elsewhere.",
        "CPU seconds are those of a second run, when everything is compiled.",
    ]
    return report


def _sets(data: Path, report: Report) -> None:
    rows = read_crowd(data, "relations-multi-label")
    table = table_of(answers_of(rows), len(rows))
    found = label_sets(table)
    classes = found.classes.tolist()
    told = [(i, classes.index(name), bool(is_so)) for i, row in enumerate(rows) for name, is_so in row["truth"].items()]
    at, which = np.array([i for i, _, _ in told]), np.array([k for _, k, _ in told])
    truth = np.array([is_so for _, _, is_so in told])
    crowds = {k: _yes_or_no(table, found.given[:, k]) for k in np.unique(which).tolist()}
    ways: dict[str, Mapping[int, Floats]] = {
        "majority of each class": {k: crowd.counts[:, 1] / crowd.num_answers for k, crowd in crowds.items()},
        "Dawid-Skene, each class": {k: DawidSkene().fit(crowd).probas_[:, 1] for k, crowd in crowds.items()},
        "hierarchical Dawid-Skene, each class": {
            k: hierarchical_dawid_skene(crowd).posterior[:, 1] for k, crowd in crowds.items()
        },
        "**sets**": dict(enumerate(found.probability.T)),
    }
    body, ours = [], (0.0, 0.0, 0.0, 0.0)
    for name, probability in ways.items():
        p = np.array([probability[k][i] for i, k in zip(at.tolist(), which.tolist(), strict=True)])
        ours = _of_classes(truth, p)
        body.append([name, *(figure(value) for value in ours)])
    head = ("method", "accuracy", "F1", "AUPRC", "log loss")
    report.tables.append(Table(f"Sets: {len(rows)} medical relations", head, body))
    for what, bar, value in zip(("accuracy", "F1", "AUPRC"), (ACCURACY, F1, AUPRC), ours[:3], strict=True):
        report.claims.append(Claim(f"sets: {what} {figure(bar)} or more", figure(value, 4), value >= bar))


def _yes_or_no(table: AnswerTable, said: NDArray[np.bool_]) -> Crowd:
    return Crowd.from_codes(
        table.task, table.annotator, said.astype(np.int64),
        tasks=table.tasks, annotators=table.annotators, classes=["no", "yes"],
    )  # fmt: skip


def _of_classes(truth: NDArray[np.bool_], p: Floats) -> tuple[float, float, float, float]:
    kept = p > 0.5
    return (
        float((kept == truth).mean()),
        float(f1_score(truth, kept)),
        float(average_precision_score(truth, p)),
        float(log_loss(truth, np.clip(p, 1e-15, 1 - 1e-15))),
    )


def _rare(_: Path, report: Report) -> None:
    body, worst = [], 1.0
    for num_classes in (5, 20, 50, 200):
        table, truth, classes = draw_sets(num_classes)
        found = label_sets(table, classes=classes)
        majority = [_majority(table, i) for i in range(len(truth))]
        ours, theirs = _task_f1(found.consensus, truth), _task_f1(majority, truth)
        worst = min(worst, ours - theirs)
        body.append([str(num_classes), figure(theirs), figure(ours), figure(float(found.quality.mean()))])
    report.tables.append(
        Table(
            "Sets of few and of many classes, drawn",
            ("classes", "majority of each class", "sets", "expected"),
            body,
            "1,000 tasks, three answers each, no class to three a task; annotators find four of five, and three in ten "
            "make one up. F1 of each task's set, mean.",
        )
    )
    report.claims.append(
        Claim("sets of 5 to 200 classes: F1 not below the majority's by .005", figure(worst), worst > -0.005)
    )


def draw_sets(num_classes: int, num_tasks: int = 1000, each: int = 3) -> tuple[AnswerTable, list[Any], list[str]]:
    """Return answers, true sets and classes."""
    rng = np.random.default_rng(num_classes)
    classes = [f"c{k:03}" for k in range(num_classes)]
    truth = [frozenset(rng.choice(classes, rng.integers(0, 4), replace=False).tolist()) for _ in range(num_tasks)]
    rows: list[Answer] = []
    for i, labels in enumerate(truth):
        for j in rng.choice(30, each, replace=False).tolist():
            said = {label for label in sorted(labels) if rng.random() < 0.8}
            rows.append((i, f"{j:02}", said | ({str(rng.choice(classes))} if rng.random() < 0.3 else set())))
    return table_of(rows, num_tasks), truth, classes


def _majority(table: AnswerTable, task: int) -> set[str]:
    said = table.values[table.indptr[task] : table.indptr[task + 1]]
    return {label for label in set().union(*said) if sum(label in labels for labels in said) > len(said) / 2}


def _task_f1(found: Iterable[Any], truth: Iterable[Any]) -> float:
    pairs = zip(found, truth, strict=True)
    return float(np.mean([2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for a, b in pairs]))


def _degrees(data: Path, report: Report) -> None:
    rows = read_crowd(data, "ordinal-web")
    table = table_of(answers_of(rows), len(rows))
    truth = np.array([row["truth"] for row in rows])
    crowd = Crowd.from_codes(
        table.task, table.annotator, table.values.astype(np.int64),
        tasks=table.tasks, annotators=table.annotators, classes=range(int(max(table.values.max(), truth.max())) + 1),
    )  # fmt: skip
    believed, found = hierarchical_dawid_skene(crowd), ordered(crowd)
    ways: dict[str, NDArray[Any]] = {
        "majority": crowd.counts.argmax(axis=1),
        "median of the answers, the lower of two": np.floor(_means(table, OTHERS["median"])),
        "Dawid-Skene": DawidSkene().fit(crowd).codes_,
        "hierarchical Dawid-Skene": believed.consensus,
        "**ordered**": found.consensus,
    }
    body, off = [], np.zeros(len(rows))
    for name, codes in ways.items():
        off = np.abs(codes - truth)
        body.append(
            [name, figure(float(off.mean())), figure(float((off == 0).mean())), figure(float((off <= 1).mean()))]
        )
    head = ("method", "mean absolute error", "right", "within one")
    about = (
        f"Believed: right {figure(float(found.quality.mean()))}, within one {figure(float(found.within_one.mean()))}."
    )
    report.tables.append(Table(f"Ordered: relevance of {len(rows):,} pages, five degrees", head, body, about))
    mae = float(off.mean())
    report.claims.append(Claim(f"ordered: mean absolute error {figure(MAE, 2)} or less", figure(mae), mae <= MAE))


def _means(table: AnswerTable, mean: Callable[[Floats], float]) -> Floats:
    return np.array([mean(table.values[a:b]) for a, b in zip(table.indptr[:-1], table.indptr[1:], strict=True)])


OTHERS: dict[str, Callable[[Floats], float]] = {
    "mean": lambda values: float(np.mean(values)),
    "median": lambda values: float(np.median(values)),
    "trimmed mean": lambda values: float(trim_mean(values, 0.2)),
}


def _numbers(data: Path, report: Report) -> None:
    body, errors, gains, shares = [], [], [], []
    for name in NUMBERS:
        rows = read_crowd(data, f"number-{name}")
        truth = np.array([np.mean(row["truth"]) for row in rows])
        table = table_of(answers_of(rows), len(rows))
        found = numbers(table, logarithms=name in AREAS)
        low, high = found.interval.T
        held = float("nan") if name in OTHER_SCALE else float(((low <= truth) & (truth <= high)).mean())
        scaled = table.with_values(np.log(table.values).tolist()) if name in AREAS else table
        ours = np.log(found.consensus) if name in AREAS else found.consensus
        wanted = np.log(truth) if name in AREAS else truth
        ways = [*(_means(scaled, mean_of) for mean_of in OTHERS.values()), ours]
        r = [float(np.corrcoef(values, wanted)[0, 1]) for values in ways]
        if name not in OTHER_SCALE:
            off = [float(np.abs(values - wanted).mean()) for values in ways]
            errors.append([name, *(figure(value, 2 if value < 1 else 1) for value in off)])
        gains.append(r[-1] - r[0])
        shares.append(held)
        body.append([name, f"{len(rows)}, {len(table.values) / len(rows):.0f} each", *map(figure, r), figure(held)])
    mean = [float(np.mean([float(row[at]) for row in body])) for at in range(2, 6)]
    body.append(["**mean**", "", *map(figure, mean), figure(float(np.nanmean(shares)))])
    head = ("crowd", "tasks, answers", *OTHERS, "**numbers**", "held")
    report.tables.append(Table("Numbers: correlation with the truth", head, body))
    report.tables.append(Table("Numbers: mean absolute error", ("crowd", *OTHERS, "**numbers**"), errors))
    held, gain, least = float(np.nanmean(shares)), float(np.mean(gains)), min(gains)
    report.claims += [
        Claim(f"numbers: mean correlation {figure(GAIN)} above the mean's", f"{gain:+.4f}", gain >= GAIN),
        Claim(f"numbers: no crowd more than {figure(LOSS, 2)} below the mean's", f"{least:+.3f}", least >= -LOSS),
        Claim(
            f"numbers: 90 % intervals hold {HELD[0]:.0%} to {HELD[1]:.0%} of the truths",
            f"{held:.0%}",
            HELD[0] <= held <= HELD[1],
        ),
    ]


def _gross(_: Path, report: Report) -> None:
    errors: dict[str, list[float]] = {name: [] for name in (*OTHERS, "**numbers**")}
    for seed in range(DRAWS):
        table, truth = draw_numbers(seed)
        for name, values in [*((name, _means(table, f)) for name, f in OTHERS.items()),
                             ("**numbers**", numbers(table).consensus)]:  # fmt: skip
            errors[name].append(float(np.abs(values - truth).mean()))
    means = {name: float(np.mean(values)) for name, values in errors.items()}
    report.tables.append(
        Table(
            "Numbers with gross errors, drawn",
            ("", *means),
            [["mean absolute error", *(figure(value, 2) for value in means.values())]],
            f"{DRAWS} draws of 200 tasks with five answers, 0 to 100, annotators' biases and spreads about 4; "
            f"{GROSS:.0%} of the answers are ten times too large and more.",
        )
    )
    ours, theirs = means["**numbers**"], means["median"]
    report.claims.append(
        Claim(
            "numbers, 5 % gross errors: mean absolute error below the median's",
            f"{figure(ours, 2)} ({figure(theirs, 2)})",
            ours < theirs,
        )
    )


def draw_numbers(seed: int, num_tasks: int = 200, each: int = 5, annotators: int = 12) -> tuple[AnswerTable, Floats]:
    """Return answers, some of them grossly wrong, and the truth."""
    rng = np.random.default_rng(seed)
    truth, bias = rng.uniform(0, 100, num_tasks), rng.normal(0, 4, annotators)
    spread = rng.uniform(2, 8, annotators)
    rows: list[Answer] = []
    for i in range(num_tasks):
        for j in rng.choice(annotators, each, replace=False).tolist():
            answer = truth[i] + bias[j] + spread[j] * rng.normal()
            rows.append((i, f"{j:03}", 10 * answer + 300 if rng.random() < GROSS else answer))
    return table_of(rows, num_tasks), truth


def _seconds(_: Path, report: Report) -> None:
    sets, _truth, classes = draw_sets(20, 10_000)
    lengths, _lengths = draw_numbers(0, 10_000, 3, 100)
    rng = np.random.default_rng(0)
    truth = rng.integers(20, size=10_000)
    said = np.where(rng.random(30_000) < 0.7, np.repeat(truth, 3), rng.integers(20, size=30_000))
    codes = {"tasks": range(10_000), "annotators": range(100), "classes": range(20)}
    who = (np.repeat(rng.integers(100, size=10_000), 3) + np.tile([0, 33, 66], 10_000)) % 100
    crowd = Crowd.from_codes(np.repeat(np.arange(10_000), 3), who, said, **codes)
    work: dict[str, Callable[[], object]] = {
        "one of 20 classes": lambda: hierarchical_dawid_skene(crowd),
        "one of 20 ordered classes": lambda: ordered(crowd),
        "a set of 20 classes": lambda: label_sets(sets, classes=classes),
        "a number": lambda: numbers(lengths),
    }
    body = []
    for name, compute in work.items():
        compute()
        start = time.process_time()
        compute()
        body.append([name, figure(since(start), 2)])
    report.tables.append(Table("CPU seconds: 10,000 tasks with three answers each", ("answer", "seconds"), body))


def main() -> int:
    """Run the benchmark; see the module's description."""
    return carry_out(parser_of("benchmarks.science.kinds.answers", __doc__), "benchmarks.science.kinds.answers", run)


if __name__ == "__main__":
    sys.exit(main())
