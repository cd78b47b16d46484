"""Sets as questions: does this class apply to this task? Each annotator of the task has said yes or no."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.grouping import group_mean
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.consensus import believe_with, hierarchical_dawid_skene
from crowdcore.hierarchical.refitting import Learner
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.kinds.label_set.coding import Coding
from crowdcore.kinds.table import AnswerTable

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

MANY = 50
"""So many classes, those given most often, are asked about for every task; of others those that somebody gave it."""
DOUBTED = 5.0
"""So many times as common as they are said to be, classes are expected to be before annotators are known, but at most
in half of the tasks: annotators overlook more than they make up. A class of one in fifty is not expected in half."""
TOGETHER, LEAST_TOGETHER = 4.0, 0.1
"""How far answers to the same question are taken to depend on each other: so many times the correlation that shows,
and this. Real annotators share mistakes that look like the truth."""
_TINY = 1e-15


@dataclass(frozen=True, eq=False)
class Questions:
    """Which task and which class each question is about, shape (U,), and what is said to it.

    Attributes
    ----------
    task, label : ndarray of shape (U,)
        Codes of tasks and classes.
    said : Crowd
        The answers: its tasks are the questions, its classes no and yes.
    """

    task: Codes
    label: Codes
    said: Crowd

    @classmethod
    def of(cls, table: AnswerTable, coding: Coding) -> Questions:
        """Ask about every class for every task, or with many classes about some."""
        N, K = len(table.tasks), len(coding.classes)
        given = np.concatenate([
            table.task[coding.answer] * K + coding.label, coding.known_task * K + coding.known_label
        ])  # fmt: skip
        usual = np.sort(np.argsort(-np.bincount(given % max(K, 1), minlength=K), kind="stable")[:MANY])
        pairs = (np.arange(N)[:, None] * K + usual).ravel()
        if K > MANY:
            pairs = np.union1d(pairs, given)
        task, label = pairs // max(K, 1), pairs % max(K, 1)
        return cls(task, label, _said(table, coding, task, label))

    def believed(
        self, coding: Coding, model: Floats | None, learner: Learner | None = None
    ) -> tuple[HierarchicalResult, Floats]:
        """Return what is believed of the questions, and the probability of each yes; shape (U,).

        Parameters
        ----------
        model : ndarray of shape (N, K), or None
            Probabilities of the classes; with a learner, those to begin with.
        learner : Learner, optional
            It judges the questions.
        """
        P = None if model is None else self.within_classes(model[self.task, self.label])
        known = coding.known_answers(self.task, self.label)
        votes = self.said.counts.sum(axis=0) + 1
        share = min(0.5, float(DOUBTED * votes[1] / votes.sum()))
        shares = np.array([1 - share, share])
        if learner is None:
            found = hierarchical_dawid_skene(self.said, P, known_labels=known, expected_shares=shares)
        else:
            found = believe_with(learner, self.said, P, known, expected=shares)
        return found, _yes(found)

    def within_classes(self, yes: Floats) -> Floats:
        """Return a model's probabilities of no and yes, (U, 2), of those of yes, (U,), with all classes as common.

        Each class' odds are multiplied by a number that brings its mean to everybody's. What is left is what the model
        knows of the tasks: how common classes are, the answers say. Else a model that knows only how often each class
        is given would be heard, and believe what is given often.
        """
        K = int(self.label.max(initial=-1)) + 1
        usual, mean = _logit(yes.mean() if len(yes) else 0.5), _logit(np.nan_to_num(group_mean(yes, self.label, K)))
        P = _sigmoid(_logit(yes) + usual - mean[self.label])
        found: Floats = np.column_stack([1 - P, P])
        return found

    def spread(
        self, table: AnswerTable, coding: Coding, found: HierarchicalResult, yes: Floats, model: Floats | None
    ) -> Floats:
        """Return the probability that each class applies to each task, shape (N, K), from those of the questions.

        A task that nobody answered has the model's if it is heard, or else the mean of the others. Where nobody was
        asked about a class,
        nobody gave it: everybody may have overlooked it.
        """
        N, K = len(table.tasks), len(coding.classes)
        probability: Floats = np.zeros((N, K))
        probability[self.task, self.label] = yes
        heard = (table.num_answers > 0) | coding.is_known
        if found.pred_probs is not None and model is not None:
            usual = model
            probability[~heard] = usual[~heard]
        else:
            share = found.class_prior[1]
            usual = np.broadcast_to(probability[heard].mean(axis=0) if heard.any() else np.full(K, share), (N, K))
            probability[~heard] = usual[~heard]
        if K > MANY:
            asked = np.zeros((N, K), np.bool_)
            asked[self.task, self.label] = True
            missed = np.where(coding.is_known, 0.0, np.exp(_log_missed(table, found)))[:, None]
            unasked = usual * missed / np.maximum(usual * missed + 1 - usual, _TINY)
            probability = np.where(asked | (~heard & (found.pred_probs is None))[:, None], probability, unasked)
        return probability


def _said(table: AnswerTable, coding: Coding, task: Codes, label: Codes) -> Crowd:
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


def _yes(found: HierarchicalResult) -> Floats:
    """Return the probability of yes: half of what independent answers say, half of what dependent ones do."""
    yes = np.clip(np.where(found.consensus == 1, found.confidence, 1 - found.confidence), _TINY, 1 - _TINY)
    if found.pred_probs is None:
        prior = _logit(np.full(len(yes), found.class_prior[1]))
    else:
        prior = found.model_exponent * _logit(found.pred_probs[:, 1])
    n = found.heard.num_answers
    heard = np.where(n > 0, _logit(yes) - prior, 0.0)
    rho = LEAST_TOGETHER + TOGETHER * found.correlation
    together = _sigmoid(prior + heard / (1 + np.maximum(n - 1, 0) * rho))
    believed = (_sigmoid(prior + heard) + together) / 2
    return np.where(found.known, found.consensus, believed).astype(np.float64)


def _log_missed(table: AnswerTable, found: HierarchicalResult) -> Floats:
    """Return how much likelier it is that all of a task's annotators say no where the truth is yes than where it is no.

    They may have overlooked it together, as in `_yes`.
    """
    rows = found.confusion()
    each = np.log(np.maximum(rows[:, 1, 0], _TINY)) - np.log(np.maximum(rows[:, 0, 0], _TINY))
    together = 1 + np.maximum(table.num_answers - 1, 0) * (LEAST_TOGETHER + TOGETHER * found.correlation)
    sums = np.bincount(table.task, np.minimum(each, 0.0)[table.annotator], len(table.tasks))
    return sums / together


def _logit(p: Floats | float) -> Floats:
    p = np.clip(p, _TINY, 1 - _TINY)
    logit: Floats = np.log(p) - np.log1p(-p)
    return logit


def _sigmoid(x: Floats) -> Floats:
    from scipy.special import expit

    found: Floats = expit(x)
    return found
