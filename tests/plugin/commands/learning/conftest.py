"""Pictures and features to learn from."""

from __future__ import annotations

import shutil
import sys
from importlib.abc import MetaPathFinder

import numpy as np
import pandas as pd
import pytest

from crowdcore.simulation import hammer_spammer
from harness.picture_folders import write_digits
from tests.plugin.commands.learning.drawn import N_TASKS, N_TEST, N_VAL

DEEP = ("torch", "skorch", "safetensors")


class Missing(MetaPathFinder):
    """Finds no package of the extra deep."""

    def find_spec(self, name, path=None, target=None):
        if name in DEEP:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.fixture
def without_deep(monkeypatch):
    """The extra deep is not installed."""
    for package in DEEP:
        monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])


@pytest.fixture
def deep():
    """Needed where networks learn."""
    for package in DEEP:
        pytest.importorskip(package, reason="the extra deep is not installed, so no network learns")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    pytest.importorskip("PIL", reason="Pillow is not installed, so there are no pictures")
    folder = tmp_path_factory.mktemp("pictures") / "digits"
    write_digits(folder, n_tasks=N_TASKS, n_test=N_TEST, n_val=N_VAL)
    return folder


@pytest.fixture
def digits(drawn, tmp_path):
    """peerannot's folder, in the folder where commands run."""
    shutil.copytree(drawn, tmp_path / "digits")
    return tmp_path / "digits"


@pytest.fixture
def table(tmp_path):
    """Answers with features, and the truth also of 20 tasks that have no answers."""
    made = hammer_spammer(n_tasks=100, n_annotators=6, n_classes=3, answers_per_task=3, ratio=0.2, seed=0)
    rng = np.random.default_rng(0)
    answered = np.arange(100) < 80
    long = made.crowd.to_long()
    long["label"] = np.array(["ape", "bee", "cat"])[long["label"]]
    long[long["task"] < 80].to_csv(tmp_path / "answers.csv", index=False)
    X = 2 * np.eye(3)[made.truth] + rng.normal(scale=0.7, size=(100, 3))
    np.save(tmp_path / "features.npy", X[answered])
    pd.DataFrame(X).assign(task=range(100)).to_csv(tmp_path / "features.csv", index=False)
    truth = np.array(["ape", "bee", "cat"])[made.truth]
    pd.DataFrame({"task": range(100), "truth": truth}).to_csv(tmp_path / "truth.csv", index=False)
    return X, truth
