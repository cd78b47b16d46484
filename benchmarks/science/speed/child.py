"""One measurement, in a process of its own: ``python -m benchmarks.science.speed.child SIDE WORK CROWD OUT``.

It runs in the peers' environment, too, and so imports nothing but numpy before it knows its side.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.science.speed.crowds import load

ENOUGH = 1.0  # seconds of calls; what is faster is called again, for the best of them
MOST_CALLS = 40


@dataclass(frozen=True)
class Trial:
    """A call to be measured.

    Attributes
    ----------
    call
        What is measured; it gets what `make` returns.
    make
        Called before each call, and not measured.
    read
        Takes the result of a call; returns the labels as codes, one a task in the order of tasks, and the number of
        iterations; None for either that there is not.
    inputs
        Bytes of the arrays that the call is given.
    once
        Whether only the first call is of interest, and no other must come before it.
    """

    call: Callable[[Any], Any]
    make: Callable[[], Any] = lambda: None
    read: Callable[[Any], tuple[np.ndarray | None, int | None]] = lambda result: (None, None)
    inputs: int = 0
    once: bool = False


def measure(trial: Trial) -> tuple[dict[str, Any], Any]:
    """Call, and return seconds, CPU seconds (of all threads), peak bytes over those before; and the last result.

    The seconds are the best of several calls, the peak is the first call's, before which memory is given back: it is
    slower for that.
    """
    walls: list[float] = []
    cpus: list[float] = []
    peak, result = 0, None
    while not walls or (sum(walls) < ENOUGH and len(walls) < MOST_CALLS and not trial.once):
        result = None
        given = trial.make()
        before = 0 if walls else _forget_peak()
        cpu, wall = time.process_time(), time.perf_counter()
        result = trial.call(given)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        if len(walls) == 1:
            peak = _peak() - before
    return {"wall": min(walls), "cpu": min(cpus), "peak": peak, "inputs": trial.inputs}, result


def _forget_peak() -> int:
    """Start a new count of the peak where the system can do that (Linux), and return the bytes in use."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Measure what the arguments say, and write a JSON object."""
    side, work, path, out = sys.argv[1:]
    trials = import_module(f"benchmarks.science.speed.{side}").TRIALS
    answers = load(Path(path))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        trial = trials[work](answers)
        if side == "ours" and not trial.once:  # compiled, if it was not
            small = trials[work](answers.first(50))
            small.call(small.make())
        found, result = measure(trial)
        labels, found["iterations"] = trial.read(result)
    found["accuracy"] = None if labels is None else float(np.mean(labels == answers.truth))
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
