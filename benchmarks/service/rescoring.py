"""How fast the service follows the annotators of a real Label Studio, and what a storm of annotations does to it.

Usage: ``python -m benchmarks.service.rescoring latency [--tasks 1000 10000] [--labels 30]`` and ``python -m
benchmarks.service.rescoring storm [--annotations 2000] [--annotators 20] [--tasks 1000]``. Label Studio runs on
SQLite, the service as `label-studio-crowd serve` on SQLite, annotators as concurrent scripts. ``python -m
benchmarks.service.rescoring workers [--projects 10] [--tasks 100] [--rounds 5]`` compares two worker processes with
one, on one Redis and PostgreSQL.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.service.messages import MessageProject, load_messages
from harness import postgresql_server, redis_server
from harness.accounts import Annotator
from harness.at_work import at_work
from harness.local_studio import LocalStudio
from harness.service_process import ServiceProcess, free_port, until
from label_studio_crowd.exchange.pull import update_mirror
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.jobs import Jobs, Needs
from label_studio_crowd.store.projects import Store
from label_studio_crowd.store.reports import FinishedRun
from label_studio_crowd.studio.controls import Control

console = Console(width=140)


def main() -> None:
    """Run one of the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    what = parser.add_subparsers(dest="what", required=True)
    latency = what.add_parser("latency", help="from an annotation's submit to the new order")
    latency.add_argument("--tasks", type=int, nargs="+", default=[1000, 10_000])
    latency.add_argument("--labels", type=int, default=30)
    storm = what.add_parser("storm", help="many annotators in bursts")
    storm.add_argument("--annotations", type=int, default=2000)
    storm.add_argument("--annotators", type=int, default=20)
    storm.add_argument("--tasks", type=int, default=1000)
    workers = what.add_parser("workers", help="two worker processes against one")
    workers.add_argument("--projects", type=int, default=10)
    workers.add_argument("--tasks", type=int, default=100)
    workers.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, LocalStudio(Path(directory) / "label-studio") as studio:
        if options.what == "latency":
            _latency(studio, Path(directory), options.tasks, options.labels)
        elif options.what == "workers":
            _workers(studio, Path(directory), options.projects, options.tasks, options.rounds)
        else:
            _storm(studio, Path(directory), options.annotations, options.annotators, options.tasks)


def load(studio: LocalStudio, num_tasks: int, num_annotators: int, labels_per_task: int) -> MessageProject:
    """Make a project of short messages, with some labels by annotators who are right four times of five."""
    skill = np.full(num_annotators, 0.8)
    return load_messages(studio, num_tasks, skill, labels_per_task, np.random.default_rng(0))


def service_of(studio: LocalStudio, directory: Path) -> ServiceProcess:
    """Return the service with the settings that a user has who sets nothing."""
    environment = {
        "LABEL_STUDIO_URL": studio.url,
        "LABEL_STUDIO_API_KEY": studio.admin_token,
        "LABEL_STUDIO_CROWD_QUIET_SECONDS": "1",
        "LABEL_STUDIO_CROWD_LONGEST_WAIT": "10",
        "LABEL_STUDIO_CROWD_LEASE_SECONDS": "30",
        "LABEL_STUDIO_CROWD_CLASSIFIER": "auto",
    }
    return ServiceProcess(directory, environment)


def connected(studio: LocalStudio, service: ServiceProcess, project: int) -> None:
    """Add the backend as the Model page does, and wait until all is published."""
    start = time.perf_counter()
    response = studio.api.post("/api/ml", json={"project": project, "url": service.url, "title": "crowd"})
    assert response.status_code == 201, response.text
    until(lambda: _state(service, project)["numbers"] is not None, patience=900)
    until(lambda: _quiet(service, project), patience=900)
    console.print(f"Project {project}: connected and first published after {time.perf_counter() - start:.0f} s")


def _state(service: ServiceProcess, project: int) -> dict[str, Any]:
    response = service.http.get(f"/api/projects/{project}")
    return dict(response.json()) if response.status_code == 200 else {"numbers": None, "state": "unknown"}


