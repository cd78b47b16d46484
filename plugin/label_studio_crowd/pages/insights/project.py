"""A project at a glance: how good its labels are, how many are settled, and how many are still needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.scoring.outlook import NOT_YET, Forecast, History, Moment
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.store.reports import RunReport
from label_studio_crowd.studio.controls import RELATIONS
from label_studio_crowd.wording import count

_MEASURES: Final = {
    "choice": "share of the consensus labels that are right",
    "ordered": "share of the consensus labels that are right",
    "set": "expected F1 of the sets of classes",
    "number": "chance to be within the tolerance",
    "moment": "chance to be within the tolerance",
    "text": "expected share of right words",
    "ranking": "expected share of pairs in the right order",
    "regions": "expected F1 of the regions, with their boundaries",
    RELATIONS: "expected F1 of the relations",
}
"""What the quality of a consensus is, by the kind of answers."""
_SETTLED_BY: Final = ("known truth", "quality reached", "label limit reached", "labels and skips")
_NO_TASKS: Final = "The project has no tasks yet."
_EDGES: Final = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1.0)
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
        `annotators` are the people with at least one label.
    models
        Models among the annotators, with at least one answer; these are no labels.
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
    models: int
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
        The bounds of the bins, from 0 to 1: closer to each other towards 1, where most tasks are in the end.
    settled, unsettled
        How many tasks of each bin need no more labels, and how many do. Tasks whose consensus nobody has said
        anything of are in none, nor are those of unknown truth where nothing tells how good labels are.
    """

    edges: tuple[float, ...]
    settled: tuple[int, ...]
    unsettled: tuple[int, ...]


@dataclass(frozen=True)
class Pace:
    """How many labels were given lately.

    Attributes
    ----------
    labels, days
        Labels of the last so many days before the run: seven, or fewer where the first label is not that old.
    a_day
        What that is a day; None where the first label is less than a day old.
    """

    labels: int
    days: int
    a_day: float | None


@dataclass(frozen=True)
class Overview:
    """What a project's page shows.

    Attributes
    ----------
    numbers
        The project in numbers.
    measure
        What the quality of a consensus is, in words.
    target_quality
        The quality from which on a consensus is settled.
    settled_by
        Tasks that need no more labels, by reason, those that occur; `what` is like "quality reached".
    pace
        How many labels were given lately; None without labels, and where it is not known when they were given.
    labels_needed
        Further labels until every task is settled; or why that is not known.
    days_needed
        What `labels_needed` takes at this pace; None where one of them is not known, or 0.
    histogram
        Quality of the consensus.
    crowdlab_differs
        Labelled tasks on which CROWDLAB says something else; None where it is not asked, or nothing is labelled.
    history
        The project at past runs, the oldest first; runs without an estimate are left out.
    history_of
        The first of several controls where that is another one: only its history is kept. Else "".
    forecast
        None where there is none; `forecast_reason` says why then.
    forecast_reason
        "" where there is a forecast.
    """

    numbers: Numbers
    measure: str
    target_quality: float
    settled_by: tuple[Count, ...]
    pace: Pace | None
    labels_needed: Estimate
    days_needed: float | None
    histogram: Histogram
    crowdlab_differs: int | None
    history: tuple[Moment, ...]
    history_of: str
    forecast: Forecast | None
    forecast_reason: str


def project_numbers(snapshot: Snapshot) -> Numbers:
    """Return a project in numbers."""
    settled = int(np.count_nonzero(snapshot.settled_by))
    return Numbers(
        taken_at=snapshot.taken_at,
        tasks=len(snapshot.tasks),
        labelled_tasks=int(np.count_nonzero(snapshot.labels)),
        labels=int(snapshot.labels.sum()),
        skips=int(snapshot.skips.sum()),
        annotators=int(np.count_nonzero(snapshot.annotator_labels[~snapshot.are_models])),
        models=int(np.count_nonzero(snapshot.annotator_labels[snapshot.are_models])),
        settled=settled,
        settled_share=settled / len(snapshot.tasks) if len(snapshot.tasks) else None,
        queue=len(snapshot.queue),
        accuracy=snapshot.accuracy,
    )


