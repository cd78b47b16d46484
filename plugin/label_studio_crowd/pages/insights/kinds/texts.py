"""Texts: what each annotator wrote otherwise than the consensus, word by word, and the words they often get wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, Final, Literal

from crowdcore.kinds.text.tokens import Token, tokens
from label_studio_crowd.pages.insights.kinds.naming import some
from label_studio_crowd.scoring.snapshot import Snapshot

_MOST_WORDS: Final = 3000
"""Words of a text that are compared."""
_MOST_ANSWERS: Final = 300
"""An annotator's answers that are looked at."""
_AT_ONCE: Final = 60_000
"""Words of an annotator that are looked at."""
_ROWS: Final = 15
_NAMED: Final = 3

Operation = Literal["same", "left out", "added"]


@dataclass(frozen=True)
class Words:
    """Some words that an answer and the consensus share, or that only one of them has."""

    text: str
    operation: Operation


@dataclass(frozen=True)
class TextsView:
    """Texts of a task.

    Attributes
    ----------
    consensus
        The consensus, "" without one.
    of_members
        Each annotator's text, compared with the consensus.
    cut
        How many words of each are compared at most, where one has more; 0 otherwise.
    """

    name: ClassVar[str] = "texts"

    consensus: str
    of_members: tuple[tuple[Words, ...], ...]
    cut: int


@dataclass(frozen=True)
class WrongWord:
    """What an annotator writes instead of what the consensus has, how often; "" for nothing."""

    theirs: str
    consensus: str
    number: int


@dataclass(frozen=True)
class TextsHabits:
    """How an annotator's texts differ from the consensus, on tasks where others have a say, too.

    Attributes
    ----------
    wrong, words
        How many of how many words differ.
    answers, of
        How many answers were looked at, the last ones, of how many.
    rows
        What they often write otherwise, the most frequent first.
    """

    name: ClassVar[str] = "texts"

    wrong: int
    words: int
    answers: int
    of: int
    rows: tuple[WrongWord, ...]


def view(snapshot: Snapshot, row: int, data: Any) -> TextsView:
    """Return the texts of a task (a row)."""
    crowd = snapshot.crowd
    codes = crowd.label[crowd.indptr[row] : crowd.indptr[row + 1]].tolist()
    believed = _consensus(snapshot, row)
    texts = [_words(snapshot, code) for code in codes]
    longest = max(map(len, [believed, *texts]))
    return TextsView(
        consensus=_joined(believed[:_MOST_WORDS]),
        of_members=tuple(tuple(compared(believed, text)) for text in texts),
        cut=_MOST_WORDS if longest > _MOST_WORDS else 0,
    )


def compared(believed: Sequence[Token], text: Sequence[Token]) -> Iterator[Words]:
    """Yield a text over the consensus: what both have as it is written in the text."""
    for same, ours, theirs in _steps(believed[:_MOST_WORDS], text[:_MOST_WORDS]):
        if same:
            yield Words(_joined(theirs), "same")
            continue
        if ours:
            yield Words(_joined(ours), "left out")
        if theirs:
            yield Words(_joined(theirs), "added")


def _steps(believed: Sequence[Token], text: Sequence[Token]) -> Iterator[tuple[bool, Sequence[Token], Sequence[Token]]]:
    """Yield the stretches that are the same, or not, in turn: by the longest common subsequence, as people compare."""
    from rapidfuzz.distance import Indel

    steps = Indel.opcodes([word.key for word in believed], [word.key for word in text])
    for same, group in groupby(steps, key=lambda step: step.tag == "equal"):
        stretch = list(group)
        ours = believed[stretch[0].src_start : stretch[-1].src_end]
        yield same, ours, text[stretch[0].dest_start : stretch[-1].dest_end]


def why(snapshot: Snapshot, answer: int) -> str:
    """Return in words how an answer differs from the consensus."""
    row = int(snapshot.crowd.task[answer])
    believed, text = _consensus(snapshot, row), _words(snapshot, int(snapshot.crowd.label[answer]))
    steps = [step for step in _steps(believed[:_MOST_WORDS], text[:_MOST_WORDS]) if not step[0]]
    if not steps:
        return ""
    wrong = sum(max(len(ours), len(theirs)) for _, ours, theirs in steps)
    named = [_in_words(_brief(ours), _brief(theirs)) for _, ours, theirs in steps]
    of = max(len(believed), len(text), 1)
    return f"{wrong} of {of} word{'s' * (of != 1)} differ{'s' * (wrong == 1)}: {some(named, _NAMED)}."


def _in_words(ours: str, theirs: str) -> str:
    if not theirs:
        return f"no “{ours}”"
    return f"“{theirs}” for “{ours}”" if ours else f"“{theirs}” added"


def habits(snapshot: Snapshot, annotator: int) -> TextsHabits | None:
    """Return how an annotator's (a row's) texts differ; None where nobody else has a say on their tasks."""
    crowd, theirs = snapshot.crowd, snapshot.answers_of(annotator)
    theirs = theirs[snapshot.judged[crowd.task[theirs]]]
    if not len(theirs):
        return None
    wrong = words = looked = 0
    pairs: Counter[tuple[str, str]] = Counter()
    newest = theirs[snapshot.answer_at[theirs].argsort(kind="stable")][::-1][:_MOST_ANSWERS]
    for answer in newest.tolist():
        believed = _consensus(snapshot, int(crowd.task[answer]))[:_MOST_WORDS]
        text = _words(snapshot, int(crowd.label[answer]))[:_MOST_WORDS]
        looked, words = looked + 1, words + max(len(believed), len(text))
        for same, ours, own in _steps(believed, text):
            if not same:
                wrong += max(len(ours), len(own))
                pairs[_brief(own), _brief(ours)] += 1
        if words > _AT_ONCE:
            break
    often = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:_ROWS]
    rows = tuple(WrongWord(own, ours, number) for (own, ours), number in often)
    return TextsHabits(wrong, words, looked, len(theirs), rows)


def _brief(words: Sequence[Token]) -> str:
    text = " ".join(word.surface for word in words[:6])[:60]
    return f"{text} …" if len(words) > 6 else text


def _joined(words: Sequence[Token]) -> str:
    return "".join(word.lead + word.surface for word in words)


def _words(snapshot: Snapshot, code: int) -> list[Token]:
    given = snapshot.given[code]
    return tokens(given if isinstance(given, str) else tuple(given))


def _consensus(snapshot: Snapshot, row: int) -> list[Token]:
    code = int(snapshot.consensus[row])
    return _words(snapshot, code) if code >= 0 else []
