"""How far a job has come, kept in the store for whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from label_studio_crowd.mirror import PROGRESS, ProjectMirror
from label_studio_crowd.studio import Progress

_EVERY: Final = 1.0


@contextmanager
def kept_progress(mirror: ProjectMirror, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """Keep what is reported of a project's job, at most once a second, until it ends.

    What a job that died has left is written over by the next one; it means something only while one is at work.
    """
    last = float("-inf")

    def report(what: str, done: int, total: int) -> None:
        nonlocal last
        if clock() - last >= _EVERY:
            last = clock()
            mirror.remember(PROGRESS, [what, done, total])

    try:
        yield report
    finally:
        if last > float("-inf"):
            mirror.forget(PROGRESS)
