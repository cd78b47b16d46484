"""How right are consensus labels that reach a target quality? On real crowds with known truth.

Usage: ``python -m benchmarks.science.settling [--data ../shared/data] [--revealed]``. Prints, for each crowd and
consensus method, the accuracy of the consensus and, for each target, the share of tasks whose consensus reaches it
and how many of these are right. With --revealed the recorded answers come in the order of the plugin's queue, until
every task is settled.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.science.papers.datasets import (
    PUBLIC,
    SURVEY,
    LabeledCrowd,
    MissingError,
    read_cifar10h,
    read_labelme,
    read_public,
    read_survey,
    read_toy,
)
from benchmarks.science.papers.revealing import places, shown
from benchmarks.science.papers.trust import plugin_scores
from crowdcore import Crowd, majority_vote
from harness.checkout import DATA
from label_studio_crowd.scoring.classifiers import Classifier, TaskData, build, train
from label_studio_crowd.scoring.consensus import find_class_beliefs
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.settings import TARGET_QUALITY, ConsensusMethod

TARGETS = (0.8, 0.9, 0.95)
METHODS = get_args(ConsensusMethod)
MOST_LABELS = 10

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Predict = Callable[[ConsensusMethod, Crowd], "Floats | None"]


@dataclass(frozen=True, eq=False)
class Recorded:
    """A crowd's answers, the truth (-1 where nobody knows it), and what a classifier says when it has seen some."""

    crowd: Crowd
    truth: Codes
    predict: Predict = lambda *_: None


def _toy(data: Path) -> Recorded:
    toy = read_toy(data)
    return Recorded(Crowd.from_wide(toy["labels"]), toy["truth"], lambda *_: toy["pred_probs"])


def _hard(data: Path) -> Recorded:
    hard = read_cifar10h(data)
    pred_probs = hard.pred_probs / hard.pred_probs.sum(axis=1, keepdims=True)
    return Recorded(hard.crowd, hard.truth, lambda *_: pred_probs)


def _learned(data: Path) -> Recorded:
    labelme = _labelme(data)
    classifier = _classifier(data)
    return Recorded(
        labelme.crowd, labelme.truth, lambda method, crowd: train(classifier, crowd, consensus=method).pred_probs
    )


def _unlearned(data: Path) -> Recorded:
    labelme = _labelme(data)
    return Recorded(labelme.crowd, labelme.truth)


@cache
def _labelme(data: Path) -> LabeledCrowd:
    return read_labelme(data)


@cache
def _classifier(data: Path) -> Classifier:
    vectors = _labelme(data).features
    tasks = TaskData(ids=range(len(vectors)), data=[{"vector": row.tolist()} for row in vectors])
    classifier = build("embedding", tasks, n_classes=len(_labelme(data).crowd.classes))
    assert classifier is not None
    return classifier


def _alone(read: Callable[[Path, str], tuple[Crowd, Codes]], name: str, data: Path) -> Recorded:
    return Recorded(*read(data, name))


READERS: dict[str, Callable[[Path], Recorded]] = {
    "generated set of cleanlab's tutorial": _toy,
    "CIFAR-10H, hard, given probabilities": _hard,
    "LabelMe, embedding classifier": _learned,
    "LabelMe, no classifier": _unlearned,
    **{f"{name}, no classifier": partial(_alone, read_survey, name) for name in SURVEY},
    **{f"{name}, no classifier": partial(_alone, read_public, name) for name in PUBLIC},
}
"""The crowds by name, and what reads each from the data folder."""


def at_once(data: Path) -> Table:
    """Return the table for all the answers there are."""
    table = Table(title="Tasks at each target quality, and how many of these are right")
    for name in ("crowd", "consensus by", "right", *(f"{target}" for target in TARGETS)):
        table.add_column(name, justify="left" if name in ("crowd", "consensus by") else "right")
    for name, read in READERS.items():
        recorded = read(data)
        crowd, truth = recorded.crowd, recorded.truth
        known = truth >= 0
        right = majority_vote(crowd) == truth
        table.add_row(name, "majority-vote", f"{right[known].mean():.3f}")
        for method in METHODS:
            found = find_class_beliefs(method, crowd, recorded.predict(method, crowd))
            right = found.result.consensus == truth
            cells = []
            for target in TARGETS:
                settled = known & found.founded & (found.result.quality >= target)
                share = f"{settled.sum() / known.sum():.1%}"
                cells.append(f"{share}: {right[settled].mean():.1%}" if settled.any() else share)
            table.add_row("", method, f"{right[known].mean():.3f}", *cells)
        table.add_section()
    return table


def revealed(data: Path) -> Table:
    """Return the table for answers that come in the order of the queue."""
    table = Table(title="Recorded answers in the order of the queue, until every task is settled")
    for name in ("crowd", "consensus by", "target", "labels a task", "right", "settled by quality", "right among them"):
        table.add_column(name, justify="left" if name in ("crowd", "consensus by") else "right")
    for name, read in READERS.items():
        recorded = read(data)
        for method in METHODS:
            for target in TARGETS if method == METHODS[0] else [TARGET_QUALITY[method]]:
                scores = reveal(recorded, method, target)
                truth = recorded.truth
                known, good = truth >= 0, scores.settled_by == "quality"
                right = scores.result.consensus == truth
                table.add_row(
                    name,
                    method,
                    f"{target}",
                    f"{len(scores.answers.crowd.label) / len(truth):.2f}",
                    f"{right[known].mean():.3f}",
                    f"{good[known].mean():.0%}",
                    f"{right[known & good].mean():.3f}" if (known & good).any() else "-",
                )
                name = ""
        table.add_section()
    return table


def reveal(
    recorded: Recorded, method: ConsensusMethod, target: float, *, most: int | None = MOST_LABELS, seed: int = 0
) -> Scores:
    """Return the scores once every task is settled, has the most answers allowed, or all those recorded.

    At first every second task has an answer, or every task where there is no classifier. Then a tenth of the tasks get
    one more at a time, in the order of the queue; answers of a task come in a random order.
    """
    rng = np.random.default_rng(seed)
    crowd, predict = recorded.crowd, recorded.predict
    N, answers = len(crowd.tasks), crowd.num_answers
    place = places(crowd, rng)
    first = np.ones(N, np.bool_) if predict(method, crowd) is None else rng.random(N) < 0.5
    known, settled = np.minimum(first, answers).astype(np.int64), np.zeros(N, np.bool_)
    while True:
        seen = shown(crowd, place < known[crowd.task])
        scores = plugin_scores(
            seen, predict(method, seen), method=method, target=target, most=most, settled_before=settled
        )
        settled = scores.settled
        waiting = np.flatnonzero(~settled & (known < answers))
        if not len(waiting):
            return scores
        queue = waiting[np.lexsort((rng.random(len(waiting)), scores.priority[waiting]))]
        known[queue[: -(-N // 10)]] += 1


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--revealed", action="store_true", help="answers come in the order of the queue")
    options = parser.parse_args()
    try:
        Console(width=140).print((revealed if options.revealed else at_once)(options.data))
    except MissingError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
