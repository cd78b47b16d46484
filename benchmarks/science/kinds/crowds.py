"""Crowds of every kind of answer, with truth: a folder each, a line of JSON for each task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.science.papers.datasets import find

Answer = tuple[int, str, Any]
"""Task, annotator, answer."""


def read_crowd(data: Path, name: str) -> list[dict[str, Any]]:
    """Return the tasks of a crowd: each with its truth and its annotations.

    Raises
    ------
    MissingError
        If it is not there.
    """
    lines = (find(data, f"kinds/{name}") / "crowd.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def answers_of(rows: Sequence[dict[str, Any]]) -> list[Answer]:
    """Return all answers."""
    return [(i, found["annotator"], found["answer"]) for i, row in enumerate(rows) for found in row["annotations"]]
