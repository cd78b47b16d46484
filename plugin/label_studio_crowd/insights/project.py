"""A project in one look: how good its labels are, how many are settled, and how many are still needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from label_studio_crowd.estimates import Estimate
from label_studio_crowd.snapshot import Snapshot

_SETTLED_BY: Final = ("known truth", "quality reached", "most labels reached", "labels and skips")
_NO_FORECAST: Final = "The forecast has not been made yet: it follows a run after a while."
_BINS: Final = 20
_DAY: Final = 86400.0
_DAYS: Final = 7


@dataclass(frozen=True)
class Numbers:
    """A project in numbers; what the list of projects shows.

    Attributes
    ----------
    taken_at
        When the run was that found them (Unix time).
    tasks, labelled_tasks, labels, skips, annotators
        `annotators` are those with at least one label.
    settled, settled_share
        Tasks that need no more labels, and their share of all; None without tasks.
    queue
        Tasks in the queue.
    accuracy
        Estimated share of the consensus labels that are right, in [0, 1], with its 90 % interval; or why not.
    """

    taken_at: float
    tasks: int
    labelled_tasks: int
    labels: int
    skips: int
    annotators: int
    settled: int
    settled_share: float | None
    queue: int
    accuracy: Estimate


@dataclass(frozen=True)
class Count:
    """How many of a kind there are; `what` is for people."""

    what: str
    number: int


@dataclass(frozen=True)
class Histogram:
    """How many tasks have a consensus of which quality.

    Attributes
    ----------
    edges
        The 21 bounds of 20 bins, from 0 to 1.
    settled, unsettled
        How many tasks of each bin need no more labels, and how many do; 20 each. Tasks whose consensus nobody
        has said anything of are in none, nor are those of unknown truth where nothing tells how good labels are.
    """

    edges: tuple[float, ...]
    settled: tuple[int, ...]
    unsettled: tuple[int, ...]


@dataclass(frozen=True)
class Moment:
    """How the project stood at a time (Unix time): labels, and the estimated accuracy with its interval."""

    at: float
    labels: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Accuracy after so many further labels: mean, and 90 % band; all of the same length.

    It is the share of *all* tasks whose consensus is right, tasks without one being wrong: so it begins elsewhere than
    `Numbers.accuracy`, which is of the tasks with labels.
    """

    further_labels: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Forecast:
    """What further labels are expected to bring.

    Attributes
    ----------
    labels
        How many labels there were when it was made.
    queue_order, random_order
        Labels given in the order of the queue, and to tasks by chance.
    needed
        Further labels until every task is settled.
    """

    labels: int
    queue_order: Curve
    random_order: Curve
    needed: Estimate


@dataclass(frozen=True)
class Overview:
    """What a project's page shows.

    Attributes
    ----------
    numbers
        The project in numbers.
    target_quality
        The quality from which on a consensus is settled.
    settled_by
        Tasks that need no more labels, by reason, those that occur; `what` is like "quality reached".
    labels_a_day
        Labels given a day, over the seven days before the run (or since the first label, if later; over at least one
        day); None without labels.
    labels_needed
        Further labels until every task is settled; or why that is not known.
    days_needed
        What `labels_needed` takes at `labels_a_day`; None where one of them is not known, or 0.
    histogram
        Quality of the consensus.
    history
        The project at past runs, the oldest first; runs without an estimate are left out.
    forecast
        None where there is none; `forecast_reason` says why then.
    forecast_reason
        "" where there is a forecast.
    """

    numbers: Numbers
    target_quality: float
    settled_by: tuple[Count, ...]
    labels_a_day: float | None
    labels_needed: Estimate
    days_needed: float | None
    histogram: Histogram
    history: tuple[Moment, ...]
    forecast: Forecast | None
    forecast_reason: str


