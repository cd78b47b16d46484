"""A crowd for networks, and a word where torch is missing."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.crowdcore.learning.networks.crowds import draw

INSTALLED = all(map(find_spec, ("torch", "skorch", "safetensors", "PIL")))
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Skip what needs torch where it is not installed."""
    missing = pytest.mark.skip(reason="torch is not installed: pip install 'label-studio-crowd[deep]'")
    for item in items:
        if not INSTALLED and HERE in item.path.parents and item.path.name != "test_without_torch.py":
            item.add_marker(missing)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Networks this small are slower on two: on a busy machine threads wait for each other."""
    if INSTALLED:
        import torch

        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small():
    """Features, answers and truth: 90 tasks of 3 classes, 6 annotators."""
    return draw(90, 3, 6)
