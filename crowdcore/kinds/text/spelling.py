"""How the words of a consensus are written: as the most believed annotator who has the word writes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.text.composing import Believed
from crowdcore.kinds.text.preparing import Texts
from crowdcore.kinds.text.tokens import Token

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Spelling:
    """The words at U places of N tasks.

    Attributes
    ----------
    at : list of Token or None, length U
        The word of the consensus at each place.
    belief : ndarray of shape (U,)
        How far it, or that there is none, is believed.
    indptr : ndarray of shape (N + 1,)
        Where the places of each task begin and end.
    """

    at: list[Token | None]
    belief: NDArray[np.float64]
    indptr: Codes

    def tokens(self, task: int) -> list[Token]:
        """Return the words of a task's consensus."""
        return [word for word in self.at[self.indptr[task] : self.indptr[task + 1]] if word is not None]

    def words(self, task: int) -> list[tuple[str, float]]:
        """Return the words of a task's consensus, with the space before them, and how far each is believed."""
        places = range(self.indptr[task], self.indptr[task + 1])
        return [(self.at_place(u), float(self.belief[u])) for u in places if self.at[u] is not None]

    def at_place(self, place: int) -> str:
        """Return the word at a place, with the space before it; empty for none."""
        word = self.at[place]
        return "" if word is None else word.lead + word.surface


def spell(texts: Texts, aligned: Believed) -> Spelling:
    """Return how the consensus is written.

    Parameters
    ----------
    texts : Texts
        The answers.
    aligned : Believed
        The answers, aligned to the consensus.
    """
    places = aligned.places
    U, who = len(places.task), texts.table.annotator[places.vote_answer]
    place = places.place[places.vote_choice]
    has = np.flatnonzero((places.vote_choice == places.reference[place]) & (places.vote_token >= 0))
    rank, trust = texts.rank[places.vote_answer[has]], aligned.accuracy[who[has]].round(9)
    order = has[np.lexsort((rank, -trust, place[has]))]
    _, first = np.unique(place[order], return_index=True)
    at: list[Token | None] = [None] * U
    for vote in order[first]:
        at[place[vote]] = texts.words[places.vote_answer[vote]][places.vote_token[vote]]
    indptr = np.searchsorted(places.task, np.arange(len(texts.known) + 1))
    for i, words in enumerate(texts.known_words):
        if words:
            there = [u for u in range(indptr[i], indptr[i + 1]) if places.word[places.reference[u]] >= 0]
            for u, word in zip(there, words, strict=True):
                at[u] = word
    return Spelling(at, aligned.belief[places.reference], indptr)
