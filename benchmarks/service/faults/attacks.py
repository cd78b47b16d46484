"""Attacks: what people who label, or own a project, can send to the service, or write into what its pages show."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.service.faults.house import House
from benchmarks.service.faults.outcome import Options, Outcome, SkippedError
from benchmarks.service.faults.room import Room
from harness.project import GivenAnnotation, create_project
from harness.service_process import until

_SCRIPT: Final = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
HOSTILE: Final = f"\"'>{_SCRIPT}{{{{7*7}}}}</title></textarea>\u202e"
"""A text that runs in a page that does not escape it."""
_PAGES: Final = ("", "/queue", "/suspects", "/annotators", "/agreement", "/runs")


def events_forged(house: House, folder: Path, options: Options) -> Outcome:
    """Send forged events in a storm: others' answers rewritten in 2999, everything deleted, the project ended."""
    with Room(house, folder, options=options) as room:
        room.connect()
        with _storm(room, options.seed) as sent, room.load(seed=options.seed) as load:
            time.sleep(4 * options.seconds)
        found = room.outcome("events forged", f"{sent.total():,} in {4 * options.seconds:.0f} s", load)
        found.answered = ", ".join(f"{count:,} x {status}" for status, count in sorted(sent.items()))
        return found


@contextmanager
def _storm(room: Room, seed: int) -> Iterator[Counter[int]]:
    """Send forged events all the time; give the numbers of answers by status."""
    stop, answers, rng = threading.Event(), Counter[int](), random.Random(seed)
    task = room.house.ask("GET", f"/api/tasks/{room.project.tasks[0]}/")
    info = room.house.ask("GET", f"/api/projects/{room.project.id}/")

    def send() -> None:
        with httpx.Client(base_url=room.service.url, timeout=30) as client:
            while not stop.wait(0.02):
                answers[client.post("/webhook", json=_forged(rng, info, task)).status_code] += 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join()


def _forged(rng: random.Random, info: dict[str, Any], task: dict[str, Any]) -> Any:
    later = {"updated_at": "2999-01-01T00:00:00.000000Z"}
    rewritten = {**task["annotations"][0], **later, "result": [], "was_cancelled": True}
    return rng.choice(
        [
            {"action": "ANNOTATION_UPDATED", "project": info, "annotation": rewritten, "task": {**task, **later}},
            {"action": "ANNOTATIONS_DELETED", "project": info, "annotations": [{"id": n} for n in range(1, 500)]},
            {"action": "TASKS_DELETED", "project": info, "tasks": [{"id": n} for n in range(1, 500)]},
            {"action": "PROJECT_DELETED", "project": {"id": info["id"]}},
            {"action": "PROJECT_UPDATED", "project": {**info, "sampling": "Sequential sampling"}},
            {"action": "ANNOTATION_CREATED", "project": {"id": rng.randrange(10**6, 2 * 10**6)}},
            {"action": "ANNOTATION_CREATED", "project": HOSTILE},
            [[[]]],
        ]
    )


def schema_fuzzed(house: House, folder: Path, options: Options) -> Outcome:
    """Let schemathesis send what the API's description allows, and what it does not, to every route."""
    with Room(house, folder, options=options) as room:
        room.connect()
        program = Path(sys.executable).with_name("schemathesis")
        how = ["--checks", "not_a_server_error,response_schema_conformance", "--max-examples", "20", "--no-color"]
        how += ["--phases", "examples,coverage,fuzzing", "--seed", str(options.seed)]
        with room.load(seed=options.seed) as load:
            ran = subprocess.run(
                [str(program), "run", f"{room.service.url}/openapi.json", *how],
                capture_output=True,
                text=True,
                cwd=folder,
                env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder)},
            )
        (folder / "schemathesis.log").write_text(ran.stdout + ran.stderr)
        cases = re.search(r"(\d[\d,]*) generated", ran.stdout)
        found = room.outcome("schema fuzzed", f"schemathesis, {cases[1] if cases else '?'} cases", load)
        if ran.returncode:
            found.problems.append(" ".join(ran.stdout.split())[-500:])
        return found


def pages_hostile(house: House, folder: Path, options: Options) -> Outcome:
    """Show a project whose title, classes, texts and labels would run scripts, in Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SkippedError("Chromium is not installed (Debian: apt install chromium)")
    with Room(house, folder, options=options) as room:
        project = _hostile_project(house)
        house.ask("POST", "/api/ml", {"project": project, "url": room.service.url, "title": HOSTILE[:90]})
        until(lambda: room.service.http.get(f"/api/projects/{project}/runs").json().get("items"))
        found = Outcome("pages hostile", f"{len(_PAGES) + 2} pages, in Chromium")
        statuses, ran = _visited(program, room.service.url, project)
        found.answered = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
        found.problems = [f"a script ran at {page}" for page in ran]
        found.problems += [f"{count} answers of {status}" for status, count in statuses.items() if status >= 500]
        house.ask("DELETE", f"/api/projects/{project}/")
        return found


def _hostile_project(house: House) -> int:
    escaped = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    config = (
        '<View><Text name="text" value="$text"/><HyperText name="page" value="$page"/><Choices name="label" '
        f'toName="text"><Choice value="{escaped}"/><Choice value="b"/></Choices></View>'
    )
    given = [
        GivenAnnotation(task, who.id, _chosen(HOSTILE if (task + n) % 3 else "b"))
        for task in range(8)
        for n, who in enumerate(house.people[:3])
    ]
    tasks = [{"text": f"{n} {HOSTILE}", "page": HOSTILE, HOSTILE: HOSTILE} for n in range(12)]
    made = create_project(house.studio, "hostile", config, tasks, given).id
    house.ask("PATCH", f"/api/projects/{made}/", {"title": HOSTILE[:50]})
    return made


def _chosen(label: str) -> list[dict[str, Any]]:
    return [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]


def _visited(program: str, url: str, project: int) -> tuple[Counter[int], list[str]]:
    """Open the pages; return the numbers of answers by status, and the pages on which a script of theirs ran."""
    from playwright.sync_api import sync_playwright

    statuses, ran = Counter[int](), []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("response", lambda response: statuses.update([response.status]))
        for path in ("/projects", *(f"/projects/{project}{rest}" for rest in _PAGES), f"/projects/{project}/nothing"):
            page.goto(f"{url}{path}")
            page.wait_for_timeout(300)
            if page.evaluate("window.ran") is not None:
                ran.append(path)
        browser.close()
    return statuses, ran
