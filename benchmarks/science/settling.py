"""How right are consensus labels that reach a target quality? On real crowds with known truth.

Usage: ``python -m benchmarks.science.settling [--data ../shared/data] [--revealed]``. Prints, for each crowd and
consensus method, the accuracy of the consensus and, for each target, the share of tasks whose consensus reaches it
and how many of these are right. With --revealed the recorded answers come in the order of the plugin's queue, until
every task is settled.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from crowdcore import Crowd, majority_vote
from harness.checkout import DATA
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.classifiers import TaskData, build, train
from label_studio_crowd.scoring.consensus import find_beliefs
from label_studio_crowd.scoring.scores import Scores, score
from label_studio_crowd.settings import TARGET_QUALITY, ConsensusMethod

TARGETS = (0.8, 0.9, 0.95)
METHODS = get_args(ConsensusMethod)
MOST_LABELS = 10

Floats = NDArray[np.float64]
Predict = Callable[[ConsensusMethod, Crowd], "Floats | None"]
Case = tuple[str, Crowd, Predict, "NDArray[Any]"]


def crowds(data: Path) -> Iterator[Case]:
    """Yield (name, crowd, probabilities or None for each method, true class codes or -1)."""
    toy = np.load(data / "tutorial_toy.npz")
    yield (
        "generated set of cleanlab's tutorial",
        Crowd.from_wide(toy["labels"]),
        lambda *_: toy["pred_probs"],
        toy["truth"],
    )
    hard = np.load(data / "cifar10h-hard" / "c10h_semisynth_hard.npz")
    pred_probs = np.load(data / "cifar10h-hard" / "cifar10_test_pyx.npy").astype(float)
    pred_probs /= pred_probs.sum(axis=1, keepdims=True)
    yield "CIFAR-10H, hard, given probabilities", Crowd.from_wide(hard["labels"]), lambda *_: pred_probs, hard["truth"]
    labelme = Crowd.from_wide(np.loadtxt(data / "labelme" / "answers.txt", dtype=int))
    truth = np.loadtxt(data / "labelme" / "LabelMe_Z_train.txt", dtype=int)
    vectors = np.load(data / "labelme" / "LabelMe_VGG_avg_train.npy")
    tasks = TaskData(ids=range(len(vectors)), data=[{"vector": row.tolist()} for row in vectors])
    classifier = build("embedding", tasks, n_classes=len(labelme.classes))
    assert classifier is not None

    def trained(method: ConsensusMethod, crowd: Crowd) -> Floats:
        return train(classifier, crowd, consensus=method).pred_probs

    yield "LabelMe, embedding classifier", labelme, trained, truth
    yield "LabelMe, no classifier", labelme, lambda *_: None, truth
    for folder in ("dog", "face-sentiment"):
        crowd, codes = _from_csv(data / folder)
        yield f"{folder}, no classifier", crowd, lambda *_: None, codes


def _from_csv(folder: Path) -> tuple[Crowd, NDArray[np.int64]]:
    import pandas as pd

    frame = pd.read_csv(folder / "answer.csv", dtype=str)
    crowd = Crowd.from_long(frame, "question", "worker", "answer")
    with (folder / "truth.csv").open() as rows:
        truth = {row["question"]: row["truth"] for row in csv.DictReader(rows)}
    code_of = {label: code for code, label in enumerate(crowd.classes.tolist())}
    return crowd, np.array([code_of.get(truth.get(task, ""), -1) for task in crowd.tasks.tolist()])


def at_once(data: Path) -> Table:
    """Return the table for all the answers there are."""
    table = Table(title="Tasks at each target quality, and how many of these are right")
    for name in ("crowd", "consensus by", "right", *(f"{target}" for target in TARGETS)):
        table.add_column(name, justify="left" if name in ("crowd", "consensus by") else "right")
    for name, crowd, predict, truth in crowds(data):
        known = truth >= 0
        right = majority_vote(crowd) == truth
        table.add_row(name, "majority-vote", f"{right[known].mean():.3f}")
        for method in METHODS:
            found = find_beliefs(method, crowd, predict(method, crowd))
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
    for name, crowd, predict, truth in crowds(data):
        for method in METHODS:
            for target in TARGETS if method == METHODS[0] else [TARGET_QUALITY[method]]:
                scores = reveal(crowd, predict, method, target)
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


def reveal(crowd: Crowd, predict: Predict, method: ConsensusMethod, target: float, *, seed: int = 0) -> Scores:
    """Return the scores once every task is settled, has `MOST_LABELS` answers, or all those recorded.

    At first every second task has an answer, or every task where there is no classifier. Then a tenth of the tasks get
    one more at a time, in the order of the queue; answers of a task come in a random order.
    """
    rng = np.random.default_rng(seed)
    N, recorded = len(crowd.tasks), crowd.num_answers
    order = np.lexsort((rng.random(len(crowd.label)), crowd.task))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - crowd.indptr[crowd.task]
    first = np.ones(N, np.bool_) if predict(method, crowd) is None else rng.random(N) < 0.5
    shown, settled = np.minimum(first, recorded).astype(np.int64), np.zeros(N, np.bool_)
    nothing = np.zeros(N, np.int64)
    while True:
        here = place < shown[crowd.task]
        seen = Crowd.from_codes(
            crowd.task[here],
            crowd.annotator[here],
            crowd.label[here],
            tasks=crowd.tasks,
            annotators=crowd.annotators,
            classes=crowd.classes,
        )
        scores = score(
            Answers(seen, nothing - 1, {}, 0, (), (), nothing, nothing),
            predict(method, seen),
            target_quality=target,
            max_labels=MOST_LABELS,
            consensus=method,
            settled_before=settled,
        )
        settled = scores.settled
        waiting = np.flatnonzero(~settled & (shown < recorded))
        if not len(waiting):
            return scores
        queue = waiting[np.lexsort((rng.random(len(waiting)), scores.priority[waiting]))]
        shown[queue[: -(-N // 10)]] += 1


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--revealed", action="store_true", help="answers come in the order of the queue")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"{options.data} is not there: name the folder with the crowds by --data.", file=sys.stderr)
        return 2
    Console(width=140).print((revealed if options.revealed else at_once)(options.data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
