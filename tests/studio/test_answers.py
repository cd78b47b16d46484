"""What counts as an answer: not another control's, not our own consensus, and that of each deleted user."""

from __future__ import annotations

import pytest

from harness.project import TEXT_CONFIG, choice
from label_studio_crowd.errors import UserError

LABELS = "aabbaabb"


@pytest.fixture
def finished(make_project, annotators):
    """Eight tasks that three people agree on."""
    answers = [(task, who, label) for task, label in enumerate(LABELS) for who in annotators]
    return make_project([{"text": f"text {n}"} for n in range(len(LABELS))], answers=answers)


def reconfigure(at_work, config):
    assert at_work.api.patch(f"/api/projects/{at_work.project}/", json={"label_config": config}).status_code == 200


@pytest.mark.parametrize(
    "config",
    [
        TEXT_CONFIG.replace('name="label"', 'name="sent"'),
        TEXT_CONFIG[: TEXT_CONFIG.index("<Choices")] + '<Rating name="label" toName="text"/></View>',
    ],
    ids=["renamed", "of another type"],
)
def test_a_control_that_is_changed_after_labelling_reopens_nothing(finished, plugin, config):
    at_work = plugin(finished)
    at_work.connect()
    at_work.sync()
    before = at_work.state()
    reconfigure(at_work, config)
    with pytest.raises(UserError, match=r"24 answering 'label' \(choices\)"):
        at_work.sync()
    assert at_work.state() == before
    reconfigure(at_work, TEXT_CONFIG)
    assert not at_work.sync().plan


def test_answers_to_an_earlier_control_are_told_from_empty_forms(finished, plugin, annotators):
    ann, bob, cyd = annotators
    at_work = plugin(finished)
    at_work.connect()
    reconfigure(at_work, TEXT_CONFIG.replace('name="label"', 'name="sent"'))
    renamed = [{**choice("b")[0], "from_name": "sent"}]
    for task, who, result in ((0, ann, renamed), (0, bob, renamed), (1, cyd, [])):
        who.label(finished.tasks[task], result)
    run = at_work.sync()
    assert run.report().set_aside == {"answering 'label' (choices)": 24, "empty": 1}
    (warning,) = [said for said in run.warnings if "does not ask" in said]
    assert "24 answering 'label' (choices)" in warning


def test_what_a_second_control_is_answered_with_is_no_reason_to_warn(make_project, annotators, plugin):
    ann, bob, _ = annotators
    config = TEXT_CONFIG.replace("</View>", '<Rating name="stars" toName="text"/></View>')
    stars = [{"from_name": "stars", "to_name": "text", "type": "rating", "value": {"rating": 3}}]
    at_work = plugin(make_project([{"text": "one"}, {"text": "two"}], config, [(0, ann, "a"), (1, bob, stars)]))
    at_work.connect()
    run = at_work.sync()
    assert run.report().set_aside == {"answering 'stars' (rating)": 1}
    assert not [said for said in run.warnings if "does not ask" in said]


def create_annotations_from(at_work, version):
    """Do what the Data Manager's action of this name does."""
    action = {"id": "predictions_to_annotations", "project": at_work.project}
    body = {"selectedItems": {"all": True, "excluded": []}, "model_version": version}
    assert at_work.api.post("/api/dm/actions", params=action, json=body).status_code == 200


def test_our_own_consensus_is_no_answer(finished, plugin):
    at_work = plugin(finished)
    at_work.connect()
    labels = at_work.sync().report().labels
    create_annotations_from(at_work, "crowd-consensus")
    run = at_work.sync()
    assert (run.report().labels, run.report().annotators) == (labels, 3)
    assert run.report().set_aside == {"made from our own consensus": len(LABELS)}
    assert any("confirm itself" in said for said in run.warnings)
    # whoever changes such an annotation has given an answer

    made = [row for row in at_work.task(finished.tasks[0])["annotations"] if row["parent_prediction"]]
    body = {"result": choice("c"), "lead_time": 2.0}
    assert at_work.api.patch(f"/api/annotations/{made[0]['id']}/", json=body).status_code == 200
    assert at_work.sync().report().labels == labels + 1


def test_our_own_consensus_is_no_answer_after_its_predictions_are_gone(finished, plugin):
    at_work = plugin(finished)
    at_work.connect()
    labels = at_work.sync().report().labels
    create_annotations_from(at_work, "crowd-consensus")
    at_work.sync()
    at_work.disconnect()
    at_work.connect()
    assert at_work.sync(full=True).report().labels == labels


@pytest.mark.parametrize("how", [{"full": True}, {"sweep": True}], ids=str)
def test_deleted_users_are_several_people(make_project, studio, add_annotator, plugin, how):
    people = [add_annotator() for _ in range(3)]
    answers = [(task, who, label) for task, label in enumerate(LABELS) for who in people]
    at_work = plugin(make_project([{"text": f"text {n}"} for n in range(len(LABELS))], answers=answers))
    at_work.connect()
    labels = at_work.sync().report().labels
    assert any(at_work.look() is None for _ in range(3))
    for who in people[:2]:
        assert studio.api.delete(f"/api/users/{who.id}/").status_code == 204
    run = at_work.look(only_news="sweep" in how, **how)
    assert (run.report().labels, run.report().annotators) == (labels, 3)
    assert run.report().set_aside == {}
    assert [int(who) for who in run.scores.answers.crowd.annotators] == [-1, 0, people[2].id]
    assert not at_work.sync().plan
