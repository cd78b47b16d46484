"""What annotators are served, through Label Studio's own next-task API."""

from __future__ import annotations

import pytest

from harness.project import choice


def texts(count: int) -> list[dict[str, str]]:
    return [{"text": f"text number {number}"} for number in range(count)]


@pytest.fixture
def crowded(make_project, annotators):
    """40 tasks, three of them with one label, three with two that disagree, three with two that agree."""
    ann, bob, _ = annotators
    answers = [(task, ann, "a") for task in range(9)]
    answers += [(task, bob, "b") for task in range(3, 6)] + [(task, bob, "a") for task in range(6, 9)]
    return make_project(texts(40), answers=answers)


def test_three_annotators_are_served_the_queue_in_order(crowded, plugin, add_annotator):
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    queue = at_work.served_queue()
    people = [add_annotator() for _ in range(3)]
    served = []
    for _ in range(10):
        opened = [(person, person.next(crowded.id)["id"]) for person in people]
        for person, task in opened:
            person.label(task, choice("a"))
        served += [task for _, task in opened]
    assert served == queue[:30]
    assert len(set(served)) == 30


def test_a_task_low_in_score_comes_to_a_second_annotator(make_project, annotators, add_annotator, plugin):
    ann, bob, cyd = annotators
    agreed = [(task, person, "a") for task in range(5) for person in (ann, bob)]
    project = make_project(texts(6), answers=[*agreed, (5, ann, "b")])
    lonely = project.tasks[5]
    at_work = plugin(project, min_labels=2, target_quality=0.5)
    at_work.connect()
    assert at_work.task(lonely)["is_labeled"]
    at_work.sync()
    assert at_work.served_queue() == [lonely]
    assert ann.next(project.id) is None, "she has labelled it already"
    assert cyd.next(project.id)["id"] == lonely
    cyd.label(lonely, choice("b"))
    assert at_work.task(lonely)["is_labeled"], "it closes by itself"
    assert at_work.sync().scores.settled.all()
    assert at_work.served_queue() == []
    assert add_annotator().next(project.id) is None


def test_a_new_label_changes_what_is_served_next(crowded, plugin, add_annotator):
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    person = add_annotator()
    first = person.next(crowded.id)["id"]
    person.label(first, choice("a"))
    run = at_work.sync()
    assert run.pulled.changed >= 1
    assert not run.pulled.full
    assert int(run.scores.answers.crowd.num_answers.sum()) == 16
    # one label by a newcomer settles nothing: the task stays in the queue, behind those without a label
    assert at_work.served_queue().index(first) > 0
    assert person.next(crowded.id)["id"] == at_work.served_queue()[0]


def test_reopened_tasks_that_are_settled_are_closed_again(crowded, plugin):
    at_work = plugin(crowded, target_quality=1)
    at_work.connect()
    at_work.sync()
    reopened = [task for task in crowded.tasks[:9] if not at_work.task(task)["is_labeled"]]
    assert len(reopened) == 9
    at_work.settings = at_work.settings.model_copy(update={"target_quality": 0.0, "min_labels": 1})
    at_work.sync()
    assert all(at_work.task(task)["is_labeled"] for task in crowded.tasks[:9])
    assert set(at_work.served_queue()) == set(crowded.tasks[9:])


def test_annotators_do_not_see_the_consensus(crowded, plugin, add_annotator):
    at_work = plugin(crowded)
    at_work.connect()
    at_work.sync()
    assert all(row["result"] == [] for row in at_work.predictions() if row["model_version"].startswith("crowd-queue"))
    person = add_annotator()
    for _ in range(12):
        served = person.next(crowded.id)
        assert [row["result"] for row in served["predictions"] if row["model_version"] == served_version(at_work)] == [
            []
        ]
        person.label(served["id"], choice("a"))


def served_version(at_work) -> str:
    return str(at_work.info()["model_version"])


def test_annotators_see_the_consensus_when_asked_for(crowded, plugin):
    at_work = plugin(crowded, show_consensus=True, target_quality=1)
    at_work.connect()
    at_work.sync()
    shown = {
        row["task"]: row["result"][0]["value"]["choices"]
        for row in at_work.predictions()
        if row["model_version"] == served_version(at_work) and row["result"]
    }
    assert set(shown) == set(crowded.tasks[:9])
    assert shown[crowded.tasks[7]] == ["a"]


def test_the_budget_ends_the_queue(crowded, plugin):
    at_work = plugin(crowded, label_budget=20)  # 15 labels are there
    at_work.connect()
    assert len(at_work.sync().plan.queue) == 5
    assert len(at_work.served_queue()) == 5
    at_work.settings = at_work.settings.model_copy(update={"label_budget": 15})
    run = at_work.sync()
    assert at_work.served_queue() == []
    assert any("budget" in warning for warning in run.warnings)


def test_a_skipped_task_goes_to_somebody_else(make_project, annotators, plugin):
    ann, bob, _ = annotators
    project = make_project(texts(3), answers=[])
    at_work = plugin(project)
    at_work.connect()
    at_work.sync()
    first = ann.next(project.id)["id"]
    ann.skip(first)
    run = at_work.sync()
    assert run.scores.answers.set_aside == {"skipped": 1}
    assert bob.next(project.id)["id"] == first
    assert ann.next(project.id)["id"] != first
