"""The mirror equals Label Studio, whatever happened in between."""

from __future__ import annotations

import pytest


def choice(*labels):
    return [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}]


@pytest.fixture
def at_work(make_project, annotators, plugin):
    ann, bob, _ = annotators
    answers = [(task, ann, "a") for task in range(6)] + [(task, bob, "b") for task in range(3)]
    at_work = plugin(make_project([{"text": f"text {n}"} for n in range(8)], answers=answers))
    at_work.connect()
    at_work.sync()
    return at_work


def held(at_work):
    return at_work.mirror.tasks().ids.tolist(), at_work.mirror.annotations(), at_work.mirror.data()


def assert_true_copy(at_work):
    """What is held after changes were pulled is what a full pull brings."""
    incremental = held(at_work)
    at_work.sync(full=True)
    assert held(at_work) == incremental


def annotations_of(at_work, task):
    return at_work.api.get(f"/api/tasks/{task}/annotations/").json()


def test_an_edited_annotation(at_work):
    annotation = annotations_of(at_work, at_work.tasks[5])[0]["id"]
    at_work.api.patch(f"/api/annotations/{annotation}/", json={"result": choice("c")})
    run = at_work.sync()
    assert not run.pulled.full
    assert run.scores.answers.crowd.counts[5].tolist() == [0, 0, 1]
    assert_true_copy(at_work)


def test_a_deleted_annotation(at_work):
    annotation = annotations_of(at_work, at_work.tasks[5])[0]["id"]
    at_work.api.delete(f"/api/annotations/{annotation}/")
    run = at_work.sync()
    assert run.scores.answers.crowd.num_answers.tolist() == [2, 2, 2, 1, 1, 0, 0, 0]
    assert_true_copy(at_work)


def test_a_deleted_task(at_work):
    gone = at_work.tasks[2]
    assert gone in at_work.served_queue()
    at_work.api.delete(f"/api/tasks/{gone}/")
    run = at_work.sync()
    assert run.pulled.deleted == 1
    assert gone not in at_work.mirror.tasks().ids
    assert gone not in at_work.served_queue()
    assert_true_copy(at_work)


def test_new_tasks_enter_the_queue(at_work):
    at_work.api.post(f"/api/projects/{at_work.project}/import", json=[{"data": {"text": "new"}}])
    run = at_work.sync()
    assert run.pulled.changed >= 1
    assert len(at_work.served_queue()) == 9
    assert_true_copy(at_work)


def test_changed_data(at_work):
    at_work.api.patch(f"/api/tasks/{at_work.tasks[7]}/", json={"data": {"text": "another text"}})
    at_work.sync()
    assert at_work.mirror.data()[7] == {"text": "another text"}
    assert_true_copy(at_work)


def test_skipped_empty_several_and_repeated_annotations(at_work, annotators):
    ann, bob, cyd = annotators
    skipped, empty, several, twice = at_work.tasks[6], at_work.tasks[7], at_work.tasks[4], at_work.tasks[5]
    cyd.skip(skipped)
    cyd.label(empty, [])
    bob.label(several, choice("a", "b"))
    ann.label(twice, choice("c"))
    run = at_work.sync()
    assert run.scores.answers.set_aside == {
        "skipped": 1,
        "empty": 1,
        "with several labels": 1,
        "superseded by the annotator's later one": 1,
    }
    assert run.scores.answers.crowd.counts[5].tolist() == [0, 0, 1], "the latest counts"
    assert_true_copy(at_work)


def test_ground_truth_as_an_answer_or_as_the_truth(at_work, annotators):
    cyd = annotators[2]
    truth = at_work.tasks[0]  # ann says a, bob says b
    made = cyd.label(truth, choice("c"))
    at_work.api.patch(f"/api/annotations/{made}/", json={"ground_truth": True})
    run = at_work.sync()
    assert run.scores.answers.crowd.num_answers[0] == 3
    assert any("--trust-ground-truth" in warning for warning in run.warnings)

    at_work.settings = at_work.settings.model_copy(update={"trust_ground_truth": True})
    at_work.settings.model_fields_set.add("trust_ground_truth")
    run = at_work.sync()
    assert run.scores.answers.crowd.num_answers[0] == 2
    assert run.scores.answers.crowd.classes[run.scores.result.consensus[0]] == "c"
    assert run.scores.settled[0]
    assert truth not in at_work.served_queue()
    assert run.report()["ground_truth_trusted"] == 1


def test_an_annotation_of_a_deleted_user(at_work, add_annotator):
    person = add_annotator()
    person.label(at_work.tasks[7], choice("a"))
    at_work.sync()
    assert at_work.api.delete(f"/api/users/{person.id}/").status_code == 204
    run = at_work.sync(full=True)
    assert run.scores.answers.crowd.num_answers[7] in (0, 1)  # Label Studio keeps it without its author, or drops it
    assert len(at_work.mirror.annotations()) == at_work.info()["total_annotations_number"]
