"""Pictures of the pages for the documentation, of projects in a real Label Studio.

The text example's annotators label one after the other through Label Studio's API, while the service keeps up. Of the
examples with spans and boxes a task's page is shown::

    python -m examples.screenshots             # into docs/pictures; needs Chromium (Debian: apt install chromium)
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.markup import escape

from examples.boxes import boxes_crowd
from examples.loading import load_crowd
from examples.ner import ner_crowd
from examples.serving import answer, serving, wait_for
from examples.simulated_crowd import ExampleCrowd
from examples.text import text_crowd
from harness.local_studio import LocalStudio
from harness.project import GivenAnnotation, create_project, sign_up
from harness.studio_install import StudioError
from harness.working import console, counting, working

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PAGES = {
    "overview": "",
    "queue": "/queue",
    "suspects": "/suspects",
    "annotators": "/annotators",
    "annotator": "/annotators/{annotator}",
}
TASKS = {"ner": ner_crowd, "boxes": boxes_crowd}
"""Of whose tasks a page is shown."""
N_TASKS = 40
SHOWN = "ida"
"""Whose page is shown."""
AT_FIRST = 0.35
"""The share of the labels that are there before the service is."""
WIDTH, MOST_HEIGHT = 1280, 1150
ON_A_PHONE = ("overview", "queue", "suspects")
"""Of which there are pictures of a phone's size, too."""
PHONE_WIDTH, PHONE_HEIGHT = 390, 844


def main(arguments: Sequence[str] | None = None) -> int:
    """Label a project, and write the pictures of its pages."""
    parser = argparse.ArgumentParser(prog="python -m examples.screenshots", description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=PICTURES, metavar="FOLDER", help="where to write them")
    parser.add_argument(
        "--only", choices=("project", "tasks"), help="only the pages of a project, or only those of tasks"
    )
    options = parser.parse_args(arguments)
    out = options.out
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        console.print("[red]error[/red] Chromium is not installed (Debian: apt install chromium)")
        return 2
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            LocalStudio(Path(folder) / "label-studio") as studio,
            serving(_environment(studio, Path(folder)), Path(folder)) as service,
        ):
            out.mkdir(parents=True, exist_ok=True)
            if options.only != "tasks":
                project, annotator = label(studio, service, text_crowd())
                pages = {name: address.format(annotator=annotator) for name, address in PAGES.items()}
                photograph(f"{service}/projects/{project}", pages, browser, out)
            if options.only != "project":
                photograph(service, task_pages(studio, service), browser, out)
    except StudioError as error:
        console.print(f"[red]error[/red] {escape(str(error))}", soft_wrap=True)
        return 1
    return 0


def label(studio: LocalStudio, service: str, crowd: ExampleCrowd) -> tuple[int, int]:
    """Let a crowd label while the service keeps up; return the project, and the annotator who is shown."""
    people = sign_up(studio, crowd.annotators)
    begin = int(AT_FIRST * len(crowd.answers))
    given = [
        GivenAnnotation(answer.task, people[answer.annotator].id, crowd.result(answer.label), answer.seconds)
        for answer in crowd.answers[:begin]
    ]
    project = create_project(studio, crowd.title, crowd.label_config, crowd.tasks, given)
    add_backend(studio, service, project.id)
    page = f"{service}/projects/{project.id}"
    wait_for("the first run", lambda: f"{begin:,}" in (answer(page) or ""))
    rest = crowd.answers[begin:]
    with counting("labelling", len(rest)) as advance:
        for one in rest:
            who = people[one.annotator]
            who.label(project.tasks[one.task], crowd.result(one.label), one.seconds)
            advance()
    with working("waiting for the last run and its forecast"):
        wait_for("the forecast", lambda: _is_quiet(page, len(crowd.answers)))
    return project.id, people[SHOWN].id


def add_backend(studio: LocalStudio, service: str, project: int) -> None:
    """Let the service follow a project."""
    added = studio.api.post("/api/ml", json={"project": project, "url": service, "title": "crowd"})
    if added.status_code != 201:
        raise StudioError(f"Label Studio refused the backend: {added.text[:500]}")


def task_pages(studio: LocalStudio, service: str) -> dict[str, str]:
    """Load the crowds of other kinds; return for each the address of a task's page on which somebody is wrong."""
    pages = {}
    for name, make in TASKS.items():
        crowd = make(n_tasks=N_TASKS)
        project = load_crowd(studio, crowd, sign_up(studio, crowd.annotators))
        add_backend(studio, service, project.id)
        tasks = _suspected(service, project.id)
        pages[f"task-{name}"] = max(tasks, key=lambda page: (answer(f"{service}{page}") or "").count("<article"))
    return pages


def _suspected(service: str, project: int) -> list[str]:
    """Wait for a project's first run; return the pages of its tasks where somebody gave a region another label."""
    suspects = f"{service}/projects/{project}/suspects?why=label"
    wait_for("the first run", lambda: "Evidence" in (answer(suspects) or ""))
    return re.findall(rf'"(/projects/{project}/tasks/\d+)"', answer(suspects) or "")


def _is_quiet(page: str, labels: int) -> bool:
    """Look twice: a training that ended is followed by a run."""
    there = ("up to date", f'<p class="figure">{labels:,}</p>', "in random order")
    for pause in (2.0, 0.0):
        found = answer(page) or ""
        if "<progress" in found or not all(words in found for words in there):
            return False
        time.sleep(pause)
    return True


def photograph(service: str, pages: Mapping[str, str], browser: str, out: Path) -> None:
    """Write a picture of each page, in light and in dark colours; of some also as a phone shows them."""
    from playwright.sync_api import sync_playwright

    on_a_phone = {f"{name}-phone": pages[name] for name in ON_A_PHONE if name in pages}
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            for width, most, shown in ((WIDTH, MOST_HEIGHT, pages), (PHONE_WIDTH, PHONE_HEIGHT, on_a_phone)):
                page = chromium.new_page(viewport={"width": width, "height": 600}, color_scheme=scheme)
                for name, address in shown.items():
                    page.goto(service + address, wait_until="load")
                    file = out / f"{name}-{scheme}.png"
                    height = min(page.evaluate("document.documentElement.scrollHeight"), most)
                    page.screenshot(path=file, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
                    save_small(file)
        chromium.close()


def save_small(file: Path) -> None:
    """Write a picture anew with few colours."""
    from PIL import Image

    Image.open(file).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
    console.print(f"wrote {file.name}, {file.stat().st_size / 1000:.0f} kB")


def _environment(studio: LocalStudio, folder: Path) -> dict[str, str]:
    """Return a service's settings, in the environment."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LABEL_STUDIO")}
    return inherited | {
        "LABEL_STUDIO_URL": studio.url,
        "LABEL_STUDIO_API_KEY": studio.admin_token,
        "LABEL_STUDIO_CROWD_STORE": f"sqlite:///{folder}/mirror.sqlite",
        "MODEL_DIR": str(folder / "models"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


if __name__ == "__main__":
    sys.exit(main())
