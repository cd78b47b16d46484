"""The consensus of sets: all the classes that apply to a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.evidence import as_numbers, in_order
from crowdcore.crowd.grouping import group_mean, ratio
from crowdcore.crowd.ids import plain
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.kinds.expected_f1 import expected_f1
from crowdcore.kinds.label_set.coding import Coding
from crowdcore.kinds.label_set.learning import EachClass
from crowdcore.kinds.label_set.questions import Questions
from crowdcore.kinds.rating import rate_annotators
from crowdcore.kinds.result import KindResult
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]

_LEVEL = 1e-9
"""Probabilities that differ by less are equal: two who contradict each other leave ½, whoever comes first."""
Codes = NDArray[np.int64]


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
            "share": ratio(self.probability.sum(axis=0), np.full(len(self.classes), len(self.probability))),
            "precision": ratio(right, self.given.sum(axis=0)),
            "recall": ratio(right, believed.sum(axis=0)),
        }


def label_sets(
    table: AnswerTable,
    pred_probs: ArrayLike | None = None,
    *,
    features: Any = None,
    classifier: Any = None,
    classes: Iterable[Any] | None = None,
    known: Sequence[Any] | Mapping[Any, Any] | None = None,
    paths: bool = False,
) -> SetResult:
    r"""Return each task's set of classes, and how far it and the annotators are to be believed.

    Parameters
    ----------
    table : AnswerTable
        N tasks, A answers: sets, lists or tuples of classes. An empty one is an answer, too: no class applies.
    pred_probs : array_like of shape (N, K), optional
        A model's out-of-sample probability that each class applies; a DataFrame is put into order by its index and
        columns. It is heard as far as it foretells the answers better than one that knows only how common the classes
        are; not at all where no task has two answers or is known.
    features : array_like or sparse matrix, shape (N, d), optional
        Numbers for each task, from which a classifier of each class is learned out of fold: of the shares of the votes
        (unless `pred_probs` are given for a start), then of what is believed.
    classifier : scikit-learn classifier, optional
        For the features; it is asked about each class by itself (one versus the rest). As in
        `crowdcore.hierarchical_dawid_skene`.
    classes : sequence, optional
        All K classes there are, in the order wanted. Default: those in the answers, sorted.
    known : sequence of length N, or mapping of tasks, optional
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
    alike. Where there are more than 50 classes, the 50 given most often are asked about, and those that somebody gave
    to the task; all others everybody may have overlooked.

    With L the logarithm of the answers' likelihood ratio and n their number, the probability is the mean of what L
    says, and of what :math:`L / (1 + (n - 1) \rho)` says, for answers that depend on each other (Kish 1965): more
    answers that agree never lower it. A class is chosen if its probability is ½ or more.

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
    if not len(coding.classes):
        return _without_classes(label_sets(table, classes=["any"], known=known))
    model = None if pred_probs is None else _probabilities(table, coding.classes, pred_probs)
    questions = Questions.of(table, coding)
    learner = None if features is None else EachClass(table, coding, questions, features, classifier)
    if not ((table.num_answers > 1).any() or coding.is_known.any()):
        model = learner = None  # nothing tells who is right, and what agrees with people by chance would overrule them
    found, yes = questions.believed(coding, model, learner)
    if learner is not None:
        model = None if found.pred_probs is None else learner.of_all(found.posterior)
    probability = questions.spread(table, coding, found, yes, model)
    for code, parent in coding.above:  # from the root: nobody means a node without what is above it
        np.minimum(probability[:, code], probability[:, parent], out=probability[:, code])
    chosen = probability > 0.5 - _LEVEL
    there = (table.num_answers > 0) | coding.is_known | (found.pred_probs is not None)
    given = coding.given(len(table.values))
    quality = np.where(there, _expected(chosen, probability), 0.0)
    answer_quality = _expected(given, probability[table.task])
    both, either = (given & chosen[table.task]).sum(axis=1), (given | chosen[table.task]).sum(axis=1)
    similarity = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    return SetResult(
        answers=table,
        consensus=coding.sets(chosen, there),
        quality=quality,
        confidence=quality,
        agreement=group_mean(similarity, table.task, len(table.tasks)),
        answer_quality=answer_quality,
        annotators=rate_annotators(table, answer_quality, similarity, _figures(table, given, probability)),
        known=coding.is_known,
        classes=coding.classes,
        probability=probability,
        units=found,
        unit_task=questions.task,
        unit_class=questions.label,
        given=given,
    )


def _probabilities(table: AnswerTable, classes: NDArray[Any], pred_probs: ArrayLike) -> Floats:
    """Return a model's probabilities, shape (N, K); a frame's in the order of the tasks and classes."""
    P = as_numbers(in_order(table.tasks, classes, pred_probs))
    expected = len(table.tasks), len(classes)
    if P.shape != expected:
        raise ValueError(
            f"pred_probs have shape {P.shape}; expected {expected}: for each task the probability that each class "
            f"applies. The classes are {classes.tolist()[:8]}; name all there are with classes=."
        )
    wrong = np.argwhere(~((P >= 0) & (P <= 1)))
    if len(wrong):
        i, k = wrong[0]
        raise ValueError(
            f"pred_probs have {P[i, k]} for class {plain(classes[k])!r} in task {plain(table.tasks[i])!r}, which is no "
            "probability; allowed are 0 to 1."
        )
    return P


def _without_classes(found: SetResult) -> SetResult:
    """Return what is believed where nobody named a class: how surely none applies."""
    nobody = np.zeros(len(found.classes), np.bool_)
    return replace(
        found,
        classes=found.classes[nobody],
        probability=found.probability[:, nobody],
        given=found.given[:, nobody],
    )


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
