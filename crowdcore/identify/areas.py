"""Which tasks are too hard to learn from: areas under the margin, of a task's label and of each of its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.aggregate.classes.dawid_skene import DawidSkene
from crowdcore.crowd.evidence import as_crowd, as_known
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.identify.courses import Course, PerceptronCourse
from crowdcore.identify.expertise import as_confusions
from crowdcore.identify.margins import Margin, Scale, check, margins
from crowdcore.learning.out_of_fold import as_features

if TYPE_CHECKING:
    import pandas as pd

MARGINS: tuple[Margin, ...] = get_args(Margin)
Progress = Callable[[str, int, int], None]

EPOCHS = 30
"""After many more the perceptron has memorised hard tasks, too, and their margins no longer tell them."""


@dataclass(frozen=True, eq=False)
class AreaUnderMargin:
    """How early, and how surely, a classifier learns the labels of N tasks of K classes.

    Attributes
    ----------
    crowd : Crowd
        The answers.
    labels : ndarray of shape (N,)
        Codes of the labels that were learned, -1 for tasks that were not learned from.
    yang, pleiss : ndarray of shape (N,)
        The area under either margin, low for tasks that are hard, or whose label is wrong; NaN without a label.
    margin : {"yang", "pleiss"}
        Which of them is `area`.
    logits : ndarray of shape (E, N, K), or None
        What the classifier said after each epoch, if it was asked for.
    """

    crowd: Crowd
    labels: Codes
    yang: Floats
    pleiss: Floats
    margin: Margin
    logits: Floats | None = None

    @property
    def area(self) -> Floats:
        """The area under the margin that was chosen, shape (N,)."""
        return self.yang if self.margin == "yang" else self.pleiss

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each task: label, aum."""
        labels = self.crowd.classes.astype(object)[self.labels]
        labels[self.labels < 0] = None
        return self.crowd.task_frame(label=labels, aum=self.area)


