"""What may come after a result: labels that annotators would give, and what the consensus would be then, simulated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes
from crowdcore.hierarchical.confusions import improved
from crowdcore.hierarchical.dependence import HIDDEN, dependence
from crowdcore.outlook.beliefs import Beliefs, form_beliefs
from crowdcore.outlook.estimates import answers_by

if TYPE_CHECKING:
    from crowdcore.hierarchical.result import HierarchicalResult

Floats = NDArray[np.float64]

ROUNDS = 60
"""In how many batches the queue is served, and ranked anew after each."""


ATTEMPTS = 8
"""How many annotators come who have answered the task already, before a newcomer does."""


MOST_AHEAD = 100
"""Further labels of a task that are looked ahead at most: a target may be out of reach."""


MOST_CELLS = 1 << 22
"""Cells of confusion matrices that are held; with more, a random part of the annotators answers."""


MOST_TOGETHER, SMALLEST = 0.5, 1e-9


NOBODY = -2


REFITTED = 2.0
"""By how many times more batches all tasks are judged anew, as dependence shows more the more answers there are."""


MODEL_ERROR = 0.25
"""Standard deviation of the logarithm of how much more or less is believed of the model once there are more answers."""


@dataclass(frozen=True, eq=False)
class Course:
    """One simulation: labels so far, and how right and how sure the consensus was then; labels until all is settled."""

    num_labels: Codes
    accuracy: Floats
    estimated: Floats
    needed: int


class Futures:
    """Simulations of what comes after a result."""

    def __init__(
        self,
        result: HierarchicalResult,
        rng: np.random.Generator,
        order: str,
        target_quality: float,
        min_labels: int,
        most: Codes,
        num_labels: int | None,
        people: ArrayLike | None = None,
    ) -> None:
        crowd, K = result.crowd, len(result.crowd.classes)
        labels = answers_by(crowd, people)
        self.result, self.order, self.target, self.most = result, order, target_quality, most
        self.unknown = np.flatnonzero(~result.known)
        self.judged = np.flatnonzero((labels > 0) & ~result.known)
        activity = np.bincount(crowd.annotator, minlength=len(crowd.annotators)) / max(len(crowd.label), 1)
        if people is not None:
            activity *= np.asarray(people, np.bool_)
            activity /= max(activity.sum(), SMALLEST)
        active = np.flatnonzero(activity)
        size = max(1, min(len(active), MOST_CELLS // K**2))
        if size < len(active):
            active = np.sort(rng.choice(active, size, replace=False, p=activity[active]))
        self.members, self.reached = active, activity[active].cumsum()
        self.pooled = kernels.frozen(result.confusions.pooled)
        self.chances = np.concatenate([result.confusions.matrices(active), self.pooled[None]])
        correlation = min(HIDDEN * result.correlation, MOST_TOGETHER)
        self.together = correlation / (1 - correlation)
        self.room = np.where(result.known, 0, np.clip(most - labels, 0, MOST_AHEAD))
        self.lacking = np.maximum(min_labels - labels, 0)
        unsettled = (result.quality < target_quality) | (self.lacking > 0)
        waiting = self.room if order == "random" else np.where(unsettled, self.room, 0)
        self.shown = int(waiting.sum()) if num_labels is None else num_labels
        self.batch = max(1, -(-self.shown // ROUNDS))

    def run(self, rng: np.random.Generator, accuracy: float, skill: float) -> Course:
        """Simulate one future, in which the consensus is now that accurate, and annotators better by so many logits."""
        seen, truth = self._draw_truth(rng, accuracy)
        crowd, result = self.result.crowd, self.result
        beliefs, better = self._draw_beliefs(rng, skill)
        chances = _more_skilled(self.chances, np.append(better[self.members], skill))
        N, room = len(crowd.tasks), self.room.copy()
        consensus, confidence, quality = result.consensus.copy(), result.confidence.copy(), result.quality.copy()
        latest = np.full(N, -1)
        earlier: Codes = np.empty(0, dtype=np.int64)
        asked = earlier
        ties = rng.permutation(N)
        sizes, shares, refit = [0], [_shares(consensus, truth, quality)], 0.0
        while (unsettled := (room > 0) & ((quality < self.target) | (self.room - room < self.lacking))).any():
            # beyond what is shown only the number of labels is wanted
            batch = self.batch if sizes[-1] < self.shown else max(self.batch, int(room.sum()) // ROUNDS)
            if self.order == "random":
                tasks = rng.permutation(np.flatnonzero(room))[:batch]
            else:
                left = ties[unsettled[ties]]
                size = min(batch, len(left))
                tasks = left[np.argpartition(confidence[left], size - 1)[:size]]
            tasks = np.sort(tasks)
            if sizes[-1] + len(tasks) > len(asked):
                more = np.empty(sizes[-1] + len(tasks), dtype=np.int64)
                earlier, asked = np.concatenate([earlier, more]), np.concatenate([asked, more])
            kernels.collect_labels(
                tasks, rng.random((len(tasks), 1 + ATTEMPTS)), seen, self.reached, chances, self.pooled,
                self.together, crowd.indptr, crowd.annotator, self.members, latest, earlier, asked, sizes[-1],
                beliefs.says, beliefs.total, beliefs.strongest, beliefs.counts,
            )  # fmt: skip
            room[tasks] -= 1
            judged = tasks
            if len(sizes) >= refit:
                refit, judged = REFITTED * len(sizes), self.unknown
                beliefs = self._refitted(beliefs)
            beliefs.judge(judged, consensus, confidence, quality)
            sizes.append(sizes[-1] + len(tasks))
            shares.append(_shares(consensus, truth, quality))
        right, believed = np.array(shares).T
        return Course(np.array(sizes), right, believed, sizes[-1])

    def _draw_beliefs(self, rng: np.random.Generator, skill: float) -> tuple[Beliefs, Floats]:
        """Return what will be believed once annotators are known, and how many logits each is better, (M,)."""
        confusions = self.result.confusions
        better = skill + rng.normal(size=len(confusions.skills)) / np.sqrt(confusions.skill_precision)
        beliefs = form_beliefs(self.result, confusions.log_rows_if(better))
        if beliefs.has_model:
            beliefs = replace(beliefs, prior=beliefs.prior * np.exp(MODEL_ERROR * rng.normal()))
        return beliefs, better

    def _refitted(self, beliefs: Beliefs) -> Beliefs:
        """Return beliefs that allow for the dependence that shows by now."""
        answers = beliefs.counts.sum(axis=1)
        mean = answers.sum() / max(np.count_nonzero(answers), 1)
        return replace(beliefs, depends=dependence(self.result.correlation, mean, beliefs.has_model))

    def _draw_truth(self, rng: np.random.Generator, accuracy: float) -> tuple[Codes, Codes]:
        """Return the class that annotators see in each task, and the true one; `NOBODY` where no label is right."""
        posterior, known = self.result.posterior, self.result.known
        N, K = posterior.shape
        best = posterior.argmax(axis=1)
        top = np.clip(posterior[np.arange(N), best], SMALLEST, 1 - SMALLEST)
        mean = max(float(top[self.judged].mean()), accuracy)
        top = _shifted(top, self.judged, mean)
        others = posterior.copy()
        others[np.arange(N), best] = 0
        steps = others.cumsum(axis=1)
        other = (rng.random((N, 1)) * steps[:, -1:] >= steps).sum(axis=1)
        right = (rng.random(N) < top) | known | (steps[:, -1] <= 0)
        seen = np.where(right, best, np.minimum(other, K - 1))
        misunderstood = (rng.random(N) < 1 - accuracy / mean) & ~known
        return seen, np.where(misunderstood, NOBODY, seen)


def _more_skilled(chances: Floats, better: Floats) -> Floats:
    """Return confusion matrices of annotators who are better by so many logits, and whose errors are as alike."""
    k = np.arange(chances.shape[1])
    right = np.clip(chances[:, k, k], SMALLEST, 1 - SMALLEST)
    then = improved(right, better)
    found: Floats = chances * ((1 - then) / (1 - right))[:, :, None]
    found[:, k, k] = then
    return found


def _shifted(top: Floats, judged: Codes, mean: float) -> Floats:
    """Return probabilities, all shifted by as many logits as give the judged ones this mean."""
    from scipy.optimize import brentq
    from scipy.special import expit, logit

    logits = logit(top)
    chosen = logits[judged]
    if mean <= expit(chosen).mean():
        return top
    shift = brentq(lambda by: expit(chosen + by).mean() - min(mean, 1 - SMALLEST), 0.0, 60.0, xtol=1e-3)
    shifted: Floats = expit(logits + shift)
    return shifted


def _shares(consensus: Codes, truth: Codes, quality: Floats) -> tuple[float, float]:
    """Return how many of all tasks have the right consensus, and how many are believed to."""
    return float((consensus == truth).mean()), float(quality[consensus >= 0].sum() / len(quality))
