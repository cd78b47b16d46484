"""Labels that are most likely wrong, and consensus that differs from the majority or from the model; with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.pages.insights.drawing import Drawn, drawn_on
from label_studio_crowd.pages.insights.figures import (
    Guess,
    Page,
    People,
    Person,
    SaidOfPart,
    Vote,
    against_all,
    guess_of,
    on_page,
    parts_of,
    says,
    tally,
    votes_of,
)
from label_studio_crowd.pages.insights.kinds import why_differs
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.scoring.suspects import suspects
from label_studio_crowd.wording import percent

_STATES: Final = {"": "waits for a label", "labels": "label limit reached", "skips": "label limit reached, with skips"}


@dataclass(frozen=True)
class SuspectLabel:
    """A label that is probably wrong.

    Attributes
    ----------
    task, person, label
        Who said what.
    probability
        That the label is right, in [0, 1]; with CROWDLAB the label's quality, which is none.
    consensus, quality, is_known
        What is believed instead, how surely, and whether it is a known truth.
    others
        What the others said, the most frequent label first.
    guess
        What the classifier says; None without one.
    evidence
        All of this in a sentence or two, without the annotator's name.
    drawn
        The label and the consensus as outlines on the task's picture; None where they are on none.
    parts
        Where answers are about regions, what was said of each region.
    """

    task: int
    person: Person
    label: str
    probability: float
    consensus: str
    quality: float
    is_known: bool
    others: tuple[Vote, ...]
    guess: Guess | None
    evidence: str
    drawn: Drawn | None = None
    parts: tuple[SaidOfPart, ...] = ()


@dataclass(frozen=True)
class OverruledMajority:
    """A consensus that is not what most annotators said.

    Attributes
    ----------
    task, consensus, quality, is_known
        What is believed, how surely, and whether it is a known truth.
    majority
        The label that was given most often; of several, any.
    votes
        What was said, the most frequent label first.
    guess
        What the classifier says; None without one.
    evidence
        Why the consensus is another, in a sentence or two.
    """

    task: int
    consensus: str
    quality: float
    is_known: bool
    majority: str
    votes: tuple[Vote, ...]
    guess: Guess | None
    evidence: str


@dataclass(frozen=True)
class ModelDisagreement:
    """A task where the classifier, or a model among the annotators, says something else than all who labelled it.

    Attributes
    ----------
    task, consensus, quality
        What is most probable, though nobody gave it, and how surely.
    majority
        The label that was given most often; of several, any.
    votes
        What was said, the most frequent label first.
    guess
        What the classifier says by itself.
    state
        Whether it waits for a label, or has as many as it may have.
    evidence
        What speaks for each, in a sentence or two.
    """

    task: int
    consensus: str
    quality: float
    majority: str
    votes: tuple[Vote, ...]
    guess: Guess | None
    state: str
    evidence: str


@dataclass(frozen=True)
class SecondOpinion:
    """A task on which CROWDLAB says something else.

    Attributes
    ----------
    task, consensus, quality
        What is believed, and how surely.
    crowdlab, crowdlab_quality
        CROWDLAB's label, and its quality, which is a score and no probability.
    votes
        What was said, the most frequent label first.
    guess
        What the classifier says; None without one.
    evidence
        What speaks for each, in a sentence or two.
    """

    task: int
    consensus: str
    quality: float
    crowdlab: str
    crowdlab_quality: float
    votes: tuple[Vote, ...]
    guess: Guess | None
    evidence: str


def suspect_labels(snapshot: Snapshot, people: People, number: int = 1, size: int = 25) -> Page[SuspectLabel]:
    """Return a page of the labels that are probably wrong, the surest first."""
    found = suspects(snapshot)
    which = on_page(len(found), number, size)
    rows = spelled_out(snapshot, people, found[which].tolist())
    return Page(rows, len(found), which.start // size + 1, size)


def overruled_majorities(
    snapshot: Snapshot, people: People, number: int = 1, size: int = 25
) -> Page[OverruledMajority]:
    """Return a page of the tasks whose consensus is not what most annotators said, the surest consensus first."""
    found = overruled(snapshot)
    which = on_page(len(found), number, size)
    rows = tuple(_overruled(snapshot, people, row) for row in found[which].tolist())
    return Page(rows, len(found), which.start // size + 1, size)


def model_disagreements(snapshot: Snapshot, people: People, number: int = 1, size: int = 25) -> Page[ModelDisagreement]:
    """Return a page of the tasks where the classifier disagrees with all annotators, the surest consensus first."""
    found = np.flatnonzero(snapshot.model_disagrees)
    found = found[np.argsort(-snapshot.quality[found], kind="stable")]
    which = on_page(len(found), number, size)
    rows = tuple(_disagreement(snapshot, people, row) for row in found[which].tolist())
    return Page(rows, len(found), which.start // size + 1, size)


def second_opinions(snapshot: Snapshot, people: People, number: int = 1, size: int = 25) -> Page[SecondOpinion]:
    """Return a page of the tasks on which CROWDLAB says something else, the least sure consensus first."""
    found = np.flatnonzero(snapshot.crowdlab_differs)
    found = found[np.argsort(snapshot.quality[found], kind="stable")]
    which = on_page(len(found), number, size)
    rows = tuple(_second_opinion(snapshot, people, row) for row in found[which].tolist())
    return Page(rows, len(found), which.start // size + 1, size)


def overruled(snapshot: Snapshot) -> NDArray[np.intp]:
    """Return the tasks whose consensus is not what most annotators said, the surest consensus first.

    Tasks where the classifier disagrees with all annotators are a list of their own.
    """
    crowd, N = snapshot.people, len(snapshot.tasks)
    for_consensus = np.bincount(crowd.task[crowd.label == snapshot.consensus[crowd.task]], minlength=N)
    for_majority = np.bincount(crowd.task[crowd.label == snapshot.majority[crowd.task]], minlength=N)
    found = np.flatnonzero((snapshot.consensus >= 0) & (for_majority > for_consensus) & ~snapshot.model_disagrees)
    return found[np.argsort(-snapshot.quality[found], kind="stable")]


def spelled_out(snapshot: Snapshot, people: People, answers: Sequence[int]) -> tuple[SuspectLabel, ...]:
    """Return these answers for people."""
    return tuple(_suspect(snapshot, people, answer) for answer in answers)


def _suspect(snapshot: Snapshot, people: People, answer: int) -> SuspectLabel:
    crowd = snapshot.crowd
    row, who = int(crowd.task[answer]), int(crowd.annotator[answer])
    person, label = people.everybody[who], snapshot.label_in(row, int(crowd.label[answer]))
    votes = votes_of(snapshot, people, row)
    left = (vote.without(person) for vote in votes)
    others = tuple(sorted(filter(None, left), key=lambda vote: (-len(vote.people), -len(vote.models))))
    consensus, is_known, guess = int(snapshot.consensus[row]), bool(snapshot.known[row]), guess_of(snapshot, row)
    alike = _other_labels(snapshot, who, consensus, answer)
    right = int(np.count_nonzero(crowd.label[alike] == consensus))
    truth = snapshot.label_in(row, consensus)
    evidence = [f"It is known to be {truth}."] if is_known else []
    parts = parts_of(snapshot, people, row)
    if differs := why_differs(snapshot, answer):
        evidence.append(differs)
    elif not others:
        evidence.append("Nobody else labelled it.")
    elif not parts:
        evidence.append(f"Of the others, {tally(others)}.")
    if guess and not is_known and snapshot.hears_model:
        evidence.append(says(guess))
    if not snapshot.is_class:
        # how a number differs says its interval
        evidence += filter(None, ["" if differs and snapshot.kind in ("number", "moment") else snapshot.told(row)])
    elif len(alike):
        on = "1 other task" if len(alike) == 1 else f"{len(alike)} other tasks"
        who_was = "this model" if person.version else "this annotator"
        evidence.append(f"On {on} with consensus {truth}, {who_was} was right {right} time{'s' * (right != 1)}.")
    return SuspectLabel(
        task=int(snapshot.tasks[row]),
        person=person,
        label=label,
        probability=float(snapshot.answer_quality[answer]),
        consensus=truth,
        quality=float(snapshot.quality[row]),
        is_known=is_known,
        others=others,
        guess=guess,
        evidence=" ".join(evidence),
        drawn=drawn_on(snapshot, row, [answer]),
        parts=parts,
    )


def _other_labels(snapshot: Snapshot, who: int, consensus: int, but: int) -> NDArray[np.int64]:
    """Return an annotator's answers to tasks of a consensus that is not their word alone, but one."""
    theirs = snapshot.answers_of(who)
    task = snapshot.crowd.task[theirs]
    return np.asarray(theirs[(snapshot.consensus[task] == consensus) & snapshot.judged[task] & (theirs != but)])


