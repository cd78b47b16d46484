"""The text of each task: of its answers and the one composed of the likeliest words, the one nearest to the answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.text.alignment import distance
from crowdcore.kinds.text.believing import WHOLE, believe, dependent_score, fit_accuracies, strength, total_score
from crowdcore.kinds.text.medoid import LEAST_DISTANCE, weighted_medoids
from crowdcore.kinds.text.places import Places, cut, whole
from crowdcore.kinds.text.preparing import Texts

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Encoded = list[str | None]

ROUNDS = 2
"""How often answers are aligned: to the medoid, then to what was composed by that."""
MOST_WORDS = 20_000
"""Longer texts are not composed, for all texts that might be the consensus are compared with all answers."""
ALIKE = 0.4
"""Mean distance above which answers say it in different ways: words of several would make no sense together."""
CORRELATION = 0.5
"""Of the errors of different annotators at a place: they mishear alike, and follow the same wrong rules. With it,
expected and true errors of CrowdSpeech's dev-clean agree for 3 to 7 answers a task."""


@dataclass(frozen=True, eq=False)
class Believed:
    """Aligned texts, and how far each word is believed.

    Attributes
    ----------
    places : Places
        U places with C choices.
    belief : ndarray of shape (C,)
        Probability of each choice, dependence between annotators allowed for.
    accuracy : ndarray of shape (M,)
        How often each annotator has the right word.
    """

    places: Places
    belief: Floats
    accuracy: Floats


class Composer:
    """Finds the texts of tasks.

    Parameters
    ----------
    texts : Texts
        N tasks, M annotators.
    """

    def __init__(self, texts: Texts) -> None:
        self.texts, self.table = texts, texts.table
        self.medoid = weighted_medoids(self.table, texts.texts, texts.rank, texts.known)
        self.accuracy = self._fit()

    def believed(self, chosen: Encoded, is_known: NDArray[np.bool_]) -> Believed:
        """Align answers to texts, and say how far each word is believed."""
        places = cut(self.table, self.texts.texts, chosen, is_known)
        power = strength(self.accuracy)[self.table.annotator[places.vote_answer]]
        return Believed(places, believe(places, dependent_score(places, power, CORRELATION)), self.accuracy)

    def wholly(self, chosen: Encoded, is_known: NDArray[np.bool_]) -> Floats:
        """Return the probability of each task's text as one choice among whole texts, shape (N,); 0 without one."""
        places = whole(self.table, self.texts.texts, chosen, is_known)
        tells = (self.table.num_answers > 1) | is_known
        heard = whole(
            self.table,
            self.texts.texts,
            [text if use else None for text, use in zip(chosen, tells, strict=True)],
            is_known,
        )
        accuracy = fit_accuracies(heard, self.table.annotator, len(self.table.annotators), WHOLE)
        power = strength(accuracy, WHOLE)[self.table.annotator[places.vote_answer]]
        belief = believe(places, dependent_score(places, power, CORRELATION), WHOLE)
        found = np.zeros(len(chosen))
        found[places.task] = belief[places.reference]
        return found

    def choose(self, tasks: NDArray[np.bool_], others: Encoded) -> Encoded:
        """Return the encoded text of each of these tasks, by the answers alone; None without; and those of others."""
        references = self._medoids(tasks)
        composed = references
        for _ in range(ROUNDS):
            composed = self._compose(cut(self.table, self.texts.texts, composed, np.zeros_like(tasks)))
        return [
            others[i] if medoid is None else self._nearest(i, medoid, composed[i] or "")
            for i, medoid in enumerate(references)
        ]

    def _medoids(self, tasks: NDArray[np.bool_]) -> Encoded:
        best = self.medoid
        return [self.texts.texts[a] if a >= 0 and wanted else None for a, wanted in zip(best, tasks, strict=True)]

    def _fit(self) -> Floats:
        """Return the annotators' accuracies, from the places of all tasks."""
        told, M = self.texts.is_known, len(self.table.annotators)
        taught = (self.table.num_answers > 1) | told
        references = self._medoids(taught)
        for _ in range(ROUNDS):
            references = [
                known if known is not None else text for known, text in zip(self.texts.known, references, strict=True)
            ]
            places = cut(self.table, self.texts.texts, references, told)
            self.accuracy = fit_accuracies(places, self.table.annotator, M)
            references = self._compose(places)
        return self.accuracy

    def _compose(self, places: Places) -> Encoded:
        """Return the likeliest words of each task; of equally likely ones those of the text aligned to."""
        power = strength(self.accuracy)[self.table.annotator[places.vote_answer]]
        score = believe(places, total_score(places, power)).round(9)
        is_reference = np.zeros(len(score))
        is_reference[places.reference] = 1
        best = np.lexsort((-is_reference, -score, places.place))[places.indptr[:-1]]
        words: list[list[str]] = [[] for _ in self.table.tasks]
        found: Encoded = [None] * len(words)
        for i, word in zip(places.task.tolist(), places.word[best].tolist(), strict=True):
            if word >= 0:
                words[i].append(chr(word))
        for i in np.unique(places.task):
            found[i] = "".join(words[i])
        return found

    def _nearest(self, i: int, medoid: str, composed: str) -> str:
        """Return the one of the task's answers and the composed text with the least weighted mean distance to all."""
        if len(medoid) > MOST_WORDS:
            return medoid
        start, end = self.table.indptr[i], self.table.indptr[i + 1]
        answers = self.texts.texts[start:end]
        weight = 1 / (1 - self.accuracy[self.table.annotator[start:end]] + LEAST_DISTANCE)
        weight = weight / weight.sum()

        def apart(text: str) -> float:
            return round(float(weight @ [distance(text, answer) for answer in answers]), 9)

        best = min((apart(text), rank, text) for rank, text in zip(self.texts.rank[start:end], answers, strict=True))
        off = apart(composed)
        if off > min(best[0], ALIKE):
            return best[2]
        return composed
