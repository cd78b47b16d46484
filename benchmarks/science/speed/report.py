"""The measurements as a table."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from benchmarks.science.speed.works import Found, Rival, Work

HEAD = (
    "work", "tasks × annotators", "peer", "its seconds", "our seconds", "ratio", "an iteration", "its MB", "our MB",
    "accuracy", "goal", "met",
)  # fmt: skip

NOTES = """\
- *Seconds* are of the clock and, in brackets, of the CPU over all threads: the best of several calls in a process of
  its own and of the rounds, both sides in turns. Kernels are compiled before, inputs made before. A frame, a `Crowd`
  or a matrix with the answers is an input; *majority vote of a frame* and *Crowd.from_long* begin with a frame on
  both sides.
- *Ratio*: how many times faster we are, of the clock (of the CPU); for *numpy copies* and *pandas.factorize*, how many
  times as long we take. These copy as many bytes as CROWDLAB reads and writes, and code the same three columns.
- *An iteration*: seconds by the clock divided by iterations, theirs and ours; only ours where they do not count them.
- *MB*: peak memory over what is in use when the call begins.
- *Accuracy*: theirs and ours, against what the answers were drawn from. About 5 answers a task, drawn by a random
  confusion matrix for each annotator.
- Goals of speed against peers are judged in CPU seconds, all others by the clock; memory is the peak over the inputs,
  divided by them.
- Each method has its defaults on both sides, and `ties="first"` for Wawa and zero-based skill, which is what crowd-kit
  does. crowd-kit's ten starts of MACE share one seed, so one start is a row of its own.
- crowd-kit's `check_is_fitted` is replaced, as Wawa and zero-based skill stop with scikit-learn from 1.6 on;
  peerannot's aggregators are imported without its deep part. Its clustered Dawid-Skene stops where an annotator
  has 500 answers, as its products of probabilities end in 0 / 0; that row has twice as many annotators."""


@dataclass(frozen=True)
class Row:
    """One work at one size, ours and perhaps a rival's; a text where there are no figures says why."""

    work: Work
    tasks: int
    ours: Found | str
    rival: Rival | None = None
    theirs: Found | str | None = None
    first: bool = True  # of those of this work and size

    def cells(self) -> list[str]:
        """Return the row's cells, in the order of `HEAD`."""
        ours = self.ours if isinstance(self.ours, dict) else None
        theirs = self.theirs if isinstance(self.theirs, dict) else None
        goals = [
            goal
            for goal in self.work.goals.get(self.tasks, ())
            if (goal.rival == self.rival.name if goal.rival and self.rival else self.first and not goal.rival)
        ]
        met = []
        for goal in goals:
            reached = goal.reached(ours, theirs) if ours else None
            if reached is None:
                met.append("not measured")
            else:
                unit = " s" if goal.kind in ("seconds", "iteration") else " ×"
                met.append(f"{'yes' if goal.met(reached) else 'no'}, {_figure(reached)}{unit}")
        return [
            self.work.about,
            f"{self.tasks:,} × {self.work.annotators(self.tasks):,}",
            self.rival.name if self.rival else "",
            _seconds(self.theirs),
            _seconds(self.ours),
            self._ratio(ours, theirs),
            " / ".join(
                _figure(found["wall"] / found["iterations"])
                for found in (theirs, ours)
                if found and found["iterations"]
            ),
            _megabytes(theirs),
            _megabytes(ours),
            " / ".join(
                f"{found['accuracy']:.4f}" for found in (theirs, ours) if found and found["accuracy"] is not None
            ),
            "; ".join(map(str, goals)),
            "; ".join(met),
        ]

    def _ratio(self, ours: Found | None, theirs: Found | None) -> str:
        if not ours or not theirs or not self.rival:
            return ""
        wall, cpu = (theirs[clock] / ours[clock] for clock in ("wall", "cpu"))
        if self.rival.floor:
            wall, cpu = 1 / wall, 1 / cpu
        return f"{_figure(wall)} × ({_figure(cpu)} ×){' as long' if self.rival.floor else ''}"


def _figure(value: float) -> str:
    """Return a number with about three digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def _seconds(found: Found | str | None) -> str:
    if not isinstance(found, dict):
        return found or ""
    return f"{_figure(found['wall'])} ({_figure(found['cpu'])})"


def _megabytes(found: Found | None) -> str:
    if not found:
        return ""
    return f"{found['peak'] / 1e6:,.0f}" if found["peak"] >= 1e6 else "< 1"


def rich_table(rows: list[Row]) -> Table:
    """Return the rows for a terminal."""
    table = Table(title="seconds: clock (CPU)")
    for at, name in enumerate(HEAD):
        table.add_column(name, justify="right" if 3 <= at <= 8 else "left", no_wrap=at > 2)
    for row in rows:
        table.add_row(*row.cells())
    return table


def machine(peer_versions: dict[str, str]) -> str:
    """Return in one line what this ran on, and beside what else."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model n")]
        name = names[0] if names else name
    ours = ", ".join(f"{package} {version(package)}" for package in ("numpy", "numba", "pandas"))
    theirs = ", ".join(f"{package} {number}" for package, number in peer_versions.items())
    return (
        f"{os.cpu_count()} cores ({name}), {platform.system()}, Python {platform.python_version()}, {ours}. "
        f"Peers: {theirs or 'none'}."
    )


def markdown(rows: list[Row], command: str, what: str, load: tuple[float, float], plot: Path | None) -> str:
    """Return the report: what ran where, the plot, the table, and how to read it."""
    lines = [
        "# Speed",
        "",
        f"`{command}`",
        "",
        f"{what} Load of the machine when it began {load[0]:.1f}, when it ended {load[1]:.1f}; "
        "ratios within one run are to be trusted, seconds less.",
        "",
    ]
    if plot:
        lines += [f"![Seconds and peak memory by size]({plot.name})", ""]
    lines += ["| " + " | ".join(HEAD) + " |", "| --- | --- | --- |" + " ---: |" * 6 + " --- |" * 3]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join([*lines, "", NOTES, ""])
