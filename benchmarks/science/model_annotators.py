"""What models among the annotators do to the consensus: good ones, bad ones, and two that share their errors.

    python -m benchmarks.science.model_annotators [--crowds 60] [--out FOLDER]

Crowds are drawn: classes, sets of classes, and numbers. Each is believed with and without the model's answers, by the
functions that the plugin uses. A model answers every task; where only a model answered, nothing is counted.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.report import Claim, Report, Table, figure, positive
from crowdcore import Crowd, hierarchical_dawid_skene
from crowdcore.kinds import AnswerTable, label_sets, numbers

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

TASKS: Final = 200
PEOPLE: Final = 15
CLASSES: Final = 4
TAGS: Final = tuple("abcdef")
EACH: Final = (2, 3, 5)
"""People who answer each task."""
NOISE: Final = 2.6
"""Standard errors within which a difference is taken for noise: chance brings more in one of a hundred."""
HARM: Final = 0.02
"""What a model may cost: two right answers in a hundred."""


@dataclass(frozen=True)
class Drawn:
    """What is true of the tasks, and who answered what: rows of tasks, columns of people (None: no answer)."""

    truth: Sequence[Any]
    answers: Sequence[Sequence[Any]]


Model = Callable[[np.random.Generator, Sequence[Any]], list[list[Any]]]
"""What models answer, a list for each, from the truth."""


def asked(rng: np.random.Generator, each: int) -> NDArray[np.bool_]:
    """Return who answers which task, (TASKS, PEOPLE)."""
    places = rng.random((TASKS, PEOPLE)).argsort(axis=1).argsort(axis=1)
    return np.asarray(places < each)


# ---------------------------------------------------------------------- classes


def classes_drawn(rng: np.random.Generator, each: int) -> Drawn:
    """Return answers of people who are right in some seven of ten."""
    truth = rng.integers(CLASSES, size=TASKS)
    skill = 1 / (1 + np.exp(-np.log(0.7 / 0.3) - 0.8 * rng.normal(size=PEOPLE)))
    wrong = (truth[:, None] + rng.integers(1, CLASSES, size=(TASKS, PEOPLE))) % CLASSES
    said = np.where(rng.random((TASKS, PEOPLE)) < skill, truth[:, None], wrong)
    there = asked(rng, each)
    return Drawn(
        truth.tolist(),
        [[int(c) if t else None for c, t in zip(*row, strict=True)] for row in zip(said, there, strict=True)],
    )


def right_in(share: float) -> Model:
    """Return a model that is right in a share of the tasks, otherwise any other class."""

    def answer(rng: np.random.Generator, truth: Sequence[int]) -> list[list[Any]]:
        true = np.array(truth)
        wrong = (true + rng.integers(1, CLASSES, size=len(true))) % CLASSES
        return [np.where(rng.random(len(true)) < share, true, wrong).tolist()]

    return answer


def mixing_up(rng: np.random.Generator, truth: Sequence[int]) -> list[list[Any]]:
    """Return what a model says that is always right but for one class, which it always takes for another."""
    return [[1 if code == 0 else code for code in truth]]


def always_one(rng: np.random.Generator, truth: Sequence[int]) -> list[list[Any]]:
    """Return what a model says that knows one class."""
    return [[0] * len(truth)]


def two_alike(share: float) -> Model:
    """Return two models that are right in a share of the tasks, and say the same in nineteen of twenty."""

    def answer(rng: np.random.Generator, truth: Sequence[int]) -> list[list[Any]]:
        (first,), (other,) = right_in(share)(rng, truth), right_in(share)(rng, truth)
        same = rng.random(len(truth)) < 0.95
        return [first, np.where(same, first, other).tolist()]

    return answer


CLASS_MODELS: Final[Mapping[str, Model]] = {
    "right in 95 %": right_in(0.95),
    "right in 85 %": right_in(0.85),
    "right in 70 %, as people are": right_in(0.7),
    "right in 50 %": right_in(0.5),
    "guesses (25 %)": right_in(0.25),
    "mostly wrong (10 %)": right_in(0.1),
    "takes one class for another": mixing_up,
    "always says the same class": always_one,
    "two alike, right in 85 %": two_alike(0.85),
    "two alike, right in 25 %": two_alike(0.25),
}


def class_accuracy(drawn: Drawn, extra: Sequence[Sequence[Any]]) -> tuple[float, float]:
    """Return the share of right labels, and the quality that is believed."""
    wide = [[-1 if code is None else code for code in [*row, *more]] for row, more in _beside(drawn, extra)]
    people = np.arange(PEOPLE + len(extra)) < PEOPLE
    found = hierarchical_dawid_skene(Crowd.from_wide(wide, classes=range(CLASSES)), people=people)
    return float((found.consensus == np.array(drawn.truth)).mean()), float(found.quality.mean())


# ---------------------------------------------------------------------- sets and numbers


def sets_drawn(rng: np.random.Generator, each: int) -> Drawn:
    """Return sets of people who overlook some tags and add others."""
    truth = rng.random((TASKS, len(TAGS))) < np.linspace(0.15, 0.5, len(TAGS))
    misses, adds = rng.uniform(0.1, 0.4, PEOPLE), rng.uniform(0.02, 0.12, PEOPLE)
    error = np.where(truth[:, None], misses[:, None], adds[:, None])
    said = truth[:, None] ^ (rng.random((TASKS, PEOPLE, len(TAGS))) < error)
    there = asked(rng, each)
    answers = [
        [_tags(one) if t else None for one, t in zip(*row, strict=True)] for row in zip(said, there, strict=True)
    ]
    return Drawn([_tags(row) for row in truth], answers)


def sets_with(misses: float, adds: float) -> Model:
    """Return a model with these error rates."""

    def answer(rng: np.random.Generator, truth: Sequence[frozenset[str]]) -> list[list[Any]]:
        true = np.array([[tag in tags for tag in TAGS] for tags in truth])
        return [[_tags(row) for row in true ^ (rng.random(true.shape) < np.where(true, misses, adds))]]

    return answer


SET_MODELS: Final[Mapping[str, Model]] = {
    "overlooks 5 %, adds 2 %": sets_with(0.05, 0.02),
    "overlooks 25 %, adds 7 %, as people do": sets_with(0.25, 0.07),
    "overlooks 60 %, adds 30 %": sets_with(0.6, 0.3),
    "says any tag by chance": sets_with(0.5, 0.5),
    "never says a tag": sets_with(1.0, 0.0),
}


def set_f1(drawn: Drawn, extra: Sequence[Sequence[Any]]) -> tuple[float, float]:
    """Return the mean F1 of the sets, and the quality that is believed."""
    found = label_sets(_table(drawn, extra), classes=TAGS)
    pairs = zip(found.consensus.tolist(), drawn.truth, strict=True)
    return float(np.mean([_f1(said, true) for said, true in pairs])), float(found.quality.mean())


def numbers_drawn(rng: np.random.Generator, each: int) -> Drawn:
    """Return numbers of people who have a bias and a spread of their own."""
    truth = rng.normal(50, 15, TASKS)
    bias, spread = rng.normal(0, 2, PEOPLE), rng.uniform(1, 6, PEOPLE)
    said = truth[:, None] + bias + spread * rng.normal(size=(TASKS, PEOPLE))
    there = asked(rng, each)
    return Drawn(
        truth.tolist(),
        [[float(x) if t else None for x, t in zip(*row, strict=True)] for row in zip(said, there, strict=True)],
    )


def numbers_with(bias: float, spread: float) -> Model:
    """Return a model with this bias and spread."""

    def answer(rng: np.random.Generator, truth: Sequence[float]) -> list[list[Any]]:
        return [(np.array(truth) + bias + spread * rng.normal(size=len(truth))).tolist()]

    return answer


NUMBER_MODELS: Final[Mapping[str, Model]] = {
    "spread 1": numbers_with(0, 1),
    "spread 3.5, as people have": numbers_with(0, 3.5),
    "spread 20": numbers_with(0, 20),
    "spread 1, bias 15": numbers_with(15, 1),
}


def number_closeness(drawn: Drawn, extra: Sequence[Sequence[Any]]) -> tuple[float, float]:
    """Return the share of numbers within 2 of the truth, and the quality that is believed."""
    people = np.arange(PEOPLE + len(extra)) < PEOPLE
    found = numbers(_table(drawn, extra), tolerance=2.0, people=people)
    near = np.abs(np.asarray(found.consensus, np.float64) - np.array(drawn.truth)) <= 2.0
    return float(near.mean()), float(found.quality.mean())


def _beside(drawn: Drawn, extra: Sequence[Sequence[Any]]) -> list[tuple[Sequence[Any], list[Any]]]:
    return [(row, [model[task] for model in extra]) for task, row in enumerate(drawn.answers)]


def _table(drawn: Drawn, extra: Sequence[Sequence[Any]]) -> AnswerTable:
    given = [
        (task, who, answer)
        for task, (row, more) in enumerate(_beside(drawn, extra))
        for who, answer in enumerate([*row, *more])
        if answer is not None
    ]
    task, who, values = zip(*given, strict=True)
    return AnswerTable.from_codes(task, who, values, tasks=range(TASKS), annotators=range(PEOPLE + len(extra)))


def _tags(row: NDArray[np.bool_]) -> frozenset[str]:
    return frozenset(tag for tag, there in zip(TAGS, row.tolist(), strict=True) if there)


def _f1(said: frozenset[str], true: frozenset[str]) -> float:
    return 1.0 if not said and not true else 2 * len(said & true) / (len(said) + len(true))


# ---------------------------------------------------------------------- the report


@dataclass(frozen=True)
class Kind:
    """A kind of answers: its name, what is measured, how crowds are drawn, how they are judged, and the models."""

    name: str
    measure: str
    draw: Callable[[np.random.Generator, int], Drawn]
    judge: Callable[[Drawn, Sequence[Sequence[Any]]], tuple[float, float]]
    models: Mapping[str, Model]


KINDS: Final = (
    Kind("Classes", "right labels", classes_drawn, class_accuracy, CLASS_MODELS),
    Kind("Sets", "F1 with the truth", sets_drawn, set_f1, SET_MODELS),
    Kind("Numbers", "within 2 of the truth", numbers_drawn, number_closeness, NUMBER_MODELS),
)


@dataclass(frozen=True)
class Difference:
    """What a model changes: the mean, its standard error, and how far the believed quality is above what is right."""

    mean: float
    error: float
    promised: float

    @property
    def helps(self) -> bool:
        """Whether it makes the consensus better by more than noise."""
        return self.mean > NOISE * self.error

    @property
    def harms(self) -> bool:
        """Whether it makes it worse by more than noise and by more than `HARM`."""
        return self.mean + NOISE * self.error < 0 and self.mean < -HARM


def differences(kind: Kind, each: int, crowds: int) -> tuple[Floats, dict[str, Difference]]:
    """Return how good the consensus is without models, and what each model changes."""
    alone, rows = [], {name: [] for name in kind.models}
    for seed in range(crowds):
        drawn = kind.draw(np.random.default_rng([seed, each]), each)
        alone.append(kind.judge(drawn, ()))
        for place, (name, model) in enumerate(kind.models.items()):
            rows[name].append(kind.judge(drawn, model(np.random.default_rng([seed, each, place]), drawn.truth)))
    without = np.array(alone)
    found = {}
    for name, figures in rows.items():
        values = np.array(figures)
        change = values[:, 0] - without[:, 0]
        error = float(change.std(ddof=1) / np.sqrt(crowds))
        found[name] = Difference(float(change.mean()), error, float((values[:, 1] - values[:, 0]).mean()))
    return without.mean(axis=0), found


def run(crowds: int) -> Report:
    """Return the report."""
    report = Report(
        "model-annotators",
        "Models among the annotators",
        f"{crowds} drawn crowds of {TASKS} tasks and {PEOPLE} people for each figure; the model answers all "
        "tasks. Each figure is by how much the consensus is better with the model's answers, and its standard error.",
    )
    good, bad = [], []
    for kind in KINDS:
        by_each = {each: differences(kind, each, crowds) for each in EACH}
        rows = [["people alone", *(figure(alone[0]) for alone, _ in by_each.values()), ""]]
        for name in kind.models:
            cells = [found[name] for _, found in by_each.values()]
            promised = max((cell.promised for cell in cells), key=abs)
            rows.append([name, *(_told(cell) for cell in cells), figure(promised)])
        head = ("model", *(f"{each} people a task" for each in EACH), "believed above right, at most")
        report.tables.append(Table(f"{kind.name}: {kind.measure}", head, rows))
        first = next(iter(kind.models))  # the good one
        good += [(f"{kind.name}, {each}", found[first]) for each, (_, found) in by_each.items()]
        bad += [
            (f"{kind.name}, {each}: {name}", cell)
            for each, (_, found) in by_each.items()
            for name, cell in found.items()
            if name != first
        ]
    least, most = min(good, key=lambda pair: pair[1].mean), min(bad, key=lambda pair: pair[1].mean)
    report.claims += [
        Claim(
            "The good model of each table helps", f"{least[0]}: {_told(least[1])}", all(one.helps for _, one in good)
        ),
        Claim(
            "No other model costs more than .02",
            f"{most[0]}: {_told(most[1])}",
            not any(one.harms for _, one in bad),
        ),
    ]
    return report


def _told(found: Difference) -> str:
    sign = "+" if found.mean > 0 else ""
    return f"{sign}{figure(found.mean)} ± {figure(found.error)}"


def main() -> int:
    """Run the benchmark; see the module's description."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crowds", type=positive, default=60, help="crowds drawn for each figure (60)")
    parser.add_argument("--out", type=Path, help="a folder for model-annotators.md")
    options = parser.parse_args()
    command = ["python", "-m", "benchmarks.science.model_annotators", *sys.argv[1:]]
    return run(options.crowds).publish(shlex.join(command), options.out)


if __name__ == "__main__":
    sys.exit(main())
