"""What all aggregators share: what they take, what they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.evidence import as_known_labels
from crowdcore.crowd.ids import Codes, Ids, plain
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Self = TypeVar("Self", bound="Aggregator")


class Aggregator:
    """Base of the aggregators; a subclass is a dataclass of its options and defines `_fit`.

    Options are checked by `fit`, not by the constructor, and never changed; `get_params` and `set_params`
    work as in scikit-learn. N tasks, M annotators, K classes, all in the order of `crowd_`.

    Attributes
    ----------
    crowd_ : Crowd
        The answers that were aggregated.
    probas_ : ndarray of shape (N, K)
        Probability, or share of the votes, of each class; rows sum to 1.
    codes_ : ndarray of shape (N,)
        Place of each task's label in ``crowd_.classes`` (of equals the first); -1 where there is none.
    labels_ : ndarray of shape (N,)
        The labels themselves; None where there is none: nobody answered, or the method refuses.
    quality_ : ndarray of shape (N,)
        How far the method believes its label: the label's probability, unless the method says otherwise; NaN where
        there is no label.
    """

    crowd_: Crowd
    probas_: Floats
    codes_: Codes
    labels_: Ids
    quality_: Floats

    _takes_known_labels = False

    def fit(
        self: Self,
        answers: Crowd | pd.DataFrame,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Self:
        """Aggregate the answers.

        Parameters
        ----------
        answers : Crowd or DataFrame
            A frame has a row for each answer and columns task, annotator (or worker) and label.
        known_labels : array_like of int, shape (N,), or mapping or Series from task to label, optional
            Labels known to be true: class codes, -1 elsewhere; or the labels themselves by task.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the answers make no crowd, an option is out of its range, or labels are known and the method
            has no use for them.
        """
        crowd, known = self._prepare(answers, known_labels)
        self._fit(crowd, known)
        return self

    def fit_predict(
        self,
        answers: Crowd | pd.DataFrame,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Ids:
        """Return `labels_` after `fit`, shape (N,)."""
        return self.fit(answers, known_labels).labels_

    def fit_predict_proba(
        self,
        answers: Crowd | pd.DataFrame,
        known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    ) -> Floats:
        """Return `probas_` after `fit`, shape (N, K)."""
        return self.fit(answers, known_labels).probas_

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the options by name."""
        return {option.name: getattr(self, option.name) for option in fields(self)}  # type: ignore[arg-type]

    def set_params(self: Self, **options: Any) -> Self:
        """Change options by name.

        Raises
        ------
        ValueError
            If there is no option of that name.
        """
        known = self.get_params()
        for name, value in options.items():
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no option {name!r}; it has {', '.join(known) or 'no options'}."
                )
            setattr(self, name, value)
        return self

    def _prepare(
        self, answers: Crowd | pd.DataFrame, known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None
    ) -> tuple[Crowd, Codes]:
        """Check what `fit` is given, and the options; return the crowd and codes of the known labels."""
        crowd = as_crowd(answers)
        if known_labels is not None and not self._takes_known_labels:
            raise ValueError(
                f"{type(self).__name__} was given known_labels and has no use for them. Leave them out, or use "
                "HierarchicalDawidSkene, DawidSkene, OneCoinDawidSkene, GLAD or MACE."
            )
        self._check()
        known = as_known(crowd, known_labels)
        self.crowd_ = crowd
        return crowd, known

    def _fit(self, crowd: Crowd, known: Codes) -> None:
        raise NotImplementedError

    def _check(self) -> None:
        """Raise a ValueError if an option is not of the type that its annotation names, or out of its range."""
        for option in fields(self):  # type: ignore[arg-type]
            name, value = option.name, getattr(self, option.name)
            kind, _, optional = str(option.type).partition(" | ")
            if value is None and optional == "None":
                continue
            least = _LEAST.get(name)
            boolean = isinstance(value, bool | np.bool_)
            whole = isinstance(value, int | np.integer) and not boolean
            number = whole or (isinstance(value, float | np.floating) and not np.isnan(value))
            if kind == "int" and not (whole and (least is None or value >= least)):
                allowed = "a whole number" + ("" if least is None else f", {least} or more")
            elif kind == "float" and not optional.startswith("ArrayLike") and not number:
                allowed = "a number" + (", or -inf to go on to n_iter" if name == "tol" else "")
            elif kind == "bool" and not boolean:
                allowed = "True or False"
            elif name == "ties" and value not in ("share", "first"):
                raise ValueError(f"{type(self).__name__}: ties is {value!r}; allowed are 'share' and 'first'.")
            else:
                continue
            raise ValueError(f"{type(self).__name__}: {name} is {value!r}; it must be {allowed}.")

    def _settle(
        self,
        crowd: Crowd,
        probas: Floats,
        known: Codes | None = None,
        codes: Codes | None = None,
        quality: Floats | None = None,
    ) -> None:
        """Set what all methods give; by default the most probable class is the label, its probability the quality."""
        if codes is None:
            codes = probas.argmax(axis=1)
            unanswered = crowd.num_answers == 0
            codes[unanswered] = -1 if known is None else known[unanswered]
        self.probas_, self.codes_ = probas, codes
        self.quality_ = probas[np.arange(len(codes)), codes] if quality is None else quality
        self.labels_ = crowd.classes[codes]
        if codes.min(initial=0) < 0:
            undecided = codes < 0
            self.quality_ = np.where(undecided, np.nan, self.quality_)
            self.labels_ = self.labels_.astype(object)
            self.labels_[undecided] = None


