"""Feature EM: a classifier on the tasks' features, learned together with the annotators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from crowdcore import kernels
from crowdcore.aggregate.base import Aggregator, Floats
from crowdcore.aggregate.confusion import Confusion
from crowdcore.aggregate.empirical_bayes import posteriors
from crowdcore.crowd import Crowd
from crowdcore.ids import Codes, Ids, plain

if TYPE_CHECKING:
    import pandas as pd

Self = TypeVar("Self", bound="FeatureEM")

LEAST_WEIGHT = 1e-4
"""Posterior below which a task is no example of a class."""


@dataclass(eq=False)
class FeatureEM(Aggregator):
    r"""A classifier and a confusion matrix for each annotator, by expectation maximisation.

    .. math:: T_{ik} \propto \hat p(k \mid x_i) \prod_{j \in A(i)} \pi_j[k, y_{ij}], \quad
              \pi_j[k, l] = \frac{\sum_{i \in I_j} T_{ik} [y_{ij} = l] + s \, \bar\pi[k, l]}
                                 {\sum_{i \in I_j} T_{ik} + s}

    starting from the shares of the votes. In each round the classifier :math:`\hat p` is fitted to the tasks as
    examples of class k of weight :math:`T_{ik}`, and every confusion matrix is shrunk towards that of all
    annotators, :math:`\bar\pi`. Raykar, Yu, Zhao et al. 2010, "Learning from crowds", JMLR 11:1297-1322.

    Parameters
    ----------
    classifier : scikit-learn classifier, optional
        Anything with `predict_proba` whose `fit` takes `sample_weight`, or a pipeline that ends with one; it is
        cloned. By default logistic regression with C = 5 / d: the prior variance of a logit is
        about 5, however many features there are.
    strength : float
        :math:`s`: how many answers of each class the pooled confusion is worth.
    n_folds : int
        The classifier judges each of these parts of the tasks having learned from the others only. 1: it judges what
        it has learned from, as in the paper, and so repeats the annotators' errors where it can.
    standardize : bool
        Whether features are brought to mean 0 (dense ones) and variance 1.
    n_iter : int
        Most rounds.
    tol : float
        Ends when probabilities change by less on average.

    Attributes
    ----------
    probas_ : ndarray of shape (N, K)
        :math:`T`; the classifier's for tasks without answers.
    pred_probs_ : ndarray of shape (N, K)
        The classifier's last probabilities, out of sample if there are folds: good for `crowdcore.activelab`.
    confusion_ : ndarray of shape (M, K, K)
        :math:`\pi`: annotator, true class, label.
    n_iter_, converged_ : int, bool
        Rounds done, and whether `tol` was reached.

    Notes
    -----
    With folds the rounds climb no single objective. Which fold a task is in follows from its features, so that the
    order and the names of tasks do not matter.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = np.arange(60) % 2
    >>> features = truth[:, None] + rng.normal(scale=0.2, size=(60, 2))
    >>> answers = np.where(rng.random((60, 3)) < 0.7, truth[:, None], 1 - truth[:, None])
    >>> crowd = Crowd.from_wide(answers)
    >>> labels = FeatureEM().fit_predict(crowd, features)
    >>> float(np.mean(crowd.counts.argmax(axis=1) == truth)), float(np.mean(labels == truth))
    (0.6833333333333333, 1.0)
    """

    classifier: Any = None
    strength: float = 10.0
    n_folds: int = 5
    standardize: bool = True
    n_iter: int = 20
    tol: float = 5e-4

    _takes_known_labels = True

    def fit(  # type: ignore[override]  # it cannot do without the features
        self: Self,
        answers: Crowd | pd.DataFrame,
        features: ArrayLike,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Self:
        """Aggregate the answers, and learn the classifier.

        Parameters
        ----------
        answers : Crowd or DataFrame
            A frame has a row for each answer and columns task, annotator (or worker) and label.
        features : array_like or sparse matrix, shape (N, d)
            Finite numbers, a row for each of the crowd's tasks, in the order of ``crowd_.tasks``; a DataFrame is
            put into this order by its index.
        known_labels : array_like of int, shape (N,), or mapping or Series from task to label, optional
            Labels known to be true: class codes, -1 elsewhere; or the labels themselves by task.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the answers make no crowd, the features do not fit it, an option is out of its range, or the
            classifier takes no weights or gives no probabilities.
        """
        crowd, known = self._prepare(answers, known_labels)
        X = _as_features(crowd, features)
        em = Confusion(crowd, known)
        informative = (crowd.num_answers > 0) | (known >= 0)
        classifier, argument = self._classifier(X.shape[1])
        if self.standardize and len(crowd.tasks):
            from sklearn.preprocessing import StandardScaler

            X = StandardScaler(with_mean=isinstance(X, np.ndarray)).fit_transform(X)
        fold = _folds(X, informative, self.n_folds)
        self.converged_ = False
        for iteration in range(1, self.n_iter + 1):
            self.n_iter_ = iteration
            self.pred_probs_: Floats = _judge(classifier, argument, X, em.probas, informative, fold)
            confusion = _shrunk(em, self.strength)
            last = em.probas.copy()
            em.probas[:] = posteriors(crowd, self.pred_probs_, confusion, known)
            em.walk(kernels.COUNT, np.zeros_like(confusion), np.zeros(len(crowd.classes)))
            if iteration > 1 and np.abs(em.probas - last).sum() < self.tol * last.size:
                self.converged_ = True
                break
        self.confusion_: Floats = confusion.transpose(0, 2, 1).copy()
        self._settle(crowd, em.probas, codes=em.probas.argmax(axis=1))
        return self

    def fit_predict(  # type: ignore[override]
        self,
        answers: Crowd | pd.DataFrame,
        features: ArrayLike,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Ids:
        """Return `labels_` after `fit`, shape (N,)."""
        return self.fit(answers, features, known_labels).labels_

    def fit_predict_proba(  # type: ignore[override]
        self,
        answers: Crowd | pd.DataFrame,
        features: ArrayLike,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Floats:
        """Return `probas_` after `fit`, shape (N, K)."""
        return self.fit(answers, features, known_labels).probas_

    def _classifier(self, num_features: int) -> tuple[Any, str]:
        """Return the classifier, and the name of the argument of `fit` that takes the weights."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.utils.validation import has_fit_parameter

        if self.classifier is None:
            return LogisticRegression(C=5 / num_features, max_iter=2000), "sample_weight"
        steps = getattr(self.classifier, "steps", None)
        last = steps[-1][1] if steps else self.classifier
        if not has_fit_parameter(last, "sample_weight") or not hasattr(self.classifier, "predict_proba"):
            raise ValueError(
                f"FeatureEM: classifier is {self.classifier!r}; it must be a scikit-learn classifier that has "
                "predict_proba and whose fit takes sample_weight, as LogisticRegression or RandomForestClassifier."
            )
        return self.classifier, f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"

    def _check(self) -> None:
        super()._check()
        if not (isinstance(self.strength, int | float) and np.isfinite(self.strength) and self.strength > 0):
            raise ValueError(f"FeatureEM: strength is {self.strength!r}; it must be a finite number above 0.")


