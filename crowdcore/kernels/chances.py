"""How often annotators would agree by chance."""

from __future__ import annotations

from crowdcore.kernels import Codes, Floats
from crowdcore.kernels.compiling import compiled


@compiled
def chance_agreement(
    indptr: Codes, annotator: Codes, label: Codes, starts: Codes, answer: Codes, task: Codes, pairs: Codes,
    other: Codes, mine: Floats, theirs: Floats, chance: Floats,
) -> None:  # fmt: skip
    """Fill in what share of their common tasks two annotators would agree on if they drew from their own labels.

    Parameters
    ----------
    starts, answer : ndarray of shape (M + 1,), (A,)
        Each annotator's answers: places in `annotator`, `label` and `task`.
    pairs, other : ndarray of shape (M + 1,), (P,)
        CSR matrix of the annotators who share tasks, as `shared_tasks` gives it.
    mine, theirs : ndarray of shape (M, K)
        Room to count in.
    chance : ndarray of shape (P,)
        Filled.
    """
    for j in range(len(starts) - 1):
        for p in range(pairs[j], pairs[j + 1]):
            mine[other[p]] = 0.0
            theirs[other[p]] = 0.0
        for b in range(starts[j], starts[j + 1]):
            i = task[answer[b]]
            said = label[answer[b]]
            for a in range(indptr[i], indptr[i + 1]):
                mine[annotator[a], said] += 1
                theirs[annotator[a], label[a]] += 1
        for p in range(pairs[j], pairs[j + 1]):
            who = other[p]
            alike = 0.0
            common = 0.0
            for k in range(mine.shape[1]):
                alike += mine[who, k] * theirs[who, k]
                common += mine[who, k]
            chance[p] = alike / (common * common)
