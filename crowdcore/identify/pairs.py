"""How far each two annotators agree, and each with the others and the consensus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Floats
from crowdcore.crowd.evidence import as_crowd, as_ensemble, as_known_labels
from crowdcore.crowd.grouping import group_mean, ratio
from crowdcore.crowd.ids import Codes, Ids
from crowdcore.crowd.table import Crowd
from crowdcore.votes.majority import majority_vote
from crowdcore.votes.overlaps import by_annotator, shared_tasks

if TYPE_CHECKING:
    import pandas as pd

What = Literal["agreement", "kappa", "common"]

DENSE_LIMIT = 4000
"""Annotators above which no matrix of all pairs is made."""


@dataclass(frozen=True, eq=False)
class AnnotatorPairs:
    """The P pairs of annotators who have tasks in common, each pair once.

    Attributes
    ----------
    ids : ndarray of shape (M,) or more
        Annotator ids, then "model" and "consensus" where they were given.
    first, second : ndarray of shape (P,)
        Places in `ids`; the first is the smaller one.
    common : ndarray of shape (P,)
        Tasks that both have answered.
    agreement : ndarray of shape (P,)
        Share of them to which they gave the same label.
    kappa : ndarray of shape (P,)
        Cohen's kappa; NaN if both gave one and the same label only.
    """

    ids: Ids
    first: Codes
    second: Codes
    common: Codes
    agreement: Floats
    kappa: Floats

    @property
    def mean_agreement(self) -> float:
        """Mean of `agreement` over the pairs; NaN if there are none."""
        return _mean(self.agreement)

    @property
    def mean_kappa(self) -> float:
        """Mean of `kappa` over the pairs that have one; NaN if there are none."""
        return _mean(self.kappa)

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each pair: annotator, other, common, agreement, kappa."""
        import pandas as pd

        columns = {
            "annotator": self.ids[self.first],
            "other": self.ids[self.second],
            "common": self.common,
            "agreement": self.agreement,
            "kappa": self.kappa,
        }
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def matrix(self, what: What = "agreement") -> pd.DataFrame:
        """Return a symmetric frame with a row and a column for each of `ids`.

        Parameters
        ----------
        what : {"agreement", "kappa", "common"}
            What to fill in. NaN (0 for "common") where two share no task, and on the diagonal.

        Raises
        ------
        ValueError
            If `what` is unknown, or there are more than `DENSE_LIMIT` annotators.
        """
        import pandas as pd

        if what not in get_args(What):
            raise ValueError(f"what is {what!r}; choose one of {', '.join(map(repr, get_args(What)))}.")
        size = len(self.ids)
        if size > DENSE_LIMIT:
            raise ValueError(
                f"A matrix of {size} x {size} annotators is too large; at most {DENSE_LIMIT} are allowed. Use "
                "to_frame(), which has the pairs with common tasks only, or the answers of fewer annotators."
            )
        filled = np.zeros((size, size), dtype=np.int64) if what == "common" else np.full((size, size), np.nan)
        filled[self.first, self.second] = filled[self.second, self.first] = getattr(self, what)
        frame: pd.DataFrame = pd.DataFrame(
            filled, index=pd.Index(self.ids, name="annotator"), columns=pd.Index(self.ids, name="other")
        )
        return frame


def annotator_pairs(
    answers: Crowd | pd.DataFrame, *, pred_probs: ArrayLike | None = None, consensus: ArrayLike | None = None
) -> AnnotatorPairs:
    r"""Return how far each two annotators agree on the tasks they share.

    Cohen's kappa compares this with chance, that both draw from the labels they gave to their common tasks:

    .. math:: \kappa_{jj'} = \frac{a - e}{1 - e}, \quad e = \sum_k \frac{n_{jk}}{n} \frac{n_{j'k}}{n}

    Cohen 1960, "A coefficient of agreement for nominal scales". Of somebody's several answers to a task the latest
    counts.

    Parameters
    ----------
    answers : Crowd or DataFrame
        N tasks, M annotators, K classes; a frame has columns task, annotator (or worker) and label.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        A model's probabilities, or an ensemble's; the most probable class joins as the annotator "model".
    consensus : array_like of int, shape (N,), optional
        Class codes, -1 where there is none; they join as the annotator "consensus".

    Returns
    -------
    AnnotatorPairs
        The pairs who have tasks in common; never a matrix of all of them, unless asked for one.

    Raises
    ------
    ValueError
        If `pred_probs` or `consensus` do not fit the crowd.

    Examples
    --------
    >>> crowd = Crowd.from_wide([[0, 0, -1], [1, 1, -1], [0, 1, 1], [1, 1, 1]])
    >>> annotator_pairs(crowd).to_frame()
       annotator  other  common  agreement  kappa
    0          0      1       4       0.75    0.5
    1          0      2       2       0.50    0.0
    2          1      2       2       1.00    NaN
    """
    crowd = as_crowd(answers).one_answer_each()
    models = as_ensemble(crowd, pred_probs)
    joined: dict[str, Codes] = {}
    if len(models):
        joined["model"] = models.mean(axis=0).argmax(axis=1)
    if consensus is not None:
        joined["consensus"] = as_known_labels(crowd, consensus)
    for labels in joined.values():
        crowd = _with_annotator(crowd, labels)
    ids = crowd.annotators
    if joined:
        ids = np.array([*ids.tolist()[: len(ids) - len(joined)], *joined], dtype=object)
    num_answers = np.bincount(crowd.annotator, minlength=len(ids))
    pairs, other, common, agreeing = shared_tasks(crowd, num_answers)
    chance = _chance(crowd, num_answers, pairs, other)
    first = np.repeat(np.arange(len(ids)), np.diff(pairs))
    once = first < other
    agreement, chance = agreeing[once] / common[once], chance[once]
    kappa: Floats = np.full(len(chance), np.nan)
    np.divide(agreement - chance, 1 - chance, out=kappa, where=1 - chance > 1e-12)
    return AnnotatorPairs(ids, first[once], other[once], common[once].astype(np.int64), agreement, kappa)


