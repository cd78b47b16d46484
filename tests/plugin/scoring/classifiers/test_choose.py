"""What `auto` chooses."""

import numpy as np
import pytest

from label_studio_crowd.scoring.classifiers import build, choose
from label_studio_crowd.scoring.classifiers.fields import kind_of
from tests.plugin.scoring.classifiers.topical_texts import (
    assert_probabilities,
    tasks_of,
    topical,
)

SENTENCES = [f"{a} {b} went home {c}" for a in ("Ann", "Bob", "Eve") for b in ("Lee", "Ray") for c in ("early", "late")]


def column(**makers):
    return [{name: make(i) for name, make in makers.items()} for i in range(36)]


def sentence(i):
    return f"{SENTENCES[i % 12]} on day {i}"


def number(i):
    return (i * 7919 % 101) / 7


def colour(i):
    return ["red", "green", "blue"][i % 3]


def photo(i):
    return f"https://example.org/{i}.jpg"


AUTO = [
    # case, data, fields shown, chosen, words in the reason
    (
        "text shown",
        column(text=sentence, id=int),
        [("Text", "text")],
        "text",
        ['"text"', "annotators are shown text", '"id" (identifiers)'],
    ),
    (
        "an embedding comes first",
        column(text=sentence, e=lambda i: [number(i + j) for j in range(16)]),
        [("Text", "text")],
        "embedding",
        ["16 numbers", '"text" (text)'],
    ),
    (
        "a short list is no embedding",
        column(size=lambda i: [640 + i, 480], kind=colour),
        [],
        "tabular",
        ['"size" (nested data)'],
    ),
    ("lists of many lengths", column(e=lambda i: [1.0] * (8 + i)), [], None, ["nested data"]),
    ("image alone", column(image=photo), [("Image", "image")], None, ['"image" (links to files)']),
    (
        "image and figures",
        column(image=photo, width=number, source=colour),
        [("Image", "image")],
        "tabular",
        ['"width"', '"source"', "links"],
    ),
    ("text that is a link", column(doc=lambda i: f"s3://bucket/{i}.txt"), [("Text", "doc")], None, ["links"]),
    ("a text not shown", column(image=photo, caption=sentence), [("Image", "image")], None, ['"caption" (text)']),
    ("HTML", column(page=lambda i: f"<p>{sentence(i)} {i}</p>"), [("HyperText", "page")], "text", []),
    ("paragraphs", column(talk=lambda i: [{"author": "A", "text": sentence(i)}]), [("Paragraphs", "talk")], "text", []),
    (
        "two texts",
        column(left=sentence, right=lambda i: sentence(i + 5)),
        [("Text", "left"), ("Text", "right")],
        "text",
        ['"left", "right"'],
    ),
    ("text deep in the data", column(doc=lambda i: {"m": {"t": sentence(i)}}), [("text", "doc.m.t")], "text", ["m.t"]),
    (
        "text of a list's item",
        column(says=lambda i: [{"text": sentence(i)}, {"text": "yes"}], year=number),
        [("text", "says[0].text")],
        "text",
        ['"says[0].text"', '"year" (numbers)'],
    ),
    (
        "a vector that is the same everywhere",
        column(ts=lambda i: {"time": list(range(50))}, kind=colour),
        [("timeseries", "ts")],
        "tabular",
        ['"ts.time" (the same in every task)'],
    ),
    (
        "header with one wording",
        column(q=lambda i: "Which is it?", x=number),
        [("Header", "q")],
        "tabular",
        ['"q" (the same in every task)'],
    ),
    (
        "a table",
        column(row=lambda i: {"age": number(i), "colour": colour(i), "name": f"n{i}"}),
        [("Table", "row")],
        "tabular",
        ['"row.age", "row.colour"', '"row.name"'],
    ),
    (
        "nothing of use",
        column(
            id=int,
            t=lambda i: f"2024-05-{1 + i % 28:02d}T10:00:00Z",
            k=lambda i: 1,
            h=lambda i: f"{i * 2654435761:016x}",
            gone=lambda i: None,
        ),
        [],
        None,
        ["identifiers", "dates or times", "the same in every task", "empty"],
    ),
    ("no data", [{}, {}], [], None, []),
]


@pytest.mark.parametrize(("data", "fields", "chosen", "words"), [case[1:] for case in AUTO], ids=[c[0] for c in AUTO])
def test_auto(data, fields, chosen, words):
    choice = choose("auto", tasks_of(data, *fields), n_classes=2)
    assert (choice.classifier and choice.classifier.name) == chosen
    assert choice.why.startswith(f"{chosen or 'none'}:")
    for word in words:
        assert word in choice.why
    if choice.classifier:
        assert choice.classifier.why == choice.why
        P = choice.classifier.predict_out_of_sample(np.arange(len(data)) % 2, 2)
        assert_probabilities(P, len(data), 2)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("x", [1.5, 2.5, 0.1, 3.3] * 5, "number"),
        ("x", ["1.5", "", "2", None] * 5, "number"),
        ("grid", [31, 18, 77, 54, 20, 90] * 3, "number"),
        ("user_id", [7, 8, 9] * 9, "category"),
        ("userId", [31, 18, 77, 54, 20, 90, 1000], "id"),
        ("serial", list(range(5000, 5040)), "id"),
        ("created", [1.7e9 + 1000 * i for i in range(30)], "time"),
        ("day", [f"{i}.3.2024" for i in range(1, 25)], "time"),
        ("file", [f"/data/upload/3/{i}.png" for i in range(9)], "link"),
        ("picture", [f"cat{i}.jpg" for i in range(9)], "link"),
        ("blob", ["data:image/png;base64," + "A/b" * 100_000 + c for c in "abc"], "link"),
        ("key", ["6f1c2d3e4a5b", "aa01bb02cc03", "1234567890ab", "0f0f0f0f0f0f"], "id"),
        ("whose", [f"{i}b2504e0-4f89-11d3-9a0c-0305e82c3302" for i in range(9)], "id"),
        ("flag", [True, False] * 9, "category"),
        ("title", ["a fine short sentence number " + c for c in "abcdefghijk"], "text"),
        ("review", ["这是一个很好的产品" + c for c in "甲乙丙丁戊己庚"], "text"),
        ("surname", ["Miller", "Smith", "Jones", "Brown", "Young", "Moore"], "words"),
        ("huge", [10**400, 5, 7] * 4, "category"),
    ],
)
def test_kinds_of_fields(name, values, kind):
    assert kind_of(name, values, len(values)) == kind


def test_none_is_a_choice():
    choice = choose("none", topical(5)[0], n_classes=2)
    assert choice.classifier is None
    assert build("none", topical(5)[0], n_classes=2) is None
    assert "as requested" in choice.why
