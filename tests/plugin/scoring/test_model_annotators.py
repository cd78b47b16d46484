"""Models whose predictions are answers have a say and a quality; their answers are no labels of a task."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from crowdcore.outlook.forecast import forecast_accuracy
from harness.snapshots import annotation, control_of, snapshot_of
from label_studio_crowd.scoring.accuracy import consensus_accuracy
from label_studio_crowd.scoring.answers import ALONE
from label_studio_crowd.scoring.joint import joint, people
from label_studio_crowd.scoring.outlook import _coefficients
from label_studio_crowd.scoring.reading import read_answers
from label_studio_crowd.scoring.scores import score
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import is_model, model_id
from label_studio_crowd.studio.controls import find_control, find_controls
from tests.plugin.scoring.test_kinds import GOOD, config, junk

MODEL, OTHER = model_id("gpt-5"), model_id("detector-2")
CONFIG, CONTROL = control_of(("a", "b", "c"))
TASKS = np.arange(1, 41)


def crowd_of(accuracies, *, tasks=40, seed=0):
    """Annotations by annotator → (accuracy, tasks); the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=tasks)
    given = []
    for who, (accuracy, theirs) in accuracies.items():
        for task in theirs:
            code = truth[task] if rng.random() < accuracy else rng.integers(3)
            given.append(annotation(CONTROL, len(given), task + 1, who, "abc"[code]))
    return given, truth


def scored(given, *, target_quality=0.9, min_labels=None, max_labels=5, control=CONTROL):
    answers = read_answers(TASKS, given, control)
    return score(answers, None, target_quality=target_quality, min_labels=min_labels, max_labels=max_labels)


PEOPLE = {5: (0.8, range(30)), 6: (0.8, range(30))}
WITH_MODELS = {**PEOPLE, MODEL: (0.95, range(40)), OTHER: (0.0, range(40))}


def test_models_have_a_quality_and_their_answers_are_no_labels():
    scores = scored(crowd_of(WITH_MODELS)[0], max_labels=3)
    quality = {one.annotator: one.quality for one in people(scores)}
    assert quality[MODEL] > 0.75 > 0.6 > quality[OTHER]
    assert scores.num_labels.tolist() == [2] * 30 + [0] * 10
    assert not scores.settled[30:].any()
    assert "labels" not in scores.settled_by, "two of at most three labels"
    assert (scores.answers.occupied == scores.num_labels).all()
    assert (scores.majority[30:] == -1).all()


def test_a_good_model_makes_the_consensus_better():
    given, truth = crowd_of(WITH_MODELS)
    alone = [row for row in given if not is_model(row.annotator)]
    right = [float((scored(rows).result.consensus[:30] == truth[:30]).mean()) for rows in (given, alone)]
    assert right[0] > right[1]


def test_one_person_and_a_model_settle_nothing_by_quality():
    given, _ = crowd_of({5: (1.0, range(40)), MODEL: (1.0, range(40)), OTHER: (1.0, range(40))})
    scores = scored(given, min_labels=1)
    assert scores.result.quality.min() > 0.9
    assert not scores.settled.any()
    two, _ = crowd_of({5: (1.0, range(40)), 6: (1.0, range(1)), MODEL: (1.0, range(40))})
    assert scored(two, min_labels=1).settled.any(), "they were compared with a person on one task"


def test_what_only_models_say_does_not_settle_what_people_contradict():
    sure = {who: (1.0, range(1, 40)) for who in (5, 6, MODEL, OTHER)}
    given, truth = crowd_of(sure)
    wrong = "abc"[(truth[0] + 1) % 3]
    given += [annotation(CONTROL, 500 + who % 7, 1, who, "abc"[truth[0]]) for who in (MODEL, OTHER)]
    given += [annotation(CONTROL, 600, 1, 7, wrong)]
    scores = scored(given, min_labels=1)
    assert scores.result.consensus[0] == truth[0]
    assert scores.model_disagrees[0]
    assert not scores.settled[0]
    assert "abc"[scores.majority[0]] == wrong


def test_a_model_makes_no_class_of_a_label_that_is_not_offered():
    strange = [annotation(CONTROL, 1, 1, 5, "x"), annotation(CONTROL, 2, 1, MODEL, "x")]
    answers = read_answers(TASKS, [*strange, annotation(CONTROL, 3, 2, 5, "a")], CONTROL)
    assert answers.names == ("a", "b", "c")
    assert answers.unread == {MODEL: {ALONE: 1}}
    assert answers.set_aside == {ALONE: 1}
    both = read_answers(TASKS, [*strange, annotation(CONTROL, 3, 2, 6, "x")], CONTROL)
    assert both.names == ("a", "b", "c", "x")
    assert len(both.crowd.label) == 3


