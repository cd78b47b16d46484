"""Annotators whose answers may be copies of each other's: what the others' answers to a task let expect."""

from __future__ import annotations

from math import exp

import numpy as np

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled

CONTESTED = 0.5
"""How far the others believe a label, at most, that they contradict."""
PATIENCE = 6
"""Size from which on a draft stops growing when the next member costs more than it adds."""


@compiled
def compare_pairs(
    indptr: Codes, annotator: Codes, label: Codes, starts: Codes, answer: Codes, task: Codes, mass: Floats,
    total: Floats, fade: float, skill: Floats, habit: Floats, most: int, gains: Floats, cost: float, tried: Floats,
    agreed: Floats,
) -> tuple[Codes, Codes, Floats]:  # fmt: skip
    """Return the pairs of annotators whose agreements against the others outweigh their disagreements, by how much.

    Parameters
    ----------
    starts, answer : ndarray of shape (M + 1,), (A,)
        Each annotator's answers: places in `annotator`, `label` and `task`.
    mass, total : ndarray of shape (A,), (N,)
        What all answers to a task say for each answer's label, and for all classes together.
    fade : float
        What a mass is multiplied by where an answer is left out.
    skill : ndarray of shape (M,)
        The chance that each annotator knows the answer.
    habit : ndarray of shape (M, K)
        The chance of each label where the annotator does not know.
    most : int
        How many of a task's answers each is compared with at most.
    gains : ndarray of shape (B,)
        What an agreement against the others counts, by its chance: B equal intervals.
    cost : float
        What a disagreement there costs.
    tried, agreed : ndarray of shape (B,)
        Added to: how often two could agree against the others, and did, by the chance.
    """
    M, B = len(starts) - 1, len(gains)
    size = 0
    first: Codes = np.empty(64, np.int64)
    second: Codes = np.empty(64, np.int64)
    value: Floats = np.empty(64)
    score, seen, found = np.zeros(M), np.full(M, -1, np.int64), np.empty(M, np.int64)
    for j in range(M):
        number = 0
        for at in range(starts[j], starts[j + 1]):
            a = answer[at]
            i, said = task[a], label[a]
            if indptr[i + 1] - indptr[i] < 3:
                continue
            for b in range(a + 1, min(indptr[i + 1], a + 1 + most)):
                who, same = annotator[b], label[b] == said
                left = mass[a] * fade * (fade if same else 1.0)
                rest = total[i] - mass[a] + left - (0.0 if same else mass[b] * (1 - fade))
                if left >= CONTESTED * rest:
                    continue
                guess = (1 - skill[j]) * habit[j, said]
                knows = left * (skill[j] + guess) / (left * skill[j] + rest * guess)
                chance = knows * skill[who] + (1 - skill[who]) * habit[who, said]
                place = min(int(chance * B), B - 1)
                tried[place] += 1
                agreed[place] += 1 if same else 0
                if seen[who] != j:
                    seen[who] = j
                    score[who] = 0.0
                    found[number] = who
                    number += 1
                score[who] += gains[place] if same else -cost
        for at in range(number):
            if score[found[at]] > 0:
                if size == len(first):
                    first, second = np.append(first, first), np.append(second, second)
                    value = np.append(value, value)
                first[size], second[size], value[size] = j, found[at], score[found[at]]
                size += 1
    return first[:size], second[:size], value[:size]


@compiled
def draft_groups(
    starts: Codes, partner: Codes, gain: Floats, first: Codes, second: Codes, price: float, members: Codes,
    total: Floats,
) -> None:  # fmt: skip
    """Let each pair grow by whoever adds most, and take the size at which what pairs gain most exceeds its price.

    Parameters
    ----------
    starts, partner, gain : ndarray of shape (M + 1,), (2 P,), (2 P,)
        The P pairs by annotator, each twice, and what they gain.
    first, second : ndarray of shape (D,)
        The pairs to begin with.
    price : float
        What each member costs.
    members : ndarray of shape (D, L), filled with -1
        Filled with the groups.
    total : ndarray of shape (D,)
        Filled with what they gain less what they cost.
    """
    M = len(starts) - 1
    support, inside, touched = np.zeros(M), np.zeros(M, np.bool_), np.empty(M, np.int64)
    drafted = np.empty(members.shape[1], np.int64)
    for draft in range(len(first)):
        drafted[0], drafted[1] = first[draft], second[draft]
        number, size, best, now = 0, 0, 0, 0.0
        total[draft] = -np.inf
        while True:
            newcomer = drafted[size]
            now += support[newcomer] - price
            inside[newcomer] = True
            size += 1
            if size > 1 and now > total[draft]:
                best, total[draft] = size, now
            for at in range(starts[newcomer], starts[newcomer + 1]):
                if support[partner[at]] == 0.0:
                    touched[number] = partner[at]
                    number += 1
                support[partner[at]] += gain[at]
            if size == len(drafted):
                break
            if size > 1:
                next_one, most = -1, 0.0
                for at in range(number):
                    if not inside[touched[at]] and support[touched[at]] > most:
                        next_one, most = touched[at], support[touched[at]]
                if next_one < 0 or (size >= PATIENCE and most < price):
                    break
                drafted[size] = next_one
        for at in range(size):
            inside[drafted[at]] = False
            if at < best:
                members[draft, at] = drafted[at]
        for at in range(number):
            support[touched[at]] = 0.0


