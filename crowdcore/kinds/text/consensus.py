"""The consensus of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.grouping import group_mean
from crowdcore.kinds.table import AnswerTable
from crowdcore.kinds.text.alignment import distance, edits
from crowdcore.kinds.text.annotators import rate_annotators
from crowdcore.kinds.text.believing import WORDS
from crowdcore.kinds.text.calibration import ENOUGH, Calibration
from crowdcore.kinds.text.composing import Believed, Composer
from crowdcore.kinds.text.preparing import Texts, prepare
from crowdcore.kinds.text.result import TextResult
from crowdcore.kinds.text.spelling import spell

Floats = NDArray[np.float64]


def texts(table: AnswerTable, *, known: Sequence[Any] | Mapping[Any, Any] | None = None) -> TextResult:
    r"""Return the consensus of the texts of each task, and how far it, its words and the annotators are believed.

    The answers of a task are aligned, word by word, to the one nearest to the others. At each place annotators chose
    between a few words, or none; how often each annotator chooses the right one is learned from all places of all
    tasks. The likeliest words make a text; of this and the answers, the one nearest to the answers is the consensus.
    Words are compared without regard to case, spaces and the punctuation around them, and written as the most
    believed annotator who has the word writes it. Single words, and scripts without spaces, are aligned by letters.

    Parameters
    ----------
    table : AnswerTable
        N tasks, M annotators, A answers. Each is a text, or a tuple of texts for an answer of several parts. Leave out
        empty texts if they mean that there is no answer.
    known : sequence of length N, mapping or Series by task, optional
        Texts known to be right, None elsewhere. Such a text is its task's consensus, with quality 1. From 30 on, the
        calibration is fitted to them.

    Returns
    -------
    TextResult
        The consensus: a text for each task (a tuple, where most of its answers are), None without answers.

    Raises
    ------
    ValueError
        If an answer or a known text is none, or `known` has not a place for each task.

    Notes
    -----
    With accuracies :math:`a_j` of annotators and :math:`V = 5` words that a place may have, a word k there is right
    with

    .. math:: P(k) \propto \prod_{j \text{ has } k} \frac{(V - 1) a_j}{1 - a_j}, \quad
        P(\text{none that anybody has}) \propto V - \text{words there},

    fitted by expectation maximisation; tasks of one answer teach nothing. The words are the likeliest by this. How far
    they are *believed* allows for errors that annotators share: strengths that add up to n times the strongest count
    as :math:`n / (1 + (n - 1) / 2)`, by Kish's design effect. One more answer that agrees never lowers the quality
    while accuracies stay. See `crowdcore.kinds.text.calibration.Calibration` for what is made of it.

    Fiscus 1997 (ROVER: aligned words, votes at each place); Dawid & Skene 1979; Kish 1965.

    Examples
    --------
    >>> table = AnswerTable.from_codes(
    ...     [0, 0, 0, 1], [0, 1, 2, 0], ["The cat sat here.", "the cat sat hear", "a cat sat here", "Hello"],
    ...     tasks=["a", "b"], annotators=["ann", "bob", "cid"])
    >>> result = texts(table)
    >>> result.consensus.tolist(), result.quality.round(2)
    (['The cat sat here.', 'Hello'], array([0.88, 0.88]))
    >>> [place for place in result.diff(1) if not place.same][0][:2]
    (' here.', ' hear')
    """
    given = prepare(table, known)
    told = given.is_known
    composer = Composer(given)
    chosen = composer.choose(~told, given.known)
    aligned = composer.believed(chosen, told)
    calibration = _calibrated(given, composer)
    there = np.array([text is not None for text in chosen], np.bool_)
    log_belief, doubt, words = _totals(aligned, chosen)
    wholly = composer.wholly(chosen, told)
    spelling = spell(given, aligned)
    consensus = np.empty(len(there), dtype=object)
    for i in np.flatnonzero(there):
        consensus[i] = given.published(i, spelling.tokens(i))
        if told[i]:
            consensus[i] = given.truths[i]
    quality = np.where(told, 1.0, np.where(there, 1 - calibration.wrong(doubt, words), 0.0))
    similar = np.array([1 - distance(text, chosen[i] or "") for i, text in zip(table.task, given.texts, strict=True)])
    size = np.maximum([*map(len, given.texts)], words[table.task])
    answer_quality = _answer_quality(given, aligned, calibration, size)
    return TextResult(
        answers=table,
        consensus=consensus,
        quality=quality,
        confidence=quality.copy(),
        agreement=group_mean(similar, table.task, len(there)),
        answer_quality=answer_quality,
        annotators=rate_annotators(table, answer_quality, _unsure(aligned, size), size, similar, WORDS.usual),
        known=told,
        all_right=np.where(told, 1.0, np.where(there, calibration.all_right(log_belief, wholly), 0.0)),
        calibration=calibration,
        texts=given,
        aligned=aligned,
        spelling=spelling,
    )


def _totals(aligned: Believed, chosen: Sequence[str | None]) -> tuple[Floats, Floats, Floats]:
    """Return each task's sum of the logarithms of its words' beliefs, that of their doubts, and their number, (N,).

    Words that the consensus leaves out are counted, too, as far as they are believed.
    """
    places, N = aligned.places, len(chosen)
    belief = np.clip(aligned.belief[places.reference], 1e-12, 1.0)
    log_belief, doubt = (np.bincount(places.task, each, N).astype(np.float64) for each in (np.log(belief), 1 - belief))
    left_out = np.bincount(places.task, (1 - belief) * (places.word[places.reference] < 0), N)
    return log_belief, doubt, np.maximum([len(text or "") for text in chosen] + left_out, 1.0)


def _answer_quality(given: Texts, aligned: Believed, calibration: Calibration, size: Floats) -> Floats:
    """Return the expected share of right words of each answer, shape (A,)."""
    places, A = aligned.places, len(size)
    doubt: Floats = np.bincount(places.vote_answer, 1 - aligned.belief[places.vote_choice], A).astype(np.float64)
    found: Floats = 1 - np.where(
        given.is_known[given.table.task], np.minimum(doubt / size, 1.0), calibration.wrong(doubt, size)
    )
    return found


def _unsure(aligned: Believed, size: Floats) -> Floats:
    """Return the mean variance of whether a word of each answer is right, shape (A,)."""
    votes, belief = aligned.places.vote_answer, aligned.belief[aligned.places.vote_choice]
    found: Floats = np.bincount(votes, belief * (1 - belief), len(size)) / np.maximum(size, 1)
    return found


def _calibrated(given: Texts, composer: Composer) -> Calibration:
    """Return the calibration, fitted to the known texts if there are enough."""
    told = given.is_known & (given.table.num_answers > 0)
    if told.sum() < ENOUGH:
        return Calibration()
    chosen = composer.choose(told, [None] * len(told))
    untold = np.zeros_like(told)
    log_belief, doubt, words = _totals(composer.believed(chosen, untold), chosen)
    wholly = composer.wholly(chosen, untold)
    errors = [edits(chosen[i] or "", given.known[i] or "") for i in np.flatnonzero(told)]
    return Calibration().fitted(log_belief[told], wholly[told], doubt[told], words[told], np.array(errors, np.float64))
