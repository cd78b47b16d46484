"""Draw seconds, peak memory and ratios: ``python -m benchmarks.science.speed.plot OUT.svg < curves.json``.

Runs in the peers' environment, which has matplotlib.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

OURS = "#c2410c"
THEIRS = {"cleanlab": "#1d4ed8", "crowd-kit": "#0f766e", "peerannot": "#7e22ce"}
FLOOR = "#9ca3af"
UNITS = {"wall": ("seconds", 1.0), "peak": ("peak memory, MB", 1e6)}

Rows = list[dict[str, Any]]


def draw(rows: Rows, out: str) -> None:
    """Draw a column for each work of several sizes, and one panel of all ratios."""
    mpl.rcParams.update(
        {"svg.hashsalt": "speed", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False,
         "axes.spines.right": False, "axes.titlesize": 9, "legend.frameon": False}
    )  # fmt: skip
    names = list(dict.fromkeys(row["work"] for row in rows))
    several = [name for name in names if len({row["tasks"] for row in rows if row["work"] == name}) > 1]
    ratios = [row for row in rows if row["ours"] and row["theirs"] and not row["floor"]]
    heights = {"sizes": 4.6 * bool(several), "ratios": (0.2 * len(ratios) + 0.6) * bool(ratios)}
    heights = {part: height for part, height in heights.items() if height}
    if not heights:
        return
    figure = plt.figure(figsize=(max(2.3 * len(several), 8), sum(heights.values())), layout="constrained")
    parts = figure.subfigures(len(heights), 1, height_ratios=list(heights.values()), squeeze=False)[:, 0]
    for what, part in zip(heights, parts, strict=True):
        if what == "ratios":
            _ratios(part.subplots(), ratios)
            continue
        panels = part.subplots(len(UNITS), len(several), squeeze=False)
        for name, column in zip(several, panels.T, strict=True):
            found = [row for row in rows if row["work"] == name]
            for quantity, axes in zip(UNITS, column, strict=True):
                _by_size(axes, found, quantity)
            column[0].set_title(found[0]["about"])
            column[0].legend(fontsize=8)
            column[-1].set_xlabel("tasks")
        for axes, (unit, _) in zip(panels[:, 0], UNITS.values(), strict=True):
            axes.set_ylabel(unit)
    figure.savefig(out, metadata={"Date": None})


def _by_size(axes: Axes, rows: Rows, quantity: str) -> None:
    scale = UNITS[quantity][1]
    lines: dict[str, list[tuple[int, float]]] = {"crowdcore": []}
    floors = {row["rival"] for row in rows if row["floor"]}
    for row in rows:
        for name, found in ((row["rival"], row["theirs"]), ("crowdcore", row["ours"])):
            if found and (row["tasks"], found[quantity] / scale) not in lines.setdefault(name, []):
                lines[name].append((row["tasks"], found[quantity] / scale))
    for name, points in lines.items():
        if points and not (name in floors and quantity == "peak"):
            style = ":" if name in floors else "-"
            color = OURS if name == "crowdcore" else FLOOR if name in floors else THEIRS[name]
            axes.plot(*zip(*sorted(points), strict=True), style, marker="o", markersize=3, color=color, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.minorticks_off()


def _ratios(axes: Axes, rows: Rows) -> None:
    values = [row["theirs"]["cpu"] / row["ours"]["cpu"] for row in rows]
    labels = [f"{row['about']}, {row['tasks']:,} tasks" for row in rows]
    axes.barh(range(len(rows)), values, color=[THEIRS[row["rival"]] for row in rows], height=0.7)
    for at, (row, value) in enumerate(zip(rows, values, strict=True)):
        axes.text(value, at, f" {value:,.0f} × {row['rival']}", va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.set_xlim(left=1, right=max(values) * 4)
    axes.set_xlabel("times faster, CPU seconds")


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
