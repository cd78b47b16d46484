"""A classifier that judges each task after learning from the others."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes, Ids, plain
from crowdcore.crowd.table import Crowd
from crowdcore.learning.discriminant import SoftLinearDiscriminant
from crowdcore.learning.pooling import best_share, pool
from crowdcore.learning.soft_labels import SoftLinear, SoftLogisticRegression

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_WEIGHT = 1e-4
"""Belief below which a task is not an example of a class."""


class OutOfFold:
    """The tasks' features and a classifier, which may learn again whenever the beliefs about the tasks have changed.

    Parameters
    ----------
    crowd : Crowd
        N tasks.
    features : array_like or sparse matrix, shape (N, d)
        Finite numbers, a row for each of the crowd's tasks, in the order of ``crowd.tasks``; a DataFrame is put into
        this order by its index.
    classifier : scikit-learn classifier, SoftLinear, or None
        With `predict_proba`, and `sample_weight` in `fit`, or a pipeline that ends with one; it is cloned. None:
        `SoftLogisticRegression`, pooled with `SoftLinearDiscriminant` if the features are dense. How much each of the
        two counts is what says best, out of fold, what is believed of the tasks.
    known : ndarray of shape (N,)
        Codes of labels known to be true, -1 elsewhere: tasks without either these or answers are no examples.
    n_folds : int
        The classifier judges each of these parts of the tasks having learned from the others only; 1: from all. Which
        part a task is in follows from its features, so that the order and the names of tasks do not matter (but among
        tasks of equal features their order does).
    standardize : bool
        Whether features are brought to mean 0 (dense ones) and variance 1.

    Raises
    ------
    ValueError
        If the features do not fit the crowd, or the classifier takes no weights or gives no probabilities.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0], [0, 1], [1, 1], [1, 1], [0, 0], [None, None]])
    >>> features = [[0.0], [0.3], [0.9], [1.0], [0.1], [0.8]]
    >>> shares = crowd.counts / np.maximum(crowd.num_answers, 1)[:, None]
    >>> judged = OutOfFold(crowd, features, None, np.full(6, -1), n_folds=2).judge(shares)
    >>> judged.argmax(axis=1)
    array([0, 0, 1, 1, 0, 1])
    """

    def __init__(
        self,
        crowd: Crowd,
        features: Any,
        classifier: Any,
        known: Codes,
        *,
        n_folds: int = 5,
        standardize: bool = True,
    ) -> None:
        X = as_features(crowd.tasks, features)
        dense = isinstance(X, np.ndarray)
        self._classifiers: list[Any] = [SoftLogisticRegression() if classifier is None else classifier]
        if classifier is None and dense:
            self._classifiers.append(SoftLinearDiscriminant())
        self._argument = "" if isinstance(self._classifiers[0], SoftLinear) else weight_argument(classifier)
        if standardize and len(crowd.tasks):
            from sklearn.preprocessing import StandardScaler

            X = StandardScaler(with_mean=dense).fit_transform(X)
        self._X = X
        self._informative = (crowd.num_answers > 0) | (known >= 0)
        self._fold, self._in_sample = folds_of(X, self._informative, n_folds), n_folds == 1
        self._learned: dict[tuple[int, int, int], SoftLinear] = {}

    def judge(self, beliefs: Floats, question: int = 0) -> Floats:
        """Return the classifier's probabilities (N, K), learned from what is believed of the tasks, (N, K).

        No probability is 0: Laplace's rule leaves classes possible of which there was hardly an example.

        Parameters
        ----------
        beliefs : ndarray of shape (N, K)
            Rows sum to 1, or to less where a task is less of an example.
        question : int
            Which of several questions about the same tasks is judged: each begins where it ended the last time.
        """
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, "blas"):  # its threads wait for each other longer than these products take
            judged = [self._judge_by(which, beliefs, question) for which in range(len(self._classifiers))]
        if len(judged) == 1:
            return judged[0]
        (first, second), told = judged, self._informative
        return pool(first, second, best_share(first[told], second[told], beliefs[told]))

    def _judge_by(self, which: int, beliefs: Floats, question: int) -> Floats:
        """Return the probabilities, (N, K), of one of the classifiers."""
        N, K = beliefs.shape
        judged: Floats = np.full((N, K), 1 / K)
        for number in np.unique(self._fold):
            here = self._fold == number
            learned = self._informative & (~here | self._in_sample)
            examples = int(learned.sum())
            if examples:
                place = which, int(number), question
                chances = self._learn_and_judge(place, learned, here, beliefs[learned])
                judged[here] = (examples * chances + 1) / (examples + K)
        return judged

    def _learn_and_judge(self, place: tuple[int, int, int], learned: Bools, here: Bools, beliefs: Floats) -> Floats:
        T = np.where(beliefs > LEAST_WEIGHT, beliefs, 0.0)
        classes, classifier = np.flatnonzero(T.any(axis=0)), self._classifiers[place[0]]
        chances: Floats = np.zeros((int(here.sum()), T.shape[1]))
        if len(classes) < 2:
            chances[:, classes] = 1
        elif isinstance(classifier, SoftLinear):
            fitted = self._learned.setdefault(place, deepcopy(classifier))
            chances[:, classes] = fitted.fit(self._X[learned], T[:, classes]).predict_proba(self._X[here])
        else:
            from sklearn.base import clone

            example, label = np.nonzero(T)
            weight = {self._argument: T[example, label]}
            learner = clone(classifier).fit(self._X[np.flatnonzero(learned)[example]], label, **weight)
            chances[:, classes] = learner.predict_proba(self._X[here])
        return chances


def weight_argument(classifier: Any) -> str:
    """Return the name of the argument of a classifier's `fit` that takes the examples' weights.

    Raises
    ------
    ValueError
        If there is none, or the classifier gives no probabilities.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> weight_argument(make_pipeline(MinMaxScaler(), LogisticRegression()))
    'logisticregression__sample_weight'
    """
    from sklearn.utils.validation import has_fit_parameter

    steps = getattr(classifier, "steps", None)
    last = steps[-1][1] if steps else classifier
    if not has_fit_parameter(last, "sample_weight") or not hasattr(classifier, "predict_proba"):
        raise ValueError(
            f"classifier is {classifier!r}; it must be a scikit-learn classifier that has predict_proba and whose fit "
            "takes sample_weight, such as LogisticRegression or RandomForestClassifier."
        )
    return f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"


def as_features(tasks: Ids, features: Any) -> Any:
    """Return the features as an array or a CSR matrix of floats, (N, d), a row for each of the tasks' ids, (N,).

    Raises
    ------
    ValueError
        If they are not finite numbers, or do not fit the crowd. The message names the task.
    """
    from scipy.sparse import csr_matrix, issparse

    N = len(tasks)
    if hasattr(features, "reindex"):
        absent = [task for task in tasks.tolist() if task not in features.index]
        if absent or not features.index.is_unique:
            fault = f"without task {absent[0]!r}" if absent else "with duplicates"
            raise ValueError(
                f"features is a DataFrame {fault} in its index; expected each of the crowd's {N} tasks once. Or pass "
                "an array in the crowd's order."
            )
        features = features.loc[tasks.tolist()].to_numpy()
    try:
        X = csr_matrix(features, dtype=np.float64) if issparse(features) else np.asarray(features, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"features are not a matrix of numbers ({error}). Encode text and categories first, for example with "
            "TfidfVectorizer or OneHotEncoder."
        ) from None
    if X.ndim != 2 or X.shape[0] != N or not X.shape[1]:
        raise ValueError(
            f"features have shape {X.shape}; expected ({N}, d): a row for each of the crowd's tasks, in the same "
            "order, and at least one column."
        )
    wrong = np.flatnonzero(~np.isfinite(np.asarray(X.sum(axis=1)).ravel()))
    if len(wrong):
        raise ValueError(
            f"features, row {wrong[0]} (task {plain(tasks[wrong[0]])!r}): a value is not finite ({len(wrong)} "
            "such rows in total). Fill missing values first, for example with SimpleImputer."
        )
    return X


def folds_of(X: Any, informative: Bools, n_folds: int) -> Codes:
    """Return a fold for each task by its place along one direction; tasks of which nothing is known are in none, -1."""
    fold: Codes = np.full(X.shape[0], -1, dtype=np.int64)
    some = np.flatnonzero(informative)
    direction = np.random.default_rng(0).standard_normal(X.shape[1])
    place = np.asarray(X @ direction)[some].round(9)  # rounded: the sum's last bits depend on the order of rows
    fold[some[np.argsort(place, kind="stable")]] = np.arange(len(some)) % n_folds
    return fold
