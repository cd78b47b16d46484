"""Texts as words: how they are cut, which of them count as the same, and how they are put together again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

BREAK = "\u2029"
"""The word between two parts of an answer that has several."""
CHUNK = re.compile(r"(\s*)(\S+)")
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f\u3005-\u3007\u3040-\u312f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua980-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]"
)
"""Letters of scripts without spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, Tai, Javanese, Balinese, kana,
Chinese characters, Yi."""
MEANT = frozenset("%&@#")
"""Punctuation that is part of a word: 5% is not 5."""
JOINERS = frozenset("\u200c\u200d")
SKIN = range(0x1F3FB, 0x1F400)
FLAG = range(0x1F1E6, 0x1F200)
QUOTES = str.maketrans("\u2018\u2019\u02bc\u2010\u2011", "'''--")


class Token(NamedTuple):
    """A word: what it is compared by, how it is written, and the space before it."""

    key: str
    surface: str
    lead: str


def tokens(text: str | tuple[str, ...]) -> list[Token]:
    """Cut a text into words; letters of scripts without spaces are words of their own.

    Parameters
    ----------
    text : str or tuple of str
        A text, or the parts of an answer that has several texts.

    Examples
    --------
    >>> [token.key for token in tokens("Well, HELLO - World's end!")]
    ['well', 'hello', "world's", 'end']
    >>> [token.surface for token in tokens("2 \u732b\u3002 ok")]
    ['2', '\u732b\u3002', 'ok']
    """
    if isinstance(text, str):
        return list(_text(text))
    found: list[Token] = []
    for number, part in enumerate(text):
        if number:
            found.append(Token(BREAK, "\n", ""))
        found += _text(part)
    return found


def letters(words: Iterable[Token]) -> list[Token]:
    """Cut words into letters, as they are seen: with their accents, an emoji in one piece.

    Examples
    --------
    >>> [token.surface for token in letters(tokens("(no\u0308el)"))]
    ['(n', '\u00f6', 'e', 'l)']
    """
    found = []
    for key, surface, lead in words:
        first, core, last = _edges(surface) if key != BREAK else ("", "", "")
        pieces = _graphemes(core)
        if not pieces:
            found.append(Token(key, surface, lead))
            continue
        surfaces = [first + pieces[0], *pieces[1:]]
        surfaces[-1] += last
        found += [
            Token(_folded(piece), written, "" if at else lead)
            for at, (piece, written) in enumerate(zip(pieces, surfaces, strict=True))
        ]
    return found


def written(words: Sequence[Token]) -> str:
    r"""Return words as a text.

    Examples
    --------
    >>> written(tokens("  some \n text "))
    'some\ntext'
    """
    return "".join([word.lead * (at > 0) + word.surface for at, word in enumerate(words)])


def parts(words: Sequence[Token]) -> tuple[str, ...]:
    """Return words as the parts of an answer, which breaks divide.

    Examples
    --------
    >>> parts(tokens(("one two", "three")))
    ('one two', 'three')
    """
    ends = [at for at, word in enumerate(words) if word.key == BREAK]
    starts = [0, *[end + 1 for end in ends]]
    return tuple(written(words[start:end]) for start, end in zip(starts, [*ends, len(words)], strict=True))


def checked(values: Iterable[Any], what: str) -> None:
    """Raise a ValueError if a value is neither a text nor a tuple of texts."""
    for value in values:
        if not isinstance(value, str) and not (
            isinstance(value, tuple) and value and all(isinstance(part, str) for part in value)
        ):
            raise ValueError(
                f"{what} is {value!r}, of type {type(value).__name__}; it has to be a text, or a tuple of texts for an "
                "answer of several. Turn it into one, for example with str()."
            )


def _text(text: str) -> list[Token]:
    found: list[Token] = []
    for space, chunk in CHUNK.findall(unicodedata.normalize("NFC", text)):
        lead = "\n" * min(space.count("\n"), 2) or " " * bool(space)
        for key, surface in _chunk(chunk):
            if key or not found:
                found.append(Token(key, surface, lead))
            else:  # punctuation alone belongs to the word before it
                found[-1] = found[-1]._replace(surface=found[-1].surface + lead + surface)
            lead = ""
    if found and not found[0].key:  # or to the first word
        mark = found.pop(0)
        if found:
            found[0] = Token(found[0].key, mark.surface + found[0].lead + found[0].surface, mark.lead)
        else:
            found = [Token(mark.surface, mark.surface, mark.lead)]
    return found


@lru_cache(maxsize=65536)
def _chunk(chunk: str) -> tuple[tuple[str, str], ...]:
    """Return key and surface of the words in a piece of text without spaces."""
    if chunk.isascii() or not UNSPACED.search(chunk):
        return ((_key(chunk), chunk),)
    found: list[tuple[str, str]] = []
    word = ""
    for piece in _graphemes(chunk):
        if not UNSPACED.match(piece):
            word += piece
            continue
        if word:
            found.append((_key(word), word))
            word = ""
        found.append((_key(piece), piece))
    if word:
        found.append((_key(word), word))
    return tuple(found)


def _key(word: str) -> str:
    return _folded(_edges(word)[1])


@lru_cache(maxsize=65536)
def _folded(core: str) -> str:
    if core.isascii():
        return core.lower()
    plain = "".join([c for c in core if c in JOINERS or unicodedata.category(c) != "Cf"])
    return unicodedata.normalize("NFC", plain.translate(QUOTES).casefold())


def _edges(word: str) -> tuple[str, str, str]:
    """Return the punctuation before a word, the word, and the punctuation behind it."""
    start, end = 0, len(word)
    while start < end and _marks(word[start]) and not (word[start] in "-." and word[start + 1 : start + 2].isdigit()):
        start += 1
    while end > start and _marks(word[end - 1]):
        end -= 1
    return word[:start], word[start:end], word[end:]


def _marks(char: str) -> bool:
    return not char.isalnum() and char not in MEANT and unicodedata.category(char)[0] in "PCZ"


def _graphemes(text: str) -> list[str]:
    """Return characters with what belongs to them: accents, skin tones, joined emoji, the two halves of a flag."""
    found: list[str] = []
    for char in text:
        before = found[-1] if found else ""
        code = ord(char)
        half = code in FLAG and len(before) == 1 and ord(before) in FLAG
        if before and (half or before[-1] == "\u200d" or char in JOINERS or code in SKIN or _hangs(char)):
            found[-1] += char
        else:
            found.append(char)
    return found


def _hangs(char: str) -> bool:
    return unicodedata.category(char)[0] == "M" or 0xE0020 <= ord(char) <= 0xE007F
