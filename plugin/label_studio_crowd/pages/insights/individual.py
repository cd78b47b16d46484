"""One annotator: which classes they confuse, whether that changes, and what they can learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.estimate import LEVEL, Estimate
from label_studio_crowd.pages.insights.copying import SameLabels, same_labels
from label_studio_crowd.pages.insights.figures import People
from label_studio_crowd.pages.insights.kinds import Habits, habits_of
from label_studio_crowd.pages.insights.mistakes import SuspectLabel, spelled_out
from label_studio_crowd.pages.insights.odd_regions import OddRegion, odd_regions_of
from label_studio_crowd.pages.insights.team import AnnotatorRow, annotator_row, repeats
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.scoring.suspects import improbable
from label_studio_crowd.store.people import is_deleted, is_model

Floats = NDArray[np.float64]

_PERIODS, _LEAST_IN_PERIOD = 10, 5
_MOST_CLASSES: Final = 40
_EXAMPLES: Final = 10


@dataclass(frozen=True)
class Confusion:
    """An annotator's labels for each consensus, on tasks where others have a say, too.

    Attributes
    ----------
    classes
        The C classes shown: those that they gave or that tasks they labelled have, in the project's order.
    counts
        Labels by consensus (rows) and label given (columns); C rows of C.
    shares
        The same as shares of each row; None in rows without labels.
    left_out
        How many more such classes there are: the 40 with most labels are shown.
    """

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[float | None, ...], ...]
    left_out: int


@dataclass(frozen=True)
class Period:
    """Some of an annotator's labels, one after the other.

    Attributes
    ----------
    first, last
        Which of the annotator's labels these are, from 1.
    quality
        Share of them that are right, with its 90 % interval.
    """

    first: int
    last: int
    quality: Estimate


@dataclass(frozen=True)
class Speed:
    """How long an annotator takes for a label.

    Attributes
    ----------
    median, fast, slow
        Seconds: median, and the quarters that are faster and slower.
    everybody
        Median seconds of all labels in the project.
    """

    median: float
    fast: float
    slow: float
    everybody: float


@dataclass(frozen=True)
class AnnotatorDetails:
    """What an annotator's page shows.

    Attributes
    ----------
    row
        The annotator in numbers.
    are_deleted
        Whether these are the deleted users, whose labels are taken as one annotator's.
    is_model
        Whether it is a model, whose predictions are answers.
    confusion
        None without labels of tasks that have a consensus.
    periods
        Up to ten of about as many labels each, the oldest first; () with fewer than 10 labels, nobody to be compared
        with, or for a model, which answers all at once.
    mistakes
        Up to 10 labels that are probably wrong, to teach from: the surest of each confusion first, so that different
        mistakes are seen.
    speed
        None where nothing is known.
    told
        What the kind of answers tells besides, in words; "" where it tells nothing.
    habits
        What their answers are like, where they are not one class; None where nothing tells.
    odd
        Some regions that they miss, invent, or mark otherwise; () where answers are no regions.
    same
        With whom they give the same labels, also where everybody else says otherwise; None with nobody.
    """

    row: AnnotatorRow
    are_deleted: bool
    is_model: bool
    confusion: Confusion | None
    periods: tuple[Period, ...]
    mistakes: tuple[SuspectLabel, ...]
    speed: Speed | None
    same: SameLabels | None
    told: str
    habits: Habits | None
    odd: tuple[OddRegion, ...]


def annotator_details(snapshot: Snapshot, people: People, row: int) -> AnnotatorDetails:
    """Return what an annotator's page shows.

    Parameters
    ----------
    row
        From ``people.row(key)``.
    """
    theirs = snapshot.answers_of(row)
    suspected = improbable(snapshot)
    suspected = suspected[snapshot.answer_annotator[suspected] == row]
    pair = snapshot.consensus[snapshot.crowd.task[suspected]] * len(snapshot.classes) + snapshot.answer_label[suspected]
    pair = np.unique(pair, return_inverse=True)[1]  # of thousands of classes there are millions of pairs
    examples = suspected[np.lexsort((np.arange(len(pair)), repeats(pair)))][:_EXAMPLES]
    return AnnotatorDetails(
        row=annotator_row(snapshot, people, row),
        are_deleted=is_deleted(int(snapshot.annotators[row])),
        is_model=is_model(int(snapshot.annotators[row])),
        confusion=_confusion(snapshot, theirs),
        periods=() if snapshot.are_models[row] else _periods(snapshot, theirs),
        mistakes=spelled_out(snapshot, people, examples.tolist()),
        speed=_speed(snapshot, theirs),
        same=same_labels(snapshot, people, row),
        told=snapshot.of_annotators[row] if snapshot.of_annotators else "",
        habits=habits_of(snapshot, row),
        odd=odd_regions_of(snapshot, people, row),
    )


def _confusion(snapshot: Snapshot, theirs: NDArray[np.int64]) -> Confusion | None:
    crowd = snapshot.crowd
    theirs = theirs[snapshot.judged[crowd.task[theirs]]]
    if not len(theirs) or not snapshot.is_class:
        return None
    truth, said = snapshot.consensus[crowd.task[theirs]], crowd.label[theirs]
    labels = np.bincount(truth, minlength=len(snapshot.classes)) + np.bincount(said, minlength=len(snapshot.classes))
    seen = np.flatnonzero(labels)
    shown = np.sort(seen[np.argsort(-labels[seen], kind="stable")[:_MOST_CLASSES]])
    place = np.full(len(snapshot.classes), -1)
    place[shown] = np.arange(len(shown))
    there = (place[truth] >= 0) & (place[said] >= 0)
    cell = place[truth[there]] * len(shown) + place[said[there]]
    counts = np.bincount(cell, minlength=len(shown) ** 2).reshape(len(shown), -1).tolist()
    return Confusion(
        classes=tuple(snapshot.classes[code] for code in shown.tolist()),
        counts=tuple(map(tuple, counts)),
        shares=tuple(tuple(count / sum(row) if sum(row) else None for count in row) for row in counts),
        left_out=len(seen) - len(shown),
    )


def _periods(snapshot: Snapshot, theirs: NDArray[np.int64]) -> tuple[Period, ...]:
    number = min(len(theirs) // _LEAST_IN_PERIOD, _PERIODS)
    if number < 2 or not snapshot.judged[snapshot.crowd.task[theirs]].any():
        return ()
    theirs = theirs[np.argsort(snapshot.answer_at[theirs], kind="stable")]
    parts = np.array_split(theirs, number)
    starts = np.cumsum([0] + [len(part) for part in parts])
    return tuple(_period(snapshot, part, first) for part, first in zip(parts, starts.tolist(), strict=False))


def _period(snapshot: Snapshot, answers: NDArray[np.int64], before: int) -> Period:
    return Period(
        first=before + 1,
        last=before + len(answers),
        quality=_share_right(snapshot.answer_quality[answers]),
    )


def _share_right(right: Floats) -> Estimate:
    """Return which share of labels is right, with the interval of the accuracy behind it.

    A beta distribution with the mean of the labels' probabilities and half a success and half a failure more; its
    variance is that of so many labels, and that of which of them are right.
    """
    from scipy.special import betaincinv

    n = len(right)
    mean = (right.sum() + 0.5) / (n + 1)
    variance = mean * (1 - mean) / (n + 2) + (right * (1 - right)).sum() / (n + 1) ** 2
    weight = max(mean * (1 - mean) / variance - 1, 1e-6)
    low, high = betaincinv(mean * weight, (1 - mean) * weight, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    share = float(right.mean())
    return Estimate(share, min(low, share), max(high, share))


def _speed(snapshot: Snapshot, theirs: NDArray[np.int64]) -> Speed | None:
    seconds = snapshot.answer_seconds[theirs]
    seconds = seconds[np.isfinite(seconds)]
    if not len(seconds):
        return None
    fast, median, slow = np.quantile(seconds, [0.25, 0.5, 0.75]).tolist()
    return Speed(median, fast, slow, float(np.nanmedian(snapshot.answer_seconds)))
