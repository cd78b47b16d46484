"""The papers' results by one command each, beside the published figures.

    python -m benchmarks.science.papers tutorial        # cleanlab's tutorial: every printed figure
    python -m benchmarks.science.papers crowdlab        # CROWDLAB's table: consensus, and what finds its errors
    python -m benchmarks.science.papers activelab       # ActiveLab's curves on Wall Robot (a quarter of an hour)
    python -m benchmarks.science.papers peerannot       # peerannot's accuracies, and learning from aggregated labels
    python -m benchmarks.science.papers dominance       # our own consensus beside the others on 170 crowds
    python -m benchmarks.science.papers coverage        # how well it knows the annotators: intervals, errors, ranks
    python -m benchmarks.science.papers revealed        # answers that each rule of choosing tasks needs
    python -m benchmarks.science.papers deep            # classifiers learned from a crowd (three minutes; needs torch)
    python -m benchmarks.science.papers hard-tasks      # WAUM and others on tasks that were made hard; pruning

Each prints its tables and what had to be shown, and ends with 1 if something of that is not so; --out FOLDER writes
them there as Markdown, with a plot. The crowds are in --data (by default the folder shared/data beside the checkout).
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.science.papers.report import Report
from benchmarks.science.papers.running import add_folders, carry_out

MODULES = {
    "tutorial": "toy",
    "crowdlab": "label_quality",
    "activelab": "selection",
    "peerannot": "training_labels",
    "dominance": "dominance",
    "coverage": "coverage",
    "revealed": "revealed",
    "deep": "deep",
    "hard-tasks": "hard_tasks",
}


def main() -> int:
    """Run the benchmark that is named; see the module's description."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.science.papers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    papers = parser.add_subparsers(dest="paper", required=True)
    for paper, module in MODULES.items():
        part = papers.add_parser(paper)
        add_folders(part)
        add = getattr(import_module(f"benchmarks.science.papers.{module}"), "add_options", None)
        if add:
            add(part)
    return carry_out(parser, "benchmarks.science.papers", _run)


def _run(data: Path, paper: str, **options: Any) -> Report:
    report: Report = import_module(f"benchmarks.science.papers.{MODULES[paper]}").run(data, **options)
    return report


if __name__ == "__main__":
    sys.exit(main())
