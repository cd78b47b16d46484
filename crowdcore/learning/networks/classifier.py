"""A network that learns from labels, hard or soft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.ids import Ids, as_ids
from crowdcore.learning.networks.estimator import Network
from crowdcore.learning.networks.extra import torched
from crowdcore.learning.networks.options import check_options
from crowdcore.learning.networks.tasks import Floats, Tasks, as_tasks


@dataclass(eq=False, repr=False)
class NetworkClassifier(Network):
    r"""A network taught labels, or probabilities of labels, such as a consensus' posteriors.

    .. math:: \min -\frac{\sum_{ik} T_{ik} \log \sigma(z_i)_k}{\sum_{ik} T_{ik}}

    with the network's logits z and the softmax :math:`\sigma`. Its options are those of
    `crowdcore.learning.networks.estimator.Network`.

    Examples
    --------
    >>> X, T = [[0.0], [1.0], [3.0], [4.0]], [[1.0, 0.0], [0.8, 0.2], [0.2, 0.8], [0.0, 1.0]]
    >>> NetworkClassifier("linear", lr=0.1).fit(X, T).predict_proba(X).round(1)
    array([[1. , 0. ],
           [0.9, 0.1],
           [0.1, 0.9],
           [0. , 1. ]])
    """

    def fit(
        self,
        X: Any,
        T: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
        validation: tuple[Any, Any] | None = None,
    ) -> NetworkClassifier:
        """Learn from tasks.

        Parameters
        ----------
        X : array_like, DataFrame or torch Dataset
            N tasks.
        T : array_like of shape (N, K) or (N,)
            Probabilities of the classes, no row of them negative; or a label for each. Tasks whose row is all 0 or NaN,
            or whose label is -1, None or NaN, are not learned from. A DataFrame with X as a DataFrame is put into its
            order by the index.
        sample_weight : array_like of shape (N,), optional
            How much each task counts.
        classes : array_like of shape (K,), optional
            The classes, in the order of T's columns; by default 0, 1, ..., a DataFrame's columns, or the
            labels, sorted.
        validation : tuple of tasks and labels, optional
            Judged after each epoch, for `history_` and early stopping.

        Raises
        ------
        ImportError
            If torch is not installed.
        ValueError
            If lengths differ, or values are no probabilities or labels.
        """
        tasks = as_tasks(X, as_ids(X.index.tolist(), "tasks") if hasattr(X, "reindex") else None)
        if hasattr(X, "reindex") and hasattr(T, "reindex"):
            T = T.reindex(X.index)
        beliefs, names = _beliefs(T, classes)
        if len(beliefs) != len(tasks):
            raise ValueError(f"There are {len(tasks)} tasks and {len(beliefs)} rows of labels; expected as many.")
        if sample_weight is not None:
            beliefs = beliefs * np.asarray(sample_weight, dtype=np.float64)[:, None]
        return self._fit_tasks(tasks, np.asarray(beliefs.any(axis=1)), beliefs, names, validation=validation)

    def _fit_tasks(
        self,
        tasks: Tasks,
        learned: NDArray[np.bool_],
        beliefs: Floats,
        classes: Ids,
        validation: tuple[Any, Any] | None = None,
    ) -> NetworkClassifier:
        """Learn from some of the tasks, of which this is believed."""
        check_options(self)
        target = torched("batches").Beliefs(beliefs)
        return self._fit(tasks, learned, target, self._criterion, classes, validation=validation)

    def _criterion(self, inputs: int) -> Any:
        return torched("criteria").SoftCrossEntropy()


def _beliefs(T: Any, classes: ArrayLike | None) -> tuple[Floats, Ids]:
    """Return how far each task is of each class, (N, K), and the classes."""
    columns = getattr(T, "columns", None)
    given = np.asarray(T)
    if given.ndim == 1:
        return _one_hot(given, classes)
    beliefs = np.nan_to_num(given.astype(np.float64), nan=0.0)
    if beliefs.ndim != 2 or not np.isfinite(beliefs).all() or (beliefs < 0).any():
        raise ValueError(
            f"Labels have shape {given.shape}; expected (N,) labels or (N, K) probabilities, finite and not negative."
        )
    names = (range(beliefs.shape[1]) if columns is None else columns.tolist()) if classes is None else classes
    ids = as_ids(list(np.asarray(names).tolist()), "classes")
    if len(ids) != beliefs.shape[1]:
        raise ValueError(f"There are {len(ids)} classes and {beliefs.shape[1]} columns of labels; expected as many.")
    return beliefs, ids


def _one_hot(labels: Any, classes: ArrayLike | None) -> tuple[Floats, Ids]:
    missing = np.array([label is None or label != label or label == -1 for label in labels.tolist()], dtype=bool)
    known = labels[~missing].tolist()
    ids = as_ids(sorted(set(known)) if classes is None else np.asarray(classes).tolist(), "classes")
    codes = {label: code for code, label in enumerate(ids.tolist())}
    strange = [label for label in known if label not in codes]
    if strange:
        raise ValueError(f"Label {strange[0]!r} is none of the classes {ids.tolist()[:8]}. Name all classes.")
    beliefs = np.zeros((len(labels), len(ids)))
    beliefs[np.flatnonzero(~missing), [codes[label] for label in known]] = 1.0
    return beliefs, ids
