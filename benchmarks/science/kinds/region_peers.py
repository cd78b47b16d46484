"""What others do with spans, boxes and masks of several annotators, in few lines each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.science.kinds.region_crowds import RegionCrowd, alike
from crowdcore import Crowd
from crowdcore.aggregate import DawidSkene
from crowdcore.hierarchical import hierarchical_dawid_skene
from crowdcore.kinds.region import Box, Mask, Region, Span
from crowdcore.kinds.region.marks import marks_of
from crowdcore.kinds.region.matching import match

Answer = tuple[Region, ...]
OUTSIDE = "O"


def token_majority(crowd: RegionCrowd) -> list[Answer]:
    """Each token has the tag that most annotators gave it; equal tags beside each other are a span."""
    tokens = _tokens(crowd)
    counts = tokens.counts.astype(float)
    counts[:, tokens.classes.tolist().index(OUTSIDE)] += 0.5  # of ties, nothing
    return _spans(crowd, tokens, counts.argmax(axis=1))


def token_dawid_skene(crowd: RegionCrowd) -> list[Answer]:
    """Each token has the tag that Dawid-Skene believes."""
    tokens = _tokens(crowd)
    labels = DawidSkene().fit_predict(tokens)
    code = {name: number for number, name in enumerate(tokens.classes.tolist())}
    return _spans(crowd, tokens, np.array([code[label] for label in labels.tolist()]))


def _tokens(crowd: RegionCrowd) -> Crowd:
    """Return the tags B-x and I-x of all tokens; whoever marked nothing there said O."""
    labels = sorted({region.label for answer in crowd.table.values for region in answer})
    classes = [OUTSIDE, *[f"{first}-{label}" for label in labels for first in "BI"]]
    code = {name: number for number, name in enumerate(classes)}
    lengths = [len(one["tokens"]) for one in crowd.data]
    begin = np.concatenate([[0], np.cumsum(lengths)])
    rows = []
    for task, who, answer in zip(crowd.table.task, crowd.table.annotator, crowd.table.values, strict=True):
        tags = np.zeros(lengths[task], dtype=int)
        for region in answer:
            tags[region.place.start : region.place.end] = code[f"I-{region.label}"]
            tags[region.place.start] = code[f"B-{region.label}"]
        rows.append((begin[task] + np.arange(lengths[task]), np.full(lengths[task], who), tags))
    token, annotator, tag = (np.concatenate(column) for column in zip(*rows, strict=True))
    names = crowd.table.annotators
    return Crowd.from_codes(token, annotator, tag, tasks=range(begin[-1]), annotators=names, classes=classes)


def _spans(crowd: RegionCrowd, tokens: Crowd, tags: np.ndarray) -> list[Answer]:
    classes, found, at = tokens.classes.tolist(), [], 0
    for one in crowd.data:
        spans: list[Region] = []
        names = [classes[tag] for tag in tags[at : at + len(one["tokens"])].tolist()]
        at += len(names)
        for place, name in enumerate(names):
            if name == OUTSIDE:
                continue
            label = name[2:]
            goes_on = place and spans and spans[-1].place.end == place and spans[-1].label == label
            if goes_on and name[0] == "I":
                spans[-1] = Region(Span(spans[-1].place.start, place + 1), label)
            else:
                spans.append(Region(Span(place, place + 1), label))
        found.append(tuple(spans))
    return found


def span_quorum(crowd: RegionCrowd) -> list[Answer]:
    """Spans with a label that more than half of the annotators marked exactly so."""
    return [
        tuple({region for answer in answers for region in answer if 2 * _votes(region, answers) > len(answers)})
        for answers in _answers(crowd)
    ]


def _votes(region: Region, answers: Sequence[Answer]) -> int:
    return sum(region in answer for answer in answers)


def _answers(crowd: RegionCrowd) -> list[list[Answer]]:
    table = crowd.table
    return [list(table.values[a:b]) for a, b in zip(table.indptr[:-1], table.indptr[1:], strict=True)]


def nothing_as_a_class(crowd: RegionCrowd) -> list[Answer]:
    """Our matching; then hierarchical Dawid-Skene with "nothing" as one more class, and the commonest place."""
    table, marks = crowd.table, marks_of(crowd.table)
    unit = match(marks)
    task = np.zeros(unit.max() + 1, dtype=int)
    task[unit] = marks.task
    sizes = table.num_answers[task]
    rows = np.repeat(np.arange(len(task)), sizes)
    who = np.concatenate([table.annotator[table.indptr[t] : table.indptr[t + 1]] for t in task.tolist()])
    place = {(u, a): number for number, (u, a) in enumerate(zip(rows.tolist(), who.tolist(), strict=True))}
    said = np.zeros(len(rows), dtype=int)
    for u, a, label in zip(unit.tolist(), marks.annotator.tolist(), marks.label.tolist(), strict=True):
        said[place[u, a]] = label + 1
    classes = ["nothing", *marks.labels]
    units = Crowd.from_codes(rows, who, said, tasks=range(len(task)), annotators=table.annotators, classes=classes)
    consensus = hierarchical_dawid_skene(units).consensus
    found: list[list[Region]] = [[] for _ in table.tasks]
    for u in np.flatnonzero(consensus > 0).tolist():
        members = [marks.measure.places[at] for at in np.flatnonzero(unit == u).tolist()]
        commonest = max(sorted(set(members), key=repr), key=members.count)
        found[task[u]].append(Region(commonest, classes[consensus[u]]))
    return [tuple(there) for there in found]


def weighted_boxes_fusion(crowd: RegionCrowd, level: float = 0.5, score: float = 0.5) -> list[Answer]:
    """Solovyev, Wang & Gabruseva 2021, with every box's score 1: boxes join the fused box they overlap most.

    A fused box is the mean of its members; its score is the number of members over that of annotators.
    """
    found = []
    for answers in _answers(crowd):
        groups: list[list[Region]] = []
        for answer in answers:
            for region in answer:
                overlap = alike([region], [_mean(group) for group in groups])[0]
                if len(overlap) and overlap.max() > level:
                    groups[int(overlap.argmax())].append(region)
                else:
                    groups.append([region])
        kept = [group for group in groups if min(len(group), len(answers)) / max(len(answers), 1) > score]
        found.append(tuple(_mean(group) for group in kept))
    return found


def box_quorum(crowd: RegionCrowd, share: float = 0.5) -> list[Answer]:
    """As CVAT and Datumaro: matched boxes that more than a share of the annotators marked, at the members' mean."""
    marks = marks_of(crowd.table)
    unit = match(marks)
    found: list[list[Region]] = [[] for _ in crowd.table.tasks]
    for members in np.split(np.argsort(unit, kind="stable"), np.cumsum(np.bincount(unit))[:-1]):
        task = marks.task[members[0]]
        if len(members) > share * crowd.table.num_answers[task]:
            named = [Region(marks.measure.places[at], marks.labels[marks.label[at]]) for at in members.tolist()]
            found[task].append(_mean(named))
    return [tuple(there) for there in found]