def runs(service: ServiceProcess, studio: LocalStudio, project: int) -> list[FinishedRun]:
    """Return when the last runs ended, and what they did."""
    return Store(service.environment["LABEL_STUDIO_CROWD_STORE"]).project(studio.url, project).runs.newest(1000)


def _quiet(service: ServiceProcess, project: int) -> bool:
    return all(_state(service, project)["state"] == "fresh" or time.sleep(0.2) for _ in range(10))


def _latency(studio: LocalStudio, directory: Path, sizes: Sequence[int], labels: int) -> None:
    table = Table(title="Seconds from an annotation's submit to the new order being served")
    for name in (
        "tasks",
        "",
        "submit",
        "waiting",
        "look",
        "pull",
        "score",
        "publish",
        "of these Label Studio",
        "in all",
    ):
        table.add_column(name, justify="right")
    for size in sizes:
        project, people, control = load(studio, size, 10, 3)
        with service_of(studio, directory) as service:
            connected(studio, service, project.id)
            rows = [
                _one_label(service, studio, project.id, people[turn % len(people)], control, turn)
                for turn in range(labels)
            ]
        for name, share in (("p50", 50), ("p95", 95)):
            table.add_row(
                f"{size:,}", name, *(f"{np.percentile(column, share):.2f}" for column in zip(*rows, strict=True))
            )
    console.print(table)


def _one_label(
    service: ServiceProcess, studio: LocalStudio, project: int, person: Annotator, control: Control, turn: int
) -> tuple[float, ...]:
    task = person.next(project)
    assert task is not None
    asked = time.time()
    person.label(task["id"], control.write(control.classes[turn % len(control.classes)]))
    answered = time.time()
    until(lambda: runs(service, studio, project)[0].finished_at > answered, pause=0.05)
    ended, run = runs(service, studio, project)[0]
    stages = run.seconds
    until(lambda: _quiet(service, project))
    return (
        answered - asked,
        ended - sum(stages.values()) - answered,
        *(stages.get(name, 0.0) for name in ("look", "pull", "score", "publish")),
        run.seconds_waited or 0.0,
        ended - asked,
    )


