"""Crowds to test with."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from crowdcore import Crowd


@pytest.fixture(scope="session")
def parity() -> ModuleType:
    """The comparison with cleanlab, which also draws the random crowds."""
    pytest.importorskip("cleanlab", reason="cleanlab is not installed, so there is nothing to compare with")
    return importlib.import_module("harness.cleanlab_parity")


@pytest.fixture
def theirs(parity) -> Iterator[ModuleType]:
    """cleanlab's own functions, as they are, without their warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield parity.theirs


@pytest.fixture(scope="session")
def toy() -> dict[str, np.ndarray]:
    """The set of cleanlab's tutorial, with what cleanlab finds in it."""
    pytest.importorskip("cleanlab", reason="cleanlab is not installed, which draws the tutorial's set")
    return importlib.import_module("harness.tutorial").draw_tutorial()


@pytest.fixture(scope="session")
def draw():
    """Draw a crowd and its probabilities: draw(seed, N, M, K, density) -> Crowd, P."""

    def draw(seed=0, N=40, M=6, K=3, density=0.5):
        rng = np.random.default_rng(seed)
        truth = rng.integers(K, size=N)
        wide = np.where(rng.random((N, M)) < 0.7, truth[:, None], rng.integers(K, size=(N, M)))
        wide[rng.random((N, M)) >= density] = -1
        P = rng.dirichlet(np.ones(K), size=N)
        P[np.arange(N), truth] += 0.5
        return Crowd.from_wide(wide, classes=range(K)), P / P.sum(axis=1, keepdims=True)

    return draw
