"""CROWDLAB as passes over parts of a crowd: local statistics, their sum, and what follows for everybody.

A crowd in memory is one part (`crowdcore.crowdlab`); a crowd larger than memory, or on many machines, is many
(`crowdcore.partitioned`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.cleanlab.label_scores import Score, adjusted, class_thresholds, label_scores
from crowdcore.cleanlab.majority import break_ties
from crowdcore.cleanlab.temperatures import logarithms, scaled, search_temperatures, temperature_losses
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.repeats import refuse_repeated
from crowdcore.crowd.sums import Sums, each, summed
from crowdcore.crowd.table import Crowd
from crowdcore.votes.annotators import Ratings, rate_answers
from crowdcore.votes.majority import Tally, tally_answers

ConsensusMethod = Literal["best_quality", "majority_vote"]
QualityMethod = Literal["crowdlab", "agreement"]
Floats = NDArray[np.float64]
Run = Callable[..., Any]

SMALLEST = 1e-6


@dataclass(frozen=True, eq=False)
class Comparison(Sums):
    """How answers and models compare with a consensus, where answers can be compared with something.

    Attributes
    ----------
    told : ndarray of shape (K,)
        How often each class is the consensus.
    errors : ndarray of shape (P,)
        How often each model's most probable class is another.
    agreement : ndarray of shape (1,)
        The share of each task's answers that equal the consensus, summed.
    """

    told: Floats
    errors: Floats
    agreement: Floats


@dataclass(frozen=True, eq=False)
class Trust:
    """Whom to believe, and how far.

    Attributes
    ----------
    annotators : ndarray of shape (M,)
        Weight of each annotator's answers.
    models : ndarray of shape (P,)
        Weight of each model.
    right, wrong : float
        The probability that an answer gives to its own label, and to each other one.
    listen : bool
        Whether answers count at all beside the models.
    agreement_alone : bool
        Whether shares of the votes are all that is asked for.
    """

    annotators: Floats
    models: Floats
    right: float
    wrong: float
    listen: bool
    agreement_alone: bool

    def model_share(self, tally: Tally) -> float:
        """Return the models' weight, against that of a task's usual number of average annotators."""
        model = self.models.mean() if len(self.models) else 0.0
        rival = self.annotators.mean() * tally.num_answers / tally.num_answered if tally.num_answered else 0.0
        return float(model / (model + rival)) if model else 0.0


@dataclass(frozen=True, eq=False)
class Belief:
    """What to believe of each task and each answer; arrays as in `crowdcore.CrowdlabResult`."""

    posterior: Floats
    quality: Floats
    label_quality: Floats
    agreement: Floats


class TrustedPart:
    """Some tasks with all their answers. Steps return what has to be summed over all parts, or nothing.

    Parameters
    ----------
    crowd : Crowd
        The N tasks of this part; the annotators and classes of all.
    models : ndarray of shape (P, N, K)
        The models' probabilities, checked.
    truth : ndarray of shape (N,)
        Codes of labels known to be true, -1 elsewhere.

    Raises
    ------
    ValueError
        If an annotator has several answers to a task: CROWDLAB is for a matrix of tasks and annotators.

    Attributes
    ----------
    consensus : ndarray of shape (N,)
        What the last step made of it. With `temperatures` it is all that a step leaves behind: a part that is read
        anew goes on from them.
    temperatures : ndarray of shape (P,), or None
        By which the models are scaled.
    """

    consensus: Codes

    def __init__(self, crowd: Crowd, models: Floats, truth: Codes) -> None:
        refuse_repeated(crowd.num_repeated, "CROWDLAB")
        self.crowd, self.models, self.truth = crowd, kernels.frozen(models), kernels.frozen(truth)
        self.temperatures: Floats | None = None
        self._logs: Floats | None = None

    def tally(self) -> Tally:
        """Count the answers."""
        self.consensus, tally = tally_answers(self.crowd, self.truth)
        return tally

    def losses(self, temperatures: Floats) -> Floats:
        """Return each model's loss at temperatures, shape (P, T) like theirs."""
        if self._logs is None:
            self._logs = logarithms(self.models)
        return temperature_losses(self.crowd, self._logs, temperatures)

    def scale(self, temperatures: Floats) -> None:
        """Scale the models by temperatures, shape (P,)."""
        self.temperatures = temperatures
        logs = logarithms(self.models) if self._logs is None else self._logs
        self.models, self._logs = kernels.frozen(scaled(logs, temperatures)), None

    def vote(self, tally: Tally, seed: int) -> Comparison:
        """Begin with the majority's labels, the models' where there are no answers, and the truth where it is known."""
        break_ties(self.crowd, self.models, tally, seed, self.consensus)
        silent = self.crowd.num_answers == 0
        self.consensus[silent] = _models_vote(self.models[:, silent])
        self.consensus = np.where(self.truth >= 0, self.truth, self.consensus)
        return self._compare()

    def choose(self, trust: Trust) -> Comparison:
        """Take the label of highest posterior, where one is clearly the highest."""
        crowd = self.crowd
        each(
            crowd.indptr,
            lambda first, last: kernels.best_labels(
                first, last, crowd.indptr, crowd.annotator, crowd.label, self.truth, self.models, trust.annotators,
                trust.models, trust.right, trust.wrong, self.consensus,
            ),
        )  # fmt: skip
        return self._compare()

    def believe(self, trust: Trust, score: Score = "self_confidence", adjust_pred_probs: bool = False) -> Belief:
        """Combine answers and models."""
        crowd, (P, N, K) = self.crowd, self.models.shape
        belief = Belief(np.empty((N, K)), np.empty(N), np.empty(len(crowd.label)), np.empty(N))
        shares = trust.models if trust.models.any() else np.ones(P)
        shares = shares / max(shares.sum(), SMALLEST)
        each(
            crowd.indptr,
            lambda first, last: kernels.believe(
                first, last, crowd.indptr, crowd.annotator, crowd.label, self.truth, self.models, trust.annotators,
                trust.models, shares, trust.right, trust.wrong, trust.listen, self.consensus,
                belief.posterior, belief.quality, belief.label_quality, belief.agreement,
            ),
        )  # fmt: skip
        return (
            belief
            if score == "self_confidence" and not adjust_pred_probs
            else self._scored(belief, trust, score, adjust_pred_probs)
        )

    def rate(self, belief: Belief) -> Ratings:
        """Sum up what the consensus says of the annotators."""
        return rate_answers(self.crowd, self.truth, self.consensus, belief.quality, belief.label_quality)

    def _compare(self) -> Comparison:
        crowd, (P, _, K) = self.crowd, self.models.shape

        def work(first: int, last: int) -> Comparison:
            found = Comparison(np.zeros(K), np.zeros(P), np.zeros(1))
            kernels.compare_with(
                first, last, crowd.indptr, crowd.label, self.truth, self.models, self.consensus,
                found.told, found.errors, found.agreement,
            )  # fmt: skip
            return found

        return summed(crowd.indptr, K, work)

    def _scored(self, belief: Belief, trust: Trust, score: Score, adjust_pred_probs: bool) -> Belief:
        """Return the belief with other scores of labels than their posteriors."""
        crowd, P, known = self.crowd, belief.posterior, self.truth >= 0
        tasks = np.arange(len(crowd.tasks))
        told = np.maximum(self.consensus, 0)  # where there is no consensus all labels are equally probable
        if not adjust_pred_probs:
            quality = label_scores(P, tasks, told, score)
            label_quality = label_scores(P, crowd.task, crowd.label, score)
        else:
            counted = (crowd.num_answers > 0) | known
            one = np.zeros(int(counted.sum()), dtype=np.int64)
            common = class_thresholds(P, tasks[counted], told[counted], one, 1)
            own = class_thresholds(P, crowd.task, crowd.label, crowd.annotator, len(crowd.annotators))
            answers = np.arange(len(crowd.label))
            quality = label_scores(adjusted(P, common), tasks, told, score)
            by_annotator = adjusted(P[crowd.task], own[crowd.annotator])
            label_quality = label_scores(by_annotator, answers, crowd.label, score)
        if trust.agreement_alone:
            quality = belief.quality
        quality[known] = 1.0
        return Belief(P, quality, label_quality, belief.agreement)


