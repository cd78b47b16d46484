"""Answers to scores. Pure: no I/O, and the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd, CrowdlabResult, majority_vote
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.votes import overruled_tasks
from crowdcore.votes.copies import CopyGroup
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.consensus import Beliefs, as_beliefs, find_beliefs
from label_studio_crowd.scoring.kinds import KindBelief
from label_studio_crowd.scoring.regional import believe_about
from label_studio_crowd.scoring.second_opinion import SecondOpinion, find_second_opinion
from label_studio_crowd.settings import ConsensusMethod

SETTLED_BY: Final = ("truth", "quality", "labels", "skips")
_SETTLED_MARGIN: Final = 0.02


@dataclass(frozen=True)
class Scores:
    """What is believed of a project; arrays are in the order of ``answers.crowd``.

    Attributes
    ----------
    answers
        What it was computed from.
    result
        Consensus and qualities.
    model_disagrees
        Whether the classifier, or a model among the annotators, disagrees with all people who labelled the task: its
        consensus is a class that none of them gave; shape (N,). Quality does not settle such a task.
    majority
        The majority vote of people, of tied classes one by chance, -1 without labels; shape (N,).
    priority
        In [0, 1]: low where one more label is worth most; shape (N,).
    agreement
        Share of each annotator's labels of `judged` tasks that are the consensus; NaN without any; shape (M,).
    annotator_quality
        Quality of each annotator; NaN without labels of `judged` tasks, for nothing tells it then; shape (M,).
    worst_class
        Class code of the label that is wrong most often when the annotator gives it to `judged` tasks (ties: the one
        given most often, then to tasks of higher quality, then the first); -1 where none is wrong; shape (M,).
    quality_interval
        Its 90 % interval; NaN also where the consensus method has none; shape (M, 2).
    settled_by
        Why the task needs no more labels, one of the names in `SETTLED_BY`; "" while it does; shape (N,).
    judged
        Whether its consensus is more than one annotator's word: several have a say, or the classifier, or its truth
        is known; shape (N,).
    hears_model
        Whether the classifier has a say.
    copies
        The groups of annotators who copy each other. Their equal labels of a task count as one, in the consensus and
        in `min_labels`; not with CROWDLAB.
    target_quality, min_labels, max_labels
        What that was decided by, as for `score`.
    parts
        The scores of each control, where several are scored; these are then the first one's, but for `priority` and
        `settled_by`.
    held_by
        Where several are scored, which of the controls needs labels of the task most, -1 where none does; shape (N,).
    left_out
        Where several are scored: whether most who answered the task did not answer this one, so that it has no
        consensus there; shape (N,).
    second_opinion
        What CROWDLAB and ActiveLab say of classes; None where they are the method, and for other kinds of answers.
    """

    answers: Answers
    result: HierarchicalResult | CrowdlabResult | KindBelief
    model_disagrees: NDArray[np.bool_]
    majority: NDArray[np.int64]
    priority: NDArray[np.float64]
    agreement: NDArray[np.float64]
    annotator_quality: NDArray[np.float64]
    worst_class: NDArray[np.int64]
    quality_interval: NDArray[np.float64]
    settled_by: NDArray[np.str_]
    judged: NDArray[np.bool_]
    hears_model: bool
    copies: tuple[CopyGroup, ...]
    target_quality: float
    min_labels: int
    max_labels: int
    parts: tuple[Scores, ...] = ()
    held_by: NDArray[np.int64] | None = None
    left_out: NDArray[np.bool_] | None = None
    second_opinion: SecondOpinion | None = None

    @property
    def controls(self) -> tuple[Scores, ...]:
        """The scores of each control, which share their settling and priority; this, where it is the only one."""
        return self.parts or (self,)

    @property
    def num_labels(self) -> NDArray[np.int64]:
        """How many people answered each task, by whatever control; shape (N,)."""
        if not self.parts:
            return self.answers.labels.num_answers
        pairs = np.concatenate([part.answered_by() for part in self.parts], axis=1)
        return np.bincount(np.unique(pairs, axis=1)[0], minlength=len(self.priority))

    def answered_by(self) -> NDArray[np.int64]:
        """Return the row of the task and the id of the annotator of each label; shape (2, A)."""
        crowd = self.answers.labels
        return np.stack([crowd.task, np.asarray(crowd.annotators, np.int64)[crowd.annotator]])

    @property
    def least_quality(self) -> NDArray[np.float64]:
        """The quality of each task: the least of its controls' that have answers; shape (N,)."""
        if not self.parts:
            return self.result.quality
        rows = [np.where(np.asarray(part.left_out), np.inf, part.result.quality) for part in self.parts]
        least: NDArray[np.float64] = np.min(rows, axis=0)
        return np.where(np.isinf(least), self.result.quality, least)

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Whether the task needs no more labels; shape (N,)."""
        settled: NDArray[np.bool_] = self.settled_by != ""
        return settled

    @property
    def crowdlab_differs(self) -> NDArray[np.bool_]:
        """Whether CROWDLAB's label is another than the consensus of a labelled task of unknown truth; shape (N,)."""
        if self.second_opinion is None:
            return np.zeros(len(self.priority), np.bool_)
        differs: NDArray[np.bool_] = self.second_opinion.result.consensus != self.result.consensus
        return differs & (self.answers.labels.num_answers > 0) & (self.answers.known_labels < 0)

    @property
    def calibrated(self) -> bool:
        """Whether qualities are probabilities of being right: CROWDLAB's are scores."""
        return not isinstance(self.result, CrowdlabResult)


