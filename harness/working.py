"""Progress for whoever waits: a spinner on a terminal, two plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console

__all__ = ["console", "counting", "working"]

console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)


@contextmanager
def working(what: str, out: Console | None = None) -> Iterator[Callable[[str], None]]:
    """Show that something of unknown length goes on, and afterwards how long it took.

    Parameters
    ----------
    what
        What is done, in the present participle ("starting Label Studio").
    out
        Where to show it; the module's console by default.

    Yields
    ------
    Callable[[str], None]
        Call it to show a detail beside the spinner. Details are left out of logs.
    """
    out = out or console
    began = time.monotonic()
    if not out.is_terminal:
        out.print(f"{what} ...")
        yield lambda detail: None
    else:
        columns = (bars.SpinnerColumn(), bars.TextColumn("{task.description}"), bars.TimeElapsedColumn())
        with bars.Progress(*columns, console=out, transient=True) as progress:
            row = progress.add_task(what)
            yield lambda detail: progress.update(row, description=f"{what} [dim]{detail}[/dim]")
    out.print(f"{what}: done in {time.monotonic() - began:.1f} s")


@contextmanager
def counting(what: str, total: int, out: Console | None = None) -> Iterator[Callable[[], None]]:
    """Show a bar that fills up to `total`, and afterwards how long it took.

    Parameters
    ----------
    what
        What is done, in the present participle ("importing tasks").
    total
        How many steps there are.
    out
        Where to show it; the module's console by default.

    Yields
    ------
    Callable[[], None]
        Call it once after every step.
    """
    out = out or console
    began = time.monotonic()
    if not out.is_terminal:
        out.print(f"{what} ({total}) ...")
        yield lambda: None
    else:
        columns = (
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeElapsedColumn(),
        )
        with bars.Progress(*columns, console=out, transient=True) as progress:
            row = progress.add_task(what, total=total)
            yield lambda: progress.advance(row)
    out.print(f"{what}: {total} in {time.monotonic() - began:.1f} s")
