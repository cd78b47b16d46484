"""What annotators outside a group say, and how far they let the members' agreement be expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.votes.overlaps import by_annotator

Floats = NDArray[np.float64]

MOST_SKILL, LEAST_KNOWN, SMALLEST = 0.98, 0.01, 1e-9
LEAST_JUDGE = 0.15
"""How often others have to know the answer to contradict a member."""
CAUTION = 1.0
"""By how many standard errors members are taken to be better, and others worse, than they seem."""


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Answers of a group's members, each compared with what most members before it said to the same task.

    Attributes
    ----------
    who : ndarray of shape (C,)
        Whose answer is compared.
    one, chance : ndarray of shape (C,)
        The chance that honest annotators agree: if one member before has said the label, and if so many as have.
    contested, same : ndarray of shape (C,)
        Whether those outside contradict the label; whether the two agree: 1 or 0.
    """

    who: Codes
    one: Floats
    chance: Floats
    contested: Codes
    same: Codes


class Outsiders:
    """A crowd, as those see it who are not in a group.

    Parameters
    ----------
    crowd : Crowd
        M annotators, K classes.

    Attributes
    ----------
    starts, answer : ndarray of shape (M + 1,), (A,)
        Each annotator's answers.
    shares : ndarray of shape (K,)
        How often each label is given.
    knowledge : float
        How often the average annotator knows the answer.

    Examples
    --------
    >>> found = Outsiders(Crowd.from_wide([[0, 0, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0]])).compare([0, 1])
    >>> found.same, found.contested
    (array([1, 1, 1]), array([1, 0, 1]))
    """

    def __init__(self, crowd: Crowd) -> None:
        K, n = len(crowd.classes), crowd.num_answers
        self.crowd = crowd
        self.starts, self.answer = by_annotator(crowd, np.bincount(crowd.annotator, minlength=len(crowd.annotators)))
        self.shares: Floats = (np.bincount(crowd.label, minlength=K) + 1) / (len(crowd.label) + K)
        self._luck = float((self.shares**2).sum())
        self._met, self._agreed = (n * (n - 1)).sum() / 2, (crowd.counts * (crowd.counts - 1)).sum() / 2
        self.knowledge = self._knowledge(self._agreed, self._met)

    def compare(self, members: Codes | list[int], last: int | None = None) -> Comparisons:
        """Return the comparisons within a group; one of the members may come last on every task."""
        crowd, mine = self.crowd, self._answers(members, last)
        meetings = np.zeros(4)
        kernels.meet_others(crowd.indptr, crowd.label, crowd.task, mine, meetings)
        met, agreed, left_out, left_out_agreed = meetings.tolist()
        knowledge = self._knowledge(self._agreed - left_out_agreed, self._met - left_out, -CAUTION)
        skill = self._agreement(agreed, met, CAUTION) / knowledge
        hit, miss = _chances(skill, self.habits(np.bincount(crowd.label[mine], minlength=len(self.shares))))
        codes, chances = np.empty((3, len(mine)), np.int64), np.empty((2, len(mine)))
        size = kernels.compare_group(
            crowd.indptr, crowd.annotator, crowd.label, crowd.task, mine, self.weight(knowledge), hit, miss, codes[0],
            *chances, *codes[1:],
        )  # fmt: skip
        contested = codes[1, :size] * (knowledge > LEAST_JUDGE)
        return Comparisons(codes[0, :size], chances[0, :size], chances[1, :size], contested, codes[2, :size])

    def beyond_luck(self, agreed: Floats, met: Floats) -> Floats:
        """Return how far those who meet agree beyond chance (Scott's pi)."""
        found: Floats = (agreed / np.maximum(met, 1.0) - self._luck) / max(1 - self._luck, LEAST_KNOWN)
        return found

    def habits(self, given: Codes) -> Floats:
        """Return the chance of each label of who has given labels so often (last axis), everybody's to begin with."""
        K = len(self.shares)
        habits: Floats = (given + K * self.shares) / (given.sum(axis=-1, keepdims=True) + K)
        return habits

    def weight(self, knowledge: float) -> float:
        """Return what the answer of an annotator who knows so often says for its label: a logarithm."""
        K = len(self.shares)
        return float(np.log1p(K * min(knowledge, MOST_SKILL) / (1 - min(knowledge, MOST_SKILL))))

    def _answers(self, members: Codes | list[int], last: int | None) -> Codes:
        crowd = self.crowd
        mine = np.concatenate([self.answer[self.starts[j] : self.starts[j + 1]] for j in members])
        is_last = crowd.annotator[mine] == (-1 if last is None else last)
        ordered: Codes = mine[np.lexsort((mine, is_last, crowd.task[mine]))]
        return ordered

    def _knowledge(self, agreed: float, met: float, caution: float = 0.0) -> float:
        """Return how often those know the answer who agree so often: if two know, or by chance."""
        return float(np.sqrt(max(self._agreement(agreed, met, caution), LEAST_KNOWN**2)))

    def _agreement(self, agreed: float, met: float, caution: float) -> float:
        """Return how far those who meet agree beyond chance, and so many standard errors more."""
        error = np.sqrt(self._luck / max(1 - self._luck, LEAST_KNOWN) / max(met, 1.0))
        return float(self.beyond_luck(np.array(agreed), np.array(met)) + caution * error)


def _chances(skill: float, habits: Floats) -> tuple[Floats, Floats]:
    """Return the chance of each label where it is right, and where it is not; skill is negative against the truth."""
    skill = float(np.clip(skill, -MOST_SKILL, MOST_SKILL))
    hit = skill + (1 - skill) * habits if skill >= 0 else (1 + skill) * habits
    wrong = (1 - hit) / (1 - habits + SMALLEST)  # how much more often each other label is given than by habit
    return hit, habits * (habits @ wrong - habits * wrong) / (1 - habits + SMALLEST)
