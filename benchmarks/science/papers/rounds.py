"""Rounds of active learning: consensus, classifier, scores, a batch of new labels, and again.

The protocol of Goh & Mueller 2023, arXiv 2301.11856: each round one new annotator answers the tasks of lowest score;
the classifier is cross-validated in five folds on the consensus labels, and tested as the mean of its fold models.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from benchmarks.science.papers.draws import Draw
from crowdcore import Crowd, activelab, crowdlab
from crowdcore.aggregate import ActiveLabelCleaning
from crowdcore.cleanlab.majority import vote
from crowdcore.crowd.evidence import as_ensemble
from crowdcore.hierarchical.confidence import least_confidence
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

FOLDS = 5
SMALLEST = 1e-6


@dataclass(frozen=True, eq=False)
class Situation:
    """What a rule may know when it chooses.

    Attributes
    ----------
    crowd : Crowd
        All tasks of the pool, those without answers included.
    models : ndarray of shape (P, N, K)
        Each model's probabilities, out of sample for all tasks.
    rng : numpy.random.Generator
        For rules that leave something to chance.
    """

    crowd: Crowd
    models: Floats
    rng: np.random.Generator

    @property
    def pred_probs(self) -> Floats:
        """The probabilities of the one model, or of the ensemble."""
        return self.models[0] if len(self.models) == 1 else self.models

    @property
    def mean(self) -> Floats:
        """The models' mean."""
        mean: Floats = self.models.mean(axis=0)
        return mean


@dataclass(frozen=True, eq=False)
class Curve:
    """A figure for each round: test accuracy, tasks with labels, and how many of their consensus labels are right."""

    accuracy: Floats
    labeled: Floats
    consensus: Floats


def disagreement(now: Situation) -> Floats:
    """Return minus the mean cross-entropy of an ensemble's mean and its models."""
    surprise = np.log(np.maximum(now.models, SMALLEST)).mean(axis=0)
    score: Floats = (now.mean * surprise).sum(axis=1)
    return score


RULES: dict[str, Callable[[Situation], Floats]] = {
    "random": lambda now: now.rng.random(len(now.crowd.tasks)),
    "good random": lambda now: now.crowd.num_answers + now.rng.random(len(now.crowd.tasks)),
    "entropy": lambda now: xlogy(now.mean, now.mean).sum(axis=1),
    "uncertainty": lambda now: now.mean.max(axis=1),
    "disagreement": disagreement,
    "active label cleaning": lambda now: -ActiveLabelCleaning().fit(now.crowd, now.mean).scores_,
    "ActiveLab": lambda now: activelab(now.crowd, now.pred_probs, calibrate_probs=False),
    "ActiveLab, calibrated": lambda now: activelab(now.crowd, now.pred_probs),
    "least confidence": lambda now: least_confidence(now.crowd, now.pred_probs),
    "cleanlab's ActiveLab": lambda now: _cleanlab_scores(now),
}
"""What to label next: a score for each task, low where a label is worth most."""

CONSENSUS: dict[str, Callable[[Crowd, Floats], Codes]] = {
    "majority vote": lambda crowd, P: vote(crowd, as_ensemble(crowd, P))[0],
    "CROWDLAB": lambda crowd, P: crowdlab(crowd, P).consensus,
    "CROWDLAB, calibrated": lambda crowd, P: crowdlab(crowd, P, calibrate_probs=True).consensus,
    "hierarchical": lambda crowd, P: hierarchical_dawid_skene(crowd, P, most_exponent=1).consensus,
}
"""The labels to learn from, for the tasks that have answers, given probabilities of one model or several."""


