"""The crowds of sets, ratings, spans and boxes are what their documentation says, and are judged as they should."""

import json
from base64 import b64decode
from io import BytesIO, StringIO

import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from crowdcore import Crowd
from crowdcore.kinds import ordered
from examples import boxes, moderation, ner
from examples.command_line import Export
from examples.kinds_report import comparison, people
from examples.questions import Box, Boxes, OneClass, SetOfClasses, Span, Spans, Stars
from label_studio_crowd.studio.controls import find_controls

CROWDS = {
    "moderation": (moderation.moderation_crowd, moderation.PERSONAS),
    "ner": (ner.ner_crowd, ner.PERSONAS),
    "boxes": (boxes.boxes_crowd, boxes.PERSONAS),
}
SPANS, BOXES = Spans("names", "report"), Boxes("shapes", "picture", (320, 240))


@pytest.fixture(params=CROWDS)
def example(request):
    return CROWDS[request.param]


def test_the_same_seed_gives_the_same_crowd(example):
    generate, _ = example
    assert generate(n_tasks=20, seed=3) == generate(n_tasks=20, seed=3)
    assert generate(n_tasks=20, seed=3).answers != generate(n_tasks=20, seed=4).answers


def test_stated_habits_stand_in_the_documentation(example):
    generate, personas = example
    lines = [line.split() for line in __import__(generate.__module__, fromlist=["x"]).__doc__.splitlines()]
    documented = {
        words[0]: list(map(float, words[1:])) for words in lines if words and words[0] in personas and "." in words[1]
    }
    assert documented == {name: list(persona[:-1]) for name, persona in personas.items()}


def test_the_plugin_reads_what_the_crowd_answers(example):
    crowd = example[0](n_tasks=20)
    controls = {control.name: control for control in find_controls(crowd.label_config)}
    assert set(controls) == {question.name for question in crowd.questions}
    for label in crowd.truth:
        result = crowd.result(label)
        for question, answer in zip(crowd.questions, label, strict=True):
            control = controls[question.name]
            found = control.read(result)
            found = control.when_empty(result) if found is None else found
            written = control.form.write(control, found, {})
            assert question.read(control.form.show(control, found), json.dumps(control.form.pack(found))) == answer
            assert {item["to_name"] for item in written} <= {question.to_name}


def test_the_first_annotator_is_the_best_and_the_last_the_worst(example):
    crowd, (*_,) = example[0](n_tasks=60), example[1]
    names = list(example[1])

    def judged(name, at):
        given = [answer for answer in crowd.answers if answer.annotator == name]
        truth = [crowd.truth[answer.task][at] for answer in given]
        return crowd.questions[at].judge([answer.label[at] for answer in given], truth)

    for at, question in enumerate(crowd.questions):
        best, worst = judged(names[0], at), judged(names[-1], at)
        assert best < worst if question.measure == "mean error" else best > worst


def test_spans_are_at_the_names_and_boxes_at_the_shapes():
    crowd = ner.ner_crowd(n_tasks=20)
    listed = {label: {*ner.NAMES[label], *ner.HARD[label]} for label in ner.LABELS}
    for task, (spans,) in zip(crowd.tasks, crowd.truth, strict=True):
        assert spans
        assert all(task["text"][span.start : span.end] in listed[span.label] for span in spans)
    crowd = boxes.boxes_crowd(n_tasks=20)
    for task, (shapes,) in zip(crowd.tasks, crowd.truth, strict=True):
        picture = Image.open(BytesIO(b64decode(task["image"].partition(",")[2]))).convert("RGB")
        for shape in shapes:
            at = (shape.x + shape.width / 2) * 3.2, (shape.y + shape.height * 0.6) * 2.4
            assert max(abs(a - b) for a, b in zip(picture.getpixel(tuple(map(int, at))), boxes.PAPER, strict=True)) > 8


