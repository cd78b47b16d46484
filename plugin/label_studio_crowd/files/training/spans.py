"""The consensus of spans in texts as CoNLL and spaCy have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import orjson

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.training.converting import Converted, convert
from label_studio_crowd.files.training.marked import Marked, MarkedTask
from label_studio_crowd.files.training.shapes import UNNAMED
from label_studio_crowd.studio.controls import label_field

if TYPE_CHECKING:
    import spacy

OVERLAPPING: Final = "spans that overlap a surer one, not written"
SEVERAL: Final = "spans of several labels, of which the first is written"
OUTSIDE: Final = "spans that are not in the text, not written"
ROUGH: Final = "spans that begin or end inside a token, written with the whole token"
INSIDE: Final = "spans that begin inside a token of another one, not written"
UNCUT: Final = "texts that the converter cannot cut into tokens, left out"
NO_TOKENS: Final = "spans without a whole token, not written"


@dataclass(frozen=True)
class LabelledSpan:
    """A span of a text, in characters as Python counts them, its label, and how probable it is."""

    start: int
    end: int
    label: str
    quality: float


def write_conll(found: Marked, out: Path, remarks: Counter[str]) -> list[Path]:
    """Write a file in the form of CoNLL-2003: a token a line with its tag (B-, I- or O), a blank line after each text.

    Parameters
    ----------
    found
        The tasks and their spans.
    out
        The file.
    remarks
        Counts what is written in another way, or not at all, by what that is.
    """
    from label_studio_sdk.converter.utils import create_tokens_and_tags

    cut: Callable[..., tuple[list[str], list[str]]] = create_tokens_and_tags
    tasks = []
    for task in found.tasks:
        spans = list(_apart(spans_of(task, remarks), remarks))
        items = [_item(span) for span in spans]
        try:
            tokens, tags = cut(task.source, [item["value"] for item in items])
        except ValueError:
            remarks[UNCUT] += 1
            continue
        remarks[INSIDE] += len(spans) - sum(tag.startswith("B-") for tag in tags)
        remarks[ROUGH] += _inside_tokens(task.source, tokens, spans)
        tasks.append(Converted(task.task, task.source, items))
    with TemporaryDirectory() as made:
        convert(tasks, found.labels, "CONLL2003", ("Labels", "Text"), Path(made))
        out.write_bytes((Path(made) / "result.conll").read_bytes())
    return [out]


def _inside_tokens(text: str, tokens: Sequence[str], spans: Sequence[LabelledSpan]) -> int:
    """Return how many spans begin or end inside a token."""
    inside: set[int] = set()
    at = 0
    for token in tokens:
        at = text.index(token, at)
        inside.update(range(at + 1, at + len(token)))
        at += len(token)
    return sum(span.start in inside or span.end in inside for span in spans)


def write_spacy(found: Marked, out: Path, remarks: Counter[str]) -> list[Path]:
    """Write spaCy's data, or a line of JSON for each text: its id, its text, and start, end and label of its entities.

    Parameters
    ----------
    found, out, remarks
        As for `write_conll`. A file that ends in .spacy needs spaCy, one that ends in .jsonl needs nothing.
    """
    rows = [(task, list(_apart(spans_of(task, remarks), remarks))) for task in found.tasks]
    if out.suffix.lower() == ".spacy":
        _as_docs(rows, remarks, out)
    else:
        lines = (
            {
                "id": task.task,
                "text": task.source,
                "entities": [[span.start, span.end, span.label] for span in spans],
            }
            for task, spans in rows
        )
        out.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
    return [out]


def check_spacy(out: Path) -> None:
    """Raise a `UserError` if a file needs spaCy, and that is not there."""
    if out.suffix.lower() == ".spacy":
        _blank()


def _blank() -> spacy.Language:
    try:
        import spacy
    except ImportError:
        raise UserError(
            "A file that ends in .spacy needs spaCy: pip install spacy, or name a file that ends in .jsonl."
        ) from None
    return spacy.blank("xx")


def _as_docs(rows: Sequence[tuple[MarkedTask, Sequence[LabelledSpan]]], remarks: Counter[str], out: Path) -> None:
    language = _blank()
    from spacy.tokens import DocBin

    docs = DocBin()
    for task, spans in rows:
        doc = language.make_doc(task.source)
        ents = [doc.char_span(span.start, span.end, span.label) for span in spans]
        doc.ents = [ent for ent in ents if ent is not None]
        remarks[NO_TOKENS] += sum(ent is None for ent in ents)
        docs.add(doc)
    docs.to_disk(out)


def spans_of(task: MarkedTask, remarks: Counter[str]) -> Iterator[LabelledSpan]:
    """Yield the spans of a task that have a label and lie in its text.

    Parameters
    ----------
    remarks
        Counts what is written in another way, or not at all, by what that is.
    """
    for item in task.result:
        value = item["value"]
        labels = value.get(label_field(item)) if label_field(item) else None
        ends = _ends(task.source, value)
        if not labels:
            remarks[UNNAMED] += 1
        elif ends is None:
            remarks[OUTSIDE] += 1
        else:
            remarks[SEVERAL] += len(labels) > 1
            yield LabelledSpan(*ends, str(labels[0]), float(item.get("score", 1.0)))


def _ends(text: str, value: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return where a span begins and ends; Label Studio's page counts a character beyond U+FFFF as two."""
    start, end, said = value.get("start"), value.get("end"), value.get("text")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end):
        return None
    if isinstance(said, str) and text[start:end] != said:
        units = text.encode("utf-16-le", "surrogatepass")
        before, inside = (units[2 * a : 2 * b].decode("utf-16-le", "replace") for a, b in ((0, start), (start, end)))
        if inside == said:
            return len(before), len(before) + len(inside)
    return (start, end) if end <= len(text) else None


def _apart(spans: Iterator[LabelledSpan], remarks: Counter[str]) -> Iterator[LabelledSpan]:
    """Yield the spans, in their order, that overlap no surer one (of equal ones: no longer one)."""
    kept: list[LabelledSpan] = []
    for span in sorted(spans, key=lambda one: (-one.quality, one.start - one.end, one.start)):
        if any(span.start < other.end and other.start < span.end for other in kept):
            remarks[OVERLAPPING] += 1
        else:
            kept.append(span)
    yield from sorted(kept, key=lambda one: one.start)


def _item(span: LabelledSpan) -> dict[str, Any]:
    return {"type": "labels", "value": {"start": span.start, "end": span.end, "labels": [span.label]}}