@compiled
def meet_others(indptr: Codes, label: Codes, task: Codes, mine: Codes, meetings: Floats) -> None:
    """Count how often the members of a group meet others on a task, and how often anybody meets a member.

    Parameters
    ----------
    mine : ndarray of shape (G,)
        The members' answers: places in `label` and `task`, those to one task side by side.
    meetings : ndarray of shape (4,)
        Added to: pairs of a member and another, and those who agree; pairs with a member in them, and those who agree.
    """
    begin = 0
    while begin < len(mine):
        i, end = task[mine[begin]], begin + 1
        while end < len(mine) and task[mine[end]] == i:
            end += 1
        for x in range(begin, end):
            for b in range(indptr[i], indptr[i + 1]):
                same = 1.0 if label[b] == label[mine[x]] else 0.0
                meetings[0] += 1
                meetings[1] += same
            for z in range(begin, end):
                same = 1.0 if label[mine[z]] == label[mine[x]] else 0.0
                meetings[0] -= 1
                meetings[1] -= same
                if z < x:
                    meetings[2] += 1
                    meetings[3] += same
        begin = end
    meetings[2] += meetings[0]
    meetings[3] += meetings[1]


@compiled
def compare_group(
    indptr: Codes, annotator: Codes, label: Codes, task: Codes, mine: Codes, weight: float, hit: Floats, miss: Floats,
    who: Codes, one: Floats, chance: Floats, contested: Codes, same: Codes,
) -> int:  # fmt: skip
    """Compare each answer of a group's member with what most members before it said to the task; return how many.

    Parameters
    ----------
    mine : ndarray of shape (G,)
        The members' answers: places in `annotator`, `label` and `task`, those to one task side by side.
    weight : float
        What an answer of somebody else says for its label: a logarithm.
    hit, miss : ndarray of shape (K,)
        The chance that a member gives a label where it is right, and where another one is.
    who, one, chance, contested, same : ndarray of shape (G,)
        Filled as far as there are comparisons, on tasks that others have answered: whose answer it is; the chance of an
        agreement if one member before has said the label, and if so many as have; whether the others contradict the
        label; whether they agree.
    """
    size, begin, K = 0, 0, len(hit)
    votes, others = np.zeros(K), np.zeros(K)
    while begin < len(mine):
        i, end = task[mine[begin]], begin + 1
        while end < len(mine) and task[mine[end]] == i:
            end += 1
        outside = indptr[i + 1] - indptr[i] - (end - begin)
        if end - begin > 1 and outside > 0:
            for b in range(indptr[i], indptr[i + 1]):
                others[label[b]] += 1
            for x in range(begin, end):
                others[label[mine[x]]] -= 1
            total = 0.0
            for k in range(K):
                total += exp(weight * (others[k] - outside))
            said = label[mine[begin]]
            for x in range(begin, end):
                mine_says = label[mine[x]]
                if x > begin:
                    believed = exp(weight * (others[said] - outside)) / total
                    knows = believed
                    for told in range(int(votes[said])):
                        knows = knows * hit[said] / (knows * hit[said] + (1 - knows) * miss[said])
                        if told == 0:
                            one[size] = knows * hit[said] + (1 - knows) * miss[said]
                    who[size], chance[size] = annotator[mine[x]], knows * hit[said] + (1 - knows) * miss[said]
                    contested[size], same[size] = believed < CONTESTED, mine_says == said
                    size += 1
                votes[mine_says] += 1
                if votes[mine_says] > votes[said]:
                    said = mine_says
            for b in range(indptr[i], indptr[i + 1]):
                others[label[b]] = votes[label[b]] = 0.0
        begin = end
    return size