def make_models(name: str, seed: int) -> list[Any]:
    """Return the classifiers of a name, not fitted: trees, mlp, or the ensemble of three."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier

    kinds: dict[str, Callable[[], Any]] = {
        "trees": lambda: ExtraTreesClassifier(random_state=seed),
        "mlp": lambda: MLPClassifier(max_iter=500, random_state=seed),
        "neighbours": lambda: KNeighborsClassifier(weights="distance"),
    }
    return [kinds[kind]() for kind in (("mlp", "trees", "neighbours") if name == "ensemble" else (name,))]


def run_draw(
    draw: Draw,
    rule: str,
    consensus: str,
    model: str = "trees",
    rounds: int = 20,
    batch: int = 100,
    new_only: bool = False,
) -> Curve:
    """Return the curve of one run.

    Parameters
    ----------
    draw : Draw
        Where it begins.
    rule, consensus : str
        Of `RULES` and `CONSENSUS`. The first round's labels are the majority's, as there is no model yet. Its ties
        are broken as in cleanlab, with which the paper measured.
    model : {"trees", "mlp", "neighbours", "ensemble"}
        What learns.
    rounds, batch : int
        Number of rounds; new labels in each.
    new_only : bool
        Whether a task that has a label gets no other.
    """
    rng = np.random.default_rng([draw.seed, 2])
    N = len(draw.truth)
    task, annotator = np.nonzero(draw.votes >= 0)
    label = draw.votes[task, annotator]
    curve = Curve(*np.zeros((3, rounds)))
    models = None
    for at in range(rounds):
        crowd = Crowd.from_codes(
            task, annotator, label,
            tasks=range(N), annotators=range(draw.votes.shape[1] + at), classes=range(draw.num_classes),
        )  # fmt: skip
        labeled = np.flatnonzero(crowd.num_answers)
        answered = crowd.select_tasks(labeled)
        if models is None:
            codes, _ = vote(answered, np.empty((0, len(labeled), draw.num_classes)))
        else:
            codes = CONSENSUS[consensus](answered, models[0][labeled] if len(models) == 1 else models[:, labeled])
        models, curve.accuracy[at] = learn(draw, labeled, codes, make_models(model, at), int(rng.integers(2**31)))
        curve.labeled[at] = len(labeled)
        curve.consensus[at] = np.mean(codes == draw.truth[labeled])
        scores = RULES[rule](Situation(crowd, models, rng)).copy()
        if new_only:
            scores[labeled] = np.inf
        chosen = np.argsort(scores, kind="stable")[:batch]
        chosen = chosen[scores[chosen] < np.inf]
        said = draw.potential[chosen, rng.integers(draw.potential.shape[1], size=len(chosen))]
        task = np.concatenate([task, chosen])
        annotator = np.concatenate([annotator, np.full(len(chosen), draw.votes.shape[1] + at)])
        label = np.concatenate([label, said])
    return curve


def learn(draw: Draw, labeled: Codes, codes: Codes, kinds: Sequence[Any], seed: int) -> tuple[Floats, float]:
    """Return each model's probabilities of the pool's tasks, shape (P, N, K), and the accuracy on the test set.

    A labelled task is judged by the fold model that has not seen it, any other by the mean of all. The accuracy is
    the mean of a model's fold models; that of an ensemble is of the mean of all models.
    """
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    N, K = len(draw.truth), draw.num_classes
    models, tested = np.zeros((len(kinds), N, K)), np.zeros((len(draw.test_truth), K))
    accuracies = []
    rest = np.setdiff1d(np.arange(N), labeled)
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labeled, codes))
    for P, kind in zip(models, kinds, strict=True):
        for train, held in folds:
            fitted = clone(kind).fit(draw.features[labeled[train]], codes[train])
            columns = fitted.classes_
            seen = [draw.features[labeled[held]], draw.features[rest], draw.test_features]
            judged = fitted.predict_proba(np.concatenate(seen))  # at once, as every call takes its time
            of_held, of_rest, of_test = np.split(judged, [len(held), len(held) + len(rest)])
            P[np.ix_(labeled[held], columns)] = of_held
            P[np.ix_(rest, columns)] += of_rest / FOLDS
            tested[:, columns] += of_test
            accuracies.append(np.mean(columns[of_test.argmax(axis=1)] == draw.test_truth))
    together = np.mean(tested.argmax(axis=1) == draw.test_truth)
    return models, float(np.mean(accuracies) if len(kinds) == 1 else together)


def _cleanlab_labels(crowd: Crowd) -> Any:
    import pandas as pd

    wide = np.full((len(crowd.tasks), len(crowd.annotators)), np.nan)
    wide[crowd.task, crowd.annotator] = crowd.label
    return pd.DataFrame(wide).dropna(axis=1, how="all")


def _cleanlab_scores(now: Situation) -> Floats:
    from cleanlab import multiannotator

    several = len(now.models) > 1
    score = multiannotator.get_active_learning_scores_ensemble if several else multiannotator.get_active_learning_scores
    has = now.crowd.num_answers > 0
    labeled, unlabeled = (now.pred_probs[..., which, :].copy() for which in (has, ~has))
    scores: Floats = np.empty(len(has))
    with contextlib.redirect_stdout(io.StringIO()):
        labels = _cleanlab_labels(now.crowd.select_tasks(has))
        scores[has], rest = score(labels, labeled, unlabeled if (~has).any() else None)
    scores[~has] = rest
    return scores
