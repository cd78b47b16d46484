"""Rescores a project again and again, by polling alone, where webhooks cannot reach the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from label_studio_crowd.exchange.pull import sweep as sweep_project
from label_studio_crowd.project import Project
from label_studio_crowd.runs.rescore import rescore
from label_studio_crowd.runs.run import Run
from label_studio_crowd.studio.failures import StudioError, WrongAddressError

_LONGEST_PAUSE: Final = 600.0
_QUIET: Final = 60.0
"""Seconds without news after which this is said."""


@dataclass(frozen=True)
class Round:
    """One round of watching: the run, or what went wrong and how long it is waited for."""

    run: Run | None
    problem: StudioError | None = None
    pause: float = 0.0

    @property
    def eventful(self) -> bool:
        """Whether it is worth a line for somebody who watches."""
        return self.run is None or self.run.pulled.changed > 0 or self.run.pulled.deleted > 0 or bool(self.run.plan)


class Quiet:
    """Whether to say that there is nothing new: once after the first round, and once whenever a minute was quiet.

    Attributes
    ----------
    since
        When there was something new last (Unix time); None if there was nothing so far.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.since: float | None = None
        self._clock = clock
        self._said = False

    def is_worth_a_line(self, found: Round) -> bool:
        """Return whether it is to be said after a round."""
        if found.eventful:
            self.since, self._said = self._clock(), False
        if self._said or (self.since is not None and self._clock() - self.since < _QUIET):
            return False
        self._said = True
        return True


def rounds(
    project: Project,
    *,
    every: float = 60.0,
    sweep: float = 3600.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Round]:
    """Rescore a project whenever `every` seconds have passed; yield each round, without an end.

    What Label Studio changes without a trace is swept every `sweep` seconds. While Label Studio does not answer,
    the pauses grow to ten minutes; what came in meanwhile is found by the first round that succeeds.

    Raises
    ------
    UserError
        If the project is not connected, or a setting is wrong: what waiting does not mend.
    """
    failures, swept, answered = 0, clock(), False
    while True:
        try:
            if clock() - swept >= sweep:
                sweep_project(project)
                swept = clock()
            found = Round(rescore(project))
            failures, answered = 0, True
        except StudioError as error:
            if error.status in (401, 403, 404) or (isinstance(error, WrongAddressError) and not answered):
                raise
            found = Round(None, error, min(every * 2.0 ** min(failures, 20), _LONGEST_PAUSE))
            failures += 1
        yield found
        sleep(found.pause or every)