@dataclass(frozen=True, eq=False)
class WeightedAreaUnderMargin:
    """How early, and how surely, a classifier learns the answers to N tasks.

    Attributes
    ----------
    crowd : Crowd
        The A answers.
    area : ndarray of shape (N,)
        Low for tasks that are hard; NaN without answers.
    answer_area : ndarray of shape (A,)
        The area under the margin of each answer.
    trust : ndarray of shape (A,)
        The weight of each answer, in [0, 1].
    """

    crowd: Crowd
    area: Floats
    answer_area: Floats
    trust: Floats

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each task: waum."""
        return self.crowd.task_frame(waum=self.area)


def aum(
    answers: Crowd | pd.DataFrame,
    features: ArrayLike | Course,
    labels: ArrayLike | None = None,
    *,
    margin: Margin = "yang",
    of: Scale = "logits",
    topk: int = 1,
    n_epochs: int = EPOCHS,
    seed: int = 0,
    keep_logits: bool = False,
    progress: Progress | None = None,
) -> AreaUnderMargin:
    r"""Return the area under the margin of each task's label.

    .. math:: \mathrm{AUM}_i = \frac1E \sum_{e=1}^E \Big(z^{(e)}_{i y_i} - z^{(e)}_{i[2]}\Big)

    over the epochs e of a classifier's training, with its logits z, of which :math:`z_{[2]}` is the second largest
    (Yang & Koyejo 2020, "On the consistency of top-k surrogate losses", ICML); with the margin "pleiss" it is the
    largest of the other classes (Pleiss, Zhang, Elenberg & Weinberger 2020, "Identifying mislabeled data using the
    area under the margin ranking", NeurIPS). With two classes Yang's margin of the class that is believed less is 0.

    Parameters
    ----------
    answers : Crowd or DataFrame
        N tasks, K classes; a frame has columns task, annotator (or worker) and label.
    features : array_like or sparse matrix of shape (N, d), or Course
        Finite numbers for each task, in the order of ``crowd.tasks``; a DataFrame is put into this order by its index.
        A perceptron learns from them. Or another classifier in the course of its training.
    labels : array_like of int, shape (N,), optional
        Codes of the labels to learn, -1 where there is none; or the labels themselves by task. By default those of
        `DawidSkene`.
    margin : {"yang", "pleiss"}
        What a class is compared with.
    of : {"logits", "probabilities"}
        What the margin is measured in.
    topk : int
        Yang's margin compares with the (topk + 1)-th largest; at most K - 1.
    n_epochs : int
        How often each task is seen. Not many: a classifier that has learned everything by heart has no low margins.
    seed : int
        Of the random numbers. Equal seeds give equal results.
    keep_logits : bool
        Whether the result has all of them, E N K numbers.
    progress : callable, optional
        Called as ``progress(what, done, total)`` after each epoch.

    Returns
    -------
    AreaUnderMargin
        The areas, with `to_frame`.

    Raises
    ------
    ValueError
        If features or labels do not fit the crowd, or an option has another value.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "cat"], ["cat", "cat"], ["dog", "dog"], ["dog", "dog"], ["dog", "dog"]])
    >>> found = aum(crowd, [[0.0], [0.1], [0.9], [1.0], [0.05]], margin="pleiss")
    >>> int(found.area.argmin())  # a dog that looks like the cats
    4
    """
    from scipy.special import softmax

    crowd = as_crowd(answers)
    check(len(crowd.classes), margin, of, topk, n_epochs)
    learned = _labels(crowd, labels)
    task = np.flatnonzero(learned >= 0)
    label, K = learned[task], len(crowd.classes)
    areas = {name: np.where(learned >= 0, 0.0, np.nan) for name in MARGINS}
    kept: list[Floats] = []
    for epoch, logits in enumerate(_course(crowd, features)(task, label, K, n_epochs, seed) if len(task) else (), 1):
        values = (logits if of == "logits" else softmax(logits, axis=1))[task]
        for name, area in areas.items():
            area[task] += margins(values, label, name, topk) / n_epochs
        if keep_logits:
            kept.append(logits)
        if progress is not None:
            progress("learning", epoch, n_epochs)
    return AreaUnderMargin(crowd, learned, **areas, margin=margin, logits=np.array(kept) if keep_logits else None)


def waum(
    answers: Crowd | pd.DataFrame,
    features: ArrayLike | Course,
    confusions: Any = None,
    *,
    per_annotator: bool = False,
    margin: Margin = "yang",
    topk: int = 1,
    n_epochs: int = EPOCHS,
    seed: int = 0,
    progress: Progress | None = None,
) -> WeightedAreaUnderMargin:
    r"""Return the area under the margin of each task's answers, weighted by how far each is to be trusted.

    .. math:: \mathrm{WAUM}_i = \frac{\sum_{j \in A(i)} s_{ij} \mathrm{AUM}(x_i, y_{ij})}{\sum_{j \in A(i)} s_{ij}},
              \quad s_{ij} = \sum_k \sigma(z_i)_k \, \pi_j[k, k]

    A classifier learns all pairs of task and answer. AUM is as in `aum`, of probabilities :math:`\sigma(z)`; the trust
    :math:`s_{ij}` is that of the last epoch, with the confusion matrices :math:`\pi_j` of Dawid & Skene. Lefort,
    Charlier, Joly & Salmon 2024, "Identify ambiguous tasks combining crowdsourced labels by weighting areas under the
    margin", TMLR; peerannot's "WAUM". (Their paper in Computo divides by the number of answers.)

    Parameters
    ----------
    answers, features, margin, topk, n_epochs, seed, progress
        As in `aum`.
    confusions : Aggregator or array_like of shape (M, K, K), optional
        As in `spam_score`: what was fitted to these answers, or matrices; by default `DawidSkene` is fitted.
    per_annotator : bool
        Whether each annotator's answers are learned by a classifier of their own, as in peerannot's
        "WAUM_perworker". It needs annotators with many answers.

    Returns
    -------
    WeightedAreaUnderMargin
        The areas of tasks and answers, and the trust, with `to_frame`.

    Raises
    ------
    ValueError
        As `aum`, or if the confusion matrices are not of this crowd.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "cat"], ["cat", "cat"], ["dog", "dog"], ["dog", "dog"], ["cat", "dog"]])
    >>> found = waum(crowd, [[0.0], [0.1], [0.9], [1.0], [0.5]], n_epochs=100)
    >>> int(found.area.argmin())
    4
    """
    from scipy.special import softmax

    crowd = as_crowd(answers)
    check(len(crowd.classes), margin, "probabilities", topk, n_epochs)
    diagonal = np.einsum("mkk->mk", as_confusions(crowd, confusions))
    learn, K = _course(crowd, features), len(crowd.classes)
    area, trust = np.zeros(len(crowd.label)), np.zeros(len(crowd.label))
    lots = _by_annotator(crowd) if per_annotator else [np.arange(len(crowd.label))]
    lots = [lot for lot in lots if len(lot)]
    for number, lot in enumerate(lots):
        task, label = crowd.task[lot], crowd.label[lot]
        for epoch, logits in enumerate(learn(task, label, K, n_epochs, seed), 1):
            chances = softmax(logits[task], axis=1)
            area[lot] += margins(chances, label, margin, topk) / n_epochs
            if progress is not None:
                progress("learning", number * n_epochs + epoch, len(lots) * n_epochs)
        trust[lot] = (chances * diagonal[crowd.annotator[lot]]).sum(axis=1)
    return WeightedAreaUnderMargin(crowd, _weighted_means(crowd, area, trust), area, trust)


def _course(crowd: Crowd, features: Any) -> Course:
    return features if callable(features) else PerceptronCourse(as_features(crowd.tasks, features))


def _labels(crowd: Crowd, given: Any) -> Codes:
    """Return the labels to learn, shape (N,), -1 where there is none."""
    if given is not None:
        try:
            return as_known(crowd, given)
        except ValueError as error:
            raise ValueError(str(error).replace("known_labels", "labels").replace("the truth", "the label")) from None
    return np.where(crowd.num_answers > 0, DawidSkene().fit(crowd).codes_, -1)


def _by_annotator(crowd: Crowd) -> list[Codes]:
    """Return the places of each annotator's answers."""
    order = np.argsort(crowd.annotator, kind="stable")
    return np.split(order, np.cumsum(np.bincount(crowd.annotator, minlength=len(crowd.annotators)))[:-1])


def _weighted_means(crowd: Crowd, values: Floats, weights: Floats) -> Floats:
    """Return the mean of each task's answers' values, NaN without answers; plain where nobody is trusted at all."""
    N = len(crowd.tasks)
    nobody = np.bincount(crowd.task, weights=weights, minlength=N) <= 0
    weights = np.where(nobody[crowd.task], 1.0, weights)
    total = np.bincount(crowd.task, weights=weights, minlength=N)
    found: Floats = np.full(N, np.nan)
    np.divide(np.bincount(crowd.task, weights=weights * values, minlength=N), total, out=found, where=total > 0)
    return found
