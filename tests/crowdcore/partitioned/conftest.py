"""Crowds in files, and what they are in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd


@pytest.fixture(scope="session")
def noisy():
    """Draw a crowd whose annotators are mostly right: noisy(seed, N, M, K, density) -> long frame."""

    def noisy(seed=0, N=200, M=15, K=3, density=0.4):
        rng = np.random.default_rng(seed)
        truth = rng.integers(K, size=N)
        skill = rng.beta(5, 2, size=M)
        wide = np.where(rng.random((N, M)) < skill, truth[:, None], rng.integers(K, size=(N, M)))
        task, annotator = np.nonzero(rng.random((N, M)) < density)
        return pd.DataFrame({"task": task, "annotator": annotator, "label": wide[task, annotator]})

    return noisy


@pytest.fixture
def in_files(tmp_path):
    """Write a long frame, its rows shuffled, into Parquet files of a folder below another; return the folder."""

    def write(frame, files=5, row_group_size=40, name="answers", **options):
        folder = tmp_path / name
        (folder / "older").mkdir(parents=True)
        (folder / "_SUCCESS").write_text("")
        shuffled = frame.sample(frac=1, random_state=1)
        for number, rows in enumerate(np.array_split(np.arange(len(frame)), files)):
            place = folder / "older" if number % 2 else folder
            shuffled.iloc[rows].to_parquet(
                place / f"{number}.parquet", index=False, row_group_size=row_group_size, **options
            )
        return folder

    return write


@pytest.fixture
def probabilities(tmp_path):
    """Draw a model's probabilities for tasks, and write them: -> folder, matrix in the order of the tasks."""

    def write(tasks, classes, seed=0, name="probabilities"):
        rng = np.random.default_rng([7, seed])
        P = rng.dirichlet(np.ones(len(classes)), size=len(tasks))
        frame = pd.DataFrame(P, columns=[str(one) for one in classes])
        frame.insert(0, "task", tasks)
        folder = tmp_path / name
        folder.mkdir()
        half = len(frame) // 2
        for number, rows in enumerate((frame[half:], frame[:half])):
            rows.to_parquet(folder / f"{number}.parquet", index=False)
        return folder, P

    return write


@pytest.fixture(scope="session")
def whole():
    """The crowd of a long frame, in memory."""
    return Crowd.from_long
