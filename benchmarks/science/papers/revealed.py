"""Real crowds whose recorded answers are revealed a few at a time: how many each rule of choosing tasks needs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.cases import each_of
from benchmarks.science.papers.datasets import read_cifar10h, read_labelme, read_survey
from benchmarks.science.papers.generated import Known
from benchmarks.science.papers.report import Claim, Report, Table, figure, positive
from benchmarks.science.papers.revealing import places, shown
from benchmarks.science.plots import Panel
from crowdcore import Crowd, activelab, crowdlab, majority_vote
from crowdcore.hierarchical.confidence import confidence_scores
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Way = Callable[[Crowd, Any, np.random.Generator], tuple[Codes, Floats]]
"""From what is known to each task's label, and a score that is low where an answer is wanted."""

CIFAR_TASKS = 2500
TARGETS = {
    "dog": (0.80, 0.81, 0.82),
    "face-sentiment": (0.61, 0.62, 0.63),
    "LabelMe": (0.82, 0.83, 0.84),
    "cifar10h-hard": (0.94, 0.95, 0.96),
}
"""The crowds, and accuracies to be reached."""


def _ours(
    rule: str, known: Crowd, P: Any, rng: np.random.Generator, most_exponent: float = 2.0
) -> tuple[Codes, Floats]:
    found = hierarchical_dawid_skene(known, P, most_exponent=most_exponent)
    scores: dict[str, Callable[[], Floats]] = {
        "least confidence": lambda: confidence_scores(found),
        "ActiveLab": lambda: activelab(known, P),
        "fewest answers": lambda: known.num_answers.astype(float),
        "random": lambda: rng.random(len(known.tasks)),
    }
    return found.consensus, scores[rule]()


def _published(known: Crowd, P: Any, rng: np.random.Generator) -> tuple[Codes, Floats]:
    return crowdlab(known, P, calibrate_probs=P is not None).consensus, activelab(known, P)


def _plain(known: Crowd, P: Any, rng: np.random.Generator) -> tuple[Codes, Floats]:
    return majority_vote(known, P), known.num_answers.astype(float)


OURS, UNSHARPENED = "least confidence / ours", "least confidence / ours, unsharpened"
PUBLISHED, PLAIN = "ActiveLab / CROWDLAB", "fewest answers / majority vote"
WAYS: dict[str, Way] = {
    **{
        f"{rule} / ours": partial(_ours, rule) for rule in ("least confidence", "ActiveLab", "fewest answers", "random")
    },
    UNSHARPENED: partial(_ours, "least confidence", most_exponent=1.0),
    PUBLISHED: _published,
    PLAIN: _plain,
}
"""Rules of choosing, and the consensus that is judged; what is sharpened, or not, is a model."""
WITHOUT_MODEL = ("dog", "face-sentiment")


@dataclass(frozen=True)
class Run:
    """A way on a crowd, with its answers in one order."""

    data: Path
    crowd: str
    way: str
    order: int
    rounds: int
    first: int | None


@dataclass(frozen=True, eq=False)
class Curve:
    """How many answers were known, and the accuracy of the consensus then."""

    num_answers: Codes
    accuracy: Floats

    def mean(self, share: float = 1.0) -> float:
        """Return the mean accuracy from the first answers to this share of those that follow."""
        first, last = self.num_answers[0], self.num_answers[-1]
        at = np.linspace(first, first + share * (last - first), 200)
        return float(np.interp(at, self.num_answers, self.accuracy).mean())

    def needed(self, target: float) -> float:
        """Return how many answers it took to reach an accuracy; NaN if it was not reached."""
        return answers_needed(self.num_answers, self.accuracy, target)


Found = dict[tuple[str, str], list[Curve]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    parser.add_argument("--orders", type=positive, default=3, help="orders in which each crowd's answers come (3)")
    parser.add_argument("--rounds", type=positive, default=40, help="batches in which they would all be revealed (40)")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, help="processes at once (all cores)")
    parser.add_argument("--quick", action="store_true", help="the first 100 tasks of each crowd only")


