"""How long `/webhook` takes to answer while events pour in and rescores run.

Usage: ``python -m benchmarks.service.webhooks [--rate 50] [--seconds 60] [--tasks 2000]``. A real Label Studio and
the service as a user starts it, on SQLite. Events are what Label Studio tells of the project's annotations, over a
connection each, as Label Studio sends them; they come at an even rate, so that a slow answer does not hold the next
event back.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import orjson
from rich.console import Console

from benchmarks.service.rescoring import connected, load, runs, service_of
from harness.local_studio import LocalStudio
from label_studio_crowd.studio.client import Studio

console = Console(width=140)
_JSON = {"Content-Type": "application/json"}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rate", type=float, default=50.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--tasks", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, LocalStudio(Path(directory) / "label-studio") as studio:
        project, _, _ = load(studio, options.tasks, 10, 3)
        with service_of(studio, Path(directory)) as service:
            connected(studio, service, project.id)
            events = _events(studio, project.id)
            before = len(runs(service, studio, project.id))
            start = time.perf_counter()

            def send(number: int) -> float:
                due = start + number / options.rate
                time.sleep(max(0.0, due - time.perf_counter()))
                sent = time.perf_counter()
                connection = HTTPConnection("127.0.0.1", service.port)  # costs next to nothing itself
                connection.request("POST", "/webhook", events[number % len(events)], _JSON)
                assert connection.getresponse().status == 200
                connection.close()
                return time.perf_counter() - sent

            with ThreadPoolExecutor(40) as threads:
                took = 1000 * np.array(list(threads.map(send, range(int(options.rate * options.seconds)))))
            rescores = len(runs(service, studio, project.id)) - before
    p50, p95, p99 = np.percentile(took, (50, 95, 99))
    console.print(
        f"{len(took):,} events at {options.rate:g} a second, {rescores} rescores of {options.tasks:,} tasks meanwhile: "
        f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, slowest {took.max():.0f} ms"
    )


def _events(studio: LocalStudio, project: int) -> list[bytes]:
    """Return what Label Studio would tell of every annotation."""
    found = []
    for page in Studio(studio.url, studio.admin_token).tasks(project):
        for task in page.tasks:
            counts = {"total_annotations": len(task["annotations"]), "cancelled_annotations": 0}
            for annotation in task["annotations"]:
                told = {
                    "action": "ANNOTATION_UPDATED",
                    "annotation": {**annotation, "task": task["id"], "project": project},
                    "task": {**task, **counts, "annotations": []},
                    "project": {"id": project},
                }
                found.append(orjson.dumps(told))
    return found


if __name__ == "__main__":
    main()
