"""The presence model: whether there is something at all where some marked it and others did not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit, logsumexp

from crowdcore.kinds.region.marking import EASE, EASE_WEIGHT, Marking

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

MOST_ITERATIONS, TOLERANCE = 100, 1e-3
OBJECTS, INVITING = (1.5, 1.0), (-2.5, 1.0)
"""Mean ability and slope that are expected of marks on objects, and on inviting places."""
FIRST_FALSE = 0.15
"""False marks that are expected for each right one: two annotators hardly tell whether one marked too much or the other
too little."""
BELIEF_IN_FALSE = 0.3
"""How much that belief counts; the rest is what the answers say."""
MOST_PLACES = 4.0
"""Inviting places there may be for each object, as far as they are expected."""
FIRST_RIGHT = 0.9
PSEUDO, PSEUDO_FALSE = 8.0, 40.0
"""Observations of everybody's that are added to what each annotator calls objects, and what is nothing."""
DOUBT = 0.1
"""Probability that what annotators marked says nothing of whether there is something."""
UNKNOWN, EXISTS = -1, -2
"""Class of a unit of which nothing is known, or only that it is something; 0 is nothing, k + 1 the label k."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What the presence model looks at.

    Attributes
    ----------
    num_tasks, num_annotators, num_labels : int
        N, M and K, which is at least 1.
    answer_task, answer_annotator : ndarray of shape (A,)
        Who looked at what.
    unit_task : ndarray of shape (U,)
        Task of each unit.
    mark_unit, mark_annotator, mark_label : ndarray of shape (Q,)
        Who marked which unit and called it what; label -1 where it is not said.
    known : ndarray of shape (U,)
        Class of each unit, 0 for nothing, or `UNKNOWN` or `EXISTS`.
    known_tasks : ndarray of bool, shape (N,)
        Tasks whose objects are all known.
    """

    num_tasks: int
    num_annotators: int
    num_labels: int
    answer_task: Codes
    answer_annotator: Codes
    unit_task: Codes
    mark_unit: Codes
    mark_annotator: Codes
    mark_label: Codes
    known: Codes
    known_tasks: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Presence:
    """What the presence model found.

    Attributes
    ----------
    belief : ndarray of shape (U, K + 1)
        Posterior that each unit is nothing (column 0), or an object of each label.
    exists : ndarray of shape (U,)
        Probability that each unit is something, with a doubt whether answers tell it.
    missed : ndarray of shape (N,)
        Expected number of a task's objects that nobody marked.
    recall : ndarray of shape (M,)
        Share of the objects that each annotator marks.
    false : ndarray of shape (M,)
        Share of the inviting places that each annotator marks though nothing is there.
    objects : ndarray of shape (M,)
        Expected number of objects in the tasks that each annotator answered.
    rate : float
        Objects a task.
    """

    belief: Floats
    exists: Floats
    missed: Floats
    recall: Floats
    false: Floats
    objects: Floats
    rate: float


def find_presence(scene: Scene, prior: Floats | None = None) -> Presence:
    r"""Fit the presence model by expectation maximisation.

    Annotator j marks an object of ease h with probability :math:`\sigma(a_j + s h)`, h being standard normal, and then
    gives the label l of an object of label k with probability :math:`C_{jkl}`. Places that invite a mark though nothing
    is there are marked alike, with other :math:`b_j` and s, and called l with probability :math:`C_{j0l}`. A task has
    :math:`\lambda_k` objects of label k and :math:`\lambda_0` inviting places on average. Those that nobody marked are
    not seen but expected (ghosts), and count as unmarked.

    Ease says that what few marked may still be there: without it objects would be missed independently. Inviting places
    have it as well: several may be led astray by the same.

    A mark is judged by what all that its annotator else did tells of them, as far as that is known
    (`Marking.marked`). With few answers what only one marked would else make them look as if they invented much, and
    that would speak against it again.

    Abilities :math:`a_j` have a normal prior whose mean and variance are estimated; what annotators call things is
    drawn to what all do; see the constants. Tasks with a single answer teach nothing, for nobody is compared there:
    where there are no others, all marks are believed alike. The probability that a unit exists is mixed with the
    mean of all by `DOUBT`, because annotators err together more often than this model expects.

    Parameters
    ----------
    scene : Scene
        Who looked at what and marked what.
    prior : ndarray of shape (U, K + 1), optional
        By which the rates of nothing and of each label are multiplied for each unit; 1 in the mean.
    """
    return _Fit(scene, prior).run()


