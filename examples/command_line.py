"""Run the plugin as its users do: by its command line, in a process of its own."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from examples.serving import serving
from harness.working import console

__all__ = ["CommandError", "Export", "Plugin", "TaskRow"]

PREFIX = "LABEL_STUDIO_CROWD_"


class CommandError(RuntimeError):
    """A command of the plugin ended with an error, which it has shown itself."""


@dataclass(frozen=True)
class TaskRow:
    """A task in an export.

    Attributes
    ----------
    task
        Label Studio's id.
    consensus, majority
        Labels; "" where there is none.
    quality
        How sure the consensus is, 0 to 1; None where there is none.
    labels
        How many the task has.
    score
        ActiveLab's: low = one more label is worth most; None for a task without a score.
    position
        In the queue, from 1; None when not queued.
    """

    task: int
    consensus: str
    majority: str
    quality: float | None
    labels: int
    score: float | None
    position: int | None


@dataclass(frozen=True)
class Export:
    """What ``label-studio-crowd export`` wrote.

    Attributes
    ----------
    tasks
        One row for each task.
    rows
        The same, with all columns, as in the file.
    annotators
        One row for each annotator, as in the file.
    votes
        Task -> the labels it was given.
    """

    tasks: list[TaskRow]
    rows: list[dict[str, str]]
    annotators: list[dict[str, str]]
    votes: dict[int, list[str]]

    @property
    def queue(self) -> list[TaskRow]:
        """The tasks in the queue, in its order."""
        return sorted((row for row in self.tasks if row.position), key=lambda row: row.position or 0)


class Plugin:
    """``label-studio-crowd`` for one project.

    Parameters
    ----------
    url, api_key
        Of Label Studio, given to it in the environment.
    project
        The project's number.
    directory
        Where it runs, keeps its mirror and writes its exports.

    Attributes
    ----------
    settings
        The variables of the environment with which commands find Label Studio and the mirror.
    """

    def __init__(self, url: str, api_key: str, project: int, directory: Path) -> None:
        self.project = project
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self.settings = {
            "LABEL_STUDIO_URL": url,
            "LABEL_STUDIO_API_KEY": api_key,
            f"{PREFIX}STORE": f"sqlite:///{directory / 'mirror.sqlite'}",
        }
        self._environment = inherited | {
            **self.settings,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "COLUMNS": str(console.width),
        }

    def run(self, command: str, *options: str) -> None:
        """Run a command, its output going where ours goes.

        Raises
        ------
        CommandError
            If it ends with anything but 0.
        """
        arguments = [command, str(self.project), *options]
        console.print(f"\n[bold]$ label-studio-crowd {' '.join(arguments)}[/bold]")
        console.file.flush()
        program = [sys.executable, "-m", "label_studio_crowd", *arguments]
        code = subprocess.run(program, env=self._environment, cwd=self.directory).returncode
        if code != 0:
            raise CommandError(f"`label-studio-crowd {command}` ended with exit code {code}; see above.")

    def report(self, name: str) -> Path:
        """Write a report to ``<name>.html``, and return where that is."""
        self.run("report", "--out", f"{name}.html")
        return self.directory / f"{name}.html"

    def serving(self) -> AbstractContextManager[str]:
        """Serve the project's pages, and give their address."""
        return serving(self._environment, self.directory)

    def export(self, name: str) -> Export:
        """Export to ``<name>.csv`` and the files beside it, and read them."""
        file = f"{name}.csv"
        self.run("export", "--out", file)
        votes: dict[int, list[str]] = {}
        for row in _read(self.directory / f"{name}-answers.csv"):
            votes.setdefault(int(row["task"]), []).append(row["label"])
        rows = _read(self.directory / file)
        return Export([_task(row) for row in rows], rows, _read(self.directory / f"{name}-annotators.csv"), votes)


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


def _task(row: dict[str, str]) -> TaskRow:
    return TaskRow(
        task=int(row["task"]),
        consensus=row["consensus"],
        majority=row["majority_vote"],
        quality=float(row["quality"]) if row["quality"] else None,
        labels=int(row["num_labels"] or 0),
        score=float(row["priority"]) if row["priority"] else None,
        position=int(float(row["queue_position"])) if row["queue_position"] else None,
    )