def project_numbers(snapshot: Snapshot) -> Numbers:
    """Return a project in numbers."""
    settled = int(np.count_nonzero(snapshot.settled_by))
    return Numbers(
        taken_at=snapshot.taken_at,
        tasks=len(snapshot.tasks),
        labelled_tasks=int(np.count_nonzero(snapshot.labels)),
        labels=len(snapshot.answer_label),
        skips=int(snapshot.skips.sum()),
        annotators=int(np.count_nonzero(snapshot.annotator_labels)),
        settled=settled,
        settled_share=settled / len(snapshot.tasks) if len(snapshot.tasks) else None,
        queue=len(snapshot.queue),
        accuracy=snapshot.accuracy,
    )


def project_overview(
    snapshot: Snapshot, history: Sequence[Sequence[float]], forecast: Mapping[str, Any] | None
) -> Overview:
    """Return what a project's page shows.

    Parameters
    ----------
    snapshot
        What the last run believed.
    history
        From ``mirror.recall("history")``, [] where that is None.
    forecast
        From ``mirror.recall("forecast")``.
    """
    numbers = project_numbers(snapshot)
    counts = np.bincount(snapshot.settled_by, minlength=1 + len(_SETTLED_BY))[1:].tolist()
    a_day = _labels_a_day(snapshot)
    needed = _labels_needed(snapshot, forecast)
    return Overview(
        numbers=numbers,
        target_quality=snapshot.target_quality,
        settled_by=tuple(Count(what, number) for what, number in zip(_SETTLED_BY, counts, strict=True) if number),
        labels_a_day=a_day,
        labels_needed=needed,
        days_needed=needed.value / a_day if needed.value and a_day else None,
        histogram=_histogram(snapshot),
        history=tuple(Moment(float(at), int(labels), *accuracy) for at, labels, *accuracy in history),
        forecast=_forecast(forecast) if forecast and "reason" not in forecast else None,
        forecast_reason=_NO_FORECAST if forecast is None else forecast.get("reason", ""),
    )


def scored_with(snapshot: Snapshot, report: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return by which control, consensus method and classifier a project is scored, as (name, words).

    Parameters
    ----------
    snapshot
        What the last run believed.
    report
        The last run's, from ``mirror.last_run()``.
    """
    named = ((name.capitalize(), report.get(name)) for name in ("consensus", "classifier"))
    return (("Control", snapshot.control), *((name, words) for name, words in named if words))


def _labels_a_day(snapshot: Snapshot) -> float | None:
    given = snapshot.answer_at[snapshot.answer_at > 0]
    if not len(given):
        return None
    seconds = min(max(snapshot.taken_at - int(given.min()), _DAY), _DAYS * _DAY)
    return float(np.count_nonzero(given >= snapshot.taken_at - seconds) / (seconds / _DAY))


def _labels_needed(snapshot: Snapshot, forecast: Mapping[str, Any] | None) -> Estimate:
    if snapshot.settled_by.all():
        return Estimate(0.0, 0.0, 0.0)
    if forecast is None or "reason" in forecast:
        return Estimate.unknown(_NO_FORECAST if forecast is None else forecast["reason"])
    found = Estimate(**forecast["needed"])
    since = len(snapshot.answer_label) - forecast["labels"]
    value, low, high = (None if v is None else max(v - since, 0.0) for v in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.reason)


def _histogram(snapshot: Snapshot) -> Histogram:
    edges = np.linspace(0, 1, _BINS + 1)
    there = snapshot.said & np.isfinite(snapshot.quality) & (snapshot.known | snapshot.comparable)
    quality, settled = snapshot.quality[there], snapshot.settled_by[there] > 0
    counts = [tuple(np.histogram(quality[which], edges)[0].tolist()) for which in (settled, ~settled)]
    return Histogram(tuple(edges.round(2).tolist()), *counts)


def _forecast(found: Mapping[str, Any]) -> Forecast:
    queue_order, random_order = (
        Curve(**{name: tuple(values) for name, values in found[order].items()}) for order in ("queue", "random")
    )
    return Forecast(found["labels"], queue_order, random_order, Estimate(**found["needed"]))
