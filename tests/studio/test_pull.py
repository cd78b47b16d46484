"""The mirror equals Label Studio, whatever happened in between."""

from __future__ import annotations

import numpy as np
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
    return at_work.store.mirror.tasks().ids.tolist(), at_work.store.mirror.annotations(), at_work.store.mirror.data()


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
    assert gone not in at_work.store.mirror.tasks().ids
    assert gone not in at_work.served_queue()
    assert_true_copy(at_work)


HALF = rb'[{"data": {"text": "cut \ud83d"}}]'
"""A task that Label Studio takes and cannot give: its text has half a character."""


def import_bytes(at_work, body):
    url, json = f"/api/projects/{at_work.project}/import", {"Content-Type": "application/json"}
    answer = at_work.api.post(url, params={"return_task_ids": "true"}, content=body, headers=json)
    (task,) = answer.json()["task_ids"]
    return task


def test_a_task_that_cannot_be_read_is_named_and_left_out(at_work, annotators):
    before = at_work.served_queue()
    bad = import_bytes(at_work, HALF)
    good = import_bytes(at_work, b'[{"data": {"text": "whole"}}]')
    annotators[2].label(at_work.tasks[7], choice("a"))
    run = at_work.sync()
    (warning,) = [said for said in run.warnings if "cannot give" in said]
    assert str(bad) in warning
    assert set(at_work.served_queue()) == {*before, good}
    assert run.scores.answers.crowd.num_answers[7] == 1
    assert not at_work.sync().pulled.full  # it is known, and explains the counts
    assert_true_copy(at_work)
    assert at_work.api.delete(f"/api/tasks/{bad}/").status_code == 204
    assert not [said for said in at_work.sync().warnings if "cannot give" in said]


def test_connect_and_disconnect_pass_a_task_that_cannot_be_read(make_project, plugin):
    at_work = plugin(make_project([{"text": "one"}, {"text": "two"}]))
    import_bytes(at_work, HALF)
    before = at_work.info()
    at_work.connect()
    at_work.sync()
    at_work.disconnect()
    assert [at_work.info()[name] for name in ("sampling", "model_version")] == [before["sampling"], ""]
    assert at_work.predictions() == []


@pytest.mark.parametrize("ahead", [120, -120])
def test_a_proxy_whose_clock_is_another(at_work, annotators, ahead):
    """A proxy that answers with a Date of its own."""
    time = at_work.studio.time

    def of_the_proxy():
        at = np.datetime64(time().rstrip("Z"), "us") + np.timedelta64(ahead, "s")
        return f"{at}.000000Z" if "." not in str(at) else f"{at}Z"

    at_work.studio.time = of_the_proxy
    at_work.sync()
    annotation = annotations_of(at_work, at_work.tasks[5])[0]["id"]
    at_work.api.patch(f"/api/annotations/{annotation}/", json={"result": choice("c")})
    run = at_work.sync()
    assert not run.pulled.full
    assert run.scores.answers.crowd.counts[5].tolist() == [0, 0, 1]
    assert_true_copy(at_work)


def test_an_idle_project_is_not_read_again_and_again(at_work, annotators, monkeypatch):
    later, time, read = 0, at_work.studio.time, []
    at_work.studio.time = lambda: str(np.datetime64(time().rstrip("Z"), "us") + np.timedelta64(later, "s")) + "Z"
    tasks = at_work.studio.tasks

    def counted(*args, **how):
        for page in tasks(*args, **how):
            read.extend(page.tasks)
            yield page

    at_work.studio.tasks = counted
    for _ in range(3):
        at_work.sync()
        later += 60
    read.clear()
    at_work.sync()
    assert read == []
    annotators[2].label(at_work.tasks[7], choice("a"))
    assert at_work.sync().scores.answers.crowd.num_answers[7] == 1


def test_data_nested_without_an_end_is_data(at_work):
    deep = b'{"a":' * 300 + b'"x"' + b"}" * 300
    task = import_bytes(at_work, b'[{"data": {"text": "deep", "more": ' + deep + b"}}]")
    at_work.sync()
    assert task in at_work.served_queue()
    assert at_work.store.mirror.data([task])[task]["text"] == "deep"
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
    assert at_work.store.mirror.data()[at_work.tasks[7]] == {"text": "another text"}
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
    assert run.report().ground_truth_trusted == 1


