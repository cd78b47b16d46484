"""ActiveLab's experiment: a classifier learns from a crowd, a batch of labels more in every round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd, majority_vote

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Rule = Callable[[Crowd, Floats], Floats]
Consensus = Callable[[Crowd, Floats], Codes]

GIVEN_SEEDS = (4, 111)
NUM_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Draw:
    """A pool of tasks with what annotators have said and would say, and tasks to test a classifier on.

    Attributes
    ----------
    features, truth : ndarray of shape (N, d), (N,)
        The pool.
    votes : ndarray of shape (N, J)
        Class codes that the annotators have given at first, -1 for none.
    potential : ndarray of shape (N, L)
        Class codes that a new annotator draws from.
    test_features, test_truth : ndarray of shape (n, d), (n,)
        What accuracy is measured on.
    """

    features: Floats
    truth: Codes
    votes: Codes
    potential: Codes
    test_features: Floats
    test_truth: Codes

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return int(max(self.truth.max(), self.potential.max())) + 1


@dataclass(frozen=True, eq=False)
class Curve:
    """What each round brought, an entry a round.

    Attributes
    ----------
    accuracy : ndarray
        Mean test accuracy of the folds' classifiers.
    consensus_accuracy : ndarray
        Share of the labelled tasks whose consensus, which the classifiers learned from, is right.
    num_labeled : ndarray
        How many tasks have labels.
    """

    accuracy: Floats
    consensus_accuracy: Floats
    num_labeled: Codes


def read_draw(data: Path, seed: int) -> Draw:
    """Return one of the two draws in the data folder.

    Raises
    ------
    ValueError
        If it is not there.
    """
    path = data / "wall-robot" / f"wall_robot_seed{seed}.npz"
    if not path.exists():
        raise ValueError(f"There is no {path}; the draws given are {GIVEN_SEEDS}. Name the data folder with --data.")
    given = dict(np.load(path))
    unlabeled = len(given["y_unlabeled"])
    return Draw(
        features=np.concatenate([given["X_labeled"], given["X_unlabeled"]]),
        truth=np.concatenate([given["y_labeled"], given["y_unlabeled"]]).astype(np.int64),
        votes=np.pad(given["votes"].astype(np.int64), ((0, unlabeled), (0, 0)), constant_values=-1),
        potential=np.concatenate([given["extra_labeled"], given["extra_unlabeled"]]).astype(np.int64),
        test_features=given["X_test"],
        test_truth=given["y_test"].astype(np.int64),
    )


def make_draw(
    features: Floats,
    truth: Codes,
    seed: int,
    *,
    pool: int = 2000,
    labeled: int = 500,
    test: int = 1000,
    num_annotators: int = 30,
    votes_per_task: float = 1.15,
    trace: float = 0.85,
    hard_share: float = 0.0,
) -> Draw:
    """Draw a pool, a test set and annotators with one noise matrix.

    Parameters
    ----------
    features, truth : ndarray of shape (n, d), (n,)
        What to draw from, without replacement.
    seed : int
        Seed of everything.
    pool, labeled, test : int
        How many tasks there are, have labels at first, and are tested on.
    num_annotators : int
        How many labels each task has that could be given.
    votes_per_task : float
        Labels of a labelled task at first, on average.
    trace : float
        The noise matrix' trace is this times the number of classes.
    hard_share : float
        Share of the tasks on which annotators are wrong twice as often.
    """
    rng = np.random.default_rng(seed)
    K = int(truth.max()) + 1
    chosen = rng.permutation(len(truth))[: pool + test]
    y = truth[chosen].astype(np.int64)
    right = np.clip(trace + rng.uniform(-0.5, 0.5, K) * (1 - trace), 0, 1)
    right += trace - right.mean()
    wrong = rng.dirichlet(np.ones(K - 1), size=K)
    noise = np.zeros((K, K))
    noise[~np.eye(K, dtype=bool)] = (wrong * (1 - right)[:, None]).ravel()
    noise[np.arange(K), np.arange(K)] = right
    chance = noise[y[:pool]]
    hard = rng.random(pool) < hard_share
    chance[hard] = 2 * chance[hard]
    chance[hard, y[:pool][hard]] = np.maximum(2 * right[y[:pool][hard]] - 1, 0.05)
    chance /= chance.sum(axis=1, keepdims=True)
    drawn = rng.random((pool, num_annotators, 1)) > np.cumsum(chance, axis=1)[:, None, :-1]
    potential = drawn.sum(axis=2)
    answered = np.zeros((pool, num_annotators), dtype=bool)
    answered[np.arange(labeled), rng.integers(num_annotators, size=labeled)] = True
    more = np.flatnonzero(~answered[:labeled])
    extra = rng.choice(more, size=max(round((votes_per_task - 1) * labeled), 0), replace=False)
    answered[:labeled].flat[extra] = True
    X = features[chosen]
    return Draw(X[:pool], y[:pool], np.where(answered, potential, -1), potential, X[pool:], y[pool:])


def run_draw(
    draw: Draw,
    rule: Rule,
    consensus: Consensus,
    model: Any,
    rounds: int = 20,
    batch: int = 100,
    seed: int = 0,
) -> Curve:
    """Run the experiment on a draw.

    In every round the classifier is fitted in five folds to the consensus of the labelled tasks; its probabilities are
    out of fold where there are labels, and the folds' mean elsewhere. The tasks of lowest score get one label more,
    from one new annotator, and the consensus is found again.

    Parameters
    ----------
    draw : Draw
        The tasks.
    rule : callable
        ``rule(crowd, pred_probs)`` gives a score for each task of the pool, low where a label is wanted.
    consensus : callable
        ``consensus(crowd, pred_probs)`` gives class codes; -1 where there is none. The first round's is the majority's.
    model : scikit-learn classifier
        With `predict_proba`; cloned.
    rounds, batch : int
        How many rounds there are, and labels between two of them.
    seed : int
        Seed of folds, classifiers, ties and new labels.

    Returns
    -------
    Curve
    """
    rng = np.random.default_rng(seed)
    votes = draw.votes
    crowd = Crowd.from_wide(votes, classes=range(draw.num_classes))
    labels = majority_vote(crowd)
    found: list[tuple[float, float, int]] = []
    for number in range(rounds):
        labeled = crowd.num_answers > 0
        pred_probs, accuracy = _learn(draw, labels, labeled, model, seed + number)
        found.append((accuracy, float(np.mean(labels[labeled] == draw.truth[labeled])), int(labeled.sum())))
        if number == rounds - 1:
            break
        chosen = np.lexsort((rng.random(len(votes)), rule(crowd, pred_probs)))[:batch]
        column = np.full((len(votes), 1), -1)
        column[chosen, 0] = draw.potential[chosen, rng.integers(draw.potential.shape[1], size=len(chosen))]
        votes = np.hstack([votes, column])
        crowd = Crowd.from_wide(votes, classes=range(draw.num_classes))
        labels = consensus(crowd, pred_probs)
    accuracies, consensus_accuracies, sizes = zip(*found, strict=True)
    return Curve(np.array(accuracies), np.array(consensus_accuracies), np.array(sizes))


def _learn(draw: Draw, labels: Codes, labeled: NDArray[np.bool_], model: Any, seed: int) -> tuple[Floats, float]:
    """Return probabilities of the pool, out of sample, and the mean test accuracy of the folds' classifiers."""
    from sklearn.base import clone
    from sklearn.model_selection import KFold

    places = np.flatnonzero(labeled)
    P = np.zeros((len(labels), draw.num_classes))
    accuracies = []
    for fold, (learned, judged) in enumerate(KFold(NUM_FOLDS, shuffle=True, random_state=seed).split(places)):
        fitted = clone(model)
        seeds = [name for name in fitted.get_params() if name.endswith("random_state")]
        fitted.set_params(**dict.fromkeys(seeds, NUM_FOLDS * seed + fold))
        fitted.fit(draw.features[places[learned]], labels[places[learned]])
        out = places[judged]
        P[np.ix_(out, fitted.classes_)] = fitted.predict_proba(draw.features[out])
        if not labeled.all():
            P[np.ix_(~labeled, fitted.classes_)] += fitted.predict_proba(draw.features[~labeled]) / NUM_FOLDS
        accuracies.append(np.mean(fitted.predict(draw.test_features) == draw.test_truth))
    return P, float(np.mean(accuracies))
