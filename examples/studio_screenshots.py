"""Pictures of Label Studio's own editor with our consensus in it, for the documentation.

Each of the crowds of other kinds is loaded into a real Label Studio, scored, and one of its tasks opened::

    python -m examples.studio_screenshots      # into docs/pictures; needs Chromium (Debian: apt install chromium)
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.markup import escape

from examples.boxes import boxes_crowd
from examples.command_line import CommandError, Export, Plugin
from examples.kinds_crowd import KindsCrowd
from examples.loading import load_crowd
from examples.moderation import moderation_crowd
from examples.ner import ner_crowd
from examples.screenshots import PICTURES, save_small
from harness.local_studio import LocalStudio
from harness.project import sign_up
from harness.studio_install import StudioError
from harness.working import console
from label_studio_crowd.studio.versions import CONSENSUS_VERSION

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Page

CROWDS = {"moderation": moderation_crowd, "ner": ner_crowd, "boxes": boxes_crowd}
N_TASKS = 40
ANNOTATORS_SEEN = 3
WIDTH, HEIGHT = 1280, 620
EDITOR: Final[FloatRect] = {"x": 241, "y": 48, "width": WIDTH - 241, "height": HEIGHT - 48}
"""Without the list of tasks at its left."""
PATIENCE, SETTLES = 90_000.0, 3_000.0
"""How long Label Studio may take, and what a task needs to be drawn; milliseconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Score the crowds and write the pictures."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.studio_screenshots", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--out", type=Path, default=PICTURES, metavar="FOLDER", help="where to write them")
    out = parser.parse_args(arguments).out
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        console.print("[red]error[/red] Chromium is not installed (Debian: apt install chromium)")
        return 2
    out.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder, LocalStudio(Path(folder) / "label-studio") as studio:
            crowds = {name: make(n_tasks=N_TASKS) for name, make in CROWDS.items()}
            shown = {name: score(studio, crowd, Path(folder) / name) for name, crowd in crowds.items()}
            photograph(studio, shown, browser, out)
    except (StudioError, CommandError) as error:
        console.print(f"[red]error[/red] {escape(str(error))}", soft_wrap=True)
        return 1
    return 0


def score(studio: LocalStudio, crowd: KindsCrowd, folder: Path) -> str:
    """Load and score a crowd, and return the address of a task with some annotations and a sure consensus."""
    project = load_crowd(studio, crowd, sign_up(studio, crowd.annotators))
    plugin = Plugin(studio.url, studio.admin_pat(), project.id, folder)
    plugin.run("connect")
    plugin.run("sync")
    return f"{studio.url}/projects/{project.id}/data?task={_worth_seeing(plugin.export('labels'))}"


def _worth_seeing(export: Export) -> int:
    """Return the task with the most to see, of those with answers of several people and a sure consensus."""
    qualities = [name for name in export.rows[0] if name.partition(":")[0] == "quality"]
    consensus = [name for name in export.rows[0] if name.partition(":")[0] == "consensus"]

    def sure(row: dict[str, str]) -> float:
        return min(float(row[name] or 0.0) for name in qualities)

    answered = [row for row in export.rows if int(row["num_labels"]) >= ANNOTATORS_SEEN]
    surest = sorted(answered, key=sure, reverse=True)[: max(len(answered) // 4, 1)]
    return int(max(surest, key=lambda row: sum(row[name].count(", ") for name in consensus))["task"])


def photograph(studio: LocalStudio, shown: dict[str, str], browser: str, out: Path) -> None:
    """Write a picture of each task with its consensus."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"{studio.url}/user/login/")
        page.fill("input[name=email]", studio.admin_email)
        page.fill("input[name=password]", studio.admin_password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "login" not in url, wait_until="commit", timeout=PATIENCE)
        for name, address in shown.items():
            open_consensus(page, address)
            file = out / f"studio-{name}.png"
            page.screenshot(path=file, clip=EDITOR)
            save_small(file)
        chromium.close()


def open_consensus(page: Page, address: str) -> None:
    """Open a task in Label Studio's editor, and our prediction in it."""
    page.goto(address, wait_until="commit")
    prediction = page.locator(".lsf-annotation-button", has_text=CONSENSUS_VERSION).first
    prediction.click(timeout=PATIENCE)
    page.mouse.move(EDITOR["x"] + 300, HEIGHT - 80)  # or its details hide the task
    page.wait_for_timeout(SETTLES)


if __name__ == "__main__":
    sys.exit(main())
