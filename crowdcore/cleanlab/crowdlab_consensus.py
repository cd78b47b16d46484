"""CROWDLAB: a consensus label for each task, and how far labels and annotators are to be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.cleanlab.label_scores import Score
from crowdcore.cleanlab.passes import ConsensusMethod, QualityMethod, TrustedPart, find_trust
from crowdcore.crowd.evidence import as_ensemble, as_known_labels
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.votes.annotators import AnnotatorStats, annotator_stats
from crowdcore.votes.result_frames import ResultFrames

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CrowdlabResult(ResultFrames):
    """What `crowdlab` found; arrays are in the crowd's order.

    Attributes
    ----------
    crowd : Crowd
        The N tasks, M annotators, K classes and A answers this is about.
    consensus : ndarray of shape (N,)
        Class codes; -1 if a task has no answers and there is no model. `labels` has the classes themselves.
    quality : ndarray of shape (N,)
        How far the consensus is to be believed, in [0, 1].
    agreement : ndarray of shape (N,)
        Share of the task's answers that equal the consensus; NaN without answers.
    posterior : ndarray of shape (N, K)
        Probabilities of the classes, given answers and model.
    label_quality : ndarray of shape (A,)
        How far each answer is to be believed, in [0, 1], aligned with ``crowd.label``.
    annotators : AnnotatorStats
        Figures of each annotator.
    annotator_weights : ndarray of shape (M,)
        Weight of one answer of each annotator.
    model_weight : float, or ndarray of shape (P,) for an ensemble
        Weight of the model; 0 without one.
    known : ndarray of bool, shape (N,)
        Tasks whose label was given as known.
    """

    crowd: Crowd
    consensus: Codes
    quality: Floats
    agreement: Floats
    posterior: Floats
    label_quality: Floats
    annotators: AnnotatorStats
    annotator_weights: Floats
    model_weight: float | Floats
    known: NDArray[np.bool_]


def crowdlab(
    crowd: Crowd,
    pred_probs: ArrayLike | None = None,
    *,
    consensus_method: ConsensusMethod = "best_quality",
    quality_method: QualityMethod = "crowdlab",
    label_quality_score: Score = "self_confidence",
    adjust_pred_probs: bool = False,
    calibrate_probs: bool = False,
    known_labels: ArrayLike | None = None,
    seed: int = 0,
) -> CrowdlabResult:
    """Return each task's consensus label and how far labels and annotators are to be believed.

    A task's posterior is the mean, weighted by estimated trustworthiness, of the model's probabilities and
    of each annotator's answer, which stands for the distribution that gives the answer the probability CL
    with which annotators agree with the consensus, and shares the rest among the other classes.

    Parameters
    ----------
    crowd : Crowd
        N tasks, M annotators, K classes, A answers.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        Class probabilities, out of sample, of one model or of an ensemble of P: rows in the order of
        ``crowd.tasks``, columns in that of ``crowd.classes``; a DataFrame is put into this order.
    consensus_method : {"best_quality", "majority_vote"}
        Take the label of highest posterior, or the majority's.
    quality_method : {"crowdlab", "agreement"}
        With "agreement" the posterior is the share of votes; neither model nor annotators have weights
        (the result says 0 for the model, 1 for every annotator).
    label_quality_score : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}
        How a label's quality follows from the posterior; see `crowdcore.cleanlab.label_scores.label_scores`. With
        "agreement" it applies to answers, not to the consensus.
    adjust_pred_probs : bool
        Make posteriors comparable between classes before scoring (not with
        "confidence_weighted_entropy"). Takes memory O(A x K).
    calibrate_probs : bool
        Scale the probabilities by the temperature that fits the votes (`crowdcore.fit_temperature`); by 1
        if no task has two answers.
    known_labels : array_like of int, shape (N,), optional
        Codes of labels known to be true, -1 elsewhere. Such a label is its task's consensus, with quality
        1, and counts as one more answer when annotators are compared with each other.
    seed : int
        Seed of majority vote's random choices.

    Returns
    -------
    CrowdlabResult
        The consensus, the qualities, the annotators and the weights.

    Raises
    ------
    ValueError
        If an option's name is unknown, or `pred_probs` or `known_labels` do not fit the crowd.

    Notes
    -----
    Goh, Tkachenko & Mueller 2022, arXiv 2210.06812, with the details of its authors' cleanlab 2.9.0.
    Cases that they leave open:

    - *A task without answers* has the model's posterior and the label most models give it (its most
      probable one); without a model a uniform posterior and consensus -1. It enters none of the statistics.
    - *No model*: its weight is 0.
    - *Nothing to compare*: no task has two answers, or an answer and a known label. Then all weights are 1.
      The consensus is the answer given. With a model the posterior is the model's, so that the quality is
      the model's probability of the answer (what ActiveLab does); without one, an answer is right with
      probability (1 + 1 / K) / 2, halfway between chance and certainty.
    - *An annotator who shares no task with another*, or has no answers, is as trustworthy as the others
      are on average; their quality is NaN.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 1], [None, 0, None]])
    >>> P = [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]]
    >>> result = crowdlab(crowd, P)
    >>> result.to_frame().round(3).reset_index()
       task  consensus  quality  agreement  num_answers
    0     0          0    0.749      0.667            3
    1     1          1    0.751      1.000            3
    2     2          0    0.689      1.000            3
    3     3          1    0.626      0.667            3
    4     4          0    0.718      1.000            1
    >>> result.annotators_frame()["quality"].round(3).to_dict()
    {2: 0.639, 1: 0.689, 0: 0.807}
    """
    check_options(consensus_method, quality_method, label_quality_score, adjust_pred_probs)
    part = TrustedPart(crowd, as_ensemble(crowd, pred_probs), as_known_labels(crowd, known_labels))
    tally, trust = find_trust(
        lambda step, *knowledge: step(part, *knowledge),
        len(part.models),
        consensus_method=consensus_method,
        quality_method=quality_method,
        calibrate_probs=calibrate_probs,
        seed=seed,
    )
    belief = part.believe(trust, label_quality_score, adjust_pred_probs)
    ensemble = pred_probs is not None and np.ndim(pred_probs) == 3
    return CrowdlabResult(
        crowd=crowd,
        consensus=part.consensus,
        quality=belief.quality,
        agreement=belief.agreement,
        posterior=belief.posterior,
        label_quality=belief.label_quality,
        annotators=annotator_stats(part.rate(belief), len(crowd.classes), trust.model_share(tally)),
        annotator_weights=trust.annotators,
        model_weight=trust.models if ensemble else float(trust.models.sum()),
        known=part.truth >= 0,
    )


def check_options(
    consensus_method: object, quality_method: object, label_quality_score: object, adjust_pred_probs: bool
) -> None:
    """Raise a ValueError if `crowdlab` has no such options, or not both together."""
    _check("consensus_method", consensus_method, ConsensusMethod)
    _check("quality_method", quality_method, QualityMethod)
    _check("label_quality_score", label_quality_score, Score)
    if adjust_pred_probs and label_quality_score == "confidence_weighted_entropy":
        raise ValueError(
            "adjust_pred_probs=True does not work with label_quality_score='confidence_weighted_entropy'. "
            "Choose another score, or leave the probabilities as they are."
        )


def _check(name: str, value: object, allowed: object) -> None:
    if value not in get_args(allowed):
        options = ", ".join(repr(option) for option in get_args(allowed))
        raise ValueError(f"{name} is {value!r}; choose one of {options}.")