class _Fit:
    def __init__(self, scene: Scene, prior: Floats | None) -> None:
        N, M, K = scene.num_tasks, scene.num_annotators, scene.num_labels
        self.scene, self.shape = scene, (N, M, K)
        self.log_prior = None if prior is None else np.log(prior)
        U = len(scene.unit_task)
        self.belief: Floats = np.zeros((U, K + 1))
        self.by_unit = _sums(scene.mark_unit, U)
        self.marks = np.bincount(scene.mark_unit, minlength=U).astype(np.float64)
        self.units_of = _sums(scene.unit_task, N)
        self.answers_of = _sums(scene.answer_task, N)
        self.said = np.flatnonzero(scene.mark_label >= 0)
        pair = scene.mark_annotator[self.said] * K + scene.mark_label[self.said]
        pairs, self.pair = np.unique(pair, return_inverse=True)
        self.pair_annotator, self.pair_label = pairs // K, pairs % K
        self.said_by_unit = _sums(scene.mark_unit[self.said], U)
        self.by_pair = _sums(self.pair, len(pairs))
        self.said_by_annotator = _sums(scene.mark_annotator[self.said], M)
        num_answers = np.bincount(scene.answer_task, minlength=N)
        self.open = ~scene.known_tasks
        self.telling = ((num_answers > 1) | scene.known_tasks).astype(np.float64)
        self.answers_by = _sums(scene.answer_annotator, M)
        self.by_annotator = _sums(scene.mark_annotator, M)
        self.objects = Marking(M, *OBJECTS, U)
        self.inviting = Marking(M, *INVITING, U)
        shares = np.array([self.places_for_an_object, *np.full(K, 1 / K)])
        marks = len(scene.mark_unit) / max(len(scene.answer_task), 1)
        self.rates = shares * (
            (marks + 0.1) / (1 + FIRST_FALSE) / (expit(OBJECTS[0] + OBJECTS[1] * EASE) @ EASE_WEIGHT)
        )
        calling = np.hstack([np.full((K, 1), 1 / K), FIRST_RIGHT * np.eye(K) + (1 - FIRST_RIGHT) / K])
        self.log_calling = np.log(calling)[self.pair_label]  # of an annotator and a label by class: (pairs, K + 1)

    @property
    def places_for_an_object(self) -> float:
        """How many inviting places there are for each object, if there are as many false marks as expected."""
        looked = self.scene.answer_annotator
        right, false = (marking.mean_chance[looked].sum() for marking in (self.objects, self.inviting))
        return float(min(FIRST_FALSE * right / false, MOST_PLACES)) if len(looked) else 1.0

    def run(self) -> Presence:
        scene = self.scene
        self.expect()
        for _ in range(MOST_ITERATIONS):
            before = self.belief[:, 0]
            self.learn()
            self.expect()
            if np.max(np.abs(self.belief[:, 0] - before), initial=0.0) < TOLERANCE:
                break
        recall, false = self.objects.mean_chance, self.inviting.mean_chance
        there = self.units_of @ (1 - self.belief[:, 0]) + self.ghosts.sum(axis=1)
        objects = self.answers_by @ there[scene.answer_task]
        missed = self.ghosts.sum(axis=1)
        return Presence(self.belief, self.exists(), missed, recall, false, objects, float(self.rates[1:].sum()))

    def exists(self) -> Floats:
        """Return the probability that there is something if answers, now and then, say nothing of that; (U,)."""
        exists: Floats = 1 - self.belief[:, 0]
        unknown = self.scene.known == UNKNOWN
        if unknown.any():
            exists[unknown] = (1 - DOUBT) * exists[unknown] + DOUBT * exists[unknown].mean()
        return exists

    def expect(self) -> None:
        """Find the units' classes and ease, and the ghosts."""
        scene = self.scene
        logs = np.empty((len(scene.unit_task), len(self.rates)))
        marked, self.ease, unmarked = self.marked(self.objects)
        logs[:, 1:] = marked[:, None]
        self.ghosts = self.rates[1:].sum() * unmarked * self.open[:, None]
        marked, self.ease_nothing, unmarked = self.marked(self.inviting)
        logs[:, 0] = marked
        self.ghosts_nothing = self.rates[0] * unmarked
        logs += np.log(self.rates) + self.said_by_unit @ self.log_calling[self.pair]
        if self.log_prior is not None:
            logs += self.log_prior
        logs[scene.known == EXISTS, 0] = -np.inf
        known = np.flatnonzero(scene.known >= 0)
        logs[known] = -np.inf
        logs[known, scene.known[known]] = 0
        self.belief = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))

    def marked(self, marking: Marking) -> tuple[Floats, Floats, Floats]:
        """Return the logarithm of the probability that a unit is marked by whom it is, (U,), its ease, (U, H).

        And the probability, with that of each ease, that something in a task is marked by nobody, (N, H).
        """
        scene = self.scene
        unmarked = marking.unmarked
        nobody = self.answers_of @ unmarked[scene.answer_annotator] + np.log(EASE_WEIGHT)  # (N, H)
        marks = marking.marked(scene.mark_unit, scene.mark_annotator) - unmarked[scene.mark_annotator]
        logs = nobody[scene.unit_task] + self.by_unit @ marks
        total = logsumexp(logs, axis=1)
        return total, np.exp(logs - total[:, None]), np.exp(nobody)

    def learn(self) -> None:
        """Find the parameters, from the tasks where somebody is compared with somebody."""
        K = self.shape[2]
        told = self.telling.sum()
        if not told:
            return
        weight = self.telling[self.scene.unit_task]
        nothing, labels = self.belief[:, 0] * weight, self.belief[:, 1:] * weight[:, None]
        share = self.rates[1:] / self.rates[1:].sum()
        empty = self.telling @ self.ghosts_nothing.sum(axis=1)
        unseen = self.telling @ self.ghosts.sum(axis=1) * share
        self.rates = (np.concatenate([[nothing.sum() + empty], labels.sum(axis=0) + unseen]) + 0.5) / told
        expected = self.places_for_an_object * self.rates[1:].sum()
        self.rates[0] += BELIEF_IN_FALSE * (expected - self.rates[0])
        self.learn_marking(self.objects, labels.sum(axis=1), self.ease, self.ghosts)
        self.learn_marking(self.inviting, nothing, self.ease_nothing, self.ghosts_nothing)
        if K > 1 and len(self.said):
            self.learn_labels()

    def learn_marking(self, marking: Marking, belief: Floats, ease: Floats, ghosts: Floats) -> None:
        """Find how objects, or inviting places, are marked."""
        scene = self.scene
        with_ease = belief[:, None] * ease
        in_task = self.units_of @ with_ease + ghosts * self.telling[:, None]  # (N, H)
        looked = self.answers_by @ in_task[scene.answer_task]
        marking.learn(with_ease, self.by_annotator @ belief[scene.mark_unit], self.marks @ with_ease, looked)

    def learn_labels(self) -> None:
        """Find what each annotator calls objects of each label, and what is nothing."""
        scene, K = self.scene, self.shape[2]
        beliefs = (self.belief * self.telling[scene.unit_task][:, None])[scene.mark_unit[self.said]]
        called = self.by_pair @ beliefs  # (pairs, K + 1)
        pooled = _sums(self.pair_label, K) @ called + 0.5  # by label and class
        pooled[:, 1:] += 2 * np.eye(K)
        pooled /= pooled.sum(axis=0)
        sizes = self.said_by_annotator @ beliefs
        pseudo = np.concatenate([[PSEUDO_FALSE], np.full(K, PSEUDO)])
        calling = (called + pseudo * pooled[self.pair_label]) / (sizes[self.pair_annotator] + pseudo)
        self.log_calling = np.log(calling)


def _sums(group: Codes, size: int) -> csr_array:
    """Return the matrix that adds up what belongs to each group."""
    count = len(group)
    return csr_array((np.ones(count), (group, np.arange(count))), shape=(size, count))
