"""Panels of lines and bars as an SVG: ``python -m benchmarks.science.plots OUT.svg < panels.json``.

Any Python that has matplotlib can draw; `save` takes this one or that of the peers, who need matplotlib anyway.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypedDict

from harness.checkout import CHECKOUT
from harness.peers import peers_python

COLORS = ("#c2410c", "#1d4ed8", "#0f766e", "#7e22ce", "#a16207", "#be185d", "#0369a1", "#4d7c0f", "#374151", "#9ca3af")
STYLE = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


class Series(TypedDict, total=False):
    """A line or a set of bars: y against x or against the panel's labels; None in y is left out.

    Lines may be dotted, or marks alone, and have a band from `low` to `high`. `color` is a place in `COLORS`.
    """

    name: str
    x: list[float]
    y: list[float | None]
    low: list[float]
    high: list[float]
    dotted: bool
    marks: bool
    color: int


class Panel(TypedDict, total=False):
    """One diagram: of bars if it has labels, else of lines."""

    title: str
    xlabel: str
    ylabel: str
    labels: list[str]
    series: list[Series]


def save(panels: list[Panel], out: Path) -> str:
    """Draw the panels; return nothing, or why there is no plot."""
    python = sys.executable if find_spec("matplotlib") else peers_python()
    if python is None:
        return "matplotlib is not installed: pip install matplotlib, or python -m benchmarks.science.speed install"
    command = [python, "-m", "benchmarks.science.plots", str(out.resolve())]
    done = subprocess.run(command, cwd=CHECKOUT, input=json.dumps(panels), capture_output=True, text=True)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def draw(panels: list[Panel], out: str) -> None:
    """Draw the panels side by side, three in a row."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams.update({**STYLE, "svg.hashsalt": Path(out).name})
    across = min(len(panels), 3)
    down = -(-len(panels) // across)
    tall = max(map(_height, panels))
    figure, grid = plt.subplots(down, across, figsize=(4.8 * across, tall * down), squeeze=False, layout="constrained")
    for at, axes in enumerate(grid.ravel()):
        if at >= len(panels):
            axes.set_axis_off()
            continue
        panel = panels[at]
        (_bars if "labels" in panel else _lines)(axes, panel)
        axes.set_title(panel.get("title", ""))
        axes.set_xlabel(panel.get("xlabel", ""))
        axes.set_ylabel(panel.get("ylabel", ""))
        if len(panel["series"]) > 1:
            axes.legend(loc="upper left", bbox_to_anchor=(0, 0), borderaxespad=4.5)
    figure.savefig(out, metadata={"Date": None})


def _height(panel: Panel) -> float:
    """Return a panel's height in inches, its legend included."""
    bars = sum(y is not None for series in panel["series"] for y in series["y"]) if "labels" in panel else 0
    rows = 0.13 * bars + 0.06 * len(panel["labels"]) if "labels" in panel else 3.0
    return rows + 0.18 * sum(bool(series["name"]) for series in panel["series"]) + 0.8


def _color(series: Series, at: int) -> str:
    return COLORS[series.get("color", at) % len(COLORS)]


def _lines(axes: Any, panel: Panel) -> None:
    axes.xaxis.get_major_locator().set_params(integer=True)
    for at, series in enumerate(panel["series"]):
        points = [(x, y) for x, y in zip(series["x"], series["y"], strict=True) if y is not None]
        style: dict[str, Any] = {"linewidth": 1.3, "linestyle": ":" if series.get("dotted") else "-"}
        if series.get("marks"):
            style = {"linestyle": "none", "marker": "x", "markersize": 5}
        axes.plot(*zip(*points, strict=True), color=_color(series, at), label=series["name"], **style)
        if "low" in series:
            axes.fill_between(
                series["x"], series["low"], series["high"], color=_color(series, at), alpha=0.12, linewidth=0
            )


def _bars(axes: Any, panel: Panel) -> None:
    shown: list[float] = []
    place, ticks = 0.0, []
    named: set[str] = set()
    for at in range(len(panel["labels"])):
        start = place
        for number, series in enumerate(panel["series"]):
            y = series["y"][at]
            if y is None:
                continue
            label = series["name"] if series["name"] not in named else None
            named.add(series["name"])
            axes.barh(place, y, height=1, color=_color(series, number), label=label)
            axes.text(y, place, f" {y:.3f}".replace("0.", "."), va="center", fontsize=7)
            shown.append(y)
            place += 1
        ticks.append((start + place - 1) / 2)
        place += 0.5
    axes.set_yticks(ticks, panel["labels"])
    axes.set_ylim(place - 0.5, -1)
    least = max(0.0, min(shown, default=0.0) - 0.1)
    most = max(shown, default=1.0)
    axes.set_xlim(least, most + 0.1 * (most - least))


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
