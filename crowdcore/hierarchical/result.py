"""What hierarchical Dawid-Skene finds: the consensus, how far each label is to be believed, and the annotators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.hierarchical.confusions import Confusions
from crowdcore.votes.annotators import AnnotatorStats
from crowdcore.votes.copies import CopyGroup
from crowdcore.votes.overruled import overruled_tasks
from crowdcore.votes.result_frames import ResultFrames

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HierarchicalResult(ResultFrames):
    """What `hierarchical_dawid_skene` found; arrays are in the crowd's order.

    Everything that `crowdcore.CrowdlabResult` has is here under the same name.

    Attributes
    ----------
    crowd : Crowd
        The N tasks, M annotators, K classes and A answers this is about.
    consensus : ndarray of shape (N,)
        Class codes; -1 if a task has no answers and there is no model. `labels` has the classes themselves.
    quality : ndarray of shape (N,)
        Probability that the consensus is right (of the most common class where the consensus is -1).
    agreement : ndarray of shape (N,)
        Share of the task's answers that equal the consensus; NaN without answers.
    posterior : ndarray of shape (N, K)
        Probabilities of the classes; rows sum to 1.
    confidence : ndarray of shape (N,)
        Probability of the consensus before dependence between answers is allowed for, 1 / K where it is -1: what
        `crowdcore.hierarchical.confidence.least_confidence` ranks tasks by.
    label_quality : ndarray of shape (A,)
        Probability that each answer is right, aligned with ``crowd.label``.
    annotators : AnnotatorStats
        Figures of each annotator. Their quality is the probability that an answer of theirs is right; of an annotator
        without answers, what is expected of the next one to come.
    quality_interval : ndarray of shape (M, 2)
        95 % credible interval of each annotator's quality.
    annotator_weights : ndarray of shape (M,)
        What one answer of each annotator counts for: the logarithm of how many times more likely it is right than each
        single error, at least 0.
    model_weight : float
        The same of the model's most probable class, judged by the consensus; 0 without a model.
    model_exponent : float
        Power to which the model's probabilities are raised: below 1 the model is overconfident; 0 where it is left out,
        for the answers are more likely without it; 1 without a model.
    correlation : float
        What shows of the correlation between annotators' errors on a task, in [0, 0.15].
    class_prior : ndarray of shape (K,)
        The classes' shares: without a model the prior of each task; with one the mean of the posteriors.
    confusions : Confusions
        The annotators' parameters; `confusion` has their matrices.
    pred_probs : ndarray of shape (N, K), or None
        The probabilities used: those given (an ensemble's mean), with the classes' shares put right where they are not,
        or of the classifier fitted last, out of fold; None without a model, and where it is left out.
    known : ndarray of bool, shape (N,)
        Tasks whose label was given as known.
    n_iter : int
        Iterations of the last fit.
    heard : Crowd
        The answers of the fit: equal answers of a group of copies to a task are one answer.
    copies : tuple of CopyGroup
        The groups of annotators who copy each other; see `crowdcore.votes.copies.find_copies`.
    """

    crowd: Crowd
    consensus: Codes
    quality: Floats
    agreement: Floats
    posterior: Floats
    confidence: Floats
    label_quality: Floats
    annotators: AnnotatorStats
    quality_interval: Floats
    annotator_weights: Floats
    model_weight: float
    model_exponent: float
    correlation: float
    class_prior: Floats
    confusions: Confusions
    pred_probs: Floats | None
    known: NDArray[np.bool_]
    n_iter: int
    heard: Crowd
    copies: tuple[CopyGroup, ...] = ()

    @property
    def model_disagrees(self) -> NDArray[np.bool_]:
        """Whether the consensus is a label that none of the task's annotators gave, and there is a model, shape (N,).

        Never for a known label, nor for a task without answers. `crowdcore.votes.within_answers` has another consensus.
        """
        return overruled_tasks(self.crowd, self.consensus, self.known) & (self.pred_probs is not None)

    def confusion(self, annotators: ArrayLike | None = None) -> Floats:
        """Return confusion matrices: annotator, true class, label; rows sum to 1.

        Parameters
        ----------
        annotators : array_like of int, optional
            Codes of the annotators wanted, by default all. They are made when asked for: all take memory O(M x K x K).
        """
        return self.confusions.matrices(annotators)

    def annotators_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator, worst first, with the interval of the quality: low, high."""
        import pandas as pd

        frame = super().annotators_frame()
        places = {who: at for at, who in enumerate(self.crowd.annotators.tolist())}
        order = [places[who] for who in frame.index.tolist()]
        for place, name in enumerate(("low", "high")):
            frame.insert(place + 1, name, pd.Series(self.quality_interval[order, place], index=frame.index))
        return frame
