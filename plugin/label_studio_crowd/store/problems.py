"""Why jobs failed recently, for pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from label_studio_crowd.store.database import now
from label_studio_crowd.store.facts import Facts, PlainFact
from label_studio_crowd.store.jobs import Kind, storable

_KEPT: Final = 50


@dataclass(frozen=True)
class Problem:
    """A failure.

    Attributes
    ----------
    at
        When (Unix time).
    kind
        Of the job.
    problem
        The reason, in words.
    times
        How often it failed so in a row.
    away
        Whether Label Studio did not answer.
    """

    at: float
    kind: Kind
    problem: str
    times: int = 1
    away: bool = False


@dataclass(frozen=True)
class Problems(PlainFact):
    """The last failures, the oldest first."""

    fact = "problems"

    rows: tuple[Problem, ...] = ()


def add_problem(facts: Facts, kind: Kind, problem: str, *, away: bool = False) -> None:
    """Record why a job failed: the same reason in a row only once. The oldest of many are forgotten."""
    rows = (facts.read(Problems) or Problems()).rows
    new = Problem(now(), kind, storable(problem), away=away)
    if rows and (rows[-1].kind, rows[-1].problem) == (kind, new.problem):
        rows, new = rows[:-1], replace(new, times=rows[-1].times + 1)
    facts.write(Problems((*rows, new)[-_KEPT:]))