def _overruled(snapshot: Snapshot, people: People, row: int) -> OverruledMajority:
    crowd, consensus = snapshot.people, int(snapshot.consensus[row])
    votes, guess, is_known = votes_of(snapshot, people, row), guess_of(snapshot, row), bool(snapshot.known[row])
    truth = snapshot.label_in(row, consensus)
    evidence = [f"It is known to be {truth}."] if is_known else []
    evidence.append(f"{tally(votes)}.")
    if guess and not is_known and snapshot.hears_model:
        evidence.append(says(guess))
    answers = slice(crowd.indptr[row], crowd.indptr[row + 1])
    quality, agrees = snapshot.annotator_quality[crowd.annotator[answers]], crowd.label[answers] == consensus
    if agrees.any() and np.isfinite(quality).all() and snapshot.calibrated and not is_known:
        with_it, against = float(quality[agrees].mean()), float(quality[~agrees].mean())
        if with_it > against:  # otherwise it is for what they take for what
            evidence.append(
                f"Those who say {truth} are right {percent(with_it)} of the time, the others {percent(against)}."
            )
    return OverruledMajority(
        task=int(snapshot.tasks[row]),
        consensus=truth,
        quality=float(snapshot.quality[row]),
        is_known=is_known,
        majority=snapshot.label_in(row, int(snapshot.majority[row])),
        votes=votes,
        guess=guess,
        evidence=" ".join(evidence),
    )


