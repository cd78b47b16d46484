"""peerannot's comparisons: the accuracy of aggregated labels, and of a classifier that learns from them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from benchmarks.science.papers.datasets import (
    Codes,
    Floats,
    LabeledCrowd,
    judge_features,
    labelme_classifier,
    read_labelme,
    read_simulation,
)
from benchmarks.science.papers.label_quality import fit
from benchmarks.science.papers.report import Claim, Report, Table, beside, figure, positive, progress
from crowdcore import majority_vote
from crowdcore.aggregate import run_method

# peerannot stops after 50 iterations; GLAD is not at its optimum there
GLAD: dict[str, Any] = {"n_iter": 50, "tol": -np.inf}
DAWID_SKENE: dict[str, Any] = {"n_iter": 50, "tol": 1e-9}
COLUMNS = ("MV", "NaiveSoft", "GLAD", "DS", "DSWC few", "DSWC many")
SIMULATIONS: dict[str, tuple[str, tuple[int, int], tuple[float, ...]]] = {
    "independent": ("independent confusion", (5, 10), (0.760, 0.760, 0.780, 0.890, 0.775, 0.770)),
    "independent-imbalanced": ("the same, imbalanced votes", (5, 10), (0.820, 0.830, 0.810, 0.895, 0.845, 0.840)),
    "discrete_difficulty": ("discrete difficulty", (2, 5), (0.820, 0.790, 0.845, 0.810, 0.600, 0.660)),
}
LEARNERS = {
    "majority-vote": "majority vote",
    "naive-soft": "NaiveSoft",
    "dawid-skene": "Dawid-Skene",
    "glad": "GLAD",
    "wds": "WDS",
    "dawid-skene+model": "Dawid-Skene with model",
    "glad+model": "GLAD with model",
    "crowdlab": "CROWDLAB",
    "feature-em": "feature EM",
    "hierarchical": "hierarchical Dawid-Skene (ours)",
    "hierarchical-refitted": "the same, classifier refitted",
    "truth": "the truth",
}
LABELS_ALONE, PROBABILITIES_ALONE = ("majority-vote", "truth"), ("naive-soft",)
FOLDS = 5
DEEP = {"majority-vote": 0.8561, "naive-soft": 0.8645, "dawid-skene": 0.8106, "glad": 0.8754}
FROZEN = {
    "majority-vote": 0.796, "dawid-skene": 0.811, "naive-soft": 0.821, "crowdlab": 0.846, "feature-em": 0.862,
    "truth": 0.93,
}  # fmt: skip


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    parser.add_argument("--repeats", type=positive, default=2, help="times that LabelMe is split into five parts (2)")
    parser.add_argument("--quick", action="store_true", help="once only, with the first 300 tasks of LabelMe")


def run(data: Path, repeats: int = 2, quick: bool = False) -> Report:
    """Return the accuracies beside the published ones."""
    cells = simulated(data)
    labelme = read_labelme(data, 300 if quick else None)
    learned = learn(labelme, 1 if quick else repeats)
    exact = [abs(ours - theirs) for row in cells.values() for ours, theirs in row[1:]]
    votes = [abs(row[0][0] - row[0][1]) for row in cells.values()]
    close = sum(gap <= 0.005 + 1e-9 for gap in exact)
    return Report(
        name="peerannot",
        title="peerannot's comparisons",
        about="Lefort, Charlier, Joly & Salmon 2024, Computo: three simulated crowds of 200 tasks and five classes, "
        "and LabelMe.",
        claims=[
            Claim("the 15 deterministic cells to ± .005", f"{close} of {len(exact)}", close == len(exact)),
            Claim("majority vote to ± .03", f"at most {figure(max(votes))} off", max(votes) <= 0.03 + 1e-9),
        ],
        tables=[
            Table(
                "Accuracy of the training labels: ours, and in brackets as published",
                ["crowd", *COLUMNS],
                [
                    [SIMULATIONS[name][0], *(beside(ours, theirs) for ours, theirs in row)]
                    for name, row in cells.items()
                ],
                about="DSWC has 5 and 10 clusters, in the last row 2 and 5. peerannot breaks the majority's ties at "
                "random from an unknown state; NaiveSoft takes the first of tied classes.",
            ),
            _learned_table(learned, labelme, 1 if quick else repeats),
        ],
        panels=[
            {
                "title": "accuracy of the training labels",
                "labels": [f"{SIMULATIONS[name][0]}, {column}" for name in cells for column in COLUMNS],
                "series": [
                    {"name": "peerannot", "y": [theirs for row in cells.values() for _, theirs in row], "color": 9},
                    {"name": "ours", "y": [ours for row in cells.values() for ours, _ in row], "color": 0},
                ],
            },
            {
                "title": "LabelMe: accuracy on held-out tasks",
                "labels": [LEARNERS[method] for method in learned],
                "series": [
                    {"name": "trained on labels", "y": _means(learned, 0, PROBABILITIES_ALONE)},
                    {"name": "on probabilities", "y": _means(learned, 1, LABELS_ALONE)},
                ],
            },
        ],
        notes=NOTES,
    )


def simulated(data: Path) -> dict[str, list[tuple[float, float]]]:
    """Return ours and the published accuracy of each method on each simulated crowd."""
    found = {}
    for name, (_, (few, many), published) in SIMULATIONS.items():
        crowd, truth = read_simulation(data, name)
        methods: list[tuple[str, dict[str, Any]]] = [
            ("majority-vote", {}),
            ("naive-soft", {"ties": "first"}),
            ("glad", GLAD),
            ("dawid-skene", DAWID_SKENE),
            ("dawid-skene-clust", {"n_clusters": few}),
            ("dawid-skene-clust", {"n_clusters": many}),
        ]
        ours = [
            float(np.mean(run_method(method, crowd, options=options).aggregator.codes_ == truth))
            for method, options in methods
        ]
        found[name] = list(zip(ours, published, strict=True))
    return found


def learn(labeled: LabeledCrowd, repeats: int) -> dict[str, tuple[Floats, Floats]]:
    """Return, for each method, the accuracies on held-out tasks of a classifier taught its labels.

    The answers of four fifths of the tasks are aggregated, the classifier learns these labels (first array) or
    probabilities (second array), and is tested on the truth of the last fifth.
    """
    found: dict[str, tuple[list[float], list[float]]] = {method: ([], []) for method in LEARNERS}
    splits = list(_splits(labeled.truth, repeats))
    with Progress(console=progress, transient=True) as bar:
        going = bar.add_task("LabelMe", total=len(splits) * len(LEARNERS))
        for train, test in splits:
            part = labeled.crowd.select_tasks(train)
            X, truth = labeled.features[train], labeled.truth[train]
            P = judge_features(X, majority_vote(part), len(part.classes))
            for method, (hard, soft) in found.items():
                T, codes = np.eye(len(part.classes))[truth], truth
                if method != "truth":
                    fitted = fit(LabeledCrowd(part, truth, P, X), method)
                    T, codes = fitted.probas, fitted.codes
                for taught, into in ((np.eye(T.shape[1])[codes], hard), (T, soft)):
                    judged = _taught(X, taught).predict(labeled.features[test])
                    into.append(float(np.mean(judged == labeled.truth[test])))
                bar.advance(going)
    return {method: (np.array(hard), np.array(soft)) for method, (hard, soft) in found.items()}


def _splits(truth: Codes, repeats: int) -> Iterator[tuple[Codes, Codes]]:
    from sklearn.model_selection import StratifiedKFold

    for seed in range(repeats):
        yield from StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(truth, truth)


def _taught(X: Floats, T: Floats) -> Any:
    """Return the classifier, fitted to tasks as examples of class k of weight T[i, k]."""
    task, label = np.nonzero(T > 1e-4)
    return labelme_classifier().fit(X[task], label, logisticregression__sample_weight=T[task, label])


def _learned_table(learned: dict[str, tuple[Floats, Floats]], labelme: LabeledCrowd, repeats: int) -> Table:
    rows = [
        [
            LEARNERS[method],
            "" if method in PROBABILITIES_ALONE else _spread(hard),
            "" if method in LABELS_ALONE else _spread(soft),
            figure(FROZEN.get(method)),
            figure(DEEP.get(method)),
        ]
        for method, (hard, soft) in learned.items()
    ]
    return Table(
        "LabelMe: learning from aggregated labels",
        ["labels by", "on labels", "on probabilities", "frozen, test set", "published, deep"],
        rows,
        about=f"Accuracy on held-out tasks of logistic regression on frozen VGG-16 features; {len(labelme.truth):,} "
        f"tasks in five parts, each part held out once; {repeats} such splits. ± is the standard deviation between "
        "parts over the root of five. Frozen, test set: found before with the same features on LabelMe's own test set, "
        "by a small network (majority vote, Dawid-Skene, NaiveSoft) or logistic regression (the others). Published: "
        "VGG-16 fine-tuned on the images, which cannot be had.",
    )


def _means(learned: dict[str, tuple[Floats, Floats]], which: int, not_of: tuple[str, ...]) -> list[float | None]:
    return [None if method in not_of else float(found[which].mean()) for method, found in learned.items()]


def _spread(found: Floats) -> str:
    return f"{figure(found.mean())} ± {figure(found.std() / np.sqrt(FOLDS))}"


NOTES = [
    "LabelMe's test set has no features here, so that the 1,000 tasks with answers are split; answers and features of "
    "the part held out are not seen by anything that is fitted.",
    "Methods with a model have logistic regression fitted out of fold to the majority's labels.",
    "Deep methods without an aggregated label (published CrowdLayer .872, CoNAL .885; frozen .836, .828) are not part "
    "of this benchmark.",
]
