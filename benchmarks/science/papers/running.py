"""What the command of every benchmark does: it reads the options, runs, and publishes."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.science.papers.datasets import MissingError
from benchmarks.science.papers.report import Report
from harness.checkout import DATA


def parser_of(module: str, about: str | None) -> argparse.ArgumentParser:
    """Return the parser of a benchmark's command, with the options that all of them have.

    Parameters
    ----------
    module : str
        What `python -m` runs.
    about : str
        What the command does, for its help.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_folders(parser)
    return parser


def add_folders(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the folder with the data and the folder to write into."""
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="the folder with the crowds")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write Markdown and plot there")


def carry_out(parser: argparse.ArgumentParser, module: str, run: Callable[..., Report]) -> int:
    """Run a benchmark with its options and publish its report; return 1 if a claim is not met.

    Parameters
    ----------
    parser : ArgumentParser
        From `parser_of`, with the benchmark's own options.
    module : str
        What `python -m` runs.
    run : callable
        From the data's folder and the own options, by name, to a report.
    """
    options = vars(parser.parse_args())
    data, out = options.pop("data"), options.pop("out")
    try:
        with threadpool_limits(1):  # threads that wait for each other take longer than one for matrices of this size
            report = run(data, **options)
    except MissingError as error:
        parser.exit(2, f"{error}\n")
    return report.publish(shlex.join(["python", "-m", module, *sys.argv[1:]]), out)
