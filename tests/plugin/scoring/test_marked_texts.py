"""The text in which spans are marked has a say in what is there."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from crowdcore.kinds import Region, Span, TextFeatures
from label_studio_crowd.scoring.kinds import believe
from label_studio_crowd.scoring.kinds.marked_texts import LEAST_TASKS, MarkedTexts, text_field, texts_of
from label_studio_crowd.scoring.reading import read_answers
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.studio.controls import PARAGRAPH, find_control

NAMES = ["Ann", "Bob", "Rome", "Oslo", "Lima", "Cleo"]
WORDS = ["lives", "in", "a", "house", "near", "the", "river", "and", "sings"]


def control(tag="Text", value="$text", labels="Labels"):
    return find_control(
        f'<View><{tag} name="o" value="{value}"/><{labels} name="c" toName="o"><Label value="NAME"/></{labels}></View>'
    )


def mark(text, start, end):
    value = {"start": start, "end": end, "text": text[start:end], "labels": ["NAME"]}
    return {"from_name": "c", "to_name": "o", "type": "labels", "value": value}


def crowd_of_names(num_tasks=150, seed=0):
    """Texts, annotations in which three people miss names and mark other words, and where the names are."""
    rng = np.random.default_rng(seed)
    texts, rows, truth = {}, [], {}
    for task in range(1, num_tasks + 1):
        words = [str(rng.choice(NAMES if rng.random() < 0.25 else WORDS)) for _ in range(12)]
        starts = np.concatenate([[0], np.cumsum([len(word) + 1 for word in words])])
        texts[task] = text = " ".join(words)
        spans = [
            (int(start), int(start) + len(word), word in NAMES) for start, word in zip(starts, words, strict=False)
        ]
        truth[task] = {(start, end) for start, end, is_name in spans if is_name}
        for who in range(3):
            said = [mark(text, a, b) for a, b, is_name in spans if rng.random() < (0.6 if is_name else 0.08)]
            rows.append(
                Annotation(len(rows) + 1, task, who + 1, orjson.dumps(said).decode(), False, False, "2026-01-01", None)
            )
    return texts, rows, truth


def f1(found, truth):
    kept = {
        (task, int(region.place.start), int(region.place.end))
        for task, regions in zip(found.answers.tasks.tolist(), found.consensus, strict=True)
        for region in regions or ()
    }
    real = {(task, *span) for task, spans in truth.items() for span in spans}
    return 2 * len(kept & real) / (len(kept) + len(real))


def test_the_words_at_a_place_and_beside_it_find_names_that_most_missed():
    texts, rows, truth = crowd_of_names()
    answers = read_answers(np.array(list(texts)), rows, control())
    _, without = believe(answers)
    data = {task: {"text": text} for task, text in texts.items()}
    _, with_texts = believe(replace(answers, texts=texts_of(control(), data)))
    assert f1(with_texts.found, truth) > f1(without.found, truth) + 0.04


@pytest.mark.parametrize("change", [lambda text: "Title: " + text, lambda text: f"https://host/{len(text)}.txt"])
def test_a_text_that_is_not_what_annotators_saw_is_not_used(change):
    texts, rows, _ = crowd_of_names()
    answers = read_answers(np.array(list(texts)), rows, control())
    _, without = believe(answers)
    data = {task: {"text": change(text)} for task, text in texts.items()}
    _, with_texts = believe(replace(answers, texts=texts_of(control(), data)))
    assert np.array_equal(with_texts.quality, without.quality)


def test_a_few_texts_are_too_few_to_learn_from():
    texts, rows, _ = crowd_of_names(LEAST_TASKS - 1)
    answers = read_answers(np.array(list(texts)), rows, control())
    data = {task: {"text": text} for task, text in texts.items()}
    _, with_texts = believe(replace(answers, texts=texts_of(control(), data)))
    assert np.array_equal(with_texts.quality, believe(answers)[1].quality)


def test_a_task_without_its_text_is_believed_as_it_is():
    texts, rows, truth = crowd_of_names(2 * LEAST_TASKS)
    answers = read_answers(np.array(list(texts)), rows, control())
    data = {task: {"text": text} if task % 2 else {} for task, text in texts.items()}
    _, some = believe(replace(answers, texts=texts_of(control(), data)))
    assert f1(some.found, truth) > 0.5


def test_texts_are_read_as_their_places_count():
    smile = texts_of(control(), {1: {"text": "\U0001f600 Ann"}})
    assert smile[1][3:6] == "Ann"  # a browser counts two for the smile
    html = "<style>p {}</style><p>Ann &amp; <b>Bob</b></p>"
    assert texts_of(control("HyperText", "$page"), {1: {"page": html}}) == {1: "Ann & Bob"}
    talk = [{"author": "x", "text": "Hello"}, {"author": "y", "text": "Ann"}]
    found = texts_of(control("Paragraphs", "$talk", "ParagraphLabels"), {1: {"talk": talk}, 2: {"talk": "url"}})
    assert found == {1: {0: "Hello", PARAGRAPH: "Ann"}}
    assert "is=ann" in TextFeatures(found)(1, Span(PARAGRAPH, PARAGRAPH + 3))
    assert texts_of(control(value="$meta.text"), {1: {"meta": {"text": "Ann"}}}) == {1: "Ann"}


def test_pictures_and_recordings_have_no_text():
    assert text_field(control("Image", "$image", "RectangleLabels")) is None
    assert text_field(control("Audio", "$audio")) is None
    describe = MarkedTexts({1: "Ann"})
    assert describe(2, Span(0, 3)) == {}
    assert not describe.fit([(1, Region(Span(0, 3)), {"text": "Bob"})])
    assert not describe.fit([(1, Region(Span(0, 3)), {})])
