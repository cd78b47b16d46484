"""Every figure that cleanlab's tutorial of several annotators prints, to the printed digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.science.papers.datasets import read_toy
from benchmarks.science.papers.report import Claim, Report, Table, figure
from benchmarks.science.papers.scores import spearman
from crowdcore import Crowd, activelab, crowdlab
from crowdcore.cleanlab.majority import vote
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene

PRINTED = {
    "accuracy of the majority vote": "0.8581081",
    "accuracy of CROWDLAB's consensus": "0.9797297",
    "accuracy of the 15 labels of lowest quality": "0.8",
    "accuracy of the other labels": "0.98932384",
}
ANNOTATORS = {
    "A0050": "0.244981", "A0047": "0.295979", "A0049": "0.324197", "A0046": "0.355316", "A0048": "0.439732",
    "A0031": "0.523205", "A0034": "0.535313", "A0021": "0.606999", "A0015": "0.609526", "A0011": "0.621103",
}  # fmt: skip
LOWEST = 15


def run(data: Path) -> Report:
    """Return the tutorial's figures beside ours."""
    toy = read_toy(data)
    crowd = Crowd.from_wide(toy["labels"], classes=range(3))
    P, truth = toy["pred_probs"], toy["truth"]
    majority, _ = vote(crowd, np.empty((0, *P.shape)))
    found = crowdlab(crowd, P)
    right = found.consensus == truth
    worst = np.argsort(found.quality, kind="stable")
    ours = dict(
        zip(
            PRINTED,
            (np.mean(majority == truth), right.mean(), right[worst[:LOWEST]].mean(), right[worst[LOWEST:]].mean()),
            strict=True,
        )
    )
    rows = [_row(name, printed, ours[name]) for name, printed in PRINTED.items()]
    order = np.argsort(found.annotators.quality, kind="stable")[: len(ANNOTATORS)]
    names = toy["annotator_ids"][order].tolist()
    quality = dict(zip(toy["annotator_ids"].tolist(), found.annotators.quality.tolist(), strict=True))
    rows += [
        _row(f"quality of {name}, {place}.", printed, quality[name])
        for place, (name, printed) in enumerate(ANNOTATORS.items(), 1)
    ]
    arrays = [
        ["majority vote", _differing(majority, toy["majority_vote"])],
        ["consensus", _differing(found.consensus, toy["consensus"])],
        ["quality of the consensus", f"{np.abs(found.quality - toy['consensus_quality']).max():.1e}"],
        ["quality of the annotators", f"{np.abs(found.annotators.quality - toy['annotator_quality']).max():.1e}"],
    ]
    same = sum(row[-1] == "yes" for row in rows)
    scores, ours_alone = activelab(crowd, P), np.mean(hierarchical_dawid_skene(crowd, P).consensus == truth)
    return Report(
        name="tutorial",
        title="cleanlab's tutorial",
        about=f"{len(crowd.tasks)} tasks, {len(crowd.annotators)} annotators, {len(crowd.classes)} classes, "
        f"{len(crowd.label)} answers; probabilities out of sample as in the tutorial.",
        claims=[
            Claim("every printed figure, to the printed digit", f"{same} of {len(rows)}", same == len(rows)),
            Claim("the worst annotators in the printed order", ", ".join(names[:3]) + ", …", names == list(ANNOTATORS)),
            Claim("our own consensus .99 or more", figure(ours_alone, 4), bool(ours_alone >= 0.99)),
        ],
        tables=[
            Table("Printed figures", ["figure", "tutorial", "ours", "same"], rows),
            Table("All of the tutorial's arrays", ["array", "difference"], arrays),
        ],
        panels=[
            {
                "title": "the ten worst annotators",
                "labels": list(ANNOTATORS),
                "xlabel": "quality",
                "series": [
                    {"name": "tutorial", "y": [float(printed) for printed in ANNOTATORS.values()], "color": 9},
                    {"name": "ours", "y": [quality[name] for name in ANNOTATORS], "color": 0},
                ],
            }
        ],
        notes=[
            "ActiveLab's scores are not among the printed figures. cleanlab 2.9 counts votes at the wrong classes as "
            "soon as an answer is missing, and so takes another temperature; the rank correlation of its scores with "
            f"ours is {spearman(scores, toy['activelab_scores']):.3f}."
        ],
    )


def _row(name: str, printed: str, ours: float) -> list[str]:
    found = f"{ours:.{len(printed.partition('.')[2])}f}"
    return [name, printed, found, "yes" if found == printed else "**no**"]


def _differing(ours: np.ndarray, theirs: np.ndarray) -> str:
    return f"{int((ours != theirs).sum())} of {len(ours)} labels"
