"""peerannot's folder with pictures: handwritten digits, and answers about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd
from crowdcore.formats import write_folder

PARTS = ("train", "test", "val")


def write_digits(
    folder: Path, *, n_tasks: int = 120, n_test: int = 40, n_val: int = 30, n_annotators: int = 8, seed: int = 0
) -> NDArray[np.int64]:
    """Write scikit-learn's digits as CLASS/digits-TASK.png, with answers.json and metadata.json.

    Each task has three answers, four in five of them right.

    Returns
    -------
    ndarray of shape (n_tasks,)
        The digits of the tasks in train.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(seed)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    bounds = np.cumsum([0, n_tasks, n_test, n_val])
    for part, start, stop in zip(PARTS, bounds[:-1], bounds[1:], strict=True):
        for task, at in enumerate(order[start:stop].tolist()):
            file = folder / part / str(digits.target[at]) / f"digits-{task}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((digits.images[at] * 15).astype(np.uint8)).save(file)
    truth: NDArray[np.int64] = digits.target[order[:n_tasks]].astype(np.int64)
    write_folder(_answers(rng, truth, n_annotators), folder, name="digits")
    return truth


def _answers(rng: np.random.Generator, truth: NDArray[np.int64], n_annotators: int) -> Crowd:
    N, per_task = len(truth), 3
    task = np.repeat(np.arange(N), per_task)
    annotator = rng.random((N, n_annotators)).argsort(axis=1)[:, :per_task].ravel()
    wrong = (truth[task] + rng.integers(1, 10, len(task))) % 10
    label = np.where(rng.random(len(task)) < 0.8, truth[task], wrong)
    return Crowd.from_codes(task, annotator, label, tasks=range(N), annotators=range(n_annotators), classes=range(10))
