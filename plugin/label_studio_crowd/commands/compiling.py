"""What the command line says while numba compiles the kernels: once after installation."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

_LOG = logging.getLogger("crowdcore")


@contextmanager
def compilation_told(*, quiet: bool) -> Iterator[None]:
    """Say that kernels are compiled as soon as that begins, and on a terminal at the end in how many seconds.

    Parameters
    ----------
    quiet
        Say nothing, because the output is read by a program.
    """
    told = _Told() if not quiet else logging.NullHandler()
    _LOG.addHandler(told)
    try:
        yield
    finally:
        _LOG.removeHandler(told)
        if isinstance(told, _Told) and told.said and sys.stderr.isatty():
            _say(f"Compiled in {_seconds():.0f} s; from now on that is on disk.")


class _Told(logging.Handler):
    """Shows what crowdcore says, unless a server's log does."""

    said = False

    def emit(self, record: logging.LogRecord) -> None:
        if not logging.getLogger().handlers:
            self.said = True
            _say(record.getMessage())


def _say(line: str) -> None:
    typer.echo(typer.style(line, dim=True), err=True)


def _seconds() -> float:
    from crowdcore.kernels.compiling import clock

    return clock.seconds
