"""What a benchmark ends with: tables beside the published figures, what had to be shown, and a plot."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.science.plots import Panel, save

progress = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Table:
    """A titled table of texts; its first column names the row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    about: str = ""

    def markdown(self) -> str:
        """Return the table as Markdown, under its title."""
        lines = [f"## {self.title}", "", *([self.about, ""] if self.about else [])]
        lines += ["| " + " | ".join(self.head) + " |", "| --- |" + " ---: |" * (len(self.head) - 1)]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines)

    def rich(self) -> RichTable:
        """Return the table for a terminal."""
        table = RichTable(title=self.title, title_justify="left")
        for at, name in enumerate(self.head):
            table.add_column(name, justify="right" if at else "left")
        for row in self.rows:
            table.add_row(*row)
        return table


@dataclass(frozen=True)
class Claim:
    """Something that had to be shown: what, what was found, and whether that is it; None: not measured in this run."""

    what: str
    found: str
    met: bool | None

    @property
    def verdict(self) -> str:
        """Return yes, no, or that this run does not say."""
        return {True: "yes", False: "**no**", None: "not measured"}[self.met]


@dataclass
class Report:
    """A benchmark's result.

    Attributes
    ----------
    name : str
        Of its files.
    title, about : str
        What it is.
    claims, tables, panels, notes : list
        What had to be shown, the figures, the plot, and how to read them.
    images : dict
        PIL images by name, which are written beside the plot, and what they show.
    """

    name: str
    title: str
    about: str
    claims: list[Claim] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    images: dict[str, tuple[Any, str]] = field(default_factory=dict)

    def markdown(self, command: str, plot: Path | None) -> str:
        """Return the report as Markdown."""
        lines = [f"# {self.title}", "", f"`{command}`", "", self.about, "", f"{_machine()} {_spent()}", ""]
        if plot:
            lines += [f"![{self.title}]({plot.name})", ""]
        if self.claims:
            lines += [self._claims().markdown(), ""]
        for table in self.tables:
            lines += [table.markdown(), ""]
        for name, (_, caption) in self.images.items():
            lines += [f"![{caption}]({self.name}-{name}.png)", "", caption, ""]
        if self.notes:
            lines += ["## Notes", "", *[f"- {note}" for note in self.notes], ""]
        return "\n".join(lines)

    def publish(self, command: str, out: Path | None) -> int:
        """Print the report and, if there is a folder for it, write it there; return 1 if a claim is not met."""
        console = Console(highlight=False, width=None if os.isatty(1) else 200)
        for table in (*self.tables, *([self._claims()] if self.claims else [])):
            console.print(table.rich())
            console.print()
        for note in self.notes:
            console.print(f"- {note}", markup=False)
        if out:
            out.mkdir(parents=True, exist_ok=True)
            plot = out / f"{self.name}.svg"
            refusal = save(self.panels, plot) if self.panels else "nothing to draw"
            if refusal:
                progress.print(f"no plot: {refusal}", markup=False)
            for name, (image, _) in self.images.items():
                image.save(out / f"{self.name}-{name}.png", optimize=True)
            file = out / f"{self.name}.md"
            file.write_text(self.markdown(command, None if refusal else plot))
            progress.print(f"wrote {file}{'' if refusal else f' and {plot.name}'}", markup=False)
        return int(any(claim.met is False for claim in self.claims))

    def _claims(self) -> Table:
        rows = [[claim.what, claim.found, claim.verdict] for claim in self.claims]
        return Table("What had to be shown", ("what", "found", "met"), rows)


def positive(text: str) -> int:
    """Return an option's whole number, 1 or more; argparse says so if it is none."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def figure(value: float | None, digits: int = 3) -> str:
    """Return a number with some digits after the point and no 0 before it; nothing for none.

    Examples
    --------
    >>> figure(0.96265), figure(13.7, 1), figure(-0.5, 2), figure(float("nan"))
    ('.963', '13.7', '-.50', '')
    """
    if value is None or not np.isfinite(value):
        return ""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 and text.lstrip("-").startswith("0.") else text


def beside(ours: float, theirs: float | None, digits: int = 3) -> str:
    """Return ours and, in brackets, theirs."""
    return f"{figure(ours, digits)} ({figure(theirs, digits)})" if theirs is not None else figure(ours, digits)


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scikit-learn"))
    return f"Python {platform.python_version()}, {packages}."


def _spent() -> str:
    times = os.times()
    return f"{times.user + times.children_user + times.system + times.children_system:,.0f} seconds of CPU in all."


def since(start: float) -> float:
    """Return the CPU seconds of this process since a `time.process_time`."""
    return time.process_time() - start
