"""Answers about single regions, and relations between them, from annotations to what is written back."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from label_studio_crowd.exchange.plan import make_plan
from label_studio_crowd.scoring.joint import joint, score_together
from label_studio_crowd.scoring.reading import read_answers
from label_studio_crowd.scoring.scores import score
from label_studio_crowd.store.mirror import Annotation, Tasks
from label_studio_crowd.studio.controls import find_controls

TASKS = np.arange(1, 41)
WORDS = ["Ann", "met", "Bob", "in", "Rome", "and", "Eve"]
TEXT = " ".join(WORDS)
PLACES = {word: (TEXT.index(word), TEXT.index(word) + len(word)) for word in WORDS}
NAMES = ("Ann", "Bob", "Rome")
LABELS = '<Labels name="ner" toName="t"><Label value="PER"/><Label value="LOC"/></Labels>'
MOOD = '<Choices name="mood" toName="t" perRegion="true"><Choice value="good"/><Choice value="bad"/></Choices>'
TAGS = (
    '<Choices name="tags" toName="t" perRegion="true" choice="multiple"><Choice value="x"/><Choice value="y"/>'
    "</Choices>"
)
STARS = '<Rating name="stars" toName="t" perRegion="true"/>'
AGE = '<Number name="age" toName="t" perRegion="true"/>'
NOTE = '<TextArea name="note" toName="t" perRegion="true" whenTagName="ner" whenLabelValue="PER"/>'
RELATIONS = '<Relations><Relation value="knows"/><Relation value="in"/></Relations>'


def config(*controls):
    return f'<View><Text name="t" value="$text"/>{LABELS}{"".join(controls)}</View>'


def value_of(word, **said):
    start, end = PLACES[word]
    return {"start": start, "end": end, "text": word, **said}


def region(word, who):
    return {
        "id": f"{word}-{who}",
        "from_name": "ner",
        "to_name": "t",
        "type": "labels",
        "value": value_of(word, labels=["LOC" if word == "Rome" else "PER"]),
    }


def about(word, who, name, kind, **said):
    return {"id": f"{word}-{who}", "from_name": name, "to_name": "t", "type": kind, "value": value_of(word, **said)}


def relation(one, other, who, *labels, direction="right"):
    ends = {"from_id": f"{one}-{who}", "to_id": f"{other}-{who}"}
    return {**ends, "type": "relation", "direction": direction, "labels": list(labels)}


def annotation(number, task, who, items, **more):
    row = Annotation(number, task, who, json.dumps(items), False, False, f"2026-01-01T00:00:00.{number:06}Z", 1.0)
    return row._replace(**more)


def scored(controls, given, **how):
    """The scores of a project, by control."""
    answers = [
        read_answers(TASKS, given, control, trust_ground_truth=True) for control in find_controls(config(*controls))
    ]
    parts = score_together(
        answers, lambda each, regions: score(each, None, target_quality=0.8, max_labels=5, regions=regions)
    )
    whole = joint(parts)
    return whole, {part.answers.control.name: part for part in whole.controls}


def written(scores, task):
    """The consensus of a task as it is written."""
    states = Tasks(TASKS, np.ones(len(TASKS), np.int64), np.zeros(len(TASKS), np.bool_))
    plan = make_plan(scores, states, [], "", active_annotators=[1], queue_size=len(TASKS))
    return next(row["result"] for row in plan.consensus_edits.create if row["task"] == task)


def crowd(chance, wrong=0.15):
    """Three of five people about each task, who mark three names and say something of each, with mistakes."""
    number = 0
    for task in range(1, 31):
        for who in chance.sample(range(1, 6), 3):
            items = []
            for word in NAMES:
                good = (task + NAMES.index(word)) % 2 == 0
                slip = chance.random() < wrong
                items += [
                    region(word, who),
                    about(word, who, "mood", "choices", choices=["good" if good != slip else "bad"]),
                    about(word, who, "age", "number", number=10 * NAMES.index(word) + task + chance.choice((0, 0, 1))),
                    about(word, who, "stars", "rating", rating=1 + (task + slip) % 5),
                ]
                if good != slip:
                    items.append(about(word, who, "tags", "choices", choices=["x"]))
                if word != "Rome":
                    items.append(about(word, who, "note", "textarea", text=[f"{word} of {task}"]))
            if chance.random() > wrong:
                items.append(relation("Ann", "Bob", who, "knows", direction="bi"))
            ends = ("Bob", "Rome") if chance.random() > wrong else ("Rome", "Bob")
            items.append(relation(*ends, who, "in"))
            yield annotation(number, task, who, items)
            number += 1


def test_what_is_said_of_regions_is_believed_and_written_with_the_regions_ids():
    scores, parts = scored((MOOD, TAGS, STARS, AGE, NOTE, RELATIONS), list(crowd(random.Random(1))))
    assert list(parts) == ["ner", "mood", "tags", "stars", "age", "note", "relations"]
    right = dict.fromkeys(parts, 0)
    for task in range(1, 31):
        result = written(scores, task)
        ids = {item["id"]: item["value"]["text"] for item in result if item.get("from_name") == "ner"}
        assert sorted(ids.values()) == sorted(NAMES)
        assert len({id(item) for item in result}) == len(result)
        for item in result:
            if item["type"] == "relation":
                ends = ids[item["from_id"]], ids[item["to_id"]]
                expected = {("Ann", "Bob"): ("bi", ["knows"]), ("Bob", "Rome"): ("right", ["in"])}
                right["relations"] += expected.get(ends) == (item["direction"], item["labels"])
                continue
            word, value = ids[item["id"]], item["value"]
            assert (value["start"], value["end"]) == PLACES[word]
            assert 0 < item["score"] <= 1
            good = (task + NAMES.index(word)) % 2 == 0
            if item["from_name"] == "mood":
                right["mood"] += value["choices"] == ["good" if good else "bad"]
                assert list(value) == ["start", "end", "text", "choices"]
            elif item["from_name"] == "tags":
                right["tags"] += good and value["choices"] == ["x"]
            elif item["from_name"] == "age":
                right["age"] += abs(value["number"] - 10 * NAMES.index(word) - task) <= 1
            elif item["from_name"] == "note":
                right["note"] += value["text"] == [f"{word} of {task}"]
            elif item["from_name"] == "stars":
                right["stars"] += value["rating"] == 1 + task % 5
    assert right["mood"] >= 80
    assert right["tags"] >= 38
    assert right["age"] == 90
    assert right["note"] == 60
    assert right["stars"] >= 75
    assert right["relations"] >= 55


def test_a_tasks_quality_is_the_mean_of_its_regions_and_doubt_about_one_is_seen():
    sure = [
        annotation(
            10 * task + who,
            task,
            who,
            [region("Ann", who), about("Ann", who, "mood", "choices", choices=["good" if task % 2 else "bad"])],
        )
        for task in range(1, 20)
        for who in (1, 2, 3)
    ]
    split = [
        annotation(
            900 + who,
            20,
            who,
            [
                region("Ann", who),
                region("Bob", who),
                about("Ann", who, "mood", "choices", choices=["good"]),
                about("Bob", who, "mood", "choices", choices=["good" if who == 1 else "bad"]),
            ],
        )
        for who in (1, 2)
    ]
    scores, parts = scored((MOOD,), sure + split)
    quality = parts["mood"].result.quality
    assert quality[0] > 0.9
    assert 0.5 < quality[19] < 0.9
    of_regions = parts["mood"].result.of_parts[19]
    assert [part.part for part in of_regions] == ["“Ann”", "“Bob”"]
    assert quality[19] == pytest.approx(np.mean([part.quality for part in of_regions]))
    assert of_regions[0].votes == (("good", (0, 1)),)
    assert sorted(of_regions[1].votes) == [("bad", (1,)), ("good", (0,))]
    assert scores.settled_by[0] == "quality"
    assert scores.settled_by[19] == ""


def test_only_kept_regions_have_answers_and_those_who_missed_a_region_have_no_say():
    given = [
        annotation(
            10 * task + who,
            task,
            who,
            [
                region("Ann", who),
                about("Ann", who, "mood", "choices", choices=["good"]),
                # one of four alone marks what is no name
                *([region("and", who), about("and", who, "mood", "choices", choices=["bad"])] if who == 1 else []),
                # and does not mark what is one
                *([region("Bob", who), about("Bob", who, "mood", "choices", choices=["bad"])] if who != 1 else []),
            ],
        )
        for task in range(1, 31)
        for who in (1, 2, 3, 4)
    ]
    scores, parts = scored((MOOD,), given)
    said = {
        item["value"]["text"]: item["value"].get("choices") for item in written(scores, 1) if "choices" in item["value"]
    }
    assert said == {"Ann": ["good"], "Bob": ["bad"]}
    assert [len(who) for part in parts["mood"].result.of_parts[0] for _, who in part.votes] == [4, 3]


def test_a_control_that_most_leave_empty_keeps_no_task_open():
    given = [
        annotation(
            10 * task + who,
            task,
            who,
            [
                region("Ann", who),
                *([about("Ann", who, "note", "textarea", text=[f"note {who}"])] if who == 1 and task < 5 else []),
            ],
        )
        for task in range(1, 31)
        for who in (1, 2, 3)
    ]
    scores, _ = scored((NOTE,), given)
    assert (scores.settled_by[:30] == "quality").all()
    assert all(item["type"] == "labels" for item in written(scores, 1))


def test_the_truth_of_regions_is_the_truth_of_what_is_said_of_them():
    rows = [
        annotation(
            10 * task + who,
            task,
            who,
            [region("Ann", who), about("Ann", who, "mood", "choices", choices=["bad" if who == 1 else "good"])],
        )
        for task in range(1, 21)
        for who in (1, 2)
    ]
    truths = [
        annotation(
            900 + task,
            task,
            9,
            [region("Ann", 9), about("Ann", 9, "mood", "choices", choices=["good"])],
            ground_truth=True,
        )
        for task in range(1, 11)
    ]
    scores, parts = scored((MOOD,), rows + truths)
    assert set(scores.settled_by[:10]) == {"truth"}
    careless, careful = parts["mood"].annotator_quality
    assert careless < 0.3 < 0.7 < careful
    choices = [item["value"]["choices"] for item in written(scores, 15) if item["from_name"] == "mood"]
    assert choices == [["good"]]


def test_nothing_said_of_regions_at_all_is_empty_and_a_task_without_answers_waits():
    given = [annotation(10 * task + who, task, who, [region("Ann", who)]) for task in range(1, 11) for who in (1, 2)]
    scores, parts = scored((MOOD, RELATIONS), given)
    assert not scores.settled[10:].any()
    assert all(value.items == () for value in parts["mood"].answers.values)
    assert all(value.arrows == () for value in parts["relations"].answers.values)
    assert [item["type"] for item in written(scores, 1)] == ["labels"]


def test_several_controls_can_mark_the_regions():
    boxes = (
        '<Image name="i" value="$image"/><Labels name="label" toName="i"><Label value="a"/></Labels>'
        '<Rectangle name="box" toName="i"/><Polygon name="poly" toName="i"/>'
        '<TextArea name="words" toName="i" perRegion="true"/>'
    )
    beside = {"to_name": "i", "original_width": 100, "original_height": 50}

    def items(who, task):
        place = {"x": 10 + who / 4, "y": 10, "width": 20, "height": 20, "rotation": 0}
        line = {"points": [[60, 10], [90, 10 + who / 4], [75, 60]], "closed": True}
        rows = [
            ("r", "box", "rectangle", place),
            ("r", "label", "labels", {**place, "labels": ["a"]}),
            ("r", "words", "textarea", {**place, "text": [f"one {task}"]}),
            ("p", "poly", "polygon", line),
            ("p", "label", "labels", {**line, "labels": ["a"]}),
            ("p", "words", "textarea", {**line, "text": [f"two {task}"]}),
        ]
        return [
            {"id": f"{name}{who}", "from_name": source, "type": kind, "value": value, **beside}
            for name, source, kind, value in rows
        ]

    given = [annotation(10 * task + who, task, who, items(who, task)) for task in range(1, 31) for who in (1, 2, 3)]
    scores, parts = scored((boxes,), given)
    assert all(set(parts[name].result.details) == set(parts["ner"].result.details) for name in ("box", "poly", "label"))
    result = [item for item in written(scores, 7) if item["from_name"] != "ner"]
    by_id = {}
    for item in result:
        by_id.setdefault(item["id"], {})[item["from_name"]] = item["value"]
    assert sorted(sorted(names) for names in by_id.values()) == [["box", "label", "words"], ["label", "poly", "words"]]
    for said in by_id.values():
        assert (
            len(
                {json.dumps({name: one[name] for name in one if name in ("x", "y", "points")}) for one in said.values()}
            )
            == 1
        )
        assert said["words"]["text"] == ["one 7" if "box" in said else "two 7"]


def test_answers_about_a_chats_messages_are_by_message():
    chat = (
        '<Chat name="chat" value="$chat"/>'
        '<Choices name="tone" toName="chat" perRegion="true"><Choice value="kind"/><Choice value="rude"/></Choices>'
    )

    def items(who, task):
        return [
            {
                "id": f"m{at}",
                "from_name": "tone",
                "to_name": "chat",
                "type": "choices",
                "value": {
                    "chatmessage": {"role": "user", "content": f"message {at}"},
                    "choices": ["kind" if (task + at) % 2 or (who == 3 and task % 4 == 0) else "rude"],
                },
            }
            for at in range(2)
        ]

    given = [annotation(10 * task + who, task, who, items(who, task)) for task in range(1, 31) for who in (1, 2, 3)]
    scores, parts = scored((chat,), given)
    result = [item for item in written(scores, 4) if item["from_name"] == "tone"]
    assert {item["id"]: item["value"]["choices"] for item in result} == {"m0": ["rude"], "m1": ["kind"]}
    assert parts["tone"].result.of_parts[3][0].part == "“message 0”"


def test_what_cannot_be_written_with_an_id_is_not_written():
    chat = '<Chat name="chat" value="$chat"/><Rating name="good" toName="chat" perRegion="true"/>'

    def item(who):
        message = {"role": "user", "content": "hello"}
        value = {"chatmessage": message, "rating": 4}
        return {"id": f"of {who}", "from_name": "good", "to_name": "chat", "type": "rating", "value": value}

    given = [annotation(10 * task + who, task, who, [item(who)]) for task in range(1, 31) for who in (1, 2, 3)]
    scores, parts = scored((chat,), given)
    assert parts["good"].result.of_parts[0][0].consensus == "4"
    assert scores.settled[:30].all()


@pytest.mark.parametrize("control", [MOOD, TAGS, STARS, AGE, NOTE, RELATIONS])
def test_nothing_that_the_api_takes_stops_a_project(control):
    chance = random.Random(control)
    junk = (None, True, -1, "", "a", 1e308, [], ["a", 1], {}, {"a": 1}, "Ann-1")
    given = []
    for number, row in enumerate(crowd(chance)):
        items = json.loads(row.result)
        for item in items:
            if chance.random() < 0.2:
                where = item if chance.random() < 0.5 or not isinstance(item.get("value"), dict) else item["value"]
                where[chance.choice(list(where) or ["id"])] = chance.choice(junk)
        given.append(row._replace(id=number, result=json.dumps(items)))
    scores, parts = scored((control,), given)
    for part in parts.values():
        assert ((part.result.quality >= 0) & (part.result.quality <= 1)).all()
        form = part.answers.control.form
        for value in part.answers.values:
            packed = json.loads(json.dumps(form.pack(value), allow_nan=False))
            assert form.pack(form.unpack(packed)) == packed
    assert written(scores, 1)


def test_the_regions_of_documents_are_on_their_pages_and_have_their_texts():
    ocr = '<Pdf name="d" value="$pdf"/><OcrLabels name="ocr" toName="d"><Label value="total"/></OcrLabels>'

    def items(who, task):
        place = {"x": 10, "y": 20 + who / 10, "width": 30, "height": 5, "rotation": 0}
        return [
            {
                "from_name": "ocr",
                "to_name": "d",
                "type": "ocrlabels",
                "value": {**place, "ocrtext": "sun" if page and who == 3 else f"sum {page}", "ocrlabels": ["total"]}
                | ({"pageIndex": page} if page else {}),
            }
            for page in range(3)
        ]

    given = [annotation(10 * task + who, task, who, items(who, task)) for task in range(1, 21) for who in (1, 2, 3)]
    scores, _ = scored((ocr,), given)
    values = [item["value"] for item in written(scores, 5) if item["from_name"] == "ocr"]
    assert [value.get("pageIndex", 0) for value in values] == [0, 1, 2]
    assert [value["ocrtext"] for value in values] == ["sum 0", "sum 1", "sum 2"]
    assert all(value["y"] == pytest.approx(20.2) and value["ocrlabels"] == ["total"] for value in values)