@dataclass(frozen=True, eq=False)
class AnnotatorAgreement:
    """How far each of M annotators agrees with the others and with the consensus.

    Attributes
    ----------
    crowd : Crowd
        The answers.
    with_others : ndarray of shape (M,)
        Share of the other annotators' answers to the same tasks that are the same; NaN without any.
    with_consensus : ndarray of shape (M,)
        Share of the annotator's answers to tasks with two answers or more that equal the consensus; NaN without any.
    num_compared : ndarray of shape (M,)
        How many such tasks the annotator answered.
    """

    crowd: Crowd
    with_others: Floats
    with_consensus: Floats
    num_compared: Codes

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator: with_others, with_consensus, num_compared."""
        return self.crowd.annotator_frame({name: value for name, value in vars(self).items() if name != "crowd"})


def annotator_agreement(
    answers: Crowd | pd.DataFrame, *, consensus: ArrayLike | None = None, seed: int = 0
) -> AnnotatorAgreement:
    """Return how far each annotator agrees with the other annotators and with the consensus.

    Parameters
    ----------
    answers : Crowd or DataFrame
        N tasks, M annotators, K classes; a frame has columns task, annotator (or worker) and label.
    consensus : array_like of int, shape (N,), optional
        Class codes, -1 where there is none; by default the majority's (`crowdcore.majority_vote`).
    seed : int
        Seed of majority vote's random choices.

    Returns
    -------
    AnnotatorAgreement
        Shares in [0, 1].

    Raises
    ------
    ValueError
        If `consensus` does not fit the crowd.

    Notes
    -----
    An annotator's own answer has a part in the consensus, and so raises the agreement with it; not so with others. Of
    somebody's several answers to a task the latest counts.

    Examples
    --------
    >>> agreement = annotator_agreement(Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 0, -1], [-1, -1, 1]]))
    >>> agreement.with_others.tolist(), agreement.with_consensus.tolist()
    ([0.8, 0.8, 0.5], [1.0, 1.0, 0.5])
    """
    crowd = as_crowd(answers).one_answer_each()
    M = len(crowd.annotators)
    told = majority_vote(crowd, seed=seed) if consensus is None else as_known_labels(crowd, consensus)
    others = crowd.num_answers[crowd.task] - 1
    compared = np.bincount(crowd.annotator, others, minlength=M)
    agreed = np.bincount(crowd.annotator, crowd.counts[crowd.task, crowd.label] - 1, minlength=M)
    with_others = ratio(agreed, compared)
    there = (others > 0) & (told[crowd.task] >= 0)
    right = crowd.label[there] == told[crowd.task[there]]
    who = crowd.annotator[there]
    return AnnotatorAgreement(crowd, with_others, group_mean(right, who, M), np.bincount(who, minlength=M))


def _with_annotator(crowd: Crowd, labels: Codes) -> Crowd:
    """Return the crowd with one more annotator, the last, who gives these labels (-1: none)."""
    answered = labels >= 0
    at = crowd.indptr[1:][answered]
    M = len(crowd.annotators)
    return Crowd(
        crowd.tasks,
        np.array([*crowd.annotators.tolist(), None], dtype=object),
        crowd.classes,
        crowd.indptr + np.concatenate([[0], answered.cumsum()]),
        np.insert(crowd.annotator, at, M),
        np.insert(crowd.label, at, labels[answered]),
        crowd.ordered,
    )


def _chance(crowd: Crowd, num_answers: Codes, pairs: Codes, other: Codes) -> Floats:
    """Return how often each pair would agree by chance, aligned with `other`."""
    from crowdcore.kernels.chances import chance_agreement

    starts, place = by_annotator(crowd, num_answers)
    chance: Floats = np.empty(len(other))
    mine, theirs = np.zeros((2, len(num_answers), len(crowd.classes)))
    chance_agreement(
        crowd.indptr, crowd.annotator, crowd.label, starts, place, crowd.task, pairs, other, mine, theirs, chance
    )
    return chance


def _mean(values: Floats) -> float:
    found = values[~np.isnan(values)]
    return float(found.mean()) if len(found) else float("nan")
