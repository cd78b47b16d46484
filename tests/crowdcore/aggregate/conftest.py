"""Crowds to aggregate, and crowd-kit to compare with."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmarks.science.speed.environment import peers_python
from crowdcore import Crowd

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def benchmark() -> ModuleType:
    """benchmarks/speed/crowd_kit.py, which draws crowds and asks crowd-kit."""
    return importlib.import_module("benchmarks.science.speed.crowd_kit")


@pytest.fixture(scope="session")
def crowd_kit(benchmark, tmp_path_factory) -> Callable[..., dict[str, Any]]:
    """Ask crowd-kit: crowd_kit(crowd, "GLAD", n_iter=3) -> tasks, labels, probas."""
    peer = os.environ.get("CROWD_KIT_PYTHON") or peers_python()
    if not benchmark.has_crowd_kit(peer):
        pytest.skip("crowd-kit is not installed: python -m benchmarks.science.speed install, or set CROWD_KIT_PYTHON")

    def ask(crowd: Crowd, name: str, /, **options: Any) -> dict[str, Any]:
        path = tmp_path_factory.mktemp("crowd") / "crowd.npz"
        np.savez(path, task=crowd.task, worker=crowd.annotator, label=crowd.label)
        return benchmark.ask_peer(peer, path, name, options)

    return ask


@pytest.fixture(scope="session")
def generated(benchmark) -> Callable[..., Crowd]:
    """Draw a crowd in which everyone answers and all classes occur: generated(tasks, annotators, classes, seed)."""

    def draw(tasks=300, annotators=15, classes=3, seed=0):
        data = benchmark.generate(tasks, annotators, classes, seed)
        return Crowd.from_codes(
            data["task"], data["worker"], data["label"],
            tasks=range(tasks), annotators=range(annotators), classes=range(classes),
        )  # fmt: skip

    return draw


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of crowds with ground truth."""
    path = ROOT.parent / "shared" / "data"
    if not path.exists():
        pytest.skip(f"the crowds with ground truth are not there: {path}")
    return path
