"""What several pages show: a number that may be unknown, a page of rows, somebody, and what was said of a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.store.people import annotator_name, is_model, model_name
from label_studio_crowd.wording import percent

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of many.

    Attributes
    ----------
    rows
        Those of this page.
    total
        How many there are on all pages.
    number, size
        Which page this is, from 1, and how many rows a page has at most.
    """

    rows: tuple[Row, ...]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(-(-self.total // self.size), 1)

    @property
    def first(self) -> int:
        """The number of the first row, from 1; 0 without rows."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """The number of the last row, from 1; 0 without rows."""
        return (self.number - 1) * self.size + len(self.rows) if self.rows else 0


def on_page(total: int, number: int, size: int) -> slice:
    """Return which of so many rows are on a page; any later page is the last one."""
    last = max(-(-total // size), 1)
    start = (min(max(number, 1), last) - 1) * size
    return slice(start, start + size)


@dataclass(frozen=True)
class Person:
    """An annotator, as a page may name them.

    Attributes
    ----------
    name
        Their name, or a pseudonym where names are hidden: "annotator 3". Deleted users have neither: nothing tells
        them apart but that several of them labelled one task. The name of a model says that it is one, and is never
        hidden: "gpt-5 (model)".
    key
        Stands for them in addresses: their id, "17", or their pseudonym, "a3".
    version
        The model version, where it is a model; "" for people.
    """

    name: str
    key: str
    version: str = ""


class People:
    """Who the annotators of a snapshot are, by name or by pseudonym.

    Parameters
    ----------
    snapshot
        Of M annotators.
    names
        Names by annotator id.
    hidden
        Give pseudonyms, "annotator 1" and so on by the snapshot's numbers, instead.
    """

    def __init__(self, snapshot: Snapshot, names: Mapping[int, str], *, hidden: bool = False) -> None:
        self._ids, self._numbers = snapshot.annotators, snapshot.pseudonym
        self._names = names
        self.hidden = hidden

    def of(self, snapshot: Snapshot) -> People:
        """Return who the annotators of another snapshot are, in the same way."""
        return People(snapshot, self._names, hidden=self.hidden)

    @cached_property
    def everybody(self) -> tuple[Person, ...]:
        """The M annotators, in the snapshot's order, which is that of their ids."""
        ids, numbers = self._ids.tolist(), self._numbers.tolist()
        names, keys = self._names, map(str, ids)
        if self.hidden:
            hidden = {who: f"annotator {number}" for who, number in zip(ids, numbers, strict=True)}
            names = {**hidden, **{who: name for who, name in names.items() if is_model(who)}}
            keys = map("a{}".format, numbers)
        return tuple(_person(who, names, key) for who, key in zip(ids, keys, strict=True))

    def row(self, key: str) -> int | None:
        """Return the annotator that a key stands for, their id's or their pseudonym's; None if nobody."""
        number = key.removeprefix("a")
        digits = number.removeprefix("-")  # those who stand for deleted users
        if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            return None
        rows = np.flatnonzero((self._numbers if key.startswith("a") else self._ids) == int(number))
        return int(rows[0]) if len(rows) else None


def _person(annotator: int, names: Mapping[int, str], key: str) -> Person:
    return Person(annotator_name(annotator, names), key, model_name(annotator, names))


@dataclass(frozen=True)
class Vote:
    """A label that was given to a task, by whom, and which models said so."""

    label: str
    people: tuple[Person, ...]
    models: tuple[Person, ...] = ()

    def without(self, person: Person) -> Vote:
        """Return the vote without somebody's part in it."""
        people, models = ([one for one in part if one != person] for part in (self.people, self.models))
        return Vote(self.label, tuple(people), tuple(models))

    def __bool__(self) -> bool:
        return bool(self.people or self.models)


@dataclass(frozen=True)
class SaidOfPart:
    """What is said of a region of a task, or of two of them.

    Attributes
    ----------
    part
        The region.
    consensus, quality
        What is believed of it, and how far; None where most who marked it said nothing.
    votes
        What was said, the most frequent first.
    """

    part: str
    consensus: str | None
    quality: float | None
    votes: tuple[Vote, ...]


@dataclass(frozen=True)
class Guess:
    """The classifier's most probable class of a task, and its probability."""

    label: str
    probability: float


def votes_of(snapshot: Snapshot, people: People, row: int) -> tuple[Vote, ...]:
    """Return what was said of a task, the label most frequent among people first."""
    crowd = snapshot.crowd
    given: dict[int, tuple[list[Person], list[Person]]] = {}
    for answer in range(crowd.indptr[row], crowd.indptr[row + 1]):
        person = people.everybody[crowd.annotator[answer]]
        given.setdefault(int(crowd.label[answer]), ([], []))[bool(person.version)].append(person)
    order = sorted(given, key=lambda label: (*(-len(part) for part in given[label]), label))
    return tuple(Vote(snapshot.label_in(row, label), *map(tuple, given[label])) for label in order)


def parts_of(snapshot: Snapshot, people: People, row: int) -> tuple[SaidOfPart, ...]:
    """Return what was said of each region of a task, where answers are about regions."""
    return tuple(
        SaidOfPart(
            one.part,
            one.consensus,
            one.quality,
            tuple(Vote(said, tuple(people.everybody[who] for who in whose)) for said, whose in one.votes),
        )
        for one in snapshot.parts_of(row)
    )


def guess_of(snapshot: Snapshot, row: int) -> Guess | None:
    """Return what the classifier says of a task; None without one."""
    code = int(snapshot.predicted[row])
    return Guess(snapshot.label_in(row, code), float(snapshot.predicted_probability[row])) if code >= 0 else None


def label_of(snapshot: Snapshot, code: int) -> str | None:
    """Return the label of a class code, None for -1."""
    return snapshot.classes[code] if code >= 0 else None


def known_or_none(value: float) -> float | None:
    """Return a number, None for NaN."""
    return float(value) if np.isfinite(value) else None


def tally(votes: tuple[Vote, ...]) -> str:
    """Return votes for people: "2 say cat, 1 says dog, gpt-5 (model) says dog"."""
    said = [_says(str(len(vote.people)), len(vote.people), vote.label) for vote in votes if vote.people]
    said += [_says(model.name, 1, vote.label) for vote in votes for model in vote.models]
    return ", ".join(said)


def _says(who: str, number: int, label: str) -> str:
    return f"{who} {'says' if number == 1 else 'say'} {label}"


def says(guess: Guess) -> str:
    """Return the classifier's guess as a sentence."""
    return f"The classifier says {guess.label} ({percent(guess.probability)})."


def against_all(votes: tuple[Vote, ...], label: str, guess: Guess | None) -> str:
    """Return, as sentences, what was said of a task, and what makes a label that nobody gave its consensus."""
    said = [f"{tally(votes)}.", *([says(guess)] if guess else [])]
    by_model = any(vote.label == label and vote.models for vote in votes)
    if not by_model and (guess is None or guess.label != label):
        said.append(f"With the votes, {label} is most probable.")
    return " ".join(said)
