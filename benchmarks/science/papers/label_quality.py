"""CROWDLAB's table: consensus labels, and how well their quality finds the wrong ones."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from benchmarks.science.papers.datasets import Codes, Floats, LabeledCrowd, read_cifar10h, read_labelme
from benchmarks.science.papers.report import Claim, Report, Table, beside, figure, progress, since
from benchmarks.science.papers.scores import (
    auprc,
    auroc,
    calibration_error,
    lift,
    negative_log_likelihood,
    spearman,
)
from benchmarks.science.plots import Panel
from crowdcore import majority_vote
from crowdcore.aggregate import run_method

LIFTS = (10, 50, 100, 300, 500, 1000)
METHODS = {
    "crowdlab": "CROWDLAB",
    "shared-weight": "without per-annotator weights",
    "label-quality-score": "label quality score",
    "agreement": "agreement",
    "active-label-cleaning": "active label cleaning",
    "empirical-bayes": "empirical Bayes",
    "dawid-skene": "Dawid-Skene",
    "glad": "GLAD",
    "dawid-skene+model": "Dawid-Skene with model",
    "glad+model": "GLAD with model",
    "feature-em": "feature EM",
    "model-alone": "model alone",
    "hierarchical": "hierarchical Dawid-Skene (ours)",
    "hierarchical-refitted": "the same, classifier refitted",
}
OURS = {"hierarchical": "pred_probs", "hierarchical-refitted": "features"}
"""crowdcore's own consensus, not in the paper, and what it is given: the probabilities, or a classifier's features."""
NO_PROBABILITIES = ("active-label-cleaning", "label-quality-score")
"""Methods whose probabilities are not of their own making: the votes' or the model's."""


@dataclass(frozen=True)
class Measured:
    """The figures of one method on one set; of the majority's labels (judged) and of its own (own)."""

    consensus: float
    judged: dict[str, float]
    own: dict[str, float]
    lifts: tuple[float, ...]
    spearman: float
    nll: float
    ece: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a method finds: each task's label, its quality and the classes' probabilities, and annotators' skills."""

    codes: Codes
    quality: Floats
    probas: Floats
    skill: Floats


@dataclass(frozen=True)
class Reference:
    """Figures of the same set found before with cleanlab 2.9.0, crowd-kit 1.4.2 and scikit-learn."""

    consensus: float | None = None
    auroc: float | None = None
    auprc: float | None = None
    lift: float | None = None
    spearman: float | None = None


