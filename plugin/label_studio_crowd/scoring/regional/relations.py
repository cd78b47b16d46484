"""Relations between regions: believed of each pair of kept regions that somebody related."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds import AnnotatorFigures, AnswerTable
from crowdcore.kinds.expected_f1 import expected_f1
from crowdcore.kinds.region import Relation, RelationBelief, believe_relations
from crowdcore.outlook.estimates import annotator_intervals
from label_studio_crowd.estimate import LEVEL
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KindBelief, Told, known_of
from label_studio_crowd.scoring.regional.inner import Inner, nothing_believed
from label_studio_crowd.scoring.regional.marked import MarkedRegions
from label_studio_crowd.scoring.regional.parts import Folded, Part, part_table
from label_studio_crowd.studio.controls import Arrow, described, in_words, name_of, related

Floats = NDArray[np.float64]
Said = tuple[Hashable, bool, bool] | None
"""The labels of a relation, whether it goes both ways, and whether it goes forward; None: there is none."""
_NONE: Final = "no relation"


@dataclass(frozen=True)
class Pair(Part):
    """Two kept regions that somebody related.

    Attributes
    ----------
    ids
        Of the two in the consensus.
    names
        The two for people.
    """

    ids: tuple[str, str]
    names: tuple[str, str]

    def arrow(self, said: Said) -> Arrow | None:
        """Return what is said of the two as a relation; None: there is none."""
        if said is None:
            return None
        labels, both_ways, forward = said
        ends = self.ids if forward else self.ids[::-1]
        return Arrow(*ends, labels if isinstance(labels, tuple) else (), both_ways)

    def show(self, said: Said) -> str:
        """Return what is said of the two for people."""
        arrow = self.arrow(said)
        return _NONE if arrow is None else in_words(arrow, dict(zip(self.ids, self.names, strict=True)))


def believe_related(answers: Answers, marked: MarkedRegions) -> tuple[Answers, KindBelief]:
    """Return the answers, with the consensus among their values, and what is believed of them."""
    regions = [one.found for one in marked.controls]
    belief = believe_relations(regions, _relations(answers, marked), _known(answers, marked))
    if belief is None:
        nothing = part_table([], {}, answers.crowd.annotators)
        folded = Folded(answers, [], nothing, np.empty(0, np.int64), nothing_believed(nothing, _show_said))
        return folded.belief([related([], {}) for _ in answers.crowd.tasks])
    pairs = list(_pairs(answers, marked, belief))
    table = _table(answers, pairs, belief)
    consensus = [None if code < 1 else belief.relations[code - 1] for code in belief.believed.consensus.tolist()]
    arrows: list[list[Arrow]] = [[] for _ in answers.crowd.tasks]
    names: list[dict[str, str]] = [{} for _ in answers.crowd.tasks]
    for pair, said in zip(pairs, consensus, strict=True):
        if (arrow := pair.arrow(said)) is not None:
            arrows[pair.row].append(arrow)
            names[pair.row] |= dict(zip(pair.ids, pair.names, strict=True))
    folded = Folded(answers, pairs, table, np.arange(len(pairs)), _inner(table, pairs, consensus, belief), "pair")
    own = _names(pairs, belief, marked, len(arrows))
    written = list(map(related, arrows, names, own))
    return folded.belief(written, lambda each: _expected_f1(each, belief))


def _names(pairs: list[Pair], belief: RelationBelief, marked: MarkedRegions, num_tasks: int) -> list[dict[str, str]]:
    """Return id → name of the related regions of each task, but for those known to be there."""
    found: list[dict[str, str]] = [{} for _ in range(num_tasks)]
    for pair, units in zip(pairs, belief.pairs, strict=True):
        for which, unit in units:
            control = marked.controls[which]
            if unit not in control.known:
                found[pair.row][str(control.item(unit).get("id"))] = name_of(control.item(unit))
    return found


def _relations(answers: Answers, marked: MarkedRegions) -> Iterator[Relation]:
    """Yield what annotators said of regions that they marked."""
    crowd = answers.crowd
    tasks, annotators = crowd.tasks.tolist(), crowd.annotators.tolist()
    for row, who, code in zip(crowd.task.tolist(), crowd.annotator.tolist(), crowd.label.tolist(), strict=True):
        for arrow in answers.values[code].arrows:
            first = marked.place(tasks[row], annotators[who], arrow.first)
            second = marked.place(tasks[row], annotators[who], arrow.second)
            if first is not None and second is not None:
                yield Relation(
                    tasks[row],
                    annotators[who],
                    first[1],
                    second[1],
                    arrow.labels,
                    arrow.both_ways,
                    first_of=first[0],
                    second_of=second[0],
                )


def _known(answers: Answers, marked: MarkedRegions) -> dict[Any, list[Relation]]:
    """Return the relations that are known to be there, by task."""
    known: dict[Any, list[Relation]] = {}
    for row, truth in enumerate(known_of(answers)):
        if truth is None:
            continue
        task = answers.crowd.tasks.tolist()[row]
        ends = [(marked.known(row, arrow.first), marked.known(row, arrow.second), arrow) for arrow in truth.arrows]
        known[task] = [
            Relation(task, None, one[1], other[1], arrow.labels, arrow.both_ways, first_of=one[0], second_of=other[0])
            for one, other, arrow in ends
            if one is not None and other is not None
        ]
    return known


def _pairs(answers: Answers, marked: MarkedRegions, belief: RelationBelief) -> Iterator[Pair]:
    row_of = {task: row for row, task in enumerate(answers.crowd.tasks.tolist())}
    for (one, other), task in zip(belief.pairs, belief.task.tolist(), strict=True):
        items = [marked.controls[which].item(unit) for which, unit in (one, other)]
        first, second = (described(item) for item in items)
        ids = str(items[0].get("id")), str(items[1].get("id"))
        yield Pair(row_of[task], f"{first} and {second}", ids, (first, second))


def _table(answers: Answers, pairs: list[Pair], belief: RelationBelief) -> AnswerTable:
    """Return the answers about pairs, by the annotators of the answers about tasks."""
    crowd = belief.believed.crowd
    code_of = {who: code for code, who in enumerate(answers.crowd.annotators.tolist())}
    annotators = crowd.annotators.tolist()
    said = {
        (pair, code_of[annotators[who]]): (None if code < 1 else belief.relations[code - 1])
        for pair, who, code in zip(crowd.task.tolist(), crowd.annotator.tolist(), crowd.label.tolist(), strict=True)
        if annotators[who] in code_of
    }
    return part_table(pairs, said, answers.crowd.annotators)


def _inner(table: AnswerTable, pairs: list[Pair], consensus: list[Said], belief: RelationBelief) -> Inner:
    result = belief.believed
    row_of = {who: row for row, who in enumerate(result.crowd.annotators.tolist())}
    place = np.array([row_of.get(who, -1) for who in table.annotators.tolist()], np.int64)
    key = {
        (pair, who): at
        for at, (pair, who) in enumerate(zip(result.crowd.task.tolist(), result.crowd.annotator.tolist(), strict=True))
    }
    answer = np.array(
        [key[pair, place[who]] for pair, who in zip(table.task.tolist(), table.annotator.tolist(), strict=True)],
        np.int64,
    )
    stats, interval = result.annotators, annotator_intervals(result, level=LEVEL)
    figures = AnnotatorFigures(
        _of(stats.quality, place),
        _of(interval, place),
        _of(stats.agreement_with_consensus, place),
        table_counts(table),
    )
    return Inner(
        table,
        consensus,
        result.quality,
        result.label_quality[answer],
        (result.crowd.label == result.consensus[result.crowd.task]).astype(np.float64)[answer],
        figures,
        _of(interval, place),
        _differ,
        _show_said,
        Told(),
    )


def table_counts(table: AnswerTable) -> NDArray[np.int64]:
    """Return how many answers each annotator gave, (M,)."""
    return np.bincount(table.annotator, minlength=len(table.annotators))


def _of(figures: Floats, place: NDArray[np.int64]) -> Floats:
    """Return the figures of annotators, NaN of those who marked no pair."""
    found: Floats = figures[np.maximum(place, 0)].astype(np.float64)
    found[place < 0] = np.nan
    return found


def _expected_f1(folded: Folded, belief: RelationBelief) -> Floats:
    """Return how far the relations of each task are expected to be the true ones."""
    result = belief.believed
    exists = 1 - result.posterior[:, 0]
    kept = result.consensus > 0
    return expected_f1(folded.rows, kept, result.quality, exists, len(folded.answers.crowd.tasks))


def _differ(one: Any, other: Any) -> float:
    return float(one != other)


def _show_said(said: Said) -> str:
    """Return a relation without its regions for people."""
    if said is None:
        return _NONE
    labels, both_ways, forward = said
    named = f" {', '.join(labels)}" if isinstance(labels, tuple) and labels else ""
    return ("↔" if both_ways else "→" if forward else "←") + named
