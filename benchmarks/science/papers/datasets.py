"""The crowds with ground truth that the benchmarks read; see the data folder's own README for what each is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd, majority_vote
from crowdcore.formats import read_crowd, read_truth, truth_codes

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

PEERANNOT_CLASSES = 5
SURVEY = ("dog", "face-sentiment")
PUBLIC = ("adult", "bluebird", "cf", "sp", "trec", "zencrowd-in")


class MissingError(ValueError):
    """Something that a benchmark needs is not there: a data set, a package."""


@dataclass(frozen=True, eq=False)
class LabeledCrowd:
    """A crowd's answers with the truth and what a model sees.

    Attributes
    ----------
    crowd : Crowd
        N tasks, K classes.
    truth : ndarray of shape (N,)
        Class codes.
    pred_probs : ndarray of shape (N, K)
        A model's probabilities, out of sample.
    features : ndarray of shape (N, d)
        What feature EM learns from.
    """

    crowd: Crowd
    truth: Codes
    pred_probs: Floats
    features: Floats


def find(data: Path, name: str) -> Path:
    """Return the path of a data set's file.

    Raises
    ------
    MissingError
        If it is not there.
    """
    path = data / name
    if not path.exists():
        raise MissingError(f"There is no {name} in {data.resolve()}. Name the folder that has it with --data.")
    return path


def read_toy(data: Path) -> dict[str, Any]:
    """Return the arrays of cleanlab's tutorial."""
    return dict(np.load(find(data, "tutorial_toy.npz")))


def read_cifar10h(data: Path, first: int | None = None) -> LabeledCrowd:
    """Return CIFAR-10H's hardest crowd, or its first tasks.

    The 511 annotators are simulated; the images' vote distributions and the model's probabilities are real. Its
    features are the logarithms of the probabilities, since there are no others.
    """
    folder = find(data, "cifar10h-hard")
    answers = np.load(find(folder, "c10h_semisynth_hard.npz"))
    P = np.load(find(folder, "cifar10_test_pyx.npy"))[:first]
    crowd = Crowd.from_wide(answers["labels"][:first], classes=range(P.shape[1]))
    return LabeledCrowd(crowd, answers["truth"][:first].astype(np.int64), P, np.log(np.maximum(P, 1e-6)))


def read_labelme(data: Path, first: int | None = None) -> LabeledCrowd:
    """Return LabelMe's crowd, or its first tasks, with the probabilities of `judge_features`."""
    folder = find(data, "labelme")
    answers = np.loadtxt(find(folder, "answers.txt"), dtype=np.int64)[:first]
    features = np.load(find(folder, "LabelMe_VGG_avg_train.npy"))[:first].astype(np.float64)
    truth = np.loadtxt(find(folder, "LabelMe_Z_train.txt"), dtype=np.int64)[:first]
    crowd = Crowd.from_wide(answers, classes=range(8))
    return LabeledCrowd(crowd, truth, judge_features(features, majority_vote(crowd), 8), features)


def judge_features(features: Floats, labels: Codes, num_classes: int) -> Floats:
    """Return probabilities, out of sample, of the classifier of all LabelMe figures, shape (N, K).

    Logistic regression, C = 0.01 on standardised features, in five shuffled folds (seed 0).
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    scaler, classifier = labelme_classifier()
    X = scaler.fit_transform(features)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    P: Floats = np.zeros((len(labels), num_classes))
    P[:, np.unique(labels)] = cross_val_predict(classifier, X, labels, cv=folds, method="predict_proba")
    return P


def labelme_classifier() -> Any:
    """Return the classifier that learns from LabelMe's features, not fitted."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))


def read_survey(data: Path, name: str, first: int | None = None) -> tuple[Crowd, Codes]:
    """Return one of the survey's crowds (`SURVEY`), or its first tasks, and the truth."""
    folder = find(data, name)
    crowd = read_crowd(find(folder, "answer.csv")).crowd
    return _with_truth(crowd, find(folder, "truth.csv"), first)


def read_public(data: Path, name: str, first: int | None = None) -> tuple[Crowd, Codes]:
    """Return one of the public crowds (`PUBLIC`) and the truth, -1 where nobody knows it.

    Of an annotator's several answers to a task the last counts. With `first`, only so many tasks, of known truth.
    """
    import pandas as pd

    folder = find(data, f"crowds/{name}")
    answers = pd.read_csv(find(folder, "answers.csv")).drop_duplicates(["task", "annotator"], keep="last")
    crowd = Crowd.from_long(answers, "task", "annotator", "label")
    return _with_truth(crowd, find(folder, "truth.csv"), first)


def _with_truth(crowd: Crowd, file: Path, first: int | None) -> tuple[Crowd, Codes]:
    truth = truth_codes(crowd, read_truth(file, crowd))
    if first is None:
        return crowd, truth
    some = np.flatnonzero(truth >= 0)[:first]
    return crowd.select_tasks(some), truth[some]


def read_simulation(data: Path, name: str) -> tuple[Crowd, Codes]:
    """Return one of peerannot's simulated crowds and the truth."""
    folder = find(data, f"peerannot-simulations/{name}")
    crowd = Crowd.from_answers_json(find(folder, "answers.json"), classes=range(PEERANNOT_CLASSES))
    return crowd, np.load(find(folder, "ground_truth.npy"))
