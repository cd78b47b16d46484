"""Classifier and consensus, each from the other, until they settle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from label_studio_crowd.scoring.classifiers.out_of_sample import floored, log_loss, shares
from label_studio_crowd.scoring.classifiers.tasks import Classifier, Codes, Floats, Model, Progress
from label_studio_crowd.wording import count, percent

if TYPE_CHECKING:
    from crowdcore import Crowd
    from label_studio_crowd.settings import ConsensusMethod

SETTLED = 0.005
"""Share of consensus labels below which a change is no reason for another round."""


@dataclass(frozen=True, eq=False)
class Trained:
    """Class probabilities, and how they came about.

    Attributes
    ----------
    pred_probs : ndarray of shape (N, K)
        Out-of-sample class probabilities; above 0, rows sum to 1.
    labels : ndarray of shape (N,)
        The consensus that the last round learned from, -1 where there is none.
    rounds : int
        How often the classifier was trained.
    changed : sequence of float
        After each round, the share of labels that the new consensus changed.
    log_loss : sequence of float
        In each round, the mean of -log of the probability of the label learned from, out of sample.
    chance_log_loss : float
        The same, in the last round, of somebody who knows only how common the classes are.
    agreement : float
        Share of labels in the last round that are the most probable class, out of sample; NaN without labels.
    chance : float
        Share of the commonest label.
    why : str
        What the classifier says about itself.
    model : Model or None
        Learned from all of `labels`, for tasks to come; None where the classifier has none.
    """

    pred_probs: Floats
    labels: Codes
    rounds: int
    changed: Sequence[float]
    log_loss: Sequence[float]
    chance_log_loss: float
    agreement: float
    chance: float
    why: str
    model: Model | None

    @property
    def settled(self) -> bool:
        """Whether the last round changed hardly anything."""
        return bool(self.changed) and self.changed[-1] < SETTLED

    @property
    def informative(self) -> bool:
        """Whether the classifier knows more than how common the classes are."""
        return bool(self.log_loss) and self.log_loss[-1] < self.chance_log_loss

    @property
    def summary(self) -> str:
        """Two sentences for the user, and in a line of its own how the rounds went."""
        n = int((self.labels >= 0).sum())
        if not n:
            return f"{self.why}. No task has a label yet, so there was nothing to learn from."
        text = (
            f"{self.why}. Out of sample it agrees with {percent(self.agreement, 1)} of {n:,} consensus labels "
            f"(the commonest class alone: {percent(self.chance, 1)})."
        )
        if not self.informative:
            text += " It predicts no better than the class shares, so it will have little influence."
        return f"{text}\n{rounds_told(self.changed, 'consensus labels')}"


def rounds_told(changed: Sequence[float], what: str) -> str:
    """Return in words which share of the labels, or sets, each round of training changed."""
    moves = ", then ".join(percent(share, 1) for share in changed)
    still = "" if changed[-1] < SETTLED else " After the last, some still changed."
    return f"{count(len(changed), 'round')} changed {moves} of the {what}.{still}"


def train(
    classifier: Classifier,
    crowd: Crowd,
    *,
    known_labels: Codes | None = None,
    consensus: ConsensusMethod = "hierarchical-dawid-skene",
    in_order: bool = False,
    rounds: int = 3,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Alternate between consensus and out-of-sample probabilities until the consensus settles.

    The first consensus is the majority's; from each consensus the classifier learns out of sample, and from
    its probabilities and the answers follows the next. Only tasks with an answer or a known label are
    learned from.

    Parameters
    ----------
    classifier : Classifier
        From `choose` or `build`.
    crowd : crowdcore.Crowd
        N tasks, in the order of the classifier's, and K classes.
    known_labels : ndarray of int, shape (N,), optional
        Codes of labels known to be true, -1 elsewhere.
    consensus : {"hierarchical-dawid-skene", "crowdlab"}
        How.
    in_order : bool
        Whether the classes have an order.
    rounds : int
        Trainings at most, at least 1.
    seed : int
        The same seed gives the same result.
    progress : callable, optional
        Told after each fold of each round.

    Returns
    -------
    Trained
        The probabilities of the last round, and a model that learned from the same labels.
    """
    from crowdcore import majority_vote
    from label_studio_crowd.scoring.consensus import find_class_beliefs

    if rounds < 1:
        raise ValueError(f"rounds is {rounds}; pass 1 or more.")
    N, K = len(crowd.tasks), len(crowd.classes)
    known = np.full(N, -1) if known_labels is None else np.asarray(known_labels)
    told = (crowd.num_answers > 0) | (known >= 0)
    labels = np.where(known >= 0, known, majority_vote(crowd, seed=seed))
    changed: list[float] = []
    losses: list[float] = []
    for number in range(1, rounds + 1):
        P = classifier.predict_out_of_sample(labels, K, seed=seed, progress=in_round(progress, number, rounds))
        learned = labels
        losses.append(log_loss(P[told], learned[told]))
        if not told.any():
            break
        labels = np.where(told, find_class_beliefs(consensus, crowd, P, known, in_order=in_order).result.consensus, -1)
        changed.append(float((labels != learned)[told].mean()))
        if changed[-1] < SETTLED:
            break
    y = learned[told]
    common = floored(np.tile(shares(y, K), (len(y), 1)))
    if progress:
        progress("training the model for new tasks", 0, 1)
    model = classifier.model(learned, K, seed=seed)
    if progress:
        progress("training the model for new tasks", 1, 1)
    return Trained(
        pred_probs=P,
        labels=learned,
        rounds=number,
        changed=changed,
        log_loss=losses,
        chance_log_loss=log_loss(common, y),
        agreement=float((P[told].argmax(axis=1) == y).mean()) if len(y) else float("nan"),
        chance=float(np.bincount(y).max() / len(y)) if len(y) else float("nan"),
        why=classifier.why,
        model=model,
    )


def in_round(progress: Progress | None, number: int, rounds: int) -> Progress | None:
    """Return what tells of which round it is, and hears how far that is."""
    if progress is None:
        return None
    hears = progress

    def tell(what: str, done: int, total: int) -> None:
        hears(f"training, round {number} of at most {rounds}: {what}", done, total)

    return tell
