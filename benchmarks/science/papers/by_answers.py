"""Whether quality is a probability with few answers a task and with many: crowds thinned to so many answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.cases import Case, each_of, made
from benchmarks.science.papers.generated import Known, Model, Recipe
from benchmarks.science.papers.report import Claim, Table, figure
from benchmarks.science.papers.revealing import places, shown
from benchmarks.science.papers.scores import calibration_error
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene

NUMBERS = (1, 2, 3, 5, 10, 20)
DRAWS = 3
"""How often each crowd is thinned to each number."""
FEWEST_TASKS = 50
HIGH = 0.9
MOST_ERROR, LEAST_RIGHT, MOST_RIGHT = 0.06, 0.88, 0.97
WITH, ALONE = "with a model", "answers alone"

MANY: dict[str, Recipe] = {
    "25 answers": Recipe(500, 60, answers=25, accuracy=0.65),
    "25 answers, two classes": Recipe(500, 60, 2, answers=25, accuracy=0.7, spread=0.7, class_shares=(0.8, 0.2)),
    "25 answers, classes confused": Recipe(500, 60, 6, answers=25, accuracy=0.6, evenness=0.3),
    "25 answers, erring together": Recipe(500, 60, answers=25, together=0.2),
}
"""Crowds of many answers, made to order; each with a model too."""


@dataclass(frozen=True)
class Thinned:
    """A case, to how many answers a task its crowd is thinned, and how often."""

    case: Case
    number: int
    draws: int = DRAWS


@dataclass(frozen=True)
class Calibration:
    """How right the consensus of a thinned crowd is, and how sure; of all draws together.

    Attributes
    ----------
    case, setting, number
        The crowd, whether there is a model, and how many answers a task has.
    tasks : int
        Tasks that have as many answers and a known truth; all figures are of these.
    right, claimed, error : float
        Share of right labels, their mean quality, and the calibration error.
    high, high_right : float
        Share of the tasks with a quality of .9 or more, and how many of these are right; NaN for none.
    """

    case: Case
    setting: str
    number: int
    tasks: int
    right: float
    claimed: float
    error: float
    high: float
    high_right: float


def by_answers(cases: Sequence[Case], seed: int, jobs: int, quick: bool) -> tuple[list[Claim], list[Table]]:
    """Return what has to be shown of the cases' crowds, of those made to order, and the tables."""
    recipes = list(MANY.items())[: 1 if quick else None]
    draws = 1 if quick else DRAWS
    many = [made(name, "many", recipe, seed) for name, recipe in recipes]
    many += [made(f"{name}, model", "many", replace(recipe, model=Model(0.6)), seed) for name, recipe in recipes]
    work = [Thinned(case, number, draws) for case in [*cases, *many] for number in NUMBERS]
    found = [one for one in each_of(work, calibrate, jobs, "thinned crowds") if one is not None]
    return list(_claims(found, quick)), [_means(found), _every_crowd(found)]


def calibrate(one: Thinned) -> Calibration | None:
    """Return how a thinned crowd is calibrated; None where few of its tasks have as many answers."""
    known, number = one.case.read(), one.number
    enough = known.judged & (known.crowd.num_answers >= number)
    if enough.sum() < max(FEWEST_TASKS, known.judged.sum() / 2):
        return None
    right, quality = [], []
    for draw in range(one.draws):
        here = places(known.crowd, np.random.default_rng(draw)) < number
        found = hierarchical_dawid_skene(shown(known.crowd, here), known.pred_probs)
        right.append((found.consensus == known.truth)[enough])
        quality.append(found.quality[enough])
    return _calibration(one, known, int(enough.sum()), np.concatenate(right), np.concatenate(quality))


def _calibration(
    one: Thinned, known: Known, tasks: int, right: NDArray[np.bool_], quality: NDArray[np.float64]
) -> Calibration:
    both = np.column_stack([quality, np.zeros(len(quality))])
    high = quality >= HIGH
    return Calibration(
        one.case,
        ALONE if known.pred_probs is None else WITH,
        one.number,
        tasks,
        float(right.mean()),
        float(quality.mean()),
        calibration_error(both, np.where(right, 0, 1)),
        float(high.mean()),
        float(right[high].mean()) if high.any() else float("nan"),
    )


def _claims(found: Sequence[Calibration], quick: bool) -> Iterator[Claim]:
    for setting in (WITH, ALONE):
        rows = {number: _of(found, setting, number) for number in NUMBERS}
        errors = {number: _mean(some, "error") for number, some in rows.items() if some}
        told = ", ".join(f"{number}: {figure(error)}" for number, error in errors.items())
        met = max(errors.values()) <= MOST_ERROR
        yield Claim(
            f"{setting}: calibration error by number of answers {figure(MOST_ERROR, 2)} or less, mean over crowds",
            told,
            None if quick else met,
        )
        share = _mean([one for some in rows.values() for one in some], "high_right")
        yield Claim(
            f"{setting}: of the tasks at {figure(HIGH, 1)} {LEAST_RIGHT:.0%} to {MOST_RIGHT:.0%} are right, mean over "
            "crowds and numbers",
            figure(share),
            None if quick else LEAST_RIGHT <= share <= MOST_RIGHT,
        )


def _means(found: Sequence[Calibration]) -> Table:
    rows = []
    for setting in (WITH, ALONE):
        for number in NUMBERS:
            if some := _of(found, setting, number):
                cells = (figure(_mean(some, name)) for name in FIGURES)
                rows.append([f"{setting}: {number}", f"{len(some)}", *cells])
    return Table(
        "Calibration by number of answers",
        ["answers a task", "crowds", *FIGURES.values()],
        rows,
        about=f"Crowds thinned to so many random answers a task, {DRAWS} times each; tasks that have fewer are in the "
        "crowd, but not among those judged. Means over crowds of which half of the tasks have as many; the crowds "
        "differ from row to row.",
    )


def _every_crowd(found: Sequence[Calibration]) -> Table:
    return Table(
        "Calibration by number of answers, every crowd",
        ["crowd", "answers a task", "tasks", *FIGURES.values()],
        [
            [one.case.name, f"{one.number}", f"{one.tasks:,}", *(figure(getattr(one, name)) for name in FIGURES)]
            for one in found
        ],
    )


FIGURES = {
    "right": "right",
    "claimed": "mean quality",
    "error": "ECE",
    "high": f"at {figure(HIGH, 1)}",
    "high_right": "right of these",
}


def _of(found: Sequence[Calibration], setting: str, number: int) -> list[Calibration]:
    return [one for one in found if one.setting == setting and one.number == number]


def _mean(some: Sequence[Calibration], name: str) -> float:
    values = [getattr(one, name) for one in some]
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
