"""Groups of annotators who look as if they copied each other, and how sure that is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdcore import kernels
from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.votes.outsiders import MOST_SKILL, Outsiders

Floats = NDArray[np.float64]
Group = tuple[list[int], float]

HONEST_SPREAD = 0.35
"""Standard deviation, in logits, of how far honest annotators agree more than their skills let expect."""
NEEDED = float(np.log(100))
"""The logarithm of the odds, above all that chance offers, from which on a group counts."""
COPIED = np.array([0.5, 0.7, 0.9, 0.98])
"""Shares of answers that may be copied."""
USUALLY_COPIED = 0.7
"""The share that pairs are looked through for."""
SHIFTS = np.arange(-1, 5.01, 0.25)
BINS = 20
MIDDLES = (np.arange(BINS) + 0.5) / BINS
MOST_CHANCE, LEAST_SKILL = 0.98, 0.02
FEW = 10
"""How many meetings the average annotator's skill counts for."""
MOST_PARTNERS = 200
"""How many of a task's annotators each is compared with: with all of thousands it would take hours."""
MOST_SEEDS, MOST_DRAFTED, MOST_DRAFTS, MOST_REFUSED = 10_000, 20, 100, 3
"""From how many pairs groups are drafted, how many annotators a draft has, how many drafts are looked at, and how many
annotators in turn do not fit into a group before it is taken."""
LEAST_CROWD = 4
"""Two of fewer annotators are more than half of them."""


