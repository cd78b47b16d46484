"""Crowds to aggregate, and crowd-kit to compare with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crowdcore import Crowd
from harness.checkout import DATA
from harness.crowd_kit import KeptAnswers
from harness.crowds import draw_answers


@pytest.fixture(scope="session")
def crowd_kit() -> Iterator[Callable[..., dict[str, Any]]]:
    """Ask crowd-kit: crowd_kit(crowd, "GLAD", n_iter=3) -> tasks, labels, probas.

    Its answers are kept in crowd_kit.npz. With CROWD_KIT_PYTHON, a Python that has it, it is asked anew and the
    file renewed.
    """
    kept = KeptAnswers(Path(__file__).with_name("crowd_kit.npz"), os.environ.get("CROWD_KIT_PYTHON"))

    def ask(crowd: Crowd, name: str, /, **options: Any) -> dict[str, Any]:
        return kept.ask({"task": crowd.task, "worker": crowd.annotator, "label": crowd.label}, name, options)

    yield ask
    kept.save()


@pytest.fixture(scope="session")
def generated() -> Callable[..., Crowd]:
    """Draw a crowd in which everyone answers and all classes occur: generated(tasks, annotators, classes, seed)."""

    def draw(tasks=300, annotators=15, classes=3, seed=0):
        data = draw_answers(tasks, annotators, classes, seed)
        return Crowd.from_codes(
            data["task"], data["worker"], data["label"],
            tasks=range(tasks), annotators=range(annotators), classes=range(classes),
        )  # fmt: skip

    return draw


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of crowds with ground truth."""
    if not DATA.exists():
        pytest.skip(f"the crowds with ground truth are not there: {DATA}")
    return DATA