def project_overview(
    snapshot: Snapshot, history: History | None, forecast: Forecast | None, missing: str = NOT_YET
) -> Overview:
    """Return what a project's page shows.

    Parameters
    ----------
    snapshot
        What the last run believed.
    history, forecast
        As the store has them; of several controls the snapshot's is taken.
    missing
        Why there is no forecast, if that is None.
    """
    made = forecast.of_control(snapshot.control) if forecast else None
    reason = missing if made is None else made.reason
    numbers = project_numbers(snapshot)
    counts = np.bincount(snapshot.settled_by, minlength=1 + len(_SETTLED_BY))[1:].tolist()
    pace = _pace(snapshot)
    needed = labels_needed(snapshot, made, missing)
    history_of = next((first for first in snapshot.all_controls[:1] if first != snapshot.control), "")
    return Overview(
        numbers=numbers,
        measure=_MEASURES.get(snapshot.kind, "mean quality of what is said of the regions"),
        target_quality=snapshot.target_quality,
        settled_by=tuple(Count(what, number) for what, number in zip(_SETTLED_BY, counts, strict=True) if number),
        pace=pace,
        labels_needed=needed,
        days_needed=needed.value / pace.a_day if needed.value and pace and pace.a_day else None,
        histogram=_histogram(snapshot),
        crowdlab_differs=int(snapshot.crowdlab_differs.sum())
        if len(snapshot.crowdlab) and numbers.labelled_tasks
        else None,
        history=history.moments if history and not history_of else (),
        history_of=history_of,
        forecast=None if reason else made,
        forecast_reason=reason if needed.value != 0 else "",
    )


def scored_with(snapshot: Snapshot, report: RunReport) -> tuple[tuple[str, str], ...]:
    """Return by which control, consensus method, classifier and models a project is scored, as (name, words).

    Parameters
    ----------
    snapshot
        What the last run believed.
    report
        The last run's.
    """
    classifier = report.classifiers.get(snapshot.control, report.classifier)
    learned = (snapshot.predicted >= 0).any() or (bool(snapshot.training) and not snapshot.is_class)
    if classifier and learned and not snapshot.hears_model:
        classifier += " It has no influence at present: the labels do not confirm it."
    models = ", ".join(f"{version} ({count(tasks, 'task')})" for version, tasks in report.models.items())
    named = (
        ("Control", snapshot.control),
        ("Consensus", report.consensus),
        ("Classifier", classifier),
        ("Models among the annotators", models),
    )
    return tuple((name, words) for name, words in named if words)


def _pace(snapshot: Snapshot) -> Pace | None:
    given = snapshot.answer_at[snapshot.answer_at > 0]
    if not len(given):
        return None
    age = int((snapshot.taken_at - given.min()) // _DAY)
    days = min(max(age, 1), _DAYS)
    labels = int(np.count_nonzero(given >= snapshot.taken_at - days * _DAY))
    return Pace(labels, days, labels / days if age > 0 else None)


def labels_needed(snapshot: Snapshot, forecast: Forecast | None, missing: str = NOT_YET) -> Estimate:
    """Return how many further labels are needed until every task is settled; or why that is not known.

    Parameters
    ----------
    forecast
        As the store has it; labels that were given since are not needed any more.
    missing
        Why there is no forecast, if that is None.
    """
    if not len(snapshot.tasks):
        return Estimate.unknown(_NO_TASKS)
    unsettled = np.count_nonzero(snapshot.settled_by == 0)
    if not unsettled:
        return Estimate(0.0, 0.0, 0.0)
    if forecast is None or forecast.needed is None:
        return Estimate.unknown(missing if forecast is None else forecast.reason)
    found, since = forecast.needed, int(snapshot.labels.sum()) - forecast.labels
    value, low, high = (
        None if v is None else max(v - since, float(unsettled)) for v in (found.value, found.low, found.high)
    )
    return Estimate(value, low, high, found.reason)


def _histogram(snapshot: Snapshot) -> Histogram:
    there = snapshot.said & np.isfinite(snapshot.quality) & (snapshot.known | snapshot.comparable)
    quality, settled = snapshot.quality[there], snapshot.settled_by[there] > 0
    counts = [tuple(np.histogram(quality[which], _EDGES)[0].tolist()) for which in (settled, ~settled)]
    return Histogram(_EDGES, *counts)