REFERENCES: dict[str, dict[str, Reference]] = {
    "cifar10h-hard": {
        "crowdlab": Reference(0.9626, 0.9614, 0.7259, 13.7, 0.932),
        "model-alone": Reference(0.9294, 0.9670, 0.7620, 15.5),
        "agreement": Reference(0.9374, 0.641, 0.143),
        "active-label-cleaning": Reference(0.9374, 0.874, 0.579, 15.7),
        "dawid-skene": Reference(0.9051, 0.674, 0.147),
        "dawid-skene+model": Reference(0.9517, 0.840, 0.549),
        "glad": Reference(0.9166, 0.792, 0.171),
        "glad+model": Reference(0.9540, 0.947, 0.639),
    },
    "labelme": {
        "agreement": Reference(None, 0.667, 0.333, None, 0.467),
        "model-alone": Reference(0.819, 0.860, 0.646),
        "crowdlab": Reference(0.827, 0.859, 0.590, None, 0.708),
        "dawid-skene": Reference(0.792, 0.664, 0.411, None, 0.513),
        "dawid-skene+model": Reference(0.836, 0.715, 0.511, None, 0.289),
        "glad": Reference(0.775, 0.668, 0.313, None, 0.509),
        "glad+model": Reference(0.823, 0.807, 0.528, None, 0.491),
        "feature-em": Reference(0.853, 0.848, 0.678, None, 0.596),
    },
}
PUBLISHED = {  # consensus, AUROC, AUPRC, lift@100, Spearman of ResNet-18 and of Swin
    "crowdlab": (".9667 / .9718", ".945 / .961", ".538 / .666", "17.8 / 20.9", ".720 / .757"),
    "shared-weight": ("", ".937 / .957", ".521 / .655", "18.2 / 20.9", ".708 / .747"),
    "label-quality-score": ("", ".898 / .941", ".449 / .609", "19.2 / 21.9", ".516 / .681"),
    "agreement": (".9589 / .9602", ".687 / .677", ".148 / .134", "6.3 / 6.3", ".688 / .712"),
    "active-label-cleaning": ("", ".816 / .866", ".325 / .444", "16.3 / 21.4", ".320 / .392"),
    "empirical-bayes": ("", ".920 / .934", ".366 / .394", "11.7 / 11.1", ".596"),
    "dawid-skene": (".9457", ".753", ".373", "13.3", ".596"),
    "glad": (".9452", ".882", ".512", "15.9", ".648"),
    "dawid-skene+model": (".9442 / .9647", ".873 / .890", ".278 / .270", "8.6 / 12.5", ".664 / .721"),
    "glad+model": (".9591 / .9655", ".918 / .930", ".394 / .415", "14.4 / 17.1", ".691 / .718"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    parser.add_argument("--quick", action="store_true", help="the first 300 tasks of each set only")


def run(data: Path, quick: bool = False) -> Report:
    """Return all methods' figures on both crowds, beside those found before and the published ones."""
    first = 300 if quick else None
    sets = {"cifar10h-hard": read_cifar10h(data, first), "labelme": read_labelme(data, first)}
    fit(sets["labelme"], "hierarchical")  # what is compiled once is not timed
    work = [
        (name, method)
        for name in sets
        for method in METHODS
        if (name, method) != ("cifar10h-hard", "hierarchical-refitted")
    ]
    found = {
        (name, method): measure(sets[name], method)
        for name, method in track(work, "methods", console=progress, transient=True)
    }
    report = Report(
        name="crowdlab",
        title="CROWDLAB's benchmark",
        about="The paper's table on two crowds that can be had: votes drawn from CIFAR-10H's real vote distributions "
        "by 511 simulated annotators, with real probabilities; and LabelMe's real answers, with logistic regression "
        "on VGG features.",
        claims=_claims(found, quick),
        notes=NOTES,
    )
    for name, labeled in sets.items():
        measured = {method: found[name, method] for method in METHODS if (name, method) in found}
        report.tables += _tables(name, labeled, measured)
        report.panels.append(_panel(name, measured))
    report.tables.append(
        Table(
            "As published (ResNet-18 / Swin)",
            ["method", "consensus", "AUROC", "AUPRC", "lift@100", "Spearman"],
            [[METHODS[method], *figures] for method, figures in PUBLISHED.items()],
            about="The authors' hardest CIFAR-10H crowd, whose files are not public any more. Other labels and "
            "probabilities than ours above: what compares is the order of the methods. Their rows of Dawid-Skene and "
            "GLAD set the quality of one label against the error of another.",
        )
    )
    return report


def fit(labeled: LabeledCrowd, method: str, **options: Any) -> Fitted:
    """Return what a method finds, with these options."""
    crowd = labeled.crowd
    given = {"pred_probs": labeled.pred_probs, "features": labeled.features}
    if method in OURS:
        method, given = "hierarchical-dawid-skene", {OURS[method]: given[OURS[method]]}
    fitted = run_method(method, crowd, **given, options=options)
    skill = fitted.annotators_frame()["skill"].to_numpy(dtype=float)[: len(crowd.annotators)]
    return Fitted(fitted.aggregator.codes_, fitted.quality, fitted.probas, skill)


def measure(labeled: LabeledCrowd, method: str) -> Measured:
    """Return a method's figures."""
    truth = labeled.truth
    start = time.process_time()
    found = fit(labeled, method)
    seconds = since(start)
    majority = majority_vote(labeled.crowd, labeled.pred_probs)
    judged = _quality_of(majority, labeled, method, found)
    own = method not in NO_PROBABILITIES
    return Measured(
        consensus=float(np.mean(found.codes == truth)),
        judged=_ranking(majority != truth, judged),
        own=_ranking(found.codes != truth, found.quality),
        lifts=tuple(lift(majority != truth, judged, at) for at in LIFTS),
        spearman=spearman(found.skill, _accuracies(labeled)),
        nll=negative_log_likelihood(found.probas, truth) if own else np.nan,
        ece=calibration_error(found.probas, truth) if own else np.nan,
        seconds=seconds,
    )


def _quality_of(labels: Codes, labeled: LabeledCrowd, method: str, found: Fitted) -> Floats:
    """Return how far a method believes these labels, its own or not."""
    if np.array_equal(labels, found.codes):
        return found.quality
    if method == "crowdlab":  # its weights depend on the labels that it judges
        return fit(labeled, method, consensus_method="majority_vote").quality
    return found.probas[np.arange(len(labels)), labels]


def _ranking(wrong: np.ndarray[Any, Any], quality: Floats) -> dict[str, float]:
    return {"auroc": auroc(wrong, quality), "auprc": auprc(wrong, quality), "lift": lift(wrong, quality, 100)}


def _accuracies(labeled: LabeledCrowd) -> Floats:
    """Return the share of each annotator's answers that are true, NaN without answers."""
    crowd = labeled.crowd
    size = np.bincount(crowd.annotator, minlength=len(crowd.annotators))
    right = np.bincount(crowd.annotator, crowd.label == labeled.truth[crowd.task], minlength=len(size))
    shares: Floats = np.divide(right, size, out=np.full(len(size), np.nan), where=size > 0)
    return shares


def _claims(found: dict[tuple[str, str], Measured], quick: bool) -> list[Claim]:
    hard, labelme = found["cifar10h-hard", "crowdlab"], found["labelme", "crowdlab"]
    ours, refitted = found["cifar10h-hard", "hierarchical"], found["labelme", "hierarchical-refitted"]

    def claim(what: str, value: float, least: float = -np.inf, most: float = np.inf) -> Claim:
        return Claim(what, figure(value, 4), None if quick else bool(least <= value <= most))

    return [
        claim("cifar10h-hard: CROWDLAB's consensus .9626 ± .001", hard.consensus, 0.9616, 0.9636),
        claim("cifar10h-hard: CROWDLAB's AUROC .961 or more", hard.judged["auroc"], 0.961),
        claim("labelme: CROWDLAB's consensus .827 ± .005", labelme.consensus, 0.822, 0.832),
        claim("cifar10h-hard: our consensus .968 or more", ours.consensus, 0.968),
        claim("cifar10h-hard: our AUPRC .82 or more", ours.judged["auprc"], 0.82),
        claim("cifar10h-hard: our ECE .01 or less", ours.ece, most=0.01),
        claim("cifar10h-hard: our NLL half of CROWDLAB's or less", ours.nll / hard.nll, most=0.5),
        claim("labelme: our consensus, refitted, .87 or more", refitted.consensus, 0.87),
        claim("labelme: our AUPRC, refitted, .78 or more", refitted.judged["auprc"], 0.78),
        claim("labelme: our NLL, refitted, not above CROWDLAB's", refitted.nll / labelme.nll, most=1.0),
    ]


def _tables(name: str, labeled: LabeledCrowd, measured: dict[str, Measured]) -> list[Table]:
    crowd = labeled.crowd
    majority, alone = (np.mean(majority_vote(crowd, P) == labeled.truth) for P in (labeled.pred_probs, None))
    about = (
        f"{len(crowd.tasks):,} tasks, {len(crowd.annotators)} annotators, {len(crowd.classes)} classes, "
        f"{len(crowd.label):,} answers. "
    )
    quality = [
        [
            METHODS[method],
            figure(row.consensus, 4),
            figure(row.judged["auroc"]),
            figure(row.judged["auprc"]),
            *(figure(value, 1) for value in row.lifts),
            figure(row.spearman),
            f"{row.seconds:.2f}",
        ]
        for method, row in measured.items()
    ]
    own = [
        [
            METHODS[method],
            figure(row.consensus, 4),
            *(figure(row.own[what]) for what in ("auroc", "auprc")),
            figure(row.own["lift"], 1),
            figure(row.nll),
            figure(row.ece),
        ]
        for method, row in measured.items()
    ]
    before = []
    for method, reference in REFERENCES[name].items():
        row = measured[method]
        before.append(
            [
                METHODS[method],
                beside(row.consensus, reference.consensus, 4),
                beside(row.judged["auroc"], reference.auroc),
                beside(row.judged["auprc"], reference.auprc),
                beside(row.judged["lift"], reference.lift, 1),
                beside(row.spearman, reference.spearman),
            ]
        )
    lifts = [f"lift@{at}" for at in LIFTS]
    return [
        Table(
            f"{name}: the paper's table",
            ["method", "consensus", "AUROC", "AUPRC", *lifts, "Spearman", "CPU s"],
            quality,
            about=about + f"Quality and errors are of the majority's labels, ties broken by the model: accuracy "
            f"{figure(majority, 4)}, without the model {figure(alone, 4)}.",
        ),
        Table(
            f"{name}: each method's own labels",
            ["method", "consensus", "AUROC", "AUPRC", "lift@100", "NLL", "ECE"],
            own,
            about="Quality and errors are of the method's own labels, so that a method with fewer errors, the harder "
            "ones, has the harder task. NLL and ECE are of the truth under the method's probabilities.",
        ),
        Table(
            f"{name}: ours, and in brackets what cleanlab, crowd-kit and scikit-learn give",
            ["method", "consensus", "AUROC", "AUPRC", "lift@100", "Spearman"],
            before,
        ),
    ]


def _panel(name: str, measured: dict[str, Measured]) -> Panel:
    references = [REFERENCES[name].get(method, Reference()) for method in measured]
    return {
        "title": f"{name}: consensus and AUPRC",
        "labels": [METHODS[method] for method in measured],
        "series": [
            {"name": "consensus", "y": [row.consensus for row in measured.values()], "color": 0},
            {"name": "consensus, peers", "y": [reference.consensus for reference in references], "color": 9},
            {"name": "AUPRC", "y": [row.judged["auprc"] for row in measured.values()], "color": 1},
            {"name": "AUPRC, peers", "y": [reference.auprc for reference in references], "color": 8},
        ],
    }


NOTES = [
    "Score and target always belong to the same labels: in the first table of a set to the majority's, for all "
    "methods, as the paper does for CROWDLAB; in the second to the method's own.",
    "AUPRC goes by trapezoids, as in the published figures; where many labels share one quality (agreement) that "
    "flatters. Lift counts labels of equal quality at the border by their share.",
    "Feature EM on cifar10h-hard learns from the logarithms of the model's probabilities, as there are no features.",
    "NLL is minus the natural logarithm of the truth's probability, at most 13.8 a task; ECE has 15 bins of equal "
    "width. Active label cleaning and label quality score have no probabilities of their own.",
    "Spearman compares what a method has learned of each annotator with the share of the annotator's answers that "
    "are true.",
    "Hierarchical Dawid-Skene is crowdcore's own consensus; refitted, it learns a classifier from the features, and is "
    "not given the probabilities that the others have.",
]
