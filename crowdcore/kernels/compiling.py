"""How kernels are compiled, and for how long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from numba import njit
from numba.core import event

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return the function, to be compiled by numba when it is first called."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}  # divisions by 0 are not looked for
    try:
        return cast("Function", njit(cache=True, **options)(function))
    except RuntimeError:  # no folder that can be written: compiled anew in each process
        return cast("Function", njit(**options)(function))


class Clock(event.Listener):
    """Measures how long numba compiles; what is kept on disk takes no time. It says when it begins, once.

    Attributes
    ----------
    seconds
        So far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._began = 0.0

    def on_start(self, event: event.Event) -> None:
        """Note when the outermost function is begun: others are compiled within it, by the same thread."""
        if not self._depth:
            self._began = time.perf_counter()
            if not self.seconds:
                logging.getLogger("crowdcore").warning(
                    "Compiling crowdcore's kernels, once after installation: a few seconds for each algorithm."
                )
        self._depth += 1

    def on_end(self, event: event.Event) -> None:
        """Add what the outermost function took."""
        self._depth -= 1
        if not self._depth:
            self.seconds += time.perf_counter() - self._began


clock: Final = Clock()
event.register("numba:compile", clock)  # type: ignore[no-untyped-call]
