"""The consensus of regions: what is there, what it is, where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.arguments import is_number
from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.kinds.per_task import is_missing, per_task
from crowdcore.kinds.region.features import Describe, UnitClassifier, as_prior
from crowdcore.kinds.region.folding import agreement, annotator_figures, answer_quality, task_quality
from crowdcore.kinds.region.keeping import kept_units
from crowdcore.kinds.region.marks import KNOWN, NO_LABEL, Marks, marks_of
from crowdcore.kinds.region.matching import match
from crowdcore.kinds.region.measures import Measure
from crowdcore.kinds.region.places import Region
from crowdcore.kinds.region.placing import expected_exactness, place_units
from crowdcore.kinds.region.presence import EXISTS, UNKNOWN, Presence, Scene, find_presence
from crowdcore.kinds.region.result import Members, RegionResult, Units
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROUNDS = 2
"""How often a classifier of features learns from what is believed."""


def regions(
    table: AnswerTable,
    *,
    features: Describe | None = None,
    known: Sequence[Sequence[Region] | None] | Mapping[Any, Sequence[Region]] | None = None,
    threshold: float | None = None,
) -> RegionResult:
    r"""Return each task's consensus of regions, and how far regions and annotators are to be believed.

    Marks of different annotators that are of the same thing are matched to units. A unit is kept if there is more
    probably something than nothing; its label and its place are those its members believe in.

    Parameters
    ----------
    table : AnswerTable
        N tasks. An answer is a tuple of `Region`; () says that there is nothing. All places are of one kind: of `Span`,
        `Ranges`, `KeyPoint` or `Mask`, or each a `Box`, an `Ellipse` or a `Polygon`.
    features : callable, optional
        From a task's id and a place to numbers by name, such as `TextFeatures`. A classifier learns from them what
        units are, out of fold.
    known : sequence of length N, mapping or Series by task, optional
        All regions that are known to be in each task; None for a task of which nothing is known.
    threshold : float, optional
        Similarity from which marks are taken to be of the same thing: by default .2 for spans and ranges of text or
        time, .35 for all else.

    Returns
    -------
    RegionResult
        The quality of a task is the expected F1 of its consensus with the truth, a region counting as much as its
        place is exact.

    Raises
    ------
    TypeError
        If an answer is no tuple of regions, or places of different kinds are mixed.
    ValueError
        If `known` has not an answer for each task, or names one that the table has not; `threshold` is not in [0, 1];
        or `features` gives anything but finite numbers by name.

    Notes
    -----
    - *Units*: see `crowdcore.kinds.region.matching.match`. Labels do not decide what is matched: a wrong label is a
      vote on the same object.
    - *Existence*: see `crowdcore.kinds.region.presence.find_presence`, with features as prior.
    - *Label*: `crowdcore.hierarchical_dawid_skene` of those who marked the unit, with the features' classifier as its
      model. The quality of a unit is the probability that it exists and has its label.
    - *Place*: weighted medians of the members with that label, of whole numbers what most weight is on, of masks what
      more than half of it covers, of polygons the member most like the others (`crowdcore.kinds.region.placing`).
      The weights are inverse to annotators' mean distance to the consensus.
    - *Kept* is what exists with probability above 1/2. If annotators never mark things that overlap, of overlapping
      units only the surest is.
    - *Quality*: :math:`2 \sum_{kept} p_u b_u / (n_{kept} + \sum_u e_u + m)`, with the quality p of units, the
      expected similarity b of their places to the true ones, the probability e that they exist, and m expected objects
      that nobody marked; with nothing kept :math:`\prod_u (1 - e_u) \exp(-m)`, the probability that nothing is right.

    Examples
    --------
    >>> from crowdcore.kinds.region import Span
    >>> ann = (Region(Span(0, 4), "PER"), Region(Span(10, 14), "LOC"))
    >>> bob = (Region(Span(0, 4), "PER"), Region(Span(9, 14), "LOC"))
    >>> table = AnswerTable.from_codes([0, 0, 0], [0, 1, 2], [ann, bob, ann], tasks=["text"], annotators=[5, 6, 7])
    >>> [(region.place.start, region.place.end, region.label) for region in regions(table).consensus[0]]
    [(0, 4, 'PER'), (10, 14, 'LOC')]
    """
    if features is not None and not callable(features):
        raise ValueError(f"features is {features!r}; it must be a function of a task and a place, or None.")
    if threshold is not None and not (is_number(threshold) and 0 <= threshold <= 1):
        raise ValueError(f"threshold is {threshold!r}; it must be a number in [0, 1].")
    listed = per_task(table, known, "known", "the regions or None")
    given = None if known is None else [None if is_missing(there) else there for there in listed]
    return _Consensus(table, given, threshold, features).result()


@dataclass
class _Consensus:
    """The steps, each from those before."""

    table: AnswerTable
    given: Sequence[Sequence[Region] | None] | None
    threshold: float | None
    features: Describe | None

    @cached_property
    def known(self) -> Bools:
        """Tasks whose regions are known, (N,)."""
        N = len(self.table.tasks)
        if self.given is None:
            return np.zeros(N, dtype=np.bool_)
        return np.array([answer is not None for answer in self.given], dtype=np.bool_)

    @cached_property
    def marks(self) -> Marks:
        return marks_of(self.table, self.given)

    @cached_property
    def unit(self) -> Codes:
        """Unit of each mark."""
        return match(self.marks, self.threshold)

    @cached_property
    def unit_task(self) -> Codes:
        """Task of each unit."""
        task: Codes = np.zeros(self.unit.max(initial=-1) + 1, dtype=np.int64)
        task[self.unit] = self.marks.task
        return task

    @cached_property
    def by_people(self) -> Codes:
        """Places of the marks that are not known regions, by unit."""
        found = np.flatnonzero(self.marks.annotator != KNOWN)
        return found[np.argsort(self.unit[found], kind="stable")]

    @cached_property
    def known_class(self) -> Codes:
        """Class of each unit, as `Scene` wants it."""
        marks = self.marks
        found = np.where(self.known[self.unit_task], 0, UNKNOWN)
        given = np.flatnonzero(marks.annotator == KNOWN)
        unnamed = EXISTS if marks.labels else 1
        found[self.unit[given]] = np.where(marks.label[given] != NO_LABEL, marks.label[given] + 1, unnamed)
        return found

    @cached_property
    def believed(self) -> tuple[Presence, Floats | None]:
        """What exists, and what a classifier of features says of each unit."""
        marks, some = self.marks, self.by_people
        scene = Scene(
            num_tasks=len(self.table.tasks),
            num_annotators=len(self.table.annotators),
            num_labels=max(len(marks.labels), 1),
            answer_task=self.table.task,
            answer_annotator=self.table.annotator,
            unit_task=self.unit_task,
            mark_unit=self.unit[some],
            mark_annotator=marks.annotator[some],
            mark_label=marks.label[some],
            known=self.known_class,
            known_tasks=self.known,
        )
        presence, judged = find_presence(scene), None
        if self.features is None or not len(self.unit_task):
            return presence, None
        places, _, _ = self._place(np.arange(len(marks)))
        classifier = UnitClassifier(self.features, self.table.tasks[self.unit_task].tolist(), places.places)
        for _ in range(ROUNDS):
            judged = classifier.judge(presence.belief)
            presence = find_presence(scene, as_prior(judged))
        return presence, judged

    @cached_property
    def label_posterior(self) -> Floats:
        """Probability of each label of each unit, if it exists; (U, K)."""
        table, marks, judged = self.table, self.marks, self.believed[1]
        U, K = len(self.unit_task), len(marks.labels)
        if K < 2 or not U:
            return np.ones((U, K))
        said = self.by_people[marks.label[self.by_people] != NO_LABEL]
        number = np.arange(U) - np.searchsorted(self.unit_task, self.unit_task)
        ids = list(zip(table.tasks[self.unit_task].tolist(), number.tolist(), strict=True))
        crowd = Crowd.from_codes(
            self.unit[said], marks.annotator[said], marks.label[said],
            tasks=ids, annotators=table.annotators, classes=marks.labels,
        )  # fmt: skip
        model = None if judged is None else judged[:, 1:] / judged[:, 1:].sum(axis=1, keepdims=True)
        known = np.where(self.known_class > 0, self.known_class - 1, -1)
        return hierarchical_dawid_skene(crowd, model, known_labels=known).posterior

    def _place(self, some: Codes) -> tuple[Measure, Floats, Floats]:
        """Return where units are by some of their marks; all must have one. Known regions are one annotator's more."""
        marks, M = self.marks, len(self.table.annotators)
        annotator = np.where(marks.annotator[some] == KNOWN, M, marks.annotator[some])
        return place_units(marks.measure.of(some), self.unit[some], annotator, len(self.unit_task), M + 1)

    def result(self) -> RegionResult:
        table, marks, unit, task = self.table, self.marks, self.unit, self.unit_task
        N, U, K = len(table.tasks), len(task), len(marks.labels)
        known = self.known
        presence = self.believed[0]
        exists, posterior = presence.exists, self.label_posterior
        named = np.bincount(unit[marks.label != NO_LABEL], minlength=U) > 0
        label = np.where(named, posterior.argmax(axis=1), NO_LABEL) if K else np.full(U, NO_LABEL)
        quality = exists * _of(posterior, np.arange(U), label)

        is_known = marks.annotator == KNOWN
        fits = is_known | ((marks.label == label[unit]) & ~np.isin(unit, unit[is_known]))
        lacks = np.bincount(unit[fits], minlength=U) == 0
        places, _, exact = self._place(np.flatnonzero(fits | lacks[unit]))
        some = self.by_people
        members = Members(
            unit=unit[some],
            answer=marks.answer[some],
            region=marks.region[some],
            annotator=marks.annotator[some],
            label=marks.label[some],
            alike=marks.measure.alike(some, places, unit[some]),
            quality=exists[unit[some]] * _of(posterior, unit[some], marks.label[some]),
        )
        exactness = np.where(self.known_class == UNKNOWN, expected_exactness(members.alike, members.unit, U), 1.0)
        kept = kept_units(marks.measure.of(some), members.answer, exists, quality, task, places)
        place: NDArray[np.object_] = np.empty(U, dtype=object)
        place[:] = places.places
        units = Units(task, place, label, exists, posterior, quality, exactness, kept)
        agreed = agreement(table, units, members)
        expected, there = task_quality(units, presence.missed, N), (table.num_answers > 0) | known
        return RegionResult(
            answers=table,
            consensus=_consensus(units, marks.labels, there),
            quality=np.where(there, expected, 0.0),
            confidence=np.where(there, expected, 0.0),
            agreement=group_mean(agreed, table.task, N),
            answer_quality=answer_quality(table, units, members, presence.missed),
            annotators=annotator_figures(table, units, members, presence, exact[:-1], agreed),
            known=known,
            labels=marks.labels,
            units=units,
            members=members,
            missed=presence.missed,
            known_regions=np.stack([marks.task, marks.region, unit], axis=1)[is_known],
        )


def _of(posterior: Floats, unit: Codes, label: Codes) -> Floats:
    """Return the probability of a label of each unit, 1 of none."""
    if not posterior.shape[1]:
        return np.ones(len(unit))
    return np.where(label == NO_LABEL, 1.0, posterior[unit, label])


def _consensus(units: Units, labels: tuple[str, ...], there: Bools) -> NDArray[np.object_]:
    """Return the kept regions of each task; None where there is neither an answer nor a known one."""
    found: list[list[Region]] = [[] for _ in there]
    for at in np.flatnonzero(units.kept).tolist():
        label = None if units.label[at] == NO_LABEL else labels[units.label[at]]
        found[units.task[at]].append(Region(units.place[at], label))
    consensus: NDArray[np.object_] = np.empty(len(there), dtype=object)
    for task in np.flatnonzero(there).tolist():
        consensus[task] = tuple(found[task])
    return consensus
