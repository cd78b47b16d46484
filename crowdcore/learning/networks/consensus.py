"""A consensus, and a network that learns from it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.evidence import as_crowd, as_known_labels
from crowdcore.crowd.table import Crowd
from crowdcore.learning.networks.believing import consensus_of
from crowdcore.learning.networks.classifier import NetworkClassifier
from crowdcore.learning.networks.estimator import Network
from crowdcore.learning.networks.extra import torched
from crowdcore.learning.networks.options import check_options
from crowdcore.learning.networks.tasks import ArrayTasks, Floats, Tasks, as_tasks

FOLDS = 5


@dataclass(eq=False, repr=False)
class ConsensusNetwork(Network):
    """Hierarchical Dawid-Skene with features, then a network that is taught its posteriors.

    The consensus hears a classifier of the features, judged out of fold, and averages errors away that annotators
    share. Tasks that are no features, such as pictures, are believed by their answers first; then the network itself,
    learned and judged out of fold, is the consensus' model.

    Parameters
    ----------
    classifier : scikit-learn classifier or SoftLinear, optional
        The consensus' own, of the features, as for `hierarchical_dawid_skene`: by default logistic regression pooled
        with linear discriminant analysis. The latter alone, `crowdcore.learning.SoftLinearDiscriminant`, is better
        where features are a network's, and annotators share errors.
    rounds : int
        How often the network is the consensus' model, where there are no features.
    **options
        Those of `crowdcore.learning.networks.estimator.Network`.

    Attributes
    ----------
    consensus_ : HierarchicalResult
        The consensus of the tasks learned from: labels, qualities, annotators.
    annotators_ : ndarray of shape (M,)
        Annotator ids.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> crowd = Crowd.from_wide([["no", "no"], ["no", None], ["yes", "yes"], [None, "yes"]] * 10)
    >>> X = [[0.0], [0.2], [0.9], [1.0]] * 10
    >>> learned = ConsensusNetwork(lr=0.05, epochs=40, least_steps=0).fit(X, crowd)
    >>> learned.predict([[0.1], [0.8]]).tolist()
    ['no', 'yes']
    >>> learned.consensus_.labels[:3].tolist()
    ['no', 'no', 'yes']
    """

    _: KW_ONLY
    classifier: Any = None
    rounds: int = 1

    stops_by: ClassVar[tuple[str, ...]] = ("answers", "validation")

    def fit(
        self,
        X: Any,
        crowd: Any,
        *,
        features: Any = None,
        known_labels: ArrayLike | None = None,
        validation: tuple[Any, Any] | None = None,
    ) -> ConsensusNetwork:
        """Learn from the answers. Tasks without answers or a known label are not learned from.

        Parameters
        ----------
        X : array_like, DataFrame or torch Dataset
            N tasks, in the order of ``crowd.tasks``; a DataFrame's index and a Dataset's `tasks` have their ids.
        crowd : Crowd or long DataFrame
            The answers.
        features : array_like or sparse matrix, shape (N, d), optional
            For the consensus; by default X, if it is an array (N, d).
        known_labels : array_like of int, shape (N,), optional
            Codes of labels known to be true, -1 elsewhere.
        validation : tuple of tasks and labels, optional
            Judged after each epoch, for `history_` and early stopping.

        Raises
        ------
        ImportError
            If torch is not installed.
        ValueError
            If tasks and crowd do not fit, no task has an answer, or an option is not allowed.
        """
        check_options(self)
        batches = torched("batches")
        crowd = as_crowd(crowd)
        tasks = as_tasks(X, crowd.tasks)
        known = as_known_labels(crowd, known_labels)
        told = (crowd.num_answers > 0) | (known >= 0)
        self.annotators_ = crowd.annotators
        if features is None and isinstance(tasks, ArrayTasks) and len(tasks.shape) == 1:
            features = tasks.take(np.arange(len(tasks)))
        P = None if features is not None else self._judged(tasks, crowd, known, told)
        self.consensus_ = consensus_of(crowd, P, features=features, classifier=self.classifier, known_labels=known)
        target = batches.Beliefs(self.consensus_.posterior)
        return self._fit(tasks, told, target, self._criterion, crowd.classes, crowd=crowd, validation=validation)

    def _judged(self, tasks: Tasks, crowd: Crowd, known: Any, told: NDArray[np.bool_]) -> Floats | None:
        """Return probabilities (N, K) by networks that did not see the task's answers; None for one class."""
        K, P = len(crowd.classes), None
        places = np.flatnonzero(told)
        fold = np.full(len(tasks), -1)
        fold[places] = np.random.default_rng(self.seed).permutation(len(places)) % FOLDS
        for _ in range(self.rounds if K > 1 and len(places) > FOLDS else 0):
            beliefs = consensus_of(crowd, P, known_labels=known).posterior
            P = np.full((len(tasks), K), 1 / K)
            for number in np.unique(fold):
                learned = told & (fold != number)
                judge = self._learner()._fit_tasks(tasks, learned, beliefs, crowd.classes)
                P[fold == number] = judge._chances(tasks, np.flatnonzero(fold == number))
        return P

    def _learner(self) -> NetworkClassifier:
        options = {option.name for option in fields(NetworkClassifier)}
        kept = {name: value for name, value in self.get_params(deep=False).items() if name in options}
        return NetworkClassifier(**{**kept, "early_stopping": None, "checkpoint": None, "resume": False})

    def _criterion(self, inputs: int) -> Any:
        return torched("criteria").SoftCrossEntropy()
