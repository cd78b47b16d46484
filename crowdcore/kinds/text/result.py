"""What the consensus of texts tells, word by word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.result import KindResult
from crowdcore.kinds.text.calibration import Calibration
from crowdcore.kinds.text.composing import Believed
from crowdcore.kinds.text.preparing import Texts
from crowdcore.kinds.text.spelling import Spelling

Floats = NDArray[np.float64]


class Place(NamedTuple):
    """A place where an answer is compared with the consensus.

    Attributes
    ----------
    consensus, answer : str
        The word of each, as it is written, with the space before it; empty for none.
    same : bool
        Whether they count as the same word.
    believed : float
        Probability that the answer is right here.
    """

    consensus: str
    answer: str
    same: bool
    believed: float


@dataclass(frozen=True, eq=False)
class TextResult(KindResult):
    """A consensus of texts. Quality is the expected share of right words.

    Attributes
    ----------
    all_right : ndarray of shape (N,)
        Probability that every word of the consensus is right.
    calibration : Calibration
        The constants that this and the quality are calibrated with.
    texts, aligned, spelling
        The words of the answers, their places, and how the consensus is written; `words` and `diff` read them.
    """

    all_right: Floats
    calibration: Calibration
    texts: Texts
    aligned: Believed
    spelling: Spelling

    def words(self, task: int) -> list[tuple[str, float]]:
        """Return the words of a task's consensus, each with the space before it, and how far each is believed.

        Parameters
        ----------
        task : int
            The task's place in ``answers.tasks``.
        """
        return self.spelling.words(task)

    def diff(self, answer: int) -> list[Place]:
        """Return the places where an answer or its task's consensus has a word, in the order of the text.

        Parameters
        ----------
        answer : int
            The answer's place in ``answers.values``.
        """
        places, belief = self.aligned.places, self.aligned.belief
        first, last = np.searchsorted(places.vote_answer, [answer, answer + 1])
        if first == last:
            return []
        written, found = self.texts.words[answer], []
        place = int(np.searchsorted(places.indptr, places.vote_choice[first], "right")) - 1
        for vote, here in zip(range(first, last), range(place, place + last - first), strict=True):
            choice, number = places.vote_choice[vote], places.vote_token[vote]
            ours = self.spelling.at_place(here)
            theirs = written[number].lead + written[number].surface if number >= 0 else ""
            if ours or theirs:
                same = bool(choice == places.reference[here])
                found.append(Place(ours, theirs, same, float(belief[choice])))
        return found
