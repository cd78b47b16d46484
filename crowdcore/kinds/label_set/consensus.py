"""The consensus of sets: all the classes that apply to a task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.grouping import group_mean, ratio
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import HierarchicalResult, hierarchical_dawid_skene
from crowdcore.kinds.expected_f1 import expected_f1
from crowdcore.kinds.label_set.coding import Coding
from crowdcore.kinds.rating import rate_annotators
from crowdcore.kinds.result import KindResult
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

MANY = 50
"""Above so many classes only those that somebody gave a task are questions about it."""
TOGETHER, LEAST_TOGETHER = 4.0, 0.1
"""How far answers to the same question are taken to depend on each other: so many times the correlation that shows,
and this. Real annotators share mistakes that look like the truth."""


@dataclass(frozen=True, eq=False)
class SetResult(KindResult):
    """What `label_sets` found; arrays are in the table's order.

    Its `quality` is the expected F1 of the consensus with the truth; where nothing is chosen, the probability that
    nothing is right. Of annotators `annotators.more` has ``precision``, how many of the classes that they give are
    right, and ``recall``, how many of the right ones they give.

    Attributes
    ----------
    classes : ndarray of shape (K,)
        The classes.
    probability : ndarray of shape (N, K)
        Probability that each class applies to each task.
    units : HierarchicalResult
        What is believed of the questions "does this class apply to this task?": a crowd whose tasks are pairs of codes.
    unit_task, unit_class : ndarray of shape (U,)
        Which task and which class each question is about.
    given : ndarray of bool, shape (A, K)
        The answers as a table.
    """

    classes: NDArray[Any]
    probability: Floats
    units: HierarchicalResult
    unit_task: Codes
    unit_class: Codes
    given: NDArray[np.bool_]

    def class_figures(self) -> dict[str, Floats]:
        """Return, of each class, how often it applies, and annotators' precision and recall; arrays of shape (K,)."""
        believed = self.probability[self.answers.task]
        right = (self.given * believed).sum(axis=0)
        return {
            "share": self.probability.mean(axis=0),
            "precision": ratio(right, self.given.sum(axis=0)),
            "recall": ratio(right, believed.sum(axis=0)),
        }


def label_sets(
    table: AnswerTable,
    pred_probs: ArrayLike | None = None,
    *,
    classes: Iterable[Any] | None = None,
    known: Sequence[Any] | None = None,
    paths: bool = False,
) -> SetResult:
    r"""Return each task's set of classes, and how far it and the annotators are to be believed.

    Parameters
    ----------
    table : AnswerTable
        N tasks, A answers: sets, lists or tuples of classes. An empty one is an answer, too: no class applies.
    pred_probs : array_like of shape (N, K), optional
        A model's out-of-sample probability that each class applies. With more than `MANY` classes only those of classes
        that somebody gave to the task are used.
    classes : sequence, optional
        All K classes there are, in the order wanted. Default: those in the answers, sorted.
    known : sequence of length N, optional
        Sets known to be true, None elsewhere. Such a set is its task's consensus, with quality 1.
    paths : bool
        Whether classes are nodes of a tree, given as tuples from the root: ``("animal", "dog")``. Who gives a node
        gives all above it, so that a parent is no contradiction of its child; the consensus has the deepest nodes that
        are sure.

    Returns
    -------
    SetResult
        The consensus, the qualities, and the probability of each class.

    Raises
    ------
    ValueError
        If an answer is no set, has a class that is not listed, or an argument does not fit the table.

    Notes
    -----
    Every pair of a task and a class is a question, answered with yes or no by each of the task's annotators; one
    `crowdcore.hierarchical_dawid_skene` believes them all, so that an annotator has two error rates, for all classes
    alike. With L the logarithm of the answers' likelihood ratio and n their number, the probability is the mean of what
    L says, and of what :math:`L / (1 + (n - 1) \rho)` says, for answers that depend on each other (Kish 1965):
    more answers that agree never lower it. A class is chosen if its probability is above ½.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = [{"cat", "dog"}, {"cat"}, {"cat", "dog"}, set(), set(), {"cow"}]
    >>> frame = pd.DataFrame({"task": list("aaabbb") * 4, "annotator": list("xyz" * 8), "answer": answers * 4})
    >>> frame["task"] += (np.arange(24) // 6).astype(str)
    >>> result = label_sets(AnswerTable.from_long(frame))
    >>> [sorted(labels) for labels in result.consensus[:2]], [sorted(labels) for labels in result.consensus[4:6]]
    ([['cat', 'dog'], ['cat', 'dog']], [[], []])
    """
    coding = Coding.of(table, classes, known, paths)
    K, N = len(coding.classes), len(table.tasks)
    task, label = _questions(table, coding)
    model = None if pred_probs is None else _probabilities(pred_probs, N, K)[task, label]
    found = hierarchical_dawid_skene(
        _crowd(table, coding, task, label),
        None if model is None else np.column_stack([1 - model, model]),
        known_labels=coding.known_answers(task, label),
    )
    probability = np.zeros((N, K))
    probability[task, label] = _believed(found)
    if model is None:
        answered = (table.num_answers > 0) | coding.is_known
        probability[~answered] = probability[answered].mean(axis=0) if answered.any() else 0.0
    for code, parent in coding.above:  # from the root: nobody means a node without what is above it
        np.minimum(probability[:, code], probability[:, parent], out=probability[:, code])
    chosen = probability > 0.5
    there = (table.num_answers > 0) | coding.is_known | (model is not None)
    given = coding.given(len(table.values))
    quality = _expected(chosen, probability)
    answer_quality = _expected(given, probability[table.task])
    both, either = (given & chosen[table.task]).sum(axis=1), (given | chosen[table.task]).sum(axis=1)
    similarity = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    return SetResult(
        answers=table,
        consensus=coding.sets(chosen, there),
        quality=quality,
        confidence=quality,
        agreement=group_mean(similarity, table.task, N),
        answer_quality=answer_quality,
        annotators=rate_annotators(table, answer_quality, similarity, _figures(table, given, probability)),
        known=coding.is_known,
        classes=coding.classes,
        probability=probability,
        units=found,
        unit_task=task,
        unit_class=label,
        given=given,
    )


