"""What label-studio-sdk's models cost beside JSON, where a whole project is read.

Usage: ``python -m benchmarks.service.sdk [--tasks 10000]``. Boots a Label Studio on SQLite, loads short texts with
three labels and a prediction each, and prints the CPU seconds of this process, of three turns the least.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from label_studio_sdk.base_client import LabelStudioBase
from rich.console import Console
from rich.table import Table

from harness.local_studio import LocalStudio
from harness.messages import LABEL_CONFIG, draw_messages
from harness.project import GivenAnnotation, create_project, sign_up
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.controls import find_control
from label_studio_crowd.studio.task_pages import PAGE_SIZE, WITH_ANNOTATIONS, page_after


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tasks", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, LocalStudio(Path(directory) / "label-studio") as server:
        project = _load(server, options.tasks)
        studio = Studio(server.url, server.admin_token)
        sdk = LabelStudioBase(base_url=server.url, api_key=server.admin_token, httpx_client=httpx.Client(timeout=300))
        table = Table("", "JSON", "models", title=f"{options.tasks:,} tasks, three labels each; CPU seconds")
        _add(table, "tasks", lambda: studio.tasks(project), lambda: _task_models(sdk, project))
        _add(table, "predictions", lambda: studio.predictions(project), lambda: sdk.predictions.list(project=project))
        Console().print(table)


def _load(server: LocalStudio, num_tasks: int) -> int:
    messages, control = draw_messages(np.random.default_rng(0), num_tasks), find_control(LABEL_CONFIG)
    people = sign_up(server, ["ann", "bob", "cyd"]).values()
    results = [control.write(intent) for intent in messages.intents]
    given = [GivenAnnotation(n, who.id, result) for n, result in enumerate(results) for who in people]
    project = create_project(server, "benchmark", LABEL_CONFIG, messages.tasks, given)
    items = [
        {"task": task, "result": result, "score": 0.5, "model_version": "v"}
        for task, result in zip(project.tasks, results, strict=True)
    ]
    Studio(server.url, server.admin_token).import_predictions(project.id, items)
    return project.id


def _task_models(sdk: LabelStudioBase, project: int) -> Iterable[Any]:
    after, left = 0, True
    while left:
        asked = page_after(project, WITH_ANNOTATIONS, after, since=None, page_size=PAGE_SIZE)
        expand = {"additional_query_parameters": {"expand": asked.pop("expand")}}
        page = sdk.tasks.list(**asked, request_options=expand)
        yield page.items
        after, left = page.items[-1].id, len(page.items) < page.response.total


def _add(table: Table, what: str, *ways: Callable[[], Iterable[Any]]) -> None:
    seconds = [[_cpu_seconds(way) for _ in range(3)] for way in ways]
    table.add_row(what, *(f"{min(turns):.2f}" for turns in seconds))


def _cpu_seconds(way: Callable[[], Iterable[Any]]) -> float:
    start = time.process_time()
    for _ in way():
        pass
    return time.process_time() - start


if __name__ == "__main__":
    main()
