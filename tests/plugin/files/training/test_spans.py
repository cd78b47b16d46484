"""Spans of texts as CoNLL and spaCy have them."""

from __future__ import annotations

import builtins
import json
from collections import Counter

import pytest

from harness.snapshots import snapshot_of_kinds
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.training.formats import TRAINING_FORMATS
from label_studio_crowd.files.training.marked import Marked, MarkedTask, marked

LABELS = '<Label value="PER"/><Label value="LOC"/>'
CONFIG = (
    f'<View><Text name="t" value="$text"/><Labels name="who" toName="t">{LABELS}</Labels>'
    '<Labels name="what" toName="t"><Label value="DATE"/></Labels></View>'
)
TEXT = "Ann Lee met Bob in New York on Monday."


def span(text, words, *labels, control="who", unit=str):
    """An item that marks words of a text."""
    start = unit(text[: text.index(words)])
    start = start if isinstance(start, int) else len(start)
    size = unit(words)
    size = size if isinstance(size, int) else len(size)
    value = {"start": start, "end": start + size, "text": words, "labels": list(labels)}
    return {"id": f"{start}{labels}", "from_name": control, "to_name": "t", "type": "labels", "value": value}


def units(text):
    """How many characters a text has to a browser."""
    return len(text.encode("utf-16-le")) // 2


def found_in(texts, *results):
    rows = [(task, who, result) for task, result in enumerate(results, 1) for who in (1, 2, 3)]
    data = {task: {"text": text} for task, text in enumerate(texts, 1)}
    return marked(snapshot_of_kinds(CONFIG, rows, len(results)), data, "text")


def written(name, out, texts, *results):
    remarks = Counter()
    TRAINING_FORMATS[name].check(out)
    TRAINING_FORMATS[name].write(found_in(texts, *results), out, remarks)
    return +remarks


def tagged(path):
    """The (token, tag) of each text."""
    head, *blocks = path.read_text().split("\n", 1)
    assert head == "-DOCSTART- -X- O"
    return [[tuple(line.split(" -X- _ ")) for line in block.splitlines()] for block in blocks[0].strip().split("\n\n")]


def test_tokens_have_their_tags_from_all_controls_of_the_text(tmp_path):
    marks = [
        span(TEXT, "Ann Lee", "PER"),
        span(TEXT, "Bob", "PER"),
        span(TEXT, "New York", "LOC"),
        span(TEXT, "Monday", "DATE", control="what"),
    ]
    out = tmp_path / "names.conll"
    assert written("conll", out, [TEXT, "Nobody."], marks, []) == {}
    first, second = tagged(out)
    assert [tag for _, tag in first] == ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", "I-LOC", "O", "B-DATE", "O"]
    assert [token for token, _ in first] == ["Ann", "Lee", "met", "Bob", "in", "New", "York", "on", "Monday", "."]
    assert second == [("Nobody", "O"), (".", "O")]


def test_neighbours_are_two_and_what_cannot_be_written_is_named(tmp_path):
    text = "Ann Bob half-price"
    marks = [
        span(text, "Ann", "PER"),
        span(text, "Bob", "PER", "LOC"),
        span(text, "half", "LOC"),
        span(text, "price", "LOC"),
        span(text, "Ann Bob", "LOC"),
        {**span(text, "Bob", "PER"), "value": {"start": 90, "end": 99, "labels": ["PER"]}},
    ]
    found = Marked((MarkedTask(1, text, tuple(marks)),), {}, ())
    remarks = Counter()
    TRAINING_FORMATS["conll"].write(found, tmp_path / "a.conll", remarks)
    assert dict(+remarks) == {
        "spans of several labels, of which the first is written": 1,
        "spans that are not in the text, not written": 1,
        "spans that overlap a surer one, not written": 2,
        "spans that begin inside a token of another one, not written": 1,
        "spans that begin or end inside a token, written with the whole token": 2,
    }
    assert [tag for _, tag in tagged(tmp_path / "a.conll")[0]] == ["B-LOC", "I-LOC", "B-LOC"]


@pytest.mark.parametrize("unit", [str, units], ids=["characters", "a browser's"])
def test_a_character_beyond_the_usual_ones_moves_nothing(unit, tmp_path):
    text = "😀 Ann saw 😀 in Paris"
    marks = [span(text, "Ann", "PER", unit=unit), span(text, "Paris", "LOC", unit=unit)]
    assert written("conll", tmp_path / "a.conll", [text], marks) == {}
    assert [row for row in tagged(tmp_path / "a.conll")[0] if row[1] != "O"] == [("Ann", "B-PER"), ("Paris", "B-LOC")]
    assert written("spacy", tmp_path / "a.jsonl", [text], marks) == {}
    (row,) = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert [(row["text"][start:end], label) for start, end, label in row["entities"]] == [
        ("Ann", "PER"),
        ("Paris", "LOC"),
    ]


def test_spacys_lines_have_text_and_ends_of_every_task(tmp_path):
    out = tmp_path / "names.jsonl"
    assert written("spacy", out, [TEXT, "Nobody."], [span(TEXT, "New York", "LOC")], []) == {}
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows == [
        {"id": 1, "text": TEXT, "entities": [[19, 27, "LOC"]]},
        {"id": 2, "text": "Nobody.", "entities": []},
    ]


def test_without_spacy_one_line_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "spacy":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install spacy, or name a file that ends in \.jsonl"):
        TRAINING_FORMATS["spacy"].check(tmp_path / "names.spacy")


def test_spacys_own_file_has_the_same_entities(tmp_path):
    spacy = pytest.importorskip("spacy")
    from spacy.tokens import DocBin

    out = tmp_path / "names.spacy"
    marks = [span(TEXT, "Ann Lee", "PER"), span(TEXT, "New York", "LOC"), span(TEXT, "Mon", "DATE", control="what")]
    assert written("spacy", out, [TEXT], marks) == {"spans without a whole token, not written": 1}
    (doc,) = DocBin().from_disk(out).get_docs(spacy.blank("xx").vocab)
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Ann Lee", "PER"), ("New York", "LOC")]
