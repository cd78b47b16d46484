"""What the commands without Label Studio show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from label_studio_crowd.files.comparison import Row

if TYPE_CHECKING:
    import pandas as pd

ROWS: Final = 10
_COLUMNS: Final = 12


def show_frame(console: Console, frame: pd.DataFrame, title: str, rows: int = ROWS) -> None:
    """Print the first rows of a table, its index first where it has a name."""
    table = frame.reset_index() if frame.index.name is not None else frame
    shown = Table()
    columns = list(table.columns)[:_COLUMNS]
    for name in columns:
        shown.add_column(escape(str(name)), justify="right" if table[name].dtype.kind in "iuf" else "left")
    for values in table[columns].head(rows).itertuples(index=False):
        shown.add_row(*(escape(cell(value)) for value in values))
    console.print(f"[italic]{escape(title)}[/]", highlight=False, soft_wrap=True)
    console.print(shown, highlight=False)
    left = len(table.columns) - len(columns)
    if len(table) > rows or left > 0:
        more = [f"{len(table) - rows:,} more rows"] * (len(table) > rows) + [f"{left} more columns"] * (left > 0)
        console.print(f"[dim]{' and '.join(more)}[/]", highlight=False)


def cell(value: Any) -> str:
    """Return a value as people read it; nothing for a missing one."""
    import pandas as pd

    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if value.is_integer() else f"{value:.4f}"


def show_comparison(console: Console, rows: Sequence[Row]) -> None:
    """Print methods side by side, then those that were skipped."""
    table = Table()
    for name in ("method", "accuracy", "95 % interval", "undecided", "log loss", "calibration error", "seconds"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for row in rows:
        if row.accuracy is not None:
            table.add_row(
                row.method,
                f"{row.accuracy:.4f}",
                f"{row.low:.3f} - {row.high:.3f}",
                str(row.undecided or ""),
                f"{row.log_loss:.3f}",
                "" if row.calibration_error is None else f"{row.calibration_error:.3f}",
                f"{row.seconds:.3f}",
            )
    console.print(table, highlight=False)
    for note in dict.fromkeys(row.note for row in rows if row.note):
        names = ", ".join(row.method for row in rows if row.note == note)
        console.print(f"[dim]{escape(names)}: {escape(note)}[/]", highlight=False)


@contextmanager
def working(console: Console, what: str) -> Iterator[None]:
    """Show what is being done and for how long, until it is done; nothing where the output is no terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    shown = Progress(*columns, console=console, transient=True, redirect_stdout=False, disable=not console.is_terminal)
    with shown as progress:
        progress.add_task(what, total=None)
        yield


@contextmanager
def progress_bar(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar with what is being done; nothing where the output is no terminal."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=None)

        def report(what: str, done: int, total: int) -> None:
            progress.update(bar, description=what, completed=done, total=total)

        yield report