def test_an_annotation_of_a_deleted_user(at_work, add_annotator):
    person = add_annotator()
    person.label(at_work.tasks[7], choice("a"))
    at_work.sync()
    assert at_work.api.delete(f"/api/users/{person.id}/").status_code == 204
    run = at_work.sync(full=True)
    assert run.scores.answers.crowd.num_answers[7] in (0, 1)  # Label Studio keeps it without its author, or drops it
    assert len(at_work.store.mirror.annotations()) == at_work.info()["total_annotations_number"]


def test_states_that_changed_without_a_trace(at_work):
    """A change of maximum_annotations rewrites overlaps and states, and moves no task's updated_at."""
    at_work.sync()
    for maximum in (3, 1):
        at_work.api.patch(f"/api/projects/{at_work.project}/", json={"maximum_annotations": maximum})
    assert all(at_work.task(task)["is_labeled"] for task in at_work.tasks[:6])
    at_work.sync()
    assert not any(at_work.task(task)["is_labeled"] for task in at_work.served_queue())


def test_tasks_that_came_in_behind_the_last_pull(at_work):
    """An import that commits late has tasks that seem older than what was pulled already."""
    at_work.api.post(f"/api/projects/{at_work.project}/import", json=[{"data": {"text": "late"}}])
    at_work.store.mirror.set_complete_until("2100-01-01T00:00:00.000000Z")
    run = at_work.sync()
    assert run.pulled.full
    assert len(at_work.store.mirror.tasks().ids) == 9
    assert len(at_work.served_queue()) == 9


def test_a_deleted_skip(at_work, annotators):
    skip = annotators[2].skip(at_work.tasks[7])
    assert at_work.sync().scores.answers.set_aside == {"skipped": 1}
    at_work.api.delete(f"/api/annotations/{skip}/")
    assert at_work.sync().scores.answers.set_aside == {}


def test_a_task_that_all_skip_leaves_the_queue(at_work, annotators):
    at_work.settings = at_work.settings.model_copy(update={"max_labels": 3})
    for person in annotators:
        person.skip(at_work.tasks[7])
    run = at_work.sync()
    assert run.scores.settled_by[7] == "skips"
    assert at_work.tasks[7] not in at_work.served_queue()


def test_the_training_follows_the_question(make_project, annotators, plugin):
    config = """<View><Text name="t" value="$text"/>
      <Choices name="animal" toName="t"><Choice value="yes"/><Choice value="no"/></Choices>
      <Choices name="long" toName="t"><Choice value="yes"/><Choice value="no"/></Choices></View>"""

    def both(animal, long):
        answers = {"animal": animal, "long": long}
        return [
            {"from_name": name, "to_name": "t", "type": "choices", "value": {"choices": [answer]}}
            for name, answer in answers.items()
        ]

    words = ["cat cat", "stone stone"]
    data = [{"text": f"{words[n % 2]} {'and more ' * (n // 2 % 2)}"} for n in range(40)]
    answers = [
        (n, who, both(*("yes" if x else "no" for x in (n % 2 == 0, n // 2 % 2))))
        for n in range(40)
        for who in annotators
    ]
    at_work = plugin(make_project(data, config, answers))
    at_work.connect()

    def probabilities(**options):
        at_work.settings = at_work.settings.model_copy(update={"classifier": "text", **options})
        at_work.settings.model_fields_set.update({"classifier", *options})
        run = at_work.sync()
        return run.trained, at_work.store.trainings.last(options["control"]).pred_probs

    trained, animal = probabilities(control="animal")
    assert trained
    assert not probabilities(control="animal")[0]
    trained, long = probabilities(control="long")
    assert trained
    assert abs(animal - long).max() > 0.5


def test_people_who_label_meanwhile_are_no_reason_to_read_everything(at_work, annotators):
    person = annotators[2]
    at_work.studio.tasks, read = lambda *args, **how: labelled_between(read(*args, **how)), at_work.studio.tasks

    def labelled_between(pages):
        yield from pages
        if (task := person.next(at_work.project)) is not None:
            person.label(task["id"], choice("a"))

    for _ in range(4):
        assert not at_work.sync().pulled.full
