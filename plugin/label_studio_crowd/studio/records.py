"""What Label Studio holds, in records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Prediction:
    """A prediction as Label Studio holds it."""

    id: int
    task: int
    model_version: str
    score: float | None
    result: list[dict[str, Any]]


class Counts(NamedTuple):
    """A project's numbers; skipped annotations are not among the annotations."""

    tasks: int
    annotations: int
    skipped: int
    finished: int


@dataclass(frozen=True)
class VersionState:
    """How many predictions a model version has, and when the newest was created."""

    count: int
    latest: str
