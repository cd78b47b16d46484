"""How hard a fault is, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field


class SkippedError(Exception):
    """A fault that cannot be made on this machine; the message says why."""


@dataclass(frozen=True)
class Options:
    """How hard the faults are.

    Attributes
    ----------
    kills
        How often the server is killed.
    away
        Seconds that Label Studio is away.
    seconds
        How long annotators label before and after, and while webhooks are dropped.
    seed
        Of what is random.
    tasks, answered
        How many tasks the project has at first, and how many of them are answered.
    """

    kills: int = 50
    away: float = 20.0
    seconds: float = 8.0
    seed: int = 0
    tasks: int = 80
    answered: int = 15


@dataclass
class Outcome:
    """What a fault did.

    Attributes
    ----------
    given
        Annotations acknowledged while it lasted.
    lost
        Annotations that Label Studio has and the mirror has not, or that Label Studio itself lost.
    duplicates
        Predictions of one of our versions beyond the first of their task.
    touched
        What of others is not as it was.
    fresh_after
        Seconds from the fault's end until everything was in the mirror and scored.
    problems
        Everything else that is not as it should be.
    answered
        How many requests the server answered with which status; since its last start, where it was killed.
    """

    fault: str
    done: str
    given: int = 0
    lost: int = 0
    duplicates: int = 0
    touched: list[str] = field(default_factory=list)
    fresh_after: float = 0.0
    problems: list[str] = field(default_factory=list)
    answered: str = ""
    skipped: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing was lost, and all is as it should be."""
        return not (self.lost or self.duplicates or self.touched or self.problems)
