"""Annotators who copy each other, or are one and the same: their equal answers are one answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.crowd.table import Crowd
from crowdcore.votes.lots import draw_lots
from crowdcore.votes.outsiders import Outsiders
from crowdcore.votes.suspicion import Suspicion

Floats = NDArray[np.float64]

MOST_ANSWERS = 1_000_000
"""How many answers are looked through for copies."""


@dataclass(frozen=True, eq=False)
class CopyGroup:
    """Annotators whose answers are copies of each other's.

    Attributes
    ----------
    annotators : ndarray of shape (g,)
        Codes of the annotators, in increasing order.
    shared : ndarray of shape (g,)
        How many tasks each shares with others of the group, and with somebody outside it.
    same : ndarray of shape (g,)
        On how many of these they say what most others of the group say.
    expected : ndarray of shape (g,)
        On how many they would, if they did not copy.
    log_odds : float
        Logarithm of how many times more probable the answers are as copies than as those of honest annotators, less
        what the choice of such a group among all annotators costs.
    """

    annotators: Codes
    shared: Codes
    same: Codes
    expected: Floats
    log_odds: float


def find_copies(crowd: Crowd) -> tuple[CopyGroup, ...]:
    r"""Return the groups of annotators whose answers are copies of each other's, the surest first.

    What gives copies away is that they agree where everybody else says otherwise. Annotators who agree because they are
    right, because a task is easy, or because everybody is misled by it are no copies.

    Parameters
    ----------
    crowd : Crowd
        N tasks, M annotators, K classes.

    Returns
    -------
    tuple of CopyGroup
        Groups without common members, each found among at most half of the annotators: a crowd that agrees is no copy.

    Notes
    -----
    Others believe a label of a task as far as their :math:`v_l` votes say, :math:`t_l \propto e^{w v_l}`. An annotator
    knows the answer with chance r, or gives label l with the chance :math:`h_l` of their habits. So if one says l, the
    other does with the chance

    .. math::
        p = t' r + (1 - r) h_l, \quad t' = \frac{t_l (r + (1 - r) h_l)}{t_l r + (1 - r) h_l} .

    r and w follow from kappa, how far the members agree with others and these with each other beyond chance (Dawid &
    Skene's model of one coin): :math:`r = \kappa_{\text{members, others}} / r_o`,
    :math:`r_o^2 = \kappa_{\text{others}}`, each a standard error to the members' good. Nothing that members say to each
    other has a part in it, and others with :math:`r_o < .15` contradict nobody. p is at least how often any two agree
    in the crowd where it is about as large, so that errors which all share, or tasks that mislead all, let agreement be
    expected.

    Only answers that the others contradict, :math:`t_l < 1/2`, are compared, each with what most members before it
    said. If a share f is copied, agreement has the chance :math:`f + (1 - f) p`; f is .5, .7, .9 or .98, each as
    probable. Honest annotators may agree more than p by any :math:`\delta` in logits, but that has the prior
    Normal(0, :math:`\tau^2`), :math:`\tau = .35`, for each member but the first: a few who are experts among many
    novices agree against these, too. A group counts if the ratio of the two likelihoods, each at its best
    :math:`\delta`, is above :math:`100 M^g`: by Markov's inequality and Bonferroni's, where p is right, chance makes
    that seem so about once in a hundred crowds at most.

    Groups begin with pairs and take in, one by one, whoever makes the ratio larger; so accounts that share a few tasks
    in pairs are found by what they share in all. When a group is found, it counts as one annotator, and the others are
    looked at anew. Where copies are most of the answers to all tasks, nothing tells who is the crowd.

    Time is O(sum of squared answers a task), at most 200 answers with each. Of crowds of more than a million answers,
    tasks drawn by their ids are looked through, with about so many answers. Of an annotator's several answers to a task
    the latest is compared.

    Examples
    --------
    Seven annotators are right in three answers of four, two more always say the same, right in one of four.

    >>> rng = np.random.default_rng(0)
    >>> truth, bot = rng.integers(4, size=(2, 60, 1))
    >>> honest = np.where(rng.random((60, 7)) < 0.75, truth, rng.integers(4, size=(60, 7)))
    >>> (found,) = find_copies(Crowd.from_wide(np.hstack([honest, bot, bot])))
    >>> found.annotators, found.shared, found.same, found.expected.round()
    (array([7, 8]), array([60, 60]), array([60, 60]), array([15., 15.]))
    """
    crowd = crowd.one_answer_each()  # nobody copies themselves
    heard, found = _looked_through(crowd), dict[int, tuple[list[int], float]]()
    while groups := Suspicion(heard).groups():
        for members, odds in groups:
            if 2 * odds >= groups[0][1]:  # the others may look so because of these
                heard, _ = without_copies(heard, [members])
                _add(found, members, odds)
    everybody = Outsiders(crowd)
    surest_first = sorted(found.values(), key=lambda group: (-group[1], group[0]))
    return tuple(_described(everybody, members, odds) for members, odds in surest_first)


def _looked_through(crowd: Crowd) -> Crowd:
    """Return a large crowd with the answers to some of its tasks only, whichever order tasks are in."""
    A, N = len(crowd.label), len(crowd.tasks)
    if A <= MOST_ANSWERS:
        return crowd
    lots, _ = draw_lots(crowd, np.ones(N, np.bool_))
    drawn = lots < np.uint64(MOST_ANSWERS / A * 2.0**64)
    return crowd.select_answers(drawn[crowd.task])


def without_copies(crowd: Crowd, groups: Iterable[CopyGroup | ArrayLike]) -> tuple[Crowd, Codes]:
    """Return the crowd in which equal answers of a group to a task are one answer, that of the first member.

    Parameters
    ----------
    crowd : Crowd
        A answers.
    groups : iterable of CopyGroup or array_like of int
        The groups, or their annotators' codes.

    Returns
    -------
    heard : Crowd
        The same tasks, annotators and classes, with fewer answers; the crowd itself if there is nothing to leave out.
    kept : ndarray of int
        Which answers of the crowd these are.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a", "a"], ["b", "a", "b"]])
    >>> heard, kept = without_copies(crowd, [[0, 1]])
    >>> heard.counts.tolist(), kept
    ([[2, 0], [1, 2]], array([0, 2, 3, 4, 5]))
    """
    M, K = len(crowd.annotators), len(crowd.classes)
    voice = np.arange(M)
    for group in groups:
        members = group.annotators if isinstance(group, CopyGroup) else np.asarray(group, np.int64)
        voice[members] = members.min()
    copied = np.flatnonzero((np.bincount(voice, minlength=M) > 1)[voice[crowd.annotator]])
    _, first = np.unique((crowd.task[copied] * M + voice[crowd.annotator[copied]]) * K + crowd.label[copied], True)
    keep = np.ones(len(crowd.label), np.bool_)
    keep[copied] = False
    keep[copied[first]] = True
    return crowd if keep.all() else crowd.select_answers(keep), np.flatnonzero(keep)


def _add(found: dict[int, tuple[list[int], float]], members: list[int], odds: float) -> None:
    """Add a group to those found, by their first members; those with common members are one."""
    for first, (others, _) in list(found.items()):
        if set(others) & set(members):
            members, odds = sorted({*others, *members}), max(odds, found.pop(first)[1])
    found[members[0]] = members, odds


def _described(everybody: Outsiders, members: list[int], odds: float) -> CopyGroup:
    shared, same, expected = np.empty(len(members), np.int64), np.empty(len(members), np.int64), np.empty(len(members))
    for at, member in enumerate(members):
        found = everybody.compare(members, last=member)
        theirs = found.who == member
        shared[at], same[at], expected[at] = theirs.sum(), found.same[theirs].sum(), found.one[theirs].sum()
    return CopyGroup(np.array(members), shared, same, expected, odds)
