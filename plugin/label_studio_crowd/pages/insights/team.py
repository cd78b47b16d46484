"""The annotators: how good each is, how fast, and whether that changes."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages.insights.figures import Page, People, Person, known_or_none, label_of, on_page
from label_studio_crowd.scoring.snapshot import Snapshot

OrderBy = Literal["quality", "agreement", "labels", "seconds", "trend", "name"]
Floats = NDArray[np.float64]

_ENOUGH: Final = 15
_SPANS: Final = 20
_CERTAIN: Final = 2.576
"""Standard deviations that chance stays within in 99 % of cases."""
_FALSE_ALARM: Final = 0.01


@dataclass(frozen=True)
class Trend:
    """How an annotator's last labels differ from their first.

    Attributes
    ----------
    change
        Quality of the last third of their labels less that of the first third, each beside what the others reached
        at the same time, so that tasks that become harder are nobody's decline.
    is_real
        Whether it is more than chance (at 99 %, for a table shows many).
    """

    change: float
    is_real: bool


@dataclass(frozen=True)
class AnnotatorRow:
    """An annotator in numbers.

    Attributes
    ----------
    person
        Who it is.
    quality
        Probability that a label of theirs is right, with its 90 % interval; or why that is not known.
    agreement
        Share of their labels that are the consensus, of tasks on whose consensus others, the classifier or a known
        truth have a say, too; None without any.
    labels, share
        How many labels they gave, and the share of all labels; None for a model, whose answers are no labels.
    seconds
        Median seconds a label took them; None where that is not known.
    worst_class
        The label that is wrong most often when they give it; None where they are never wrong, or nothing tells.
    told
        What the kind of answers tells besides, in words; "" where it tells nothing.
    trend
        None where they have too few labels (fewer than 15), or nobody to be compared with.
    """

    person: Person
    quality: Estimate
    agreement: float | None
    labels: int
    share: float | None
    seconds: float | None
    worst_class: str | None
    told: str
    trend: Trend | None


def annotators_page(
    snapshot: Snapshot,
    people: People,
    number: int = 1,
    size: int = 50,
    *,
    order_by: OrderBy = "quality",
    descending: bool = False,
) -> Page[AnnotatorRow]:
    """Return a page of the annotators; those of whom the figure is not known come last."""
    changes = _Changes(snapshot)
    keys = _keys(snapshot, people, changes, order_by)
    order = np.lexsort((-keys if descending else keys, np.isnan(keys)))
    which = on_page(len(order), number, size)
    rows = tuple(_row(snapshot, people, changes, row) for row in order[which].tolist())
    return Page(rows, len(order), which.start // size + 1, size)


def annotator_row(snapshot: Snapshot, people: People, row: int) -> AnnotatorRow:
    """Return an annotator in numbers."""
    return _row(snapshot, people, _Changes(snapshot), row)


def _row(snapshot: Snapshot, people: People, changes: _Changes, row: int) -> AnnotatorRow:
    labels = int(snapshot.annotator_labels[row])
    seconds = snapshot.answer_seconds[snapshot.answers_of(row)]
    seconds = seconds[np.isfinite(seconds)]
    return AnnotatorRow(
        person=people.everybody[row],
        quality=_quality(snapshot, row),
        agreement=known_or_none(snapshot.agreement[row]),
        labels=labels,
        share=labels / int(snapshot.labels.sum()) if labels and not snapshot.are_models[row] else None,
        seconds=float(np.median(seconds)) if len(seconds) else None,
        worst_class=label_of(snapshot, int(snapshot.worst_class[row])),
        told=snapshot.of_annotators[row] if snapshot.of_annotators and labels else "",
        trend=changes.trend(row),
    )


def _quality(snapshot: Snapshot, row: int) -> Estimate:
    value = known_or_none(snapshot.annotator_quality[row])
    if not snapshot.annotator_labels[row]:
        return Estimate.unknown("No labels yet.")
    if value is None:
        return Estimate.unknown("Nobody else has labelled any of their tasks, so it is not known how good they are.")
    return Estimate(value, known_or_none(snapshot.quality_low[row]), known_or_none(snapshot.quality_high[row]))


def usual_quality(snapshot: Snapshot) -> float | None:
    """Return the quality of the average label, by who gave it; None without any."""
    rated = np.isfinite(snapshot.annotator_quality) & ~snapshot.are_models
    if not snapshot.annotator_labels[rated].any():
        return None
    return float(np.average(snapshot.annotator_quality[rated], weights=snapshot.annotator_labels[rated]))


def surely_weak(snapshot: Snapshot) -> NDArray[np.bool_]:
    """Return the annotators who, by their interval, are right less often than the usual label, (M,)."""
    usual = usual_quality(snapshot)
    return np.asarray(snapshot.quality_high < (-np.inf if usual is None else usual))  # NaN is below nothing


def declines(snapshot: Snapshot) -> tuple[tuple[int, float], ...]:
    """Return the annotators whose labels have got worse, and by how much (`Trend.change`), the worst first.

    The more annotators there are, the surer it has to be: that chance names anybody at all has a probability of 1 %.
    """
    changes = _Changes(snapshot)
    compared = int(np.count_nonzero(changes.enough))
    certain = NormalDist().inv_cdf(1 - _FALSE_ALARM / max(compared, 1))
    found = np.flatnonzero(changes.enough & (changes.deviations < -certain))
    found = found[np.argsort(changes.change[found], kind="stable")]
    return tuple(zip(found.tolist(), changes.change[found].tolist(), strict=True))


def _keys(snapshot: Snapshot, people: People, changes: _Changes, order_by: OrderBy) -> Floats:
    """Return what annotators are ordered by, NaN where it is not known."""
    if order_by == "name":
        names = np.array([person.name.casefold() for person in people.everybody])
        # "annotator 10" is not between 1 and 2
        place = snapshot.pseudonym if people.hidden else np.unique(names, return_inverse=True)[1]
        return np.asarray(place, np.float64)
    if order_by == "seconds":
        return _median_seconds(snapshot)
    if order_by == "trend":
        return np.asarray(np.where(changes.enough, changes.change, np.nan), np.float64)
    if order_by == "quality":
        return snapshot.annotator_quality
    if order_by == "agreement":
        return snapshot.agreement
    return np.asarray(snapshot.annotator_labels, np.float64)


def _median_seconds(snapshot: Snapshot) -> Floats:
    """Return the median seconds a label took each annotator, NaN where that is not known, (M,)."""
    timed = np.flatnonzero(np.isfinite(snapshot.answer_seconds))
    who, seconds = snapshot.answer_annotator[timed], snapshot.answer_seconds[timed]
    seconds = seconds[np.lexsort((seconds, who))]
    counts = np.bincount(who, minlength=len(snapshot.annotators))
    first, there = np.cumsum(counts) - counts, counts > 0
    median = np.full(len(counts), np.nan)
    low, high = (first + (counts - 1) // 2)[there], (first + counts // 2)[there]
    median[there] = (seconds[low] + seconds[high]) / 2
    return median


class _Changes:
    """How everybody's last labels differ from their first, beside what the others did at the same time.

    Labels are put into `_SPANS` spans of time with as many labels each. A label's surplus is its probability of being
    right less the mean of the others' in its span; the change is the mean surplus of the last third of an annotator's
    labels less that of the first third. Its variance is as if each label were right or wrong for certain.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        M = len(snapshot.annotators)
        dated = np.flatnonzero(snapshot.answer_at > 0)
        dated = dated[np.argsort(snapshot.answer_at[dated], kind="stable")]
        who, right = snapshot.answer_annotator[dated], snapshot.answer_quality[dated]
        span = np.arange(len(dated)) * _SPANS // max(len(dated), 1)
        cell = who * _SPANS + span
        labels = np.bincount(cell, minlength=M * _SPANS).reshape(M, _SPANS)
        sums = np.bincount(cell, right, minlength=M * _SPANS).reshape(M, _SPANS)
        others = labels.sum(axis=0) - labels
        usual = (sums.sum(axis=0) - sums + 0.5) / (others + 1)
        number = repeats(who)
        total = labels.sum(axis=1)
        self.enough = total >= _ENOUGH
        self.change, variance = np.zeros(M), np.zeros(M)
        for sign, third in ((-1, number < total[who] // 3), (1, number >= total[who] - total[who] // 3)):
            third &= others[who, span] > 0
            n = np.bincount(who[third], minlength=M)
            per_span = np.bincount(cell[third], minlength=M * _SPANS).reshape(M, _SPANS) / np.maximum(n, 1)[:, None]
            accuracy = (np.bincount(who[third], right[third], minlength=M) + 0.5) / (n + 1)
            self.change += sign * (
                np.bincount(who[third], right[third], minlength=M) / np.maximum(n, 1) - (per_span * usual).sum(axis=1)
            )
            variance += accuracy * (1 - accuracy) / np.maximum(n, 1)
            variance += (per_span**2 * usual * (1 - usual) / np.maximum(others, 1)).sum(axis=1)
            self.enough &= n >= _ENOUGH // 3
        self.deviations = self.change / np.sqrt(variance)

    def trend(self, row: int) -> Trend | None:
        if not self.enough[row]:
            return None
        return Trend(float(self.change[row]), bool(abs(self.deviations[row]) > _CERTAIN))


def repeats(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each value occurs before its place."""
    order = np.argsort(values, kind="stable")
    counts = np.bincount(values, minlength=1)
    place = np.empty(len(values), np.int64)
    place[order] = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place
