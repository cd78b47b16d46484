"""How long the pages of a large project take, how large they are, and the report.

Usage: ``python -m benchmarks.service.pages [--tasks 10000] [--annotators 300] [--labels 50000] [--classes 10]``. A
made-up crowd; requests go through the whole server but the network, each page seven times. With ``--regions 1000`` it
is a project of so many texts, in each of which five of the annotators marked about ten spans.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from harness.snapshots import made_up, snapshot_of_kinds
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages.report import report_html
from label_studio_crowd.scoring.outlook import Curve, Forecast, History, Moment
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.server.application import create_application
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.settings import load
from label_studio_crowd.store.projects import ProjectStore
from label_studio_crowd.store.reports import RunReport

STUDIO = "http://127.0.0.1:9"
PAGES = ("", "/queue", "/suspects", "/annotators", "/annotators/101", "/tasks/1", "/agreement", "/runs")
REPEAT = 7


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, default in (("tasks", 10_000), ("annotators", 300), ("labels", 50_000), ("classes", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--regions", type=int, metavar="TASKS", help="a project of spans instead")
    options = parser.parse_args()
    if options.regions:
        snapshot = of_regions(options.regions, options.annotators)
    else:
        snapshot, _ = made_up(options.tasks, options.annotators, options.labels, options.classes)
    table = Table("page", "first (ms)", "median (ms)", "slowest (ms)", "CPU (ms)", "size (kB)")
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/mirror.sqlite"
        backend = Backend(load(url=STUDIO, store=store, model_dir=Path(folder) / "models"))
        stored = backend.store.project(STUDIO, 1)
        fill(stored, snapshot)
        backend.jobs.mark(1)
        for page, (took, cpu_ms, size) in asyncio.run(timed(backend)).items():
            shown = (took[0], np.median(took[1:]), max(took[1:]), np.median(cpu_ms[1:]), size / 1000)
            table.add_row(page, *[f"{value:.0f}" for value in shown])
        begin, cpu = time.perf_counter(), time.process_time()
        report = report_html(stored, snapshot, backend.settings, 1).encode()
        seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
        backend.close()
    console = Console(width=120)
    console.print(table)
    console.print(f"snapshot: {len(snapshot.to_bytes()) / 1e6:.1f} MB")
    console.print(
        f"report: {len(report) / 1e6:.1f} MB, {len(gzip.compress(report)) / 1e6:.1f} MB zipped, in {seconds:.1f} s "
        f"({cpu:.1f} CPU seconds)"
    )


def of_regions(num_tasks: int, num_annotators: int) -> Snapshot:
    """Return the snapshot of a project of texts of 100 words, in which spans are marked."""
    rng = np.random.default_rng(0)
    labels = [f"label {number}" for number in range(8)]
    tags = "".join(f'<Label value="{label}"/>' for label in labels)
    config = f'<View><Text name="t" value="$text"/><Labels name="c" toName="t">{tags}</Labels></View>'
    rows = []
    for task in range(1, num_tasks + 1):
        true = rng.choice(100, 10, replace=False)
        for who in rng.choice(num_annotators, 5, replace=False) + 101:
            there = true[rng.random(10) < 0.85].tolist() + rng.choice(100, rng.poisson(1.0)).tolist()
            rows.append((task, int(who), [_span(rng, labels, word) for word in there]))
    return snapshot_of_kinds(config, rows, num_tasks)


def _span(rng: np.random.Generator, labels: list[str], word: int) -> dict[str, Any]:
    label = labels[word % 8 if rng.random() < 0.9 else int(rng.integers(8))]
    value = {"start": 6 * word, "end": 6 * word + 5 + 6 * (rng.random() < 0.05), "labels": [label]}
    return {"from_name": "c", "to_name": "t", "type": "labels", "value": value}


async def timed(backend: Backend) -> dict[str, tuple[list[float], list[float], int]]:
    """Return the milliseconds of each request to a page, those of CPU time, and the page's size in bytes."""
    found = {}
    transport = httpx.ASGITransport(create_application(backend))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for page in ("/projects", *[f"/projects/1{page}" for page in PAGES]):
            took, cpu_ms = [], []
            for _ in range(REPEAT):
                begin, cpu = time.perf_counter(), time.process_time()
                answer = await client.get(page)
                took.append(1000 * (time.perf_counter() - begin))
                cpu_ms.append(1000 * (time.process_time() - cpu))
                assert answer.status_code == 200, answer.text
            found[page] = took, cpu_ms, len(answer.content)
    return found


def fill(stored: ProjectStore, snapshot: Snapshot) -> None:
    """Store a snapshot with the tasks, names and curves that pages show besides."""
    state = {"overlap": 1, "is_labeled": False, "updated_at": "2026-01-01T00:00:00.500000Z", "annotations": []}
    text = "A text as long as those that customers write, who are rarely brief. "
    tasks = snapshot.tasks.tolist()
    stored.mirror.apply([{"id": task, "data": {"text": f"{task}: {3 * text}"}, **state} for task in tasks])
    stored.people.keep_names([], {who: f"person{who}@example.org" for who in snapshot.annotators.tolist()})
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    stored.runs.add(RunReport(labels=len(snapshot.answer_label), seconds={"pull": 0.5}))
    at = np.arange(100)
    accuracy = 0.95 - 0.3 * np.exp(-at / 30)
    rows = zip(snapshot.taken_at + 3600.0 * at, 500 * at, accuracy, accuracy - 0.01, accuracy + 0.01, strict=True)
    moments = (Moment(float(when), int(labels), *map(float, accuracy)) for when, labels, *accuracy in rows)
    stored.facts.write(History(tuple(moments)))
    further = np.arange(0, 5000, 400)
    mean = 0.95 + 0.04 * further / 5000
    curve = Curve(tuple(further.tolist()), *(tuple((mean + add).tolist()) for add in (0, -0.01, 0.01)))
    needed = Estimate(5000.0, 4800.0, 5200.0)
    stored.facts.write(Forecast(len(snapshot.answer_label), {}, needed=needed, queue=curve, random=curve, control=""))


if __name__ == "__main__":
    main()
