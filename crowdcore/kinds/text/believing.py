"""How far each word at each place is believed, and how often annotators are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdcore.crowd.ids import Codes
from crowdcore.kinds.text.places import Places

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Alternatives:
    """What a place might have, and how often annotators choose right where nothing tells.

    Attributes
    ----------
    number : int
        How many choices a place might have: a wrong one is any of the others.
    usual : float
        Accuracy expected.
    """

    number: int
    usual: float


WORDS, WHOLE = Alternatives(5, 0.85), Alternatives(100, 0.4)
"""Of words, and of whole texts, which are hardly ever wrong in the same way."""
ROUNDS, TOLERANCE = 50, 1e-4
PRIOR_PLACES = 8.0
"""Places more, at the mean accuracy, of everybody."""
LEAST, MOST = 0.02, 0.998


def fit_accuracies(places: Places, annotator: Codes, num_annotators: int, might: Alternatives = WORDS) -> Floats:
    """Return how often each annotator has the right word, by expectation maximisation; shape (M,).

    Parameters
    ----------
    places : Places
        U places, V votes, of tasks that tell something of annotators: those with two answers or a known text.
    annotator : ndarray of shape (A,)
        Annotator of each answer.
    num_annotators : int
        M.
    might : Alternatives
        What places might have.
    """
    who = annotator[places.vote_answer]
    n = np.bincount(who, minlength=num_annotators)
    accuracy = np.full(num_annotators, might.usual)
    for _ in range(ROUNDS):
        power = strength(accuracy, might)[who]
        belief = believe(places, total_score(places, power), might)
        right = belief[places.vote_choice]
        mean = (right.sum() + PRIOR_PLACES * might.usual) / (len(right) + PRIOR_PLACES)
        sums = np.bincount(who, right, num_annotators)
        new = np.clip((sums + PRIOR_PLACES * mean) / (n + PRIOR_PLACES), LEAST, MOST)
        moved = np.abs(new - accuracy).max(initial=0)
        accuracy = new
        if moved < TOLERANCE:
            break
    return accuracy


def strength(accuracy: Floats, might: Alternatives = WORDS) -> Floats:
    """Return how many times likelier a word is where it is right than where another is, as a logarithm, at least 0."""
    found: Floats = np.maximum(np.log((might.number - 1) * accuracy / (1 - accuracy)), 0.0)
    return found


def believe(places: Places, score: Floats, might: Alternatives = WORDS) -> Floats:
    """Return the probability of each choice, shape (C,); what is left is for words that nobody has.

    Parameters
    ----------
    places : Places
        U places with C choices.
    score : ndarray of shape (C,)
        Logarithm of how many times likelier the answers are where the choice is right than where nobody has the word.
    might : Alternatives
        What places might have.
    """
    place, starts, U = places.place, places.indptr[:-1], len(places.task)
    if not U:
        return np.zeros(0)
    unseen = np.maximum(might.number - np.diff(places.indptr), 1)
    top = np.maximum(np.maximum.reduceat(score, starts), 0.0)
    likely = np.exp(score - top[place])
    belief: Floats = likely / (np.add.reduceat(likely, starts) + unseen * np.exp(-top))[place]
    told = places.known >= 0
    belief[told[place]] = 0.0
    belief[places.known[told]] = 1.0
    return belief


def total_score(places: Places, power: Floats) -> Floats:
    """Return the scores of choices whose V votes are independent, with their strengths; shape (C,)."""
    score: Floats = np.bincount(places.vote_choice, power, len(places.word)).astype(np.float64)
    return score


def dependent_score(places: Places, power: Floats, correlation: float) -> Floats:
    """Return the scores of choices whose votes are not independent, shape (C,).

    Votes whose strengths add up to n times the strongest count for n / (1 + (n - 1) correlation) of it, as by Kish's
    design effect. So one more vote for a word never makes it less likely.

    Parameters
    ----------
    places : Places
        V votes for C choices.
    power : ndarray of shape (V,)
        Strength of each vote.
    correlation : float
        How far annotators hear and write the same wrong words.
    """
    total, strongest = total_score(places, power), np.zeros(len(places.word))
    np.maximum.at(strongest, places.vote_choice, power)
    n = total / np.maximum(strongest, 1e-12)
    score: Floats = strongest * n / (1 + np.maximum(n - 1, 0) * correlation)
    return score