def score(
    answers: Answers,
    pred_probs: NDArray[np.float64] | None,
    *,
    target_quality: float,
    max_labels: int,
    min_labels: int | None = None,
    consensus: ConsensusMethod = "hierarchical-dawid-skene",
    settled_before: NDArray[np.bool_] | None = None,
    predicted: NDArray[np.bool_] | None = None,
    regions: Sequence[tuple[Answers, KindBelief]] = (),
) -> Scores:
    """Score every task, labelled or not.

    Parameters
    ----------
    answers
        The crowd of N tasks and K classes.
    pred_probs
        Out-of-sample class probabilities (N, K), or None without a classifier; see `find_beliefs`.
    target_quality, min_labels, max_labels
        A task is settled when its truth is known, when its consensus has the quality and it the labels, or
        when it has the most labels allowed, where skips count as labels. Quality settles no task whose consensus is a
        class that nobody gave. Without a classifier one label is believed as far as its annotator is, so `min_labels`
        is 2 then by default.
    consensus
        The method. With ``hierarchical-dawid-skene`` quality settles a task only if one of its annotators has
        labelled a task together with somebody else, or one whose truth is known: nothing else tells how good they are.
    settled_before
        Tasks that were settled by the last run (N,): they stay so until their quality is clearly below the
        target, so that a group of tasks just above it is not opened and closed with every label.
    predicted
        Tasks whose probabilities are the classifier's own (N,), not a mean in their place; all by default.
    regions
        Where the answers are about regions: what is believed of the controls that mark them.
    """
    if answers.control.form.about_regions:
        answers, found = as_beliefs(*believe_about(answers, regions))
    else:
        answers, found = find_beliefs(consensus, answers, pred_probs)
    crowd, known, is_class = answers.crowd, answers.known_labels, answers.control.is_class
    labels = answers.labels.num_answers
    if min_labels is None:
        min_labels = 1 if pred_probs is not None and (is_class or found.hears_model) else 2
    needed = np.full(len(labels), target_quality, float)
    if settled_before is not None:
        needed[settled_before] -= _SETTLED_MARGIN
    result = found.result
    # of other kinds a consensus that nobody gave is no surprise: a number between two, the classes that most chose
    overruled = overruled_tasks(answers.labels, result.consensus, known >= 0) & is_class
    good = (result.quality >= needed) & found.founded & (found.heard >= min_labels) & ~overruled
    reasons = [known >= 0, good, labels >= max_labels, labels + answers.skips >= max_labels]
    by_model = np.full(len(labels), found.hears_model) if predicted is None else predicted & found.hears_model
    judged = (result.consensus >= 0) & ((found.voices > 1) | (known >= 0) | by_model)
    agreement = _agreement(crowd, result.consensus, judged) if is_class else _similarity(found, judged)
    untold = np.isnan(agreement)
    return Scores(
        answers=answers,
        result=result,
        model_disagrees=overruled & (by_model | (crowd.num_answers > labels)),
        majority=majority_vote(answers.labels) if is_class else np.full(len(labels), -1),
        priority=found.priority,
        agreement=agreement,
        annotator_quality=np.where(untold, np.nan, result.annotators.quality),
        worst_class=_worst_classes(crowd, result.consensus, result.quality, judged)
        if is_class
        else np.full(len(crowd.annotators), -1),
        quality_interval=np.where(untold[:, None], np.nan, found.quality_interval),
        settled_by=np.select(reasons, SETTLED_BY, default=""),
        judged=judged,
        hears_model=found.hears_model,
        copies=found.copies,
        target_quality=target_quality,
        min_labels=min_labels,
        max_labels=max_labels,
        second_opinion=find_second_opinion(crowd, pred_probs, known) if is_class and consensus != "crowdlab" else None,
    )


def _similarity(found: Beliefs, judged: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean similarity of each annotator's answers to the consensus; NaN without any `judged`, (M,)."""
    crowd, M = found.result.crowd, len(found.result.crowd.annotators)
    compared = np.bincount(crowd.annotator, judged[crowd.task], M) > 0
    return np.where(compared, found.result.annotators.agreement_with_consensus, np.nan)


def _agreement(crowd: Crowd, consensus: NDArray[np.int64], judged: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of each annotator's labels of judged tasks that are the consensus; NaN without any, (M,)."""
    there, M = judged[crowd.task], len(crowd.annotators)
    agrees = there & (crowd.label == consensus[crowd.task])
    labels, same = (np.bincount(crowd.annotator[which], minlength=M) for which in (there, agrees))
    return np.where(labels > 0, same / np.maximum(labels, 1), np.nan)


def _worst_classes(
    crowd: Crowd, consensus: NDArray[np.int64], quality: NDArray[np.float64], judged: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the label that is wrong most often when each annotator gives it to judged tasks; -1 without any, (M,)."""
    K, there = len(crowd.classes), np.flatnonzero(judged[crowd.task])
    at, place = np.unique(crowd.annotator[there] * K + crowd.label[there], return_inverse=True)
    given = np.bincount(place, minlength=len(at))
    wrong = np.bincount(place, crowd.label[there] != consensus[crowd.task[there]], len(at))
    believed = np.bincount(place, quality[crowd.task[there]], len(at))
    worst_first = np.lexsort((at, -believed, -given, -wrong / given, at // K))
    annotators, first = np.unique(at[worst_first] // K, return_index=True)
    found, worst = worst_first[first], np.full(len(crowd.annotators), -1)
    worst[annotators] = np.where(wrong[found] > 0, at[found] % K, -1)
    return worst