def _as_features(crowd: Crowd, features: Any) -> Any:
    """Return the features as an array or a CSR matrix of floats, a row for each task."""
    from scipy.sparse import csr_matrix, issparse

    N = len(crowd.tasks)
    if hasattr(features, "reindex"):
        absent = [task for task in crowd.tasks.tolist() if task not in features.index]
        if absent or not features.index.is_unique:
            fault = f"lacks task {absent[0]!r}" if absent else "names a task twice"
            raise ValueError(
                f"features is a DataFrame whose index {fault}; expected each of the crowd's {N} tasks once. Or pass an "
                "array, in the crowd's own order."
            )
        features = features.loc[crowd.tasks.tolist()].to_numpy()
    try:
        X = csr_matrix(features, dtype=np.float64) if issparse(features) else np.asarray(features, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"features are no matrix of numbers ({error}). Encode text and categories first, as with TfidfVectorizer "
            "or OneHotEncoder."
        ) from None
    if X.ndim != 2 or X.shape[0] != N or not X.shape[1]:
        raise ValueError(
            f"features have shape {X.shape}; expected ({N}, d): a row for each of the crowd's tasks, in the same "
            "order, and at least one column."
        )
    wrong = np.flatnonzero(~np.isfinite(np.asarray(X.sum(axis=1)).ravel()))
    if len(wrong):
        raise ValueError(
            f"features, row {wrong[0]} (task {plain(crowd.tasks[wrong[0]])!r}): a value is not finite ({len(wrong)} "
            "such rows in all). Fill missing values first, as with SimpleImputer."
        )
    return X


def _folds(X: Any, informative: np.ndarray[Any, Any], n_folds: int) -> Codes:
    """Return a fold for each task by its place along one direction; tasks of which nothing is known are in none, -1."""
    fold: Codes = np.full(X.shape[0], -1, dtype=np.int64)
    some = np.flatnonzero(informative)
    direction = np.random.default_rng(0).standard_normal(X.shape[1])
    place = np.asarray(X @ direction)[some].round(9)  # rounded: the sum's last bits depend on the order of rows
    fold[some[np.argsort(place, kind="stable")]] = np.arange(len(some)) % n_folds
    return fold


def _judge(classifier: Any, argument: str, X: Any, T: Floats, informative: np.ndarray[Any, Any], fold: Codes) -> Floats:
    """Return the classifier's probabilities, of each fold having learned from the others, shape (N, K)."""
    from threadpoolctl import threadpool_limits

    judged: Floats = np.full_like(T, 1 / T.shape[1])
    with threadpool_limits(1, "blas"):  # its threads wait for each other longer than these products take
        for number in np.unique(fold):
            here = fold == number
            learned = informative & ~here
            if not learned.any():  # one fold
                learned = informative
            if learned.any():
                judged[here] = _learn_and_judge(classifier, argument, X, T, np.flatnonzero(learned), here)
    return judged


def _learn_and_judge(
    classifier: Any, argument: str, X: Any, T: Floats, learned: Codes, judged: np.ndarray[Any, Any]
) -> Floats:
    from sklearn.base import clone

    example, label = np.nonzero(T[learned] > LEAST_WEIGHT)
    classes = np.unique(label)
    probas: Floats = np.zeros((int(judged.sum()), T.shape[1]))
    probas[:, classes] = 1
    if len(classes) > 1:
        weight = T[learned[example], label]
        fitted = clone(classifier).fit(X[learned[example]], label, **{argument: weight})
        probas[:, classes] = fitted.predict_proba(X[judged])
    # Laplace's rule: a class of which there was hardly an example is still possible
    smoothed: Floats = (len(learned) * probas + 1) / (len(learned) + T.shape[1])
    return smoothed


def _shrunk(em: Confusion, strength: float) -> Floats:
    """Return confusion (annotator, label, true class) shrunk towards that of all annotators."""
    pooled = em.counts.sum(axis=0) + 0.5
    counts: Floats = em.counts + strength * pooled / pooled.sum(axis=0)
    counts /= counts.sum(axis=1, keepdims=True)
    return counts
