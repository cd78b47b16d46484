"""How kernels are compiled."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return the function, to be compiled by numba when it is first called."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}  # divisions by 0 are not looked for
    try:
        dispatcher: Any = njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that can be written: compiled anew in each process
        return cast("Function", njit(**options)(function))
    _announce(dispatcher.stats.cache_path)
    return cast("Function", dispatcher)


@functools.cache
def _announce(cache: str) -> None:
    if not any(Path(cache).glob("*.nbi")):
        logging.getLogger("crowdcore").warning(
            "Compiling crowdcore's kernels, once after installation: a few seconds for each algorithm."
        )