_LEAST = {"n_iter": 1, "n_folds": 1, "n_restarts": 1, "n_clusters": 1, "seed": 0, "m_step_n_iter": 1}


def as_crowd(answers: Crowd | pd.DataFrame) -> Crowd:
    """Return the answers as a crowd.

    Raises
    ------
    ValueError
        If they are something else than a Crowd or a long frame, or there is no class at all.
    """
    if isinstance(answers, Crowd):
        crowd = answers
    elif hasattr(answers, "columns"):
        who = "annotator" if "annotator" in answers.columns or "worker" not in answers.columns else "worker"
        crowd = Crowd.from_long(answers, annotator=who)
    else:
        raise ValueError(
            f"The answers are a {type(answers).__name__}; pass a Crowd, or a frame with columns task, annotator "
            "and label. For a matrix of tasks x annotators use Crowd.from_wide."
        )
    if not len(crowd.classes):
        raise ValueError(f"{crowd!r} has no classes. Pass classes= when making the crowd, or at least one answer.")
    return crowd


def as_known(crowd: Crowd, known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None) -> Codes:
    """Return codes of the labels known to be true, -1 where unknown, shape (N,).

    Raises
    ------
    ValueError
        If they do not fit the crowd. The message names the task.
    """
    by_task = hasattr(known_labels, "items")
    if not by_task:
        return as_known_labels(crowd, known_labels)  # type: ignore[arg-type]
    places = {task: at for at, task in enumerate(crowd.tasks.tolist())}
    codes = {label: at for at, label in enumerate(crowd.classes.tolist())}
    known = np.full(len(crowd.tasks), -1, dtype=np.int64)
    for task, label in known_labels.items():  # type: ignore[union-attr]
        if plain(task) not in places:
            raise ValueError(f"known_labels: task {plain(task)!r} is not among the {len(places)} tasks of {crowd!r}.")
        if plain(label) not in codes:
            raise ValueError(
                f"known_labels, task {plain(task)!r}: found {plain(label)!r}; allowed are the crowd's classes "
                f"{list(codes)[:8]}. Leave out tasks whose truth is not known."
            )
        known[places[plain(task)]] = codes[plain(label)]
    return known


def cells(crowd: Crowd) -> Codes:
    """Return ``annotator * K + label`` of each answer, shape (A,)."""
    found: Codes = crowd.annotator * len(crowd.classes)
    found += crowd.label
    return found
