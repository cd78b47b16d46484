"""How a crowd becomes beliefs: our own consensus by default, the published one a setting away. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd, CrowdlabResult
from crowdcore.hierarchical.confidence import confidence_scores
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.kinds.order import read_ordered
from crowdcore.outlook.estimates import annotator_intervals, silence
from crowdcore.votes.copies import CopyGroup, find_copies, without_copies
from label_studio_crowd.estimate import LEVEL
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KindBelief, believe
from label_studio_crowd.scoring.second_opinion import find_second_opinion
from label_studio_crowd.settings import ConsensusMethod

MOST_EXPONENT = 2.0
"""The largest power the classifier's probabilities may be raised to: each training begins with the majority vote, so
that none goes on from a consensus that an earlier model has sharpened."""

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Beliefs:
    """What a method believes of a crowd of N tasks and M annotators.

    Attributes
    ----------
    result
        Consensus and qualities.
    priority
        Low where one more label is worth most, in [0, 1]; shape (N,).
    quality_interval
        90 % interval of each annotator's quality, NaN where the method has none; shape (M, 2).
    founded
        Whether the quality is more than the method's assumptions about annotators, so that it may settle the task: of
        people who were compared with others; shape (N,).
    hears_model
        Whether the class probabilities have a say in what a label is: a model that agrees with nobody, or by chance
        where no two labels can be compared, is not heard.
    heard
        How many labels each task has, where equal ones of annotators who copy each other count as one; (N,).
    voices
        The same with the answers of models that are annotators; (N,).
    copies
        The groups of annotators who copy each other.
    """

    result: HierarchicalResult | CrowdlabResult | KindBelief
    priority: Floats
    quality_interval: Floats
    founded: Mask
    hears_model: bool
    heard: Codes
    voices: Codes
    copies: tuple[CopyGroup, ...]


def find_beliefs(
    method: ConsensusMethod, answers: Answers, pred_probs: Floats | None = None
) -> tuple[Answers, Beliefs]:
    """Return what is believed of answers, and the answers, with the consensus among their values.

    Parameters
    ----------
    method, pred_probs
        As for `find_class_beliefs`; of answers that are not one class there is one method. Of sets the probabilities
        are that each class applies, of numbers one column of what is expected.
    answers
        N tasks.
    """
    if answers.control.is_class:
        in_order = answers.control.kind == "ordered"
        people = ~answers.are_models if answers.are_models.any() else None
        found = find_class_beliefs(
            method, answers.crowd, pred_probs, answers.known_labels, in_order=in_order, people=people
        )
        return answers, _by_people(answers, found, founded=method == "crowdlab")
    return as_beliefs(*believe(answers, pred_probs))


def as_beliefs(answers: Answers, belief: KindBelief) -> tuple[Answers, Beliefs]:
    """Return what is believed of answers that are not one class as `Beliefs`."""
    found = Beliefs(
        belief,
        np.where(belief.known, 1.0, belief.confidence),
        belief.quality_interval,
        belief.found.founded,
        belief.hears_model,
        belief.crowd.num_answers,
        belief.crowd.num_answers,
        (),
    )
    return answers, _by_people(answers, found)


def _by_people(answers: Answers, found: Beliefs, *, founded: bool = False) -> Beliefs:
    """Return beliefs in which models give no labels; with `founded`, quality needs no comparison of people."""
    if not answers.are_models.any():
        return found
    people = np.flatnonzero(~answers.are_models)
    heard, _ = without_copies(answers.labels, [np.intersect1d(group.annotators, people) for group in found.copies])
    compared = found.founded if founded else _compared(heard, answers.known_labels >= 0)
    return replace(found, heard=heard.num_answers, founded=compared)


def find_class_beliefs(
    method: ConsensusMethod,
    crowd: Crowd,
    pred_probs: Floats | None = None,
    known_labels: Codes | None = None,
    *,
    in_order: bool = False,
    people: Mask | None = None,
) -> Beliefs:
    """Return what a method believes of a crowd whose answers are classes.

    Parameters
    ----------
    method
        ``hierarchical-dawid-skene`` ranks tasks by least confidence, ``crowdlab`` by ActiveLab.
    crowd
        N tasks, K classes.
    pred_probs
        Out-of-sample class probabilities (N, K), or None without a classifier.
    known_labels
        Codes of labels known to be true, -1 elsewhere; shape (N,).
    in_order
        Whether the classes have an order; ``crowdlab`` does not know it.
    people
        Which annotators are people, by whom the others are judged first, (M,); all by default, and with ``crowdlab``.
    """
    found = _METHODS[method](crowd, pred_probs, known_labels, people)
    if in_order and isinstance(found.result, HierarchicalResult):
        return replace(found, result=read_ordered(found.result, people))
    return found


def _hierarchical(crowd: Crowd, pred_probs: Floats | None, known_labels: Codes | None, people: Mask | None) -> Beliefs:
    result = hierarchical_dawid_skene(
        crowd, pred_probs, known_labels=known_labels, most_exponent=MOST_EXPONENT, people=people
    )
    untold = len(crowd.label) > 0 and not result.known.any() and silence(result) is not None
    if untold and (result.consensus[crowd.task] != crowd.label).any():
        # nothing tells who is right, and the model, which agrees with people by chance, would overrule them
        result = replace(hierarchical_dawid_skene(crowd, people=people), model_exponent=0.0)
    return Beliefs(
        result,
        confidence_scores(result),
        annotator_intervals(result, level=LEVEL),
        _compared(result.heard, result.known),
        pred_probs is not None and result.model_exponent > 0 and not untold,
        result.heard.num_answers,
        result.heard.num_answers,
        result.copies,
    )


def _crowdlab(crowd: Crowd, pred_probs: Floats | None, known_labels: Codes | None, people: Mask | None) -> Beliefs:
    found = find_second_opinion(crowd, pred_probs, known_labels)
    no_interval, founded = np.full((len(crowd.annotators), 2), np.nan), np.ones(len(crowd.tasks), np.bool_)
    hears_model, copies, labels = pred_probs is not None, find_copies(crowd), crowd.num_answers
    return Beliefs(found.result, found.score, no_interval, founded, hears_model, labels, labels, copies)


_METHODS: dict[ConsensusMethod, Callable[[Crowd, Floats | None, Codes | None, Mask | None], Beliefs]] = {
    "hierarchical-dawid-skene": _hierarchical,
    "crowdlab": _crowdlab,
}


def _compared(crowd: Crowd, known: Mask) -> Mask:
    """Return the tasks answered by somebody who also answered, here or elsewhere, with a colleague or a known truth."""
    comparable = known | (crowd.num_answers > 1)
    annotators = np.zeros(len(crowd.annotators), np.bool_)
    annotators[crowd.annotator[comparable[crowd.task]]] = True
    found: Mask = known.copy()
    found[crowd.task[annotators[crowd.annotator]]] = True
    return found