class Suspicion:
    """The groups of a crowd that look like copies; `crowdcore.votes.copies.find_copies` has the formulas.

    Parameters
    ----------
    crowd : Crowd
        M annotators.

    Examples
    --------
    >>> Suspicion(Crowd.from_wide([["a", "a", "b", "b"], ["a", "b", "b", "b"]])).groups()
    []
    """

    def __init__(self, crowd: Crowd) -> None:
        self._outsiders = Outsiders(crowd)
        self._num_annotators = len(crowd.annotators)
        self._rates = MIDDLES
        for _ in range(2):  # first how often anybody agrees, then who agrees more
            self._pairs = self._look_through()
        odds = self._rates / (1 - self._rates) * np.exp(SHIFTS)[:, None]
        honest = odds / (1 + odds)
        self._same, self._differ = np.log(honest), np.log1p(-honest)
        self._copied = np.log(COPIED[:, None, None] + (1 - COPIED[:, None, None]) * honest)

    def groups(self) -> list[Group]:
        """Return groups without common members and how sure they are (logarithms of odds), the surest first."""
        if self._num_annotators < LEAST_CROWD:
            return []
        self._free = np.ones(self._num_annotators, np.bool_)
        found: list[Group] = []
        for draft in self._drafts():
            if self._free[draft].all():
                best = max((draft[:2], draft), key=self.log_odds)
                members, odds = self._pruned(*self._grown(best, self.log_odds(best)))
                if odds > NEEDED:
                    self._free[members] = False
                    found.append((sorted(members), odds))
        return sorted(found, key=lambda group: -group[1])

    def _drafts(self) -> list[list[int]]:
        """Return groups that may be worth a look, by what pairs gain: the best first."""
        first, second, gains = self._pairs
        whose, other = np.concatenate([first, second]), np.concatenate([second, first])
        order = np.argsort(whose, kind="stable")
        self._partners, self._gains = other[order], np.concatenate([gains, gains])[order]
        self._starts = np.searchsorted(whose[order], np.arange(self._num_annotators + 1))
        seeds = np.argsort(-gains, kind="stable")[:MOST_SEEDS]
        members, total = np.full((len(seeds), MOST_DRAFTED), -1), np.empty(len(seeds))
        kernels.draft_groups(
            self._starts, self._partners, self._gains, first[seeds], second[seeds], np.log(self._num_annotators),
            members, total,
        )  # fmt: skip
        likely = np.flatnonzero(total > NEEDED)[:MOST_DRAFTS]
        return [members[row][members[row] >= 0].tolist() for row in likely]

    def log_odds(self, members: list[int]) -> float:
        """Return how much more probable a group's answers are if it copies, less what chance offers: logarithms."""
        if 2 * len(members) > self._num_annotators:
            return -np.inf
        found = self._outsiders.compare(members)
        place = (found.chance * BINS).astype(np.int64)
        cell = np.searchsorted(np.sort(members), found.who) * BINS + place
        telling = (found.contested > 0) & (place < BINS - 1)  # nobody is known to be right always
        same, differ = (
            np.bincount(cell[telling & (found.same == told)], minlength=len(members) * BINS).reshape(-1, BINS)
            for told in (1, 0)
        )
        apart = differ @ self._differ.T - SHIFTS**2 / (2 * HONEST_SPREAD**2)
        honest = (same @ self._same.T + apart).max(axis=1).sum()
        copied = (same @ self._copied.transpose(0, 2, 1) + apart).max(axis=2).sum(axis=1)
        copied += differ.sum() * np.log(1 - COPIED)
        gain = copied.max() + np.log(np.exp(copied - copied.max()).mean()) - honest
        return float(gain - len(members) * np.log(self._num_annotators))

    def _look_through(self) -> tuple[Codes, Codes, Floats]:
        """Return pairs who agree against the others, and by how much; renew how often anybody does."""
        outside, crowd = self._outsiders, self._outsiders.crowd
        M, K, counts = self._num_annotators, len(crowd.classes), crowd.counts
        weight = outside.weight(outside.knowledge)
        masses = np.exp(weight * (counts - counts.max(axis=1, keepdims=True, initial=0)))
        given = np.bincount(crowd.annotator * K + crowd.label, minlength=M * K).reshape(M, K)
        tried, agreed = np.zeros((2, BINS))
        pairs = kernels.compare_pairs(
            crowd.indptr, crowd.annotator, crowd.label, outside.starts, outside.answer, crowd.task,
            masses[crowd.task, crowd.label], masses.sum(axis=1), np.exp(-weight), self._skills(),
            outside.habits(given), MOST_PARTNERS, np.log(USUALLY_COPIED / self._rates + 1 - USUALLY_COPIED),
            -np.log(1 - USUALLY_COPIED), tried, agreed,
        )  # fmt: skip
        self._rates = np.minimum(np.maximum(MIDDLES, (agreed + MIDDLES) / (tried + 1)), MOST_CHANCE)
        return pairs

    def _skills(self) -> Floats:
        """Return how often each annotator knows the answer, by agreement with all others."""
        outside, crowd, M = self._outsiders, self._outsiders.crowd, self._num_annotators
        met = np.bincount(crowd.annotator, crowd.num_answers[crowd.task] - 1, M).astype(np.float64)
        agreed = np.bincount(crowd.annotator, crowd.counts[crowd.task, crowd.label] - 1, M).astype(np.float64)
        beyond = met * outside.beyond_luck(agreed, met) + FEW * outside.knowledge**2
        return np.clip(beyond / (met + FEW) / outside.knowledge, LEAST_SKILL, MOST_SKILL)

    def _grown(self, members: list[int], odds: float) -> Group:
        """Return a group and how sure it is, with all in it who make it surer."""
        refused = 0
        support = np.zeros(self._num_annotators)
        for member in members:
            self._add_support(support, member)
        support[members] = 0.0
        while refused < MOST_REFUSED and support.any():
            newcomer = int(support.argmax())
            support[newcomer] = 0.0
            larger = self.log_odds([*members, newcomer])
            if larger > odds:
                members, odds, refused = [*members, newcomer], larger, 0
                self._add_support(support, newcomer)
                support[members] = 0.0
            else:
                refused += 1
        return members, odds

    def _add_support(self, support: Floats, member: int) -> None:
        pairs = slice(self._starts[member], self._starts[member + 1])
        support[self._partners[pairs]] += self._gains[pairs] * self._free[self._partners[pairs]]

    def _pruned(self, members: list[int], odds: float) -> Group:
        """Return a group and how sure it is, without those who may be in it by chance."""
        while len(members) > 2:
            without = [self.log_odds([other for other in members if other != member]) for member in members]
            most = int(np.argmax(without))
            if without[most] < odds - NEEDED:
                break
            odds, members = without[most], members[:most] + members[most + 1 :]
        return members, odds
