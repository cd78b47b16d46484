"""Crowds of every kind of answer, with truth: a folder each, a line of JSON for each task."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.science.papers.datasets import find
from crowdcore.kinds import AnswerTable

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


def table_of(answers: Iterable[Answer], num_tasks: int) -> AnswerTable:
    """Return answers as a table."""
    rows = list(answers)
    annotators = sorted({who for _, who, _ in rows})
    places = {who: place for place, who in enumerate(annotators)}
    return AnswerTable.from_codes(
        [task for task, _, _ in rows], [places[who] for _, who, _ in rows], [answer for _, _, answer in rows],
        tasks=range(num_tasks), annotators=annotators,
    )  # fmt: skip