def find_trust(
    run: Run,
    num_models: int,
    *,
    consensus_method: ConsensusMethod = "best_quality",
    quality_method: QualityMethod = "crowdlab",
    calibrate_probs: bool = False,
    seed: int = 0,
) -> tuple[Tally, Trust]:
    """Take all parts to the last consensus, and return what is then known of annotators and models.

    Parameters
    ----------
    run : callable
        ``run(step, *knowledge)`` calls ``step(part, *knowledge)`` for all parts and returns the sum of the results.
    num_models : int
        P.
    consensus_method, quality_method, calibrate_probs, seed
        As in `crowdcore.crowdlab`.
    """
    tally: Tally = run(TrustedPart.tally)
    if calibrate_probs and num_models and tally.num_measured:
        run(TrustedPart.scale, search_temperatures(lambda grid: run(TrustedPart.losses, grid), num_models))
    comparison: Comparison = run(TrustedPart.vote, tally, seed)
    trust = _weigh(tally, comparison, quality_method)
    if consensus_method == "best_quality" and tally.num_measured:
        trust = _weigh(tally, run(TrustedPart.choose, trust), quality_method)
    return tally, trust


def _weigh(tally: Tally, comparison: Comparison, quality_method: QualityMethod) -> Trust:
    """Weigh annotators and models by how they compare with each other and with a consensus."""
    K, P = len(comparison.told), len(comparison.errors)
    annotators, models = np.ones(len(tally.tallies)), np.ones(P)
    if quality_method == "agreement":
        return Trust(annotators, np.zeros(P), 1.0, 0.0, listen=True, agreement_alone=True)
    if tally.num_measured:
        right = float(comparison.agreement[0]) / tally.num_measured
        # error of always answering the most common label: whoever does no better gets no weight
        chance = max(1 - comparison.told.max() / tally.num_measured, SMALLEST)
        models = np.maximum(1 - comparison.errors / tally.num_measured / chance, SMALLEST)
        models *= np.sqrt(tally.num_answers / tally.num_answered)
        annotators = np.maximum(1 - (1 - tally.agreement) / chance, SMALLEST)
        listen = True
    else:
        right = (1 + 1 / K) / 2
        listen = P == 0  # nothing tells how good annotators are
    return Trust(annotators, models, right, (1 - right) / max(K - 1, 1), listen=listen, agreement_alone=False)


def _models_vote(models: Floats) -> Codes:
    """Return the label that most models give to each task, of equals the one of highest mean; -1 without a model."""
    P, N, K = models.shape
    if P == 0:
        return np.full(N, -1)
    votes = np.zeros((N, K))
    for choice in models.argmax(axis=2):
        votes[np.arange(N), choice] += 1
    most = votes == votes.max(axis=1, keepdims=True)
    found: Codes = np.where(most, models.mean(axis=0), -np.inf).argmax(axis=1)
    return found