def _disagreement(snapshot: Snapshot, people: People, row: int) -> ModelDisagreement:
    votes, guess = votes_of(snapshot, people, row), guess_of(snapshot, row)
    consensus = snapshot.label_in(row, int(snapshot.consensus[row]))
    return ModelDisagreement(
        task=int(snapshot.tasks[row]),
        consensus=consensus,
        quality=float(snapshot.quality[row]),
        majority=snapshot.label_in(row, int(snapshot.majority[row])),
        votes=votes,
        guess=guess,
        state=_STATES[snapshot.reason(row)],
        evidence=against_all(votes, consensus, guess),
    )


def _second_opinion(snapshot: Snapshot, people: People, row: int) -> SecondOpinion:
    votes, guess = votes_of(snapshot, people, row), guess_of(snapshot, row)
    return SecondOpinion(
        task=int(snapshot.tasks[row]),
        consensus=snapshot.label_in(row, int(snapshot.consensus[row])),
        quality=float(snapshot.quality[row]),
        crowdlab=snapshot.label_in(row, int(snapshot.crowdlab[row])),
        crowdlab_quality=float(snapshot.crowdlab_quality[row]),
        votes=votes,
        guess=guess,
        evidence=" ".join([f"{tally(votes)}.", *([says(guess)] if guess else [])]),
    )
