"""How often those who copy are found, honest annotators are accused, and the consensus is right then.

Usage: ``python -m benchmarks.science.copies [--data ../shared/data] [--crowds 2000]``. Prints what is found in real
crowds, in how many crowds of independent annotators somebody is accused, and for simulated accounts of a bot how many
of them are found, and how right the consensus is: if all accounts count, ours, and with one account only.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.science.papers.cases import SIMULATIONS, read_table
from benchmarks.science.papers.datasets import find, read_cifar10h, read_simulation
from benchmarks.science.papers.generated import KINDS, random_recipe
from crowdcore import Crowd, hierarchical_dawid_skene, majority_vote
from crowdcore.hierarchical import consensus
from crowdcore.votes.copies import find_copies, without_copies
from harness.checkout import DATA

HONEST, CLASSES, SEEDS = 30, 4, 6
PUBLIC = ("adult", "bluebird", "cf", "sp", "trec", "zencrowd-in")
BOTS: dict[str, dict[str, float]] = {
    "10 accounts of one bot, in 3 of 7 answers, 120 tasks": {"tasks": 120},
    "the same, 300 tasks": {},
    "the same, 1,000 tasks": {"tasks": 1000},
    "300 tasks, each account changes 10 %": {"changed": 0.1},
    "1,000 tasks, each account changes 10 %": {"tasks": 1000, "changed": 0.1},
    "2 accounts, in 2 of 5 answers, 100 tasks": {"accounts": 2, "each": 2, "others": 3, "tasks": 100},
    "the same, 200 tasks": {"accounts": 2, "each": 2, "others": 3, "tasks": 200},
    "200 tasks, each account changes 10 %": {"accounts": 2, "each": 2, "others": 3, "tasks": 200, "changed": 0.1},
    "200 tasks, the bot is right in 75 %": {"accounts": 2, "each": 2, "others": 3, "tasks": 200, "right": 0.75},
}


def real_crowds(data: Path) -> Iterator[tuple[str, Crowd]]:
    """Yield the crowds of the data folder."""
    import pandas as pd

    for name in PUBLIC:
        answers = pd.read_csv(find(data, f"crowds/{name}/answers.csv")).drop_duplicates(["task", "annotator"])
        yield name, Crowd.from_long(answers)
    for name in ("dog", "face-sentiment"):
        yield name, read_table(data, name)[0]
    yield "LabelMe", Crowd.from_wide(np.loadtxt(find(data, "labelme/answers.txt"), dtype=np.int64), classes=range(8))
    yield "CIFAR-10H hard", read_cifar10h(data).crowd
    for name, title in SIMULATIONS.items():
        yield title, read_simulation(data, name)[0]


def with_bot(
    seed: int, *, tasks: int = 300, accounts: int = 10, each: int = 3, others: int = 4, right: float = 0.45,
    changed: float = 0.0,
) -> tuple[Crowd, NDArray[np.int64]]:  # fmt: skip
    """Return a crowd of annotators right in seven of ten, and a bot's accounts, the last annotators; and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(CLASSES, size=tasks)
    skill = 1 / (1 + np.exp(-np.log(0.7 / 0.3) - 0.8 * rng.normal(size=HONEST)))
    wrong = (truth[:, None] + 1 + rng.integers(CLASSES - 1, size=(tasks, HONEST + 1))) % CLASSES
    wide = np.where(rng.random((tasks, HONEST)) < skill, truth[:, None], wrong[:, :-1])
    bot = np.where(rng.random(tasks) < right, truth, wrong[:, -1])[:, None]
    noise = rng.random((tasks, accounts)) < changed
    copies = np.where(noise, rng.integers(CLASSES, size=(tasks, accounts)), bot)
    for labels, number in ((wide, others), (copies, each)):
        labels[rng.random(labels.shape).argsort(axis=1).argsort(axis=1) >= number] = -1
    return Crowd.from_wide(np.hstack([wide, copies]), classes=range(CLASSES)), truth


def _bots(options: dict[str, float], seed: int) -> list[float]:
    """Return the shares of accounts found, of others accused, and of right labels by four consensuses."""
    crowd, truth = with_bot(seed, **options)  # type: ignore[arg-type]
    result = hierarchical_dawid_skene(crowd)
    accused = np.concatenate([np.empty(0, np.int64), *(group.annotators for group in result.copies)])
    alone = without_copies(crowd, [np.arange(HONEST, len(crowd.annotators))])[0]
    with patch.object(consensus, "find_copies", lambda _: ()):
        before, best = hierarchical_dawid_skene(crowd), hierarchical_dawid_skene(alone)
    found = np.mean(np.isin(np.arange(HONEST, len(crowd.annotators)), accused))
    labels = majority_vote(crowd), before.consensus, result.consensus, best.consensus
    return [float(found), float(np.sum(accused < HONEST)), *(float(np.mean(label == truth)) for label in labels)]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--crowds", type=int, default=2000, help="crowds drawn at random (2000)")
    given = parser.parse_args()
    console = Console(width=120)
    for name, crowd in real_crowds(given.data):
        groups = [f"{group.same.sum()} of {group.shared.sum()}, {group.expected.sum():.0f} expected, "
                  f"annotators {', '.join(map(str, crowd.annotators[group.annotators]))}"
                  for group in find_copies(crowd)]  # fmt: skip
        console.print(f"{name}: {'; '.join(groups) or 'nobody'}", highlight=False)
    drawn = [KINDS[name].make(seed).crowd for name in KINDS for seed in (1, 2)]
    kinds = sum(bool(find_copies(crowd)) for crowd in drawn)
    random = sum(bool(find_copies(random_recipe(seed, False).make(seed).crowd)) for seed in range(given.crowds))
    console.print(f"independent crowds: {kinds} of {len(drawn)} kinds, {random} of {given.crowds} at random")
    table = Table("crowd", "found", "accused", "majority", "as they are", "ours", "one account")
    for name, options in BOTS.items():
        figures = np.mean([_bots(options, seed) for seed in range(SEEDS)], axis=0)
        table.add_row(name, *(f"{figure:.3f}" for figure in figures))
    console.print(table)


if __name__ == "__main__":
    main()
