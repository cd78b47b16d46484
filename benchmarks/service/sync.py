"""How long `sync` takes on a real Label Studio, and what share of it is ours.

Usage: ``python -m benchmarks.service.sync [--tasks 10000] [--annotators 30]``. Boots a Label Studio on SQLite, loads
short texts with three labels each, and prints a table: the pull beside the fastest known route of Label Studio's API
(both three times, in turns, in this one run), the first `sync --full`, and a `sync` after one new annotation.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.service.messages import load_messages
from harness.accounts import Annotator
from harness.at_work import at_work
from harness.local_studio import LocalStudio
from label_studio_crowd.commands.display import progress_bars
from label_studio_crowd.connection.connect import connect
from label_studio_crowd.exchange.pull import update_mirror
from label_studio_crowd.project import Project
from label_studio_crowd.runs.rescore import How, rescore
from label_studio_crowd.runs.run import Run
from label_studio_crowd.store.projects import Store

LABELS_PER_TASK = 3
FASTEST = (
    "id,updated_at,annotations.id,annotations.completed_by,annotations.result,annotations.updated_at,"
    "annotations.was_cancelled,annotations.ground_truth,annotations.lead_time"
)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--annotators", type=int, default=30)
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as directory, LocalStudio(Path(directory) / "label-studio") as server:
        project, annotator = _load(server, options.tasks, options.annotators)
        store = Store(f"sqlite:///{directory}/mirror.sqlite")
        fastest, ours = [], []
        for turn in range(3):
            start = time.perf_counter()
            _read_fastest(server, project)
            fastest.append(time.perf_counter() - start)
            start = time.perf_counter()
            afresh = store.project(f"turn {turn}", project)
            update_mirror(replace(at_work(server, project, store), store=afresh), full=True)
            ours.append(time.perf_counter() - start)
        opened = at_work(server, project, store)
        connect(opened)
        with progress_bars(console) as progress:
            full = _rescored(replace(opened, progress=progress), How(full=True))
        again = _rescored(opened)
        served = annotator.next(project)
        assert served is not None
        control = full.project.control
        annotator.label(served["id"], control.write(control.classes[0]), seconds=3.0)
        one = _rescored(opened)
    table = Table(title=f"{options.tasks:,} tasks, {LABELS_PER_TASK * options.tasks:,} annotations; seconds")
    for name in ("", "pull", "train", "score", "publish", "changes"):
        table.add_column(name, justify="right" if name else "left")
    for name, run in (("sync --full, first", full), ("sync, nothing new", again), ("sync, one annotation", one)):
        _add(table, name, run)
    console.print(table)
    ratio = min(ours) / min(fastest)
    console.print(
        f"Pull: {min(ours):.2f} s, the fastest route alone {min(fastest):.2f} s (all turns: {_all(ours)} and "
        f"{_all(fastest)}): {ratio:.2f} x."
    )


def _all(seconds: list[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in seconds)


def _load(server: LocalStudio, num_tasks: int, num_annotators: int) -> tuple[int, Annotator]:
    rng = np.random.default_rng(0)
    skill = rng.uniform(0.6, 0.95, num_annotators)
    loaded = load_messages(server, num_tasks, skill, LABELS_PER_TASK, rng)
    return loaded.project.id, loaded.people[0]


def _read_fastest(server: LocalStudio, project: int) -> None:
    """Read all annotations by the fastest route measured so far: no task data, pages of 5,000."""
    page = 1
    while True:
        query = {"project": project, "fields": "all", "expand": "annotations", "include": FASTEST}
        answer = server.api.get("/api/tasks/", params={**query, "page": page, "page_size": 5000}, timeout=120)
        found = json.loads(answer.content)
        if page * 5000 >= found["total"]:
            return
        page += 1


def _rescored(project: Project, how: How = How()) -> Run:  # noqa: B008 - frozen
    run = rescore(project, how)
    assert run is not None, "it was not told to stop where nothing has changed"
    return run


def _add(table: Table, name: str, run: Run) -> None:
    counts = asdict(run.plan.counts())
    words = ("reopen", "queue_create", "queue_update", "queue_delete", "consensus_create", "consensus_update")
    changes = ", ".join(f"{counts[word]} {word}" for word in words if counts[word])
    stages = [f"{run.seconds.get(stage, 0.0):.2f}" for stage in ("pull", "train", "score", "publish")]
    table.add_row(name, *stages, changes or "none")


if __name__ == "__main__":
    main()