def run(data: Path, orders: int, rounds: int, jobs: int, quick: bool = False) -> Report:
    """Return how many answers each way needs."""
    for name in TARGETS:
        read(data, name)
    runs = [
        Run(data, crowd, way, order, rounds, 100 if quick else None)
        for crowd in TARGETS
        for way in _ways(crowd)
        for order in range(orders)
    ]
    found: Found = {}
    for one, curve in zip(runs, each_of(runs, revealed, jobs, "runs"), strict=True):
        found.setdefault((one.crowd, one.way), []).append(curve)
    return Report(
        name="revealed",
        title="How many answers it takes",
        about="Real crowds whose recorded answers are hidden at first, and revealed where a rule asks for one. "
        "Without a model (dog, face-sentiment) one answer of each task is known at first; with one, of half of the "
        f"tasks. One answer in {rounds} is asked for at a time. Means over orders in which a task's answers come "
        f"({orders}), ± their standard deviation. Each row is the rule, and the consensus that is judged; ours is "
        "hierarchical Dawid-Skene.",
        claims=_claims(found, quick),
        tables=[_mean_table(found), *(_needed_table(found, crowd) for crowd in TARGETS)],
        panels=[_panel(found, crowd) for crowd in TARGETS],
        notes=NOTES,
    )


@cache
def read(data: Path, name: str) -> Known:
    """Return one of the crowds."""
    if name == "LabelMe":
        labelme = read_labelme(data)
        return Known(labelme.crowd, labelme.truth, labelme.pred_probs)
    if name == "cifar10h-hard":
        hard = read_cifar10h(data, CIFAR_TASKS)
        return Known(hard.crowd, hard.truth, hard.pred_probs)
    return Known(*read_survey(data, name))


def revealed(one: Run) -> Curve:
    """Return the curve of a run."""
    known = read(one.data, one.crowd)
    tasks = np.arange(len(known.truth))[: one.first]
    P = None if known.pred_probs is None else known.pred_probs[tasks]
    crowd, truth = known.crowd.select_tasks(tasks), known.truth[tasks]
    return reveal(crowd, truth, WAYS[one.way], P, rounds=one.rounds, seed=one.order)


