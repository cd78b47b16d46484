"""The runs of a project: what started them, how long each stage took, what they changed, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages.insights.project import Count
from label_studio_crowd.store.problems import Problem, Problems
from label_studio_crowd.store.reports import Changes, FinishedRun, RunReport
from label_studio_crowd.wording import plural

_TRIGGERS: Final = {
    "command": "a command",
    "request": "a click",
    "training": "training",
    "change": "a change in Label Studio",
    "poll": "a check for changes",
    "sweep": "a full check",
}
_JOBS: Final = {"train": "training", "plan": "a dry run", "forecast": "the forecast"}
_NOT_RECORDED: Final = "It was not recorded."


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
        What started it, for people: "a change in Label Studio", "a check for changes", "a full check", "a command",
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


def past_runs(runs: Sequence[FinishedRun], problems: Problems | None) -> tuple[PastRun, ...]:
    """Return runs and failures, the newest first.

    Parameters
    ----------
    runs, problems
        As the store has them; problems older than the oldest run given are left out.
    """
    found = [_run(run.finished_at, run.report) for run in runs]
    since = min((run.finished_at for run in found), default=0.0)
    failed = [_failure(row) for row in (problems.rows if problems else ()) if row.at >= since]
    return tuple(sorted(found + failed, key=lambda run: -run.finished_at))


def _run(at: float, report: RunReport) -> PastRun:
    return PastRun(
        finished_at=at,
        trigger=_TRIGGERS.get(report.trigger, ""),
        problem="",
        is_away=False,
        labels=report.labels,
        settled=report.settled,
        accuracy=report.estimated_accuracy or Estimate.unknown(_NOT_RECORDED),
        trained=bool(report.trained),
        seconds=sum(report.seconds.values()) if report.seconds else None,
        waited=report.seconds_waited,
        stages=tuple(Stage(name, value) for name, value in report.seconds.items()),
        changes=changes_made(report.changes),
        warnings=report.warnings,
    )


def changes_made(changes: Changes) -> tuple[Count, ...]:
    """Return what was changed in Label Studio, or would be, as far as anything was."""
    counts = (
        (f"{plural(changes.reopen, 'task')} opened", changes.reopen),
        (f"{plural(changes.close, 'task')} closed", changes.close),
        (f"queue {plural(changes.queue_edits, 'entry', 'entries')} written", changes.queue_edits),
        (f"consensus {plural(changes.consensus_edits, 'label')} written", changes.consensus_edits),
        ("left for the next run", changes.deferred),
    )
    return tuple(Count(what, number) for what, number in counts if number)


def _failure(row: Problem) -> PastRun:
    return PastRun(
        finished_at=row.at,
        trigger=_JOBS.get(row.kind, ""),
        problem=row.problem + f" ({row.times} times)" * (row.times > 1),
        is_away=row.away,
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