def test_who_copies_a_model_has_given_a_label():
    rng = np.random.default_rng(7)
    given, _ = crowd_of({who: (0.75, range(120)) for who in range(1, 8)}, tasks=120, seed=1)
    for task in range(120):
        said = "abc"[rng.integers(3)]
        given += [
            annotation(CONTROL, 900 + 2 * task + place, task + 1, who, said) for place, who in enumerate((9, MODEL))
        ]
    scores = score(read_answers(np.arange(1, 121), given, CONTROL), None, target_quality=0.9, max_labels=20)
    (group,) = scores.copies
    assert scores.answers.crowd.annotators[group.annotators].tolist() == [9, MODEL]
    assert (scores.num_labels == 8).all()


@pytest.mark.parametrize("control", [control for control in GOOD if "Brush" not in control])  # that is no picture
def test_models_answer_every_kind(control):
    chance, found = random.Random(control), find_control(config(control))
    found = replace(found, kind="set") if found.takes_several else found
    given, number = [], 0
    for task in range(1, 31):
        for who in (5, 6, MODEL, OTHER):
            number += 1
            value = junk(chance) if who == OTHER and chance.random() < 0.5 else GOOD[control]
            item = {"to_name": "o", "from_name": "c", "original_width": 400, "original_height": 200, "type": found.tag}
            given.append(Annotation(number, task, who, json.dumps([{**item, "value": value}]), False, False, "", None))
    given = [row for row in given if row.task <= 20 or is_model(row.annotator)]
    scores = scored(given, control=found, min_labels=1)
    assert scores.num_labels.max() == 2
    assert not scores.settled[30:].any()
    only_models = scores.num_labels == 0
    assert not scores.settled[only_models].any()
    rows = {one.annotator: one for one in people(scores)}
    assert rows[MODEL].labels >= 20
    assert 0 <= rows[MODEL].quality <= 1


def test_a_control_that_only_a_model_answers_is_left_out():
    text = config(
        '<Choices name="c" toName="o"><Choice value="a"/><Choice value="b"/></Choices>', '<Number name="n" toName="o"/>'
    )
    first, second = find_controls(text)
    item = {"from_name": "c", "to_name": "o", "type": "choices", "value": {"choices": ["a"]}}
    number = {"from_name": "n", "to_name": "o", "type": "number", "value": {"number": 3}}
    given = [Annotation(who, 1, who, json.dumps([item]), False, False, "", None) for who in (5, 6)]
    given.append(Annotation(9, 1, MODEL, json.dumps([item, number]), False, False, "", None))
    given.append(Annotation(7, 2, 5, json.dumps([item, number]), False, False, "", None))
    answers = [read_answers(TASKS, given, one) for one in (first, second)]
    together = joint([score(one, None, target_quality=0.9, max_labels=5) for one in answers])
    assert together.num_labels[:2].tolist() == [2, 1]
    assert together.parts[1].left_out[0]
    assert not together.parts[1].left_out[1]


def test_the_forecast_asks_people_alone():
    given, _ = crowd_of(WITH_MODELS)
    scores = scored(given)
    who = ~scores.answers.are_models
    for people_only, labels in ((who, scores.num_labels), (None, scores.answers.crowd.num_answers)):
        found = forecast_accuracy(scores.result, target_quality=1.0, max_labels=6, people=people_only, n_simulations=2)
        assert found.labels_needed == (6 - labels).sum(), "nothing is surely right, so each task gets all it may have"
    with pytest.raises(ValueError, match="people must have True or False"):
        forecast_accuracy(scores.result, people=[True])


def test_the_accuracy_is_that_of_tasks_with_labels():
    scores = scored(crowd_of(WITH_MODELS)[0])
    found = consensus_accuracy(scores.result, ~scores.answers.are_models)
    assert found.value == pytest.approx(scores.result.quality[:30].mean())
    nobody = scored(crowd_of({MODEL: (0.9, range(40)), OTHER: (0.9, range(40))})[0])
    assert consensus_accuracy(nobody.result, ~nobody.answers.are_models).value is None


def test_agreement_is_that_of_people():
    given, _ = crowd_of(WITH_MODELS)
    alone = [row for row in given if row.annotator in (5, 6)]
    assert _coefficients(scored(given).answers.labels) == _coefficients(scored(alone).answers.crowd)


def test_a_snapshot_keeps_labels_and_answers_of_models_apart():
    given, _ = crowd_of(WITH_MODELS)
    found = snapshot_of(given, 40)
    again = type(found).from_bytes(found.to_bytes())
    assert again is not None
    for one in (found, again):
        assert one.labels.tolist() == [2] * 30 + [0] * 10
        assert one.by_models.tolist() == [2] * 40
        assert one.people.num_answers.tolist() == one.labels.tolist()
        assert sorted(one.annotators[one.are_models].tolist()) == sorted([MODEL, OTHER])
    without = snapshot_of([row for row in given if row.annotator in (5, 6)], 40)
    assert without.people is without.crowd
    assert replace(without, by_models=np.zeros(40, np.int64)).crowd.num_answers.tolist() == without.labels.tolist()