def _storm(studio: LocalStudio, directory: Path, annotations: int, annotators: int, tasks: int) -> None:
    project, people, control = load(studio, tasks, annotators, 1)
    with service_of(studio, directory) as service:
        connected(studio, service, project.id)
        before = len(runs(service, studio, project.id))
        left, lock = iter(range(annotations)), threading.Lock()
        start = time.perf_counter()

        def annotate(person: Annotator, seed: int) -> None:
            rng = np.random.default_rng(seed)
            while True:
                for _ in range(int(rng.integers(5, 20))):  # a burst
                    with lock:
                        if next(left, None) is None:
                            return
                    task = person.next(project.id)
                    number = task["id"] if task else int(rng.choice(project.tasks))
                    person.label(number, control.write(str(rng.choice(control.classes))))
                time.sleep(float(rng.uniform(0, 2)))

        threads = [threading.Thread(target=annotate, args=(person, n)) for n, person in enumerate(people)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - start
        until(lambda: _quiet(service, project.id), patience=300)
        rescores = len(runs(service, studio, project.id)) - before
        metrics = service.http.get("/metrics").text
        time.sleep(service_poll := 65)
        until(lambda: _quiet(service, project.id), patience=300)
        same = _equal(studio, service, project.id, directory)
    console.print(
        f"{annotations:,} annotations by {annotators} annotators in {took:.0f} s ({annotations / took:.1f} a second); "
        f"{rescores} rescores; after the next poll ({service_poll} s) the mirror is "
        + ("what a fresh full pull is, to the byte" if same else "[red]NOT[/] what a fresh full pull is")
    )
    for line in metrics.splitlines():
        if "webhook" in line and not line.startswith("#"):
            console.print(line, highlight=False)


def _workers(studio: LocalStudio, directory: Path, projects: int, tasks: int, rounds: int) -> None:
    """Label once in each project, then time how long one worker and two take until all are fresh; in turns."""
    loaded = [load(studio, tasks + number, 3, 2) for number in range(projects)]  # sizes are names, too: all differ
    with (
        redis_server.RedisServer(directory) as redis,
        postgresql_server.running() as address,
        ExitStack() as stack,
    ):
        environment = {
            **service_of(studio, directory).environment,
            "LABEL_STUDIO_CROWD_STORE": f"{address}/postgres",
            "LABEL_STUDIO_CROWD_QUEUE": redis.url,
            # nothing runs before it is told to
            "LABEL_STUDIO_CROWD_QUIET_SECONDS": "3600",
            "LABEL_STUDIO_CROWD_LONGEST_WAIT": "3600",
            "LABEL_STUDIO_CROWD_POLL_SECONDS": "86400",
            "LABEL_STUDIO_CROWD_SWEEP_SECONDS": "86400",
        }
        service = stack.enter_context(
            ServiceProcess(directory, {**environment, "PORT": str(port := free_port())}, port=port)
        )
        stack.enter_context(ServiceProcess(directory, environment, "worker"))
        second = ServiceProcess(directory, environment, "worker")
        stack.callback(second.stop)
        settings = Settings(url=studio.url, store=f"{address}/postgres", longest_wait=3600)
        jobs = Jobs(Store(settings.store), settings)

        def run_all() -> float:
            start = time.perf_counter()
            for project, _, _ in loaded:
                jobs.mark(project.id, needs=Needs.CHANGED | Needs.PULL, at_once=True)
            until(lambda: all(row.word == "fresh" for row in jobs.states()) or hurry_all(), patience=900)
            return time.perf_counter() - start

        def hurry_all() -> None:
            for key, _ in jobs.waiting():  # what a run's own changes of the project led to
                jobs.hurry(key)

        for project, _, _ in loaded:
            body = {"project": project.id, "url": service.url, "title": "crowd"}
            assert studio.api.post("/api/ml", json=body).status_code == 201
        console.print(f"{projects} projects connected and first published after {run_all():.0f} s")
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(-1, rounds):  # the first is to warm up
            for number in (1, 2) if turn % 2 else (2, 1):
                if number == 2:
                    already = second.log.read_text().count("Working for") if second.log.exists() else 0
                    second.start()
                    until(lambda: second.log.read_text().count("Working for") > already)  # noqa: B023
                    time.sleep(1)
                for project, people, control in loaded:
                    task = people[0].next(project.id)
                    assert task is not None
                    people[0].label(task["id"], control.write(control.classes[turn % len(control.classes)]))
                took = run_all()
                second.stop()
                if turn >= 0:
                    seconds[number].append(took)
    table = Table(title=f"Seconds until {projects} projects of {tasks} tasks with a new label each are fresh")
    for name in ("workers", "median", "least", "most", "rescores a minute"):
        table.add_column(name, justify="right")
    for number, found in seconds.items():
        middle = float(np.median(found))
        figures = (f"{middle:.1f}", f"{min(found):.1f}", f"{max(found):.1f}", f"{60 * projects / middle:.0f}")
        table.add_row(str(number), *figures)
    console.print(table)
    ratios = np.divide(seconds[1], seconds[2])
    console.print(
        f"One worker takes {np.median(ratios):.2f} times as long as two ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def _equal(studio: LocalStudio, service: ServiceProcess, project: int, directory: Path) -> bool:
    opened = at_work(studio, project, Store(f"sqlite:///{directory}/fresh.sqlite"))
    update_mirror(opened, full=True)
    mirror = Store(service.environment["LABEL_STUDIO_CROWD_STORE"]).project(studio.url, project).mirror
    fresh = opened.store.mirror
    pairs = [
        (mirror.annotations(), fresh.annotations()),
        (mirror.data(), fresh.data()),
        (mirror.tasks().overlap.tolist(), fresh.tasks().overlap.tolist()),
        (mirror.tasks().is_labeled.tolist(), fresh.tasks().is_labeled.tolist()),
    ]
    return all(ours == theirs for ours, theirs in pairs)


if __name__ == "__main__":
    main()
