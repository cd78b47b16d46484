"""The crowds with known truth that a consensus is measured on: those of the data folder, and generated ones."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import numpy as np
from rich.progress import track
from threadpoolctl import threadpool_limits

from benchmarks.science.papers.datasets import (
    PUBLIC,
    SURVEY,
    LabeledCrowd,
    find,
    read_cifar10h,
    read_labelme,
    read_public,
    read_simulation,
    read_survey,
    read_toy,
)
from benchmarks.science.papers.generated import KINDS, Known, Recipe, random_recipe
from benchmarks.science.papers.report import positive, progress
from benchmarks.science.papers.small import SMALL
from crowdcore import Crowd

GROUPS = ("data", "kinds", "random")
SMALL_PROJECTS = "small projects"
QUICK_KINDS = ("thin", "thin, alone", "tiny", "tiny, alone")
SIMULATIONS = {
    "independent": "peerannot, independent",
    "independent-imbalanced": "peerannot, imbalanced",
    "discrete_difficulty": "peerannot, difficulty",
}
DRAWS = 10
"""Of each small project."""
Done = TypeVar("Done")
Work = TypeVar("Work")


@dataclass(frozen=True)
class Case:
    """A crowd by name, which group it is of, what it is, and how to have it.

    Those with the same `draws_of` are draws of one sort of crowd, which tables show as one, their mean.
    """

    name: str
    group: str
    about: str
    read: Callable[[], Known]
    draws_of: str = ""


def add_case_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `all_cases`, and how many processes run."""
    parser.add_argument("--random", type=positive, default=60, help="crowds with properties drawn at random (60)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated crowds (1)")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, help="processes at once (all cores)")
    parser.add_argument("--quick", action="store_true", help="a few small crowds only")


def all_cases(data: Path, random: int, seed: int, quick: bool) -> list[Case]:
    """Return the crowds of the data folder, every kind twice, and so many random ones, two of three with a model."""
    chosen = [name for name in KINDS if name in QUICK_KINDS] if quick else list(KINDS)
    kinds = [
        made(f"{name} ({number})", "kinds", KINDS[name], crc32(f"{seed} {name} {number}".encode()))
        for name in chosen
        for number in range(1, 2 if quick else 3)
    ]
    drawn = [
        made(f"random {at + 1}", "random", random_recipe(start, with_model=at % 3 < 2), start)
        for at, start in enumerate(range(100_000 * seed, 100_000 * seed + random))
    ]
    return [*_data_cases(data, 150 if quick else None), *kinds, *drawn]


def small_projects(seed: int, quick: bool) -> list[Case]:
    """Return small projects, each of which is drawn several times, with a classifier and without."""
    return [
        Case(
            f"{sort} ({number})",
            SMALL_PROJECTS,
            str(project),
            partial(project.make, crc32(f"{seed} {name} {number}".encode()), with_model),
            draws_of=sort,
        )
        for name, project in (list(SMALL.items())[:1] if quick else SMALL.items())
        for with_model, sort in ((True, name), (False, f"{name}, alone"))
        for number in range(1, 1 + (2 if quick else DRAWS))
    ]


def made(name: str, group: str, recipe: Recipe, seed: int) -> Case:
    """Return the case of a recipe."""
    return Case(name, group, str(recipe), partial(recipe.make, seed))


def each_of(work: Iterable[Work], function: Callable[[Work], Done], jobs: int, what: str) -> list[Done]:
    """Return the function's results in the order of the work, found by several processes."""
    items = list(work)
    with ProcessPoolExecutor(jobs, initializer=partial(threadpool_limits, 1)) as pool:
        futures = [pool.submit(function, item) for item in items]
        for future in track(as_completed(futures), what, len(items), console=progress, transient=True):
            future.result()
    return [future.result() for future in futures]


def _data_cases(data: Path, first: int | None) -> list[Case]:
    """Return the crowds of the data folder, those with features twice: with a model's probabilities, and to learn."""
    models: dict[str, Callable[[], LabeledCrowd]] = {
        "toy": partial(_toy, data),
        "LabelMe": partial(read_labelme, data, first),
        "cifar10h-hard": partial(read_cifar10h, data, first),
    }
    alone: dict[str, Callable[[], tuple[Crowd, np.ndarray]]] = {
        name: partial(read_survey, data, name, first) for name in SURVEY
    }
    alone |= {name: partial(read_public, data, name, first) for name in PUBLIC}
    alone |= {title: partial(read_simulation, data, name) for name, title in SIMULATIONS.items()}
    for name in ("tutorial_toy.npz", "labelme", "cifar10h-hard", *SURVEY, "crowds", "peerannot-simulations"):
        find(data, name)
    return [
        *(Case(name, "data", "", partial(_known, read, False)) for name, read in models.items()),
        *(Case(f"{name}, features", "data", "", partial(_known, models[name], True)) for name in ("toy", "LabelMe")),
        *(Case(name, "data", "", partial(_answers, read)) for name, read in alone.items()),
    ]


def _known(read: Callable[[], LabeledCrowd], learning: bool) -> Known:
    labeled = read()
    known = Known(labeled.crowd, labeled.truth, labeled.pred_probs)
    return replace(known, features=labeled.features) if learning else known


def _answers(read: Callable[[], tuple[Crowd, np.ndarray]]) -> Known:
    return Known(*read())


def _toy(data: Path) -> LabeledCrowd:
    toy = read_toy(data)
    return LabeledCrowd(Crowd.from_wide(toy["labels"], classes=range(3)), toy["truth"], toy["pred_probs"], toy["X"])
