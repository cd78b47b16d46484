"""How right are consensus labels that reach a target quality? On real crowds with known truth.

Usage: ``python -m benchmarks.settling [--data ../shared/data] [--target 0.8]``. Prints, for each crowd, the accuracy of
majority vote and of the consensus, the share of tasks whose consensus reaches the target, and how many of these are
right.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from crowdcore import Crowd, crowdlab, majority_vote
from label_studio_crowd.classifiers import TaskData, build, train

Case = tuple[str, Crowd, "NDArray[np.float64] | None", "NDArray[Any]"]


def crowds(data: Path) -> Iterator[Case]:
    """Yield (name, crowd, probabilities or None, true class codes or -1)."""
    toy = np.load(data / "tutorial_toy.npz")
    yield "generated set of cleanlab's tutorial", Crowd.from_wide(toy["labels"]), toy["pred_probs"], toy["truth"]
    hard = np.load(data / "cifar10h-hard" / "c10h_semisynth_hard.npz")
    pred_probs = np.load(data / "cifar10h-hard" / "cifar10_test_pyx.npy").astype(float)
    pred_probs /= pred_probs.sum(axis=1, keepdims=True)
    yield "CIFAR-10H, hard, given probabilities", Crowd.from_wide(hard["labels"]), pred_probs, hard["truth"]
    labelme = Crowd.from_wide(np.loadtxt(data / "labelme" / "answers.txt", dtype=int))
    truth = np.loadtxt(data / "labelme" / "LabelMe_Z_train.txt", dtype=int)
    vectors = np.load(data / "labelme" / "LabelMe_VGG_avg_train.npy")
    tasks = TaskData(ids=range(len(vectors)), data=[{"vector": row.tolist()} for row in vectors])
    classifier = build("embedding", tasks, n_classes=len(labelme.classes))
    assert classifier is not None
    yield "LabelMe, embedding classifier", labelme, train(classifier, labelme).pred_probs, truth
    yield "LabelMe, no classifier", labelme, None, truth
    for folder in ("dog", "face-sentiment"):
        crowd, codes = _from_csv(data / folder)
        yield f"{folder}, no classifier", crowd, None, codes


def _from_csv(folder: Path) -> tuple[Crowd, NDArray[np.int64]]:
    import pandas as pd

    frame = pd.read_csv(folder / "answer.csv", dtype=str)
    crowd = Crowd.from_long(frame, "question", "worker", "answer")
    with (folder / "truth.csv").open() as rows:
        truth = {row["question"]: row["truth"] for row in csv.DictReader(rows)}
    code_of = {label: code for code, label in enumerate(crowd.classes.tolist())}
    return crowd, np.array([code_of.get(truth.get(task, ""), -1) for task in crowd.tasks.tolist()])


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--target", type=float, default=0.8)
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"{options.data} is not there: name the folder with the crowds by --data.", file=sys.stderr)
        return 2
    table = Table(title=f"Consensus labels of quality {options.target} and above")
    for name in ("crowd", "majority", "consensus", "share at target", "right among them", "highest quality"):
        table.add_column(name, justify="left" if name == "crowd" else "right")
    for name, crowd, pred_probs, truth in crowds(options.data):
        result = crowdlab(crowd, pred_probs)
        known = truth >= 0
        right = result.consensus == truth
        settled = known & (result.quality >= options.target)
        table.add_row(
            name,
            f"{(majority_vote(crowd) == truth)[known].mean():.3f}",
            f"{right[known].mean():.3f}",
            f"{settled.sum() / known.sum():.1%}",
            f"{right[settled].mean():.1%}" if settled.any() else "-",
            f"{result.quality.max():.2f}",
        )
    Console(width=120).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