def _mean(group: Sequence[Region]) -> Region:
    sides = np.mean([(r.place.x, r.place.y, r.place.width, r.place.height) for r in group], axis=0)
    return Region(Box(*sides.tolist()), group[0].label)


def pixel_majority(masks: Sequence[Mask]) -> Mask:
    """Pixels that more than half of the masks have."""
    return Mask.of(np.mean([mask.to_array() for mask in masks], axis=0) > 0.5)


def staple(masks: Sequence[Mask], rounds: int = 50) -> Mask:
    """Warfield, Zou & Wells 2004: a sensitivity and a specificity for each mask, by expectation maximisation."""
    marked = np.stack([mask.to_array() for mask in masks]).reshape(len(masks), -1)
    share = marked.mean()
    hit, miss = np.full(len(masks), 0.95), np.full(len(masks), 0.05)
    for _ in range(rounds):
        yes, no = (np.where(marked, p[:, None], 1 - p[:, None]).prod(axis=0) for p in (hit, miss))
        belief = share * yes / (share * yes + (1 - share) * no)
        hit = np.clip((marked * belief).sum(axis=1) / belief.sum(), 1e-6, 1 - 1e-6)
        miss = np.clip((marked * (1 - belief)).sum(axis=1) / (1 - belief).sum(), 1e-6, 1 - 1e-6)
    height, width = masks[0].height, masks[0].width
    return Mask.of((belief > 0.5).reshape(height, width))
