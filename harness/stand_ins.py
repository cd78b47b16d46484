"""Crowds that stand in for those with ground truth which are not part of this repository: drawn, in their formats.

They have as many tasks, annotators and classes as the real ones, and as many answers a task. What is published of the
real ones does not hold of them.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from crowdcore.formats.folders import write_simulation
from crowdcore.simulation import Simulation, correlated_errors, independent_confusion
from harness.checkout import DATA

__all__ = ["crowds"]


@cache
def crowds() -> Path:
    """Return `harness.checkout.DATA`, or where it is not there a folder of stand-ins that ends with this process."""
    if DATA.exists():
        return DATA
    folder = Path(tempfile.mkdtemp(prefix="crowds-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _draw_dog(folder / "dog")
    _draw_labelme(folder / "labelme")
    _draw_peerannots(folder / "peerannot-simulations")
    return folder


def _draw_dog(folder: Path) -> None:
    made = correlated_errors(807, 109, 4, answers_per_task=10, correlation=0.3, seed=0)
    folder.mkdir()
    answers = made.crowd.to_long().set_axis(["question", "worker", "answer"], axis=1)
    answers[["question", "worker"]] += 1
    answers.to_csv(folder / "answer.csv", index=False)
    truth = pd.DataFrame({"question": np.arange(1, 808), "truth": made.truth})
    truth.to_csv(folder / "truth.csv", index=False)


def _draw_labelme(folder: Path) -> None:
    made = independent_confusion(1000, 59, 8, answers_per_task=3, seed=0)
    folder.mkdir()
    np.savetxt(folder / "answers.txt", _matrix(made), fmt="%d")
    np.savetxt(folder / "LabelMe_Z_train.txt", made.truth, fmt="%d")


def _matrix(made: Simulation) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    crowd = made.crowd
    wide = np.full((len(crowd.tasks), len(crowd.annotators)), -1)
    wide[crowd.task, crowd.annotator] = crowd.label
    return wide


def _draw_peerannots(folder: Path) -> None:
    made = independent_confusion(200, 30, 5, answers_per_task=10, seed=0)
    write_simulation(made, folder / "independent", name="independent-confusion")
