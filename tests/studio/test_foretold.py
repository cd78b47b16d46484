"""A classifier that is made of predictions in Label Studio, while these come, go and change without a trace."""

from __future__ import annotations

import pytest

from harness.project import choice
from label_studio_crowd.connection.doctor import examine
from label_studio_crowd.errors import UserError

MODEL = "gpt-5"
GONE = f"no predictions of the model '{MODEL}', which the classifier is made of"


@pytest.fixture
def project(make_project, annotators):
    ann, bob, _ = annotators
    answers = [(task, ann, "a") for task in range(8)] + [(task, bob, "ab"[task % 2]) for task in range(6)]
    return make_project([{"text": f"text {n}"} for n in range(12)], answers=answers)


def predict(at_work, label, tasks):
    rows = [{"task": task, "result": choice(label), "score": 0.9, "model_version": MODEL} for task in tasks]
    assert at_work.studio.import_predictions(at_work.project, rows) == len(rows)


@pytest.fixture
def at_work(project, plugin):
    """The plugin at work with a classifier that is made of predictions."""
    at_work = plugin(project)
    predict(at_work, "b", project.tasks)
    at_work.settings = at_work.settings.model_copy(update={"classifier": f"predictions:{MODEL}"})
    at_work.connect()
    assert "which 12 of 12 tasks have" in at_work.sync().report().classifier
    come_to_rest(at_work)
    return at_work


def come_to_rest(at_work):
    """Look for news as a service does, until there is none: a run that opens tasks changes them."""
    assert any(at_work.look() is None for _ in range(3))


def found(at_work):
    """What `doctor` finds of the classifier."""
    return [(check.level, check.what) for check in examine(at_work.opened) if "classifier is made of" in check.what]


def test_predictions_that_were_deleted_have_no_say_until_they_are_back(at_work, run):
    assert found(at_work) == [("ok", f"the classifier is made of 12 predictions of the model '{MODEL}'")]
    heard = at_work.sync().scores.result.quality
    at_work.studio.delete_version(at_work.project, MODEL)
    alone = at_work.look()  # as a service looks
    assert [line for line in alone.warnings if GONE in line]
    assert not alone.scores.hears_model
    assert found(at_work)[0][0] == "wrong"
    assert GONE in found(at_work)[0][1]
    assert GONE in " ".join(run(["status", at_work.project]).stdout.split())
    come_to_rest(at_work)
    for how in ({}, {"full": True}):
        assert at_work.sync(**how).report().classifier.startswith("none: ")
    predict(at_work, "b", at_work.tasks)
    again = at_work.look()
    assert (again.scores.result.quality == heard).all()
    assert not [line for line in again.warnings if GONE in line]


def test_predictions_that_changed_are_read_again(at_work):
    before = at_work.sync().judged.probabilities[0].pred_probs
    at_work.studio.delete_version(at_work.project, MODEL)
    predict(at_work, "a", at_work.tasks)
    after = at_work.look().judged.probabilities[0].pred_probs
    assert (before.argmax(axis=1) != after.argmax(axis=1)).all()


def test_a_version_that_never_was_is_refused_every_time(at_work):
    at_work.settings = at_work.settings.model_copy(update={"classifier": "predictions:gpt-9"})
    for _ in range(2):
        with pytest.raises(
            UserError, match=f"no predictions of model version 'gpt-9'; .*'{MODEL}' \\(12 predictions\\)"
        ):
            at_work.sync()


def test_predictions_of_something_else_are_counted(at_work):
    other = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["no such class"]}}]
    rows = [{"task": task, "result": other, "model_version": "odd"} for task in at_work.tasks]
    for row in rows:
        at_work.studio.create_prediction(row)
    at_work.settings = at_work.settings.model_copy(update={"classifier": "predictions:odd"})
    with pytest.raises(UserError, match="Of the 12 predictions of model version 'odd' none answers this control"):
        at_work.sync()