def _questions(table: AnswerTable, coding: Coding) -> tuple[Codes, Codes]:
    """Return the task and the class of each question: all pairs, or with many classes those that somebody gave."""
    N, K = len(table.tasks), len(coding.classes)
    if K <= MANY:
        return np.repeat(np.arange(N), K), np.tile(np.arange(K), N)
    pairs = np.concatenate([table.task[coding.answer] * K + coding.label, coding.known_task * K + coding.known_label])
    found = np.unique(pairs)
    return found // K, found % K


def _crowd(table: AnswerTable, coding: Coding, task: Codes, label: Codes) -> Crowd:
    """Return what each annotator of a task says to each question about it."""
    K, sizes = len(coding.classes), table.num_answers[task]
    ends = sizes.cumsum()
    unit = np.repeat(np.arange(len(task)), sizes)
    answer = np.arange(len(unit)) - np.repeat(ends - sizes, sizes) + np.repeat(table.indptr[task], sizes)
    given = coding.answer * K + coding.label
    wanted = answer * K + label[unit]
    at = np.searchsorted(given, wanted)
    yes = (at < len(given)) & (given[np.minimum(at, len(given) - 1)] == wanted) if len(given) else wanted < 0
    return Crowd.from_codes(
        unit, table.annotator[answer], yes.astype(np.int64),
        tasks=range(len(task)), annotators=table.annotators, classes=["no", "yes"],
    )  # fmt: skip


def _probabilities(pred_probs: ArrayLike, num_tasks: int, num_classes: int) -> Floats:
    P = np.asarray(pred_probs, dtype=np.float64)
    if P.shape != (num_tasks, num_classes):
        raise ValueError(
            f"pred_probs have shape {P.shape}; expected ({num_tasks}, {num_classes}): for each task the probability "
            "that each class applies."
        )
    if not ((P >= 0) & (P <= 1)).all():
        raise ValueError("pred_probs have a number that is no probability; allowed are 0 to 1.")
    return P


def _believed(found: HierarchicalResult) -> Floats:
    """Return the probability of yes: half of what independent answers say, half of what dependent ones do."""
    yes = np.clip(np.where(found.consensus == 1, found.confidence, 1 - found.confidence), _TINY, 1 - _TINY)
    if found.pred_probs is None:
        prior = np.full(len(yes), _logit(found.class_prior[1]))
    else:
        prior = found.model_exponent * _logit(found.pred_probs[:, 1])
    n = found.heard.num_answers
    heard = np.where(n > 0, _logit(yes) - prior, 0.0)
    rho = LEAST_TOGETHER + TOGETHER * found.correlation
    together = _sigmoid(prior + heard / (1 + np.maximum(n - 1, 0) * rho))
    believed: Floats = (_sigmoid(prior + heard) + together) / 2
    return np.where(found.known, found.consensus.astype(np.float64), believed)


_TINY = 1e-15


def _logit(p: Any) -> Any:
    p = np.clip(p, _TINY, 1 - _TINY)
    return np.log(p) - np.log1p(-p)


def _sigmoid(x: Floats) -> Floats:
    from scipy.special import expit

    found: Floats = expit(x)
    return found


def _expected(chosen: NDArray[np.bool_], probability: Floats) -> Floats:
    """Return the expected F1 of each row of a table with the truth, whose classes have these probabilities."""
    rows, K = chosen.shape
    group, p = np.repeat(np.arange(rows), K), probability.ravel()
    return expected_f1(group, chosen.ravel(), p, p, rows)


def _figures(table: AnswerTable, given: NDArray[np.bool_], probability: Floats) -> dict[str, Floats]:
    """Return each annotator's precision and recall."""
    M, believed = len(table.annotators), probability[table.task]
    right = np.bincount(table.annotator, (given * believed).sum(axis=1), M)
    return {
        "precision": ratio(right, np.bincount(table.annotator, given.sum(axis=1), M)),
        "recall": ratio(right, np.bincount(table.annotator, believed.sum(axis=1), M)),
    }
