"""Answers of every kind, and several controls, from annotations to scores."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from label_studio_crowd.exchange.plan import make_plan
from label_studio_crowd.scoring.joint import joint, people
from label_studio_crowd.scoring.reading import read_answers
from label_studio_crowd.scoring.scores import score
from label_studio_crowd.store.mirror import Annotation, Tasks
from label_studio_crowd.studio.controls import find_control, find_controls

TASKS = np.arange(1, 41)
LABELS = '<Label value="A"/><Label value="B"/>'
PICTURE = {"original_width": 400, "original_height": 200}
GOOD = {
    '<Choices name="c" toName="o" choice="multiple"><Choice value="a"/><Choice value="b"/></Choices>': {
        "choices": ["a", "b"]
    },
    '<Taxonomy name="c" toName="o"><Choice value="a"><Choice value="b"/></Choice></Taxonomy>': {
        "taxonomy": [["a"], ["a", "b"]]
    },
    '<Rating name="c" toName="o"/>': {"rating": 4},
    '<Number name="c" toName="o"/>': {"number": 3.5},
    '<DateTime name="c" toName="o" only="date"/>': {"datetime": "2026-11-30"},
    '<TextArea name="c" toName="o"/>': {"text": ["some words"]},
    '<Ranker name="c" toName="o"/>': {"ranker": {"c": ["x", "y", "z"]}},
    f'<Labels name="c" toName="o">{LABELS}</Labels>': {"start": 0, "end": 4, "text": "some", "labels": ["A"]},
    f'<RectangleLabels name="c" toName="o">{LABELS}</RectangleLabels>': {
        "x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0, "rectanglelabels": ["A"]
    },
    f'<PolygonLabels name="c" toName="o">{LABELS}</PolygonLabels>': {
        "points": [[1, 1], [9, 1], [9, 9]], "closed": True, "polygonlabels": ["B"]
    },
    f'<BrushLabels name="c" toName="o">{LABELS}</BrushLabels>': {
        "format": "rle", "rle": [0, 0, 1], "brushlabels": ["B"]
    },
    f'<TimelineLabels name="c" toName="o">{LABELS}</TimelineLabels>': {
        "ranges": [{"start": 1, "end": 3}], "timelinelabels": ["A"]
    },
}  # fmt: skip
"""Controls, and the value of an annotation that is all right."""
SCALARS = (None, True, 0, -1, 3.5, 1e308, "", "a", "x" * 500, "\x00", "2026-01-01", "NaN")
NAMES = sorted({name for value in GOOD.values() for name in value} | {"radiusX", "radiusY", "imageDataURL", "channel"})


def config(*controls):
    return f'<View><Text name="o" value="$text"/>{"".join(controls)}</View>'


def junk(chance, depth=0):
    """Anything that Label Studio's API takes."""
    kind = chance.random()
    if depth > 3 or kind < 0.5:
        return chance.choice(SCALARS)
    if kind < 0.75:
        return [junk(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(NAMES): junk(chance, depth + 1) for _ in range(chance.randrange(6))}


def annotation(number, task, annotator, *items):
    rows = [{"to_name": "o", "from_name": "c", **PICTURE, **item} for item in items]
    return Annotation(number, task, annotator, json.dumps(rows), False, False, f"2026-01-01T00:{number:04}", 1.0)


@pytest.mark.parametrize("control", GOOD)
def test_nothing_that_the_api_takes_stops_a_project(control):
    chance, found = random.Random(control), find_control(config(control))
    given = []
    for number in range(200):
        value = junk(chance) if chance.random() < 0.3 else dict(GOOD[control])
        if isinstance(value, dict):
            value = {name: junk(chance) if chance.random() < 0.3 else one for name, one in value.items()}
        item = {"type": found.tag, "value": value}
        if chance.random() < 0.2:
            item[chance.choice(["original_width", "original_height", "id", "score"])] = junk(chance)
        given.append(annotation(number, 1 + number % 40, 1 + number % 7, item))
    answers = read_answers(TASKS, given, found)
    scores = score(answers, None, target_quality=0.9, max_labels=5)
    assert ((scores.result.quality >= 0) & (scores.result.quality <= 1)).all()
    tasks = Tasks(TASKS, np.ones(40, np.int64), np.zeros(40, np.bool_))
    plan = make_plan(scores, tasks, [], "", active_annotators=[1])
    assert json.dumps([*plan.consensus_edits.create], allow_nan=False)
    for value in scores.answers.values:
        packed = json.loads(json.dumps(found.form.pack(value), allow_nan=False))
        assert found.form.unpack(packed) == value


def rated(*controls, rows):
    """Scores of the controls of a config, from (task, annotator, items)."""
    given = [annotation(number, task, who, *items) for number, (task, who, items) in enumerate(rows)]
    parts = [read_answers(TASKS, given, control) for control in find_controls(config(*controls))]
    return joint([score(part, None, target_quality=0.8, max_labels=5) for part in parts])


TOPIC = '<Choices name="topic" toName="o"><Choice value="art"/><Choice value="sport"/></Choices>'
STARS = '<Rating name="stars" toName="o"/>'
WHY = (
    '<Choices name="why" toName="o" visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="art">'
    '<Choice value="old"/><Choice value="new"/></Choices>'
)


def said(topic, stars=None, why=None):
    items = [{"from_name": "topic", "type": "choices", "value": {"choices": [topic]}}]
    if stars is not None:
        items.append({"from_name": "stars", "type": "rating", "value": {"rating": stars}})
    if why is not None:
        items.append({"from_name": "why", "type": "choices", "value": {"choices": [why]}})
    return items


def test_quality_settles_a_task_only_if_it_settles_each_of_its_controls():
    rows = [(task, who, said("art" if task % 2 else "sport", 3)) for task in range(1, 31) for who in range(5)]
    rows += [(31, who, said("art", stars)) for who, stars in enumerate((1, 2, 3, 4, 5))]
    scores = rated(TOPIC, STARS, rows=rows)
    topic, stars = scores.controls
    assert topic.result.quality[30] > 0.8 > stars.result.quality[30]
    assert (scores.settled_by[:30] == "quality").all()
    assert scores.settled_by[30] == "labels", "it has as many labels as it may have"


def test_a_task_waits_until_each_of_its_controls_is_sure():
    rows = [(task, who, said("art" if task % 2 else "sport", 3)) for task in range(1, 31) for who in range(3)]
    rows += [(31, who, said("art", stars)) for who, stars in enumerate((1, 3, 5))]
    scores = rated(TOPIC, STARS, rows=rows)
    topic, stars = scores.controls
    assert topic.result.quality[30] > 0.8 > stars.result.quality[30]
    assert scores.settled[:30].all()
    assert not scores.settled[30]
    assert scores.least_quality[30] == stars.result.quality[30]
    assert scores.held_by[30] == 1
    assert scores.priority[30] < scores.priority[:30].min()


def test_who_did_not_see_a_control_leaves_nothing_open():
    rows = [
        (task, who, said("art", why="old") if task % 2 else said("sport")) for task in range(1, 31) for who in range(3)
    ]
    scores = rated(TOPIC, WHY, rows=rows)
    assert scores.settled[:30].all()
    assert not scores.settled[30:].any()
    assert scores.num_labels[:30].tolist() == [3] * 30


def test_a_comment_of_one_keeps_no_task_open_and_is_no_consensus():
    note = '<TextArea name="note" toName="o"/>'
    rows = [(task, who, said("art" if task % 2 else "sport")) for task in range(1, 31) for who in range(3)]
    rows = [
        (
            task,
            who,
            [*items, {"from_name": "note", "type": "textarea", "value": {"text": ["nice"]}}] if who == 1 else items,
        )
        for task, who, items in rows
    ]
    scores = rated(TOPIC, note, rows=rows)
    assert scores.settled[:30].all()
    assert scores.least_quality[:30].min() > 0.8
    tasks = Tasks(TASKS, np.ones(40, np.int64), np.zeros(40, np.bool_))
    plan = make_plan(scores, tasks, [], "", active_annotators=[1])
    written = [item["from_name"] for row in plan.consensus_edits.create for item in row["result"]]
    assert set(written) == {"topic"}


def test_an_annotators_quality_is_the_mean_over_controls():
    rows = [
        (task, who, said("art", 1 + (task * who) % 5 if who == 2 else 3)) for task in range(1, 31) for who in range(3)
    ]
    scores = rated(TOPIC, STARS, rows=rows)
    topic, stars = scores.controls
    found = {one.annotator: one for one in people(scores)}
    assert found[2].labels == 30
    assert found[2].quality == pytest.approx((topic.annotator_quality[2] + stars.annotator_quality[2]) / 2)


def test_an_empty_form_says_that_nothing_applies_unless_something_is_required():
    several = '<Choices name="c" toName="o" choice="multiple"{}><Choice value="a"/><Choice value="b"/></Choices>'
    empty = Annotation(0, 1, 7, "[]", False, False, "2026-01-01T00:00:00", 1.0)
    answers = read_answers(TASKS, [empty], find_control(config(several.format(""))))
    assert answers.values == (frozenset(),)
    other = annotation(1, 2, 7, {"from_name": "gone", "type": "choices", "value": {"choices": ["a"]}})
    answers = read_answers(TASKS, [empty, other], find_control(config(several.format(' required="true"'))))
    assert answers.set_aside == {"empty": 1, "answering 'gone' (choices)": 1}
