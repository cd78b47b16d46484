"""The runs of a project: what set them off, how long each stage took, what they changed, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from label_studio_crowd.pages.insights.project import Count
from label_studio_crowd.scoring.estimates import Estimate

_TRIGGERS: Final = {
    "command": "a command",
    "request": "a click",
    "training": "training",
    "change": "something changed",
    "poll": "a look for changes",
    "sweep": "a look at everything",
}
_JOBS: Final = {"train": "training", "plan": "a dry run", "forecast": "the forecast"}
_CHANGES: Final = {
    "tasks opened": ("reopen",),
    "tasks closed": ("close",),
    "queue entries written": ("queue_create", "queue_update", "queue_delete"),
    "consensus labels written": ("consensus_create", "consensus_update", "consensus_delete"),
    "left for the next run": ("deferred",),
}
_NOT_RECORDED: Final = "It was not recorded then."


@dataclass(frozen=True)
class Stage:
    """A stage of a run, and its seconds."""

    name: str
    seconds: float


@dataclass(frozen=True)
class PastRun:
    """What a run did, or why it failed.

    Attributes
    ----------
    finished_at
        Unix time.
    trigger
        What set it off, for people: "something changed", "a look for changes", "a look at everything", "a command",
        "a click", "training", "a dry run", "the forecast" (these two as failures only); "" where it is not known.
    problem
        Why it failed; "" if it did not. A run that failed has none of what follows.
    is_away
        Whether it failed because Label Studio did not answer.
    labels, settled
        As the run found them; None where that is not known.
    accuracy
        Estimated accuracy of the consensus; or why not.
    trained
        Whether the classifier was trained in it.
    seconds, waited, stages
        How long it took, how much of this it waited for Label Studio, and its stages in their order.
    changes
        What was changed in Label Studio, as far as anything was.
    warnings
        What somebody may want to mend.
    """

    finished_at: float
    trigger: str
    problem: str
    is_away: bool
    labels: int | None
    settled: int | None
    accuracy: Estimate
    trained: bool
    seconds: float | None
    waited: float | None
    stages: tuple[Stage, ...]
    changes: tuple[Count, ...]
    warnings: tuple[str, ...]


def past_runs(
    runs: Sequence[tuple[float, Mapping[str, Any]]], problems: Sequence[Mapping[str, Any]]
) -> tuple[PastRun, ...]:
    """Return runs and failures, the newest first.

    Parameters
    ----------
    runs
        From ``mirror.runs(most)``.
    problems
        From ``mirror.recall("problems")``, [] where that is None; those older than the oldest run given are left out.
    """
    found = [_run(at, report) for at, report in runs]
    since = min((run.finished_at for run in found), default=0.0)
    failed = [_failure(problem) for problem in problems if problem["at"] >= since]
    return tuple(sorted(found + failed, key=lambda run: -run.finished_at))


def _run(at: float, report: Mapping[str, Any]) -> PastRun:
    changes, seconds = report.get("changes", {}), report.get("seconds", {})
    counts = ((what, sum(changes.get(name, 0) for name in names)) for what, names in _CHANGES.items())
    return PastRun(
        finished_at=at,
        trigger=_TRIGGERS.get(report.get("trigger", ""), ""),
        problem="",
        is_away=False,
        labels=report.get("labels"),
        settled=report.get("settled"),
        accuracy=Estimate(**report.get("estimated_accuracy", {"value": None, "reason": _NOT_RECORDED})),
        trained=bool(report.get("trained")),
        seconds=sum(seconds.values()) if seconds else None,
        waited=report.get("seconds_waited"),
        stages=tuple(Stage(name, value) for name, value in seconds.items()),
        changes=tuple(Count(what, number) for what, number in counts if number),
        warnings=tuple(report.get("warnings", ())),
    )


def _failure(problem: Mapping[str, Any]) -> PastRun:
    return PastRun(
        finished_at=problem["at"],
        trigger=_JOBS.get(problem["kind"], ""),
        problem=problem["problem"] + f" ({problem['times']} times)" * (problem["times"] > 1),
        is_away=problem.get("away", False),
        labels=None,
        settled=None,
        accuracy=Estimate.unknown("The run failed."),
        trained=False,
        seconds=None,
        waited=None,
        stages=(),
        changes=(),
        warnings=(),
    )