@pytest.mark.parametrize(
    ("question", "answers", "majority"),
    [
        (OneClass("c", "t"), ["a", "b", "b"], "b"),
        (Stars("c", "t"), [1, 5, 4], 4),
        (Stars("c", "t"), [2, 4], 2),
        (SetOfClasses("c", "t"), [frozenset("ab"), frozenset("b"), frozenset("c")], frozenset("b")),
        (SetOfClasses("c", "t"), [frozenset("a"), frozenset()], frozenset()),
        (
            SPANS,
            [
                frozenset({Span(0, 3, "x", "abc"), Span(5, 9, "y", "fghi")}),
                frozenset({Span(0, 4, "x", "abcd")}),
                frozenset({Span(1, 4, "x", "bcd")}),
            ],
            frozenset({Span(0, 4, "x", "abcd")}),
        ),
        (
            BOXES,
            [
                frozenset({Box(10, 10, 20, 20, "a"), Box(70, 70, 9, 9, "a")}),
                frozenset({Box(12, 10, 20, 20, "a")}),
                frozenset({Box(11, 10, 20, 20, "a"), Box(30, 60, 20, 20, "a")}),
            ],
            frozenset({Box(11, 10, 20, 20, "a")}),
        ),
    ],
)
def test_the_plain_majority(question, answers, majority):
    assert question.vote(answers) == majority


def test_answers_are_judged():
    one, near, far = Box(10, 10, 20, 20, "a"), Box(12, 10, 20, 20, "a"), Box(60, 60, 20, 20, "a")
    assert BOXES.judge([frozenset({near, far})], [frozenset({one})]) == pytest.approx(2 / 3)
    assert BOXES.judge([frozenset({near._replace(label="b")})], [frozenset({one})]) == 0
    assert SPANS.judge(
        [frozenset({Span(0, 3, "x", "abc")})], [frozenset({Span(0, 4, "x", "abcd"), Span(0, 3, "x", "abc")})]
    ) == pytest.approx(2 / 3)
    assert Stars("c", "t").judge([1, 5], [2, 5]) == 0.5


def test_the_report_compares_consensus_and_majority_with_the_truth():
    crowd = moderation.moderation_crowd(n_tasks=30)
    rows = [
        {
            "task": str(100 + task),
            "consensus": str(harm),
            "consensus:problems": ", ".join(problems) or "(none)",
            "consensus_json:problems": json.dumps(sorted(problems)),
            "consensus:about": about,
        }
        for task, (problems, harm, about) in enumerate(crowd.truth)
    ]
    rated = [
        {"annotator": str(n), "name": name, "control": "harm", "quality": "0.5"}
        for n, name in enumerate(crowd.annotators)
    ]
    export = Export([], rows, rated, {})
    words = _printed(comparison(crowd, {100 + task: task for task in range(30)}, {"now": (export, ())})).split("\n")
    figures = [line.split()[-1] for line in words if line.strip().startswith("consensus")]
    assert figures == ["1.000", "0.000", "1.000"]
    voted = [float(line.split()[-1]) for line in words if "plain majority" in line]
    assert 0 < voted[0] < 1
    assert 0 < voted[2] < 1
    lines = _printed(people(crowd, export, dict(enumerate(crowd.annotators)))).split("\n")
    assert sum(any(line.split()[:1] == [name] for name in crowd.annotators) for line in lines) == len(crowd.annotators)


def test_with_a_thousand_comments_the_consensus_of_stars_beats_their_median():
    crowd = moderation.moderation_crowd(n_tasks=1000)
    given = pd.DataFrame(
        [(a.task, a.annotator, a.label[1]) for a in crowd.answers], columns=["task", "annotator", "label"]
    )
    found = ordered(Crowd.from_long(given))
    truth = [crowd.truth[task][1] for task in found.crowd.tasks]
    stars = crowd.questions[1]
    voted = given.groupby("task").label.apply(lambda labels: stars.vote(labels.tolist()))[found.crowd.tasks]
    assert stars.judge(found.labels, truth) < 0.8 * stars.judge(voted, truth)


def _printed(table):
    out = StringIO()
    Console(file=out, width=160).print(table)
    return out.getvalue()