def reveal(
    crowd: Crowd,
    truth: Codes,
    way: Way,
    pred_probs: Floats | None = None,
    *,
    rounds: int = 40,
    seed: int = 0,
) -> Curve:
    """Reveal a crowd's answers in the order that a rule asks for.

    Without a model one answer of each task is known at first; with one, of half of them.

    Parameters
    ----------
    crowd : Crowd
        N tasks with all their answers; those of a task are revealed in a random order.
    truth : ndarray of shape (N,)
        Class codes.
    way : callable
        ``way(crowd, pred_probs, rng)`` gives class codes, and a score for each task, low where a label is wanted.
    pred_probs : ndarray of shape (N, K), optional
        A model's probabilities, out of sample.
    rounds : int
        In how many batches all the answers would be revealed.
    seed : int
        Seed of the order and of ties.

    Returns
    -------
    Curve
        The number of answers, and the accuracy, at first and after each batch.
    """
    rng = np.random.default_rng(seed)
    n, N = crowd.num_answers, len(crowd.tasks)
    place = places(crowd, rng)
    first = np.ones(N, dtype=bool) if pred_probs is None else rng.random(N) < 0.5
    known = np.minimum(first, n).astype(np.int64)
    batch = max(1, len(crowd.label) // rounds)
    sizes: list[int] = []
    accuracies: list[float] = []
    while True:
        here = place < known[crowd.task]
        labels, scores = way(shown(crowd, here), pred_probs, rng)
        sizes.append(int(here.sum()))
        accuracies.append(float(np.mean(labels == truth)))
        left = known < n
        if not left.any():
            return Curve(np.array(sizes), np.array(accuracies))
        chosen = np.lexsort((rng.random(N), np.where(left, scores, np.inf)))[:batch]
        known[chosen[left[chosen]]] += 1


def answers_needed(num_answers: Codes | Floats, accuracy: Floats, target: float) -> float:
    """Return how many answers `reveal` took to reach an accuracy, between batches by interpolation; NaN if never."""
    reached = np.flatnonzero(accuracy >= target)
    if not len(reached):
        return float("nan")
    at = reached[0]
    if at == 0:
        return float(num_answers[0])
    share = (target - accuracy[at - 1]) / (accuracy[at] - accuracy[at - 1])
    return float(num_answers[at - 1] + share * (num_answers[at] - num_answers[at - 1]))


def _ways(crowd: str) -> list[str]:
    return [way for way in WAYS if way != UNSHARPENED or crowd not in WITHOUT_MODEL]


def _mean_table(found: Found) -> Table:
    rows = []
    for way in WAYS:
        row = [way]
        for crowd in TARGETS:
            curves = found.get((crowd, way), [])
            row += [_spread([curve.mean(share) for curve in curves]) if curves else "" for share in (0.5, 1.0)]
        rows.append(row)
    return Table(
        "Mean accuracy on the way",
        ["rule / consensus", *(f"{crowd}{part}" for crowd in TARGETS for part in (", first half", ""))],
        rows,
        about="The mean of the consensus' accuracy over the number of answers, from the first to all, or to half of "
        "those that there are to be asked for: no target has to be chosen.",
    )


def _needed_table(found: Found, crowd: str) -> Table:
    rows = []
    for way in _ways(crowd):
        curves = found[crowd, way]
        rows.append(
            [
                way,
                *(_needed([curve.needed(target) for curve in curves]) for target in TARGETS[crowd]),
                figure(float(curves[0].accuracy[-1]), 4),
            ]
        )
    total = found[crowd, OURS][0].num_answers[-1]
    return Table(
        f"{crowd}: answers needed",
        ["rule / consensus", *(f"to {figure(target, 2)}" for target in TARGETS[crowd]), "accuracy in the end"],
        rows,
        about=f"Of {total:,} answers.",
    )


def _needed(numbers: Sequence[float]) -> str:
    reached = [number for number in numbers if np.isfinite(number)]
    if not reached:
        return "never"
    text = f"{np.mean(reached):,.0f} ± {np.std(reached):,.0f}"
    return text if len(reached) == len(numbers) else f"{text} ({len(reached)} of {len(numbers)} orders)"


def _spread(values: Sequence[float]) -> str:
    return f"{figure(float(np.mean(values)), 4)} ± {figure(float(np.std(values)), 4)}"


def _panel(found: Found, crowd: str) -> Panel:
    """Return mean curves, on common numbers of answers."""
    curves = [curve for way in _ways(crowd) for curve in found[crowd, way]]
    at = np.linspace(max(curve.num_answers[0] for curve in curves), curves[0].num_answers[-1], 41)
    return {
        "title": crowd,
        "xlabel": "answers",
        "ylabel": "accuracy of the consensus",
        "series": [
            {
                "name": way,
                "x": at.tolist(),
                "y": np.mean([np.interp(at, c.num_answers, c.accuracy) for c in found[crowd, way]], axis=0).tolist(),
                "dotted": way in (PUBLISHED, PLAIN),
                "color": list(WAYS).index(way),
            }
            for way in _ways(crowd)
        ],
    }


def _claims(found: Found, quick: bool) -> list[Claim]:
    def means(crowd: str, way: str) -> float:
        return float(np.mean([curve.mean() for curve in found[crowd, way]]))

    claims = []
    for other in [way for way in WAYS if way not in (OURS, UNSHARPENED)]:
        gains = {crowd: means(crowd, OURS) - means(crowd, other) for crowd in TARGETS}
        told = ", ".join(f"{crowd} {'+' if gain >= 0 else ''}{figure(gain, 4)}" for crowd, gain in gains.items())
        met = all(gain >= 0 for gain in gains.values())
        claims.append(Claim(f"mean accuracy not below that of {other}", told, None if quick else met))
    return claims


NOTES = [
    "The answers are those that the crowd gave; nobody is asked anew. So a task with three recorded answers has none "
    "left after three, and every rule ends with the same answers; what differs is the way there.",
    "The model's probabilities are fixed here; that a classifier learns better from better labels comes on top, see "
    "[ActiveLab's benchmark](activelab.md).",
    "Ours may sharpen the model (`most_exponent=2`), as in the plugin; unsharpened, it may not (1).",
    "ActiveLab and CROWDLAB calibrate the model, as crowdcore's `activelab` does by default.",
    f"Of cifar10h-hard the first {CIFAR_TASKS:,} tasks. A target between two batches is interpolated.",
]
