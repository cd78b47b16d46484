"""What describes a job: its kind, needs and state, and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final, Literal

Kind = Literal["rescore", "train", "plan", "forecast"]
"""Score and publish, train the classifier, find out what a run would change, or what further labels would bring."""

ClaimState = Literal["free", "sent", "begun"]
"""Who has a job. Whether there is anything to do is a separate question: see `wanted_since`."""
FREE: Final = "free"
"""Nobody: the scheduler may send it."""
SENT: Final = "sent"
"""A message is on its way, and who receives it may begin the job. The state stays when the claim runs out."""
BEGUN: Final = "begun"
"""A worker: it renews its claim while it lives."""

_LONGEST_REASON: Final = 1000


class Needs(IntFlag):
    """What a run is to do, besides scoring."""

    NOTHING = 0
    CHANGED = 1
    """Something is known to have changed: score even if a pull finds nothing."""
    PULL = 2
    """Something may have changed in Label Studio."""
    SWEEP = 4
    """Something may have changed without a trace: check the state of every task."""
    ASKED = 8
    """Somebody asked for it: it says so."""
    TRAINED = 16
    """The classifier was trained: it says so."""
    TOLD = 32
    """A webhook told that something has changed: it says so, if that is true."""


@dataclass(frozen=True)
class Job:
    """A run that somebody has claimed."""

    key: int
    project: int
    kind: Kind
    claim: int
    generation: int = 0
    needs: Needs = Needs.NOTHING


@dataclass(frozen=True)
class JobProgress:
    """The progress of a job in one of its stages; with a total of 0 it is not known."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class JobState:
    """How a project stands with one kind of run; times are Unix times.

    Attributes
    ----------
    wanted_since
        When the first thing happened that no run has seen; None if there is none.
    claimed
        Whether a worker has it, or is about to.
    failures, problem, retry_at
        How often it failed in a row, why, and when it is tried again.
    polled_at
        When it was last looked for changes.
    away
        Whether it failed because Label Studio does not answer.
    progress
        How far the worker is that has it; None where nobody has said so.
    """

    project: int
    kind: Kind
    wanted_since: float | None
    claimed: bool
    failures: int
    problem: str | None
    retry_at: float
    polled_at: float
    away: bool
    progress: JobProgress | None

    @property
    def word(self) -> str:
        """Return "fresh", "waiting", "working", "away" or "failed"."""
        if self.claimed:
            return "working"
        if self.problem is not None:
            return "away" if self.away else "failed"
        return "fresh" if self.wanted_since is None else "waiting"

    @property
    def rests(self) -> bool:
        """Whether it failed, and is not tried again before something has happened."""
        return self.word == "failed" and self.wanted_since is None

    @property
    def next_try(self) -> float | None:
        """When it is tried again; None if it did not fail, is tried at once, or somebody does it now."""
        return None if self.problem is None or self.claimed else self.retry_at or None


def storable(text: str) -> str:
    """Return a reason in a form that every store can hold."""
    return text[:_LONGEST_REASON].replace("\0", " ").encode(errors="replace").decode()
