"""The plan, on crowds without a Label Studio; what it leads to there is in tests/studio."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdcore import Crowd
from label_studio_crowd.exchange.edits import Costs
from label_studio_crowd.exchange.plan import make_plan
from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.scores import score
from label_studio_crowd.store.mirror import Tasks
from label_studio_crowd.studio.controls import find_control
from label_studio_crowd.studio.records import Prediction
from label_studio_crowd.studio.versions import CONSENSUS_VERSION

CONTROL = find_control(
    '<View><Text name="t" value="$t"/><Choices name="c" toName="t">'
    '<Choice value="a"/><Choice value="b"/><Choice value="c"/></Choices></View>'
)


def scores_of(num_tasks, answers=(), *, known=(), pred_probs=None, **rule):
    """Scores of tasks 100, 101, … with answers (task row, annotator, class code)."""
    rows, annotators, codes = map(list, zip(*answers, strict=True)) if answers else ([], [], [])
    crowd = Crowd.from_codes(
        rows,
        annotators,
        codes,
        tasks=np.arange(100, 100 + num_tasks),
        annotators=np.arange(max(annotators, default=-1) + 1),
        classes=list(CONTROL.classes),
    )
    known_labels = np.full(num_tasks, -1)
    for row, code in known:
        known_labels[row] = code
    found = Answers(crowd, known_labels, {}, 0, (), (), crowd.num_answers.copy(), np.zeros(num_tasks, int), CONTROL)
    return score(found, pred_probs, **{"target_quality": 0.8, "min_labels": 1, "max_labels": 5, **rule})


def tasks_of(scores, overlap=None, is_labeled=None):
    count = len(scores.priority)
    return Tasks(
        np.arange(100, 100 + count),
        np.ones(count, int) if overlap is None else np.asarray(overlap),
        scores.answers.crowd.num_answers > 0 if is_labeled is None else np.asarray(is_labeled),
    )


def carried_out(plan, published, version):
    """Label Studio after a plan: its predictions, its model version."""
    rows = {row.id: row for row in published if row.model_version not in plan.obsolete}
    for edits in (plan.queue_edits, plan.consensus_edits):
        for fields in edits.create:
            number = max(rows, default=0) + 1
            rows[number] = Prediction(
                number, fields["task"], fields["model_version"], fields["score"], fields["result"]
            )
        for number, fields in edits.update.items():
            row = rows[number]
            rows[number] = Prediction(
                number,
                row.task,
                row.model_version,
                fields.get("score", row.score),
                fields.get("result", row.result),
            )
        for number in edits.delete:
            del rows[number]
    return list(rows.values()), plan.switch_to or version


def plan_of(scores, published=(), version="", *, tasks=None, **how):
    how = {"active_annotators": range(3), **how}
    return make_plan(scores, tasks or tasks_of(scores), list(published), version, **how)


answers = st.integers(1, 30).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.dictionaries(st.tuples(st.integers(0, n - 1), st.integers(0, 5)), st.integers(0, 2), max_size=60),
    )
)


def scores_from(drawn):
    count, given_answers = drawn
    return scores_of(count, [(row, who, code) for (row, who), code in given_answers.items()])


@given(answers, st.integers(1, 12), st.sampled_from([0.01, 0.2, 5.0]))
def test_a_plan_carried_out_leaves_nothing_to_plan(drawn, queue_size, edit):
    scores = scores_from(drawn)
    how = {"queue_size": queue_size, "costs": Costs(edit=edit)}
    plan = plan_of(scores, **how)
    published, version = carried_out(plan, [], "")
    states = {change.task: change for change in plan.reopen}
    before = tasks_of(scores)
    after = Tasks(
        before.ids,
        np.array([states[t].overlap if t in states else o for t, o in zip(before.ids, before.overlap, strict=True)]),
        np.array([t not in states and d for t, d in zip(before.ids.tolist(), before.is_labeled, strict=True)]),
    )
    again = plan_of(scores, published, version, tasks=after, **how)
    assert not again


@given(answers, answers, st.integers(1, 12), st.sampled_from([0.01, 0.2, 5.0]))
def test_a_mended_queue_is_the_queue(drawn, later, queue_size, edit):
    how = {"queue_size": queue_size, "costs": Costs(edit=edit)}
    published, version = carried_out(plan_of(scores_from(drawn), **how), [], "")
    scores = scores_from((max(drawn[0], later[0]), later[1]))
    plan = plan_of(scores, published, version, **how)
    published, version = carried_out(plan, published, version)
    queue = [row for row in published if row.model_version == version]
    assert {row.task for row in queue} == set(plan.queue)
    assert len(queue) == len(plan.queue)
    assert len({row.model_version for row in published} - {CONSENSUS_VERSION}) <= 1


@given(answers)
def test_scores_are_in_order_apart_and_in_range(drawn):
    scores = scores_from(drawn)
    plan = plan_of(scores)
    values = [item["score"] for item in plan.queue_edits.create]
    assert [item["task"] for item in plan.queue_edits.create] == list(plan.queue)
    assert all(np.diff(values) > 0)
    assert all(0 <= value <= 1 for value in values)
    priority = dict(zip(tasks_of(scores).ids.tolist(), scores.priority, strict=True))
    np.testing.assert_allclose(values, [priority[task] for task in plan.queue], atol=1e-4)


@given(answers)
def test_the_queue_is_what_is_not_settled(drawn):
    scores = scores_from(drawn)
    assert set(plan_of(scores).queue) == set((100 + np.flatnonzero(~scores.settled)).tolist())


@given(answers)
def test_every_task_of_the_queue_can_be_served(drawn):
    scores = scores_from(drawn)
    plan = plan_of(scores)
    opened = {change.task: change for change in plan.reopen}
    for task in plan.queue:
        labels = int(scores.answers.crowd.num_answers[task - 100])
        if labels:
            assert opened[task].overlap == labels + 1
            assert not opened[task].is_labeled
        else:
            assert task not in opened, "open as it is"


def test_a_large_project_has_a_queue_of_its_size():
    scores = scores_of(3000)
    assert len(plan_of(scores, active_annotators=range(3)).queue) == 100
    assert len(plan_of(scores, active_annotators=range(40)).queue) == 1000
    assert len(plan_of(scores, queue_size=7).queue) == 7


def test_a_small_project_is_queued_whole():
    assert len(plan_of(scores_of(400), active_annotators=range(3)).queue) == 400


def test_every_active_annotator_finds_tasks_they_have_not_labelled():
    # the 200 most contested of 700 tasks are those that both annotators have labelled already
    answered = [(row, who, who) for row in range(200) for who in (0, 1)]
    scores = scores_of(700, answered)
    scores.priority[:200] = 0.0
    plan = plan_of(scores, queue_size=100, active_annotators=[0, 1])
    assert len(plan.queue) == 125
    assert sum(task >= 300 for task in plan.queue) == 25
    assert len(plan_of(scores, queue_size=100, active_annotators=[5]).queue) == 100


def test_a_label_budget_bounds_the_queue():
    scores = scores_of(10, [(0, 0, 0), (1, 0, 0)])
    assert len(plan_of(scores, label_budget=5).queue) == 3
    assert plan_of(scores, label_budget=2).queue == ()
    assert plan_of(scores, label_budget=1).queue == ()


def test_known_truth_leaves_the_queue():
    assert 101 not in plan_of(scores_of(3, known=[(1, 2)])).queue


def test_tasks_stay_in_the_queue_while_they_are_nearly_among_the_best():
    scores = scores_of(2000)
    first = plan_of(scores, queue_size=100)
    published, version = carried_out(first, [], "")
    # ten tasks before the queue's come to be unsettled: its last ones are now 101st to 110th
    moved = scores_of(2000, [(row, who, 0) for row in range(50, 60) for who in (0, 1)], target_quality=1.1)
    plan = plan_of(moved, published, version, queue_size=100)
    assert plan.queue_edits.delete == ()


def test_the_cheaper_of_mending_and_a_new_version_is_taken():
    scores = scores_of(50)
    published, version = carried_out(plan_of(scores), [], "")
    stale = [
        Prediction(row.id, row.task, row.model_version, 0.9, row.result) if row.result == [] else row
        for row in published
    ]
    dear = plan_of(scores, stale, version, costs=Costs(edit=1.0, bulk=3.0))
    assert dear.switch_to == "crowd-queue-2"
    assert dear.obsolete == ("crowd-queue-1",)
    cheap = plan_of(scores, stale, version, costs=Costs(edit=0.01, bulk=3.0))
    assert cheap.switch_to is None
    assert len(cheap.queue_edits.update) == 50


def test_a_version_whose_import_may_be_under_way_is_not_taken_again():
    assert plan_of(scores_of(3), taken_versions=["crowd-queue-4"]).switch_to == "crowd-queue-5"


def test_a_queue_that_is_not_the_projects_is_finished_or_removed():
    scores = scores_of(5)
    published, _ = carried_out(plan_of(scores), [], "")
    finished = plan_of(scores, published, "")
    assert finished.switch_to == "crowd-queue-1"
    assert not finished.queue_edits
    both = published + [Prediction(900 + n, 100 + n, "crowd-queue-2", 0.1 * n, []) for n in range(3)]
    removed = plan_of(scores, both, "crowd-queue-1")
    assert removed.switch_to is None
    assert removed.obsolete == ("crowd-queue-2",)


def test_foreign_versions_are_no_base():
    plan = plan_of(scores_of(5), [], "their-model")
    assert plan.switch_to == "crowd-queue-1"
    assert plan.obsolete == ()


def test_reopened_tasks_that_left_the_queue_are_closed():
    scores = scores_of(3, [(0, 0, 0), (0, 1, 0), (1, 0, 0)], target_quality=0.0)
    plan = plan_of(scores, tasks=tasks_of(scores, overlap=[3, 2, 1], is_labeled=[False, False, False]))
    assert [(change.task, change.overlap, change.is_labeled) for change in plan.close] == [
        (100, 2, True),
        (101, 1, True),
    ]
    assert plan.reopen == ()


def test_a_task_from_which_an_annotation_went_is_open_for_one_and_not_for_two():
    scores = scores_of(3, [(0, 0, 0), (0, 1, 1), (1, 0, 0), (1, 1, 1)], target_quality=1.0)
    plan = plan_of(scores, tasks=tasks_of(scores, overlap=[4, 3, 2], is_labeled=[False, False, False]))
    assert {(change.task, change.overlap, change.is_labeled) for change in plan.reopen} == {
        (100, 3, False),
        (102, 1, False),
    }


@pytest.mark.parametrize("max_labels", [1, 5])
def test_where_the_model_disagrees_with_all_its_label_is_published_and_the_task_stays_in_the_queue(max_labels):
    answered = [(row, who, (row + (who == 2)) % 3) for row in range(30) for who in (0, 1, 2)]
    model = np.where(np.arange(31)[:, None] % 3 == [0, 1, 2], 0.999, 0.0005)
    scores = scores_of(31, [*answered, (30, 2, 1)], pred_probs=model, max_labels=max_labels)
    assert np.flatnonzero(scores.model_disagrees).tolist() == [30]
    plan = plan_of(scores)
    assert (130 in plan.queue) == (max_labels > 1)
    published = {item["task"]: item for item in plan.consensus_edits.create}
    assert published[130]["result"][0]["value"] == {"choices": ["a"]}
    assert published[130]["score"] == round(float(scores.result.quality[30]), 3)


def test_consensus_goes_to_tasks_that_are_settled_or_queued():
    answered = [(row, who, 0) for row in range(10) for who in (0, 1)]
    scores = scores_of(2000, answered, target_quality=1.1)
    plan = plan_of(scores, queue_size=5)  # the ten answered tasks are neither
    assert plan.consensus_edits.create == ()
    settled = plan_of(scores_of(2000, answered, target_quality=0.1), queue_size=5)
    assert [item["task"] for item in settled.consensus_edits.create] == list(range(100, 110))
    assert settled.consensus_edits.create[0]["result"][0]["value"] == {"choices": ["a"]}


def test_consensus_changes_are_bounded_and_the_rest_is_left():
    answered = [(row, who, 0) for row in range(10) for who in (0, 1)]
    scores = scores_of(12, answered)
    wrong = [Prediction(n, 100 + n, CONSENSUS_VERSION, 0.5, CONTROL.write("b")) for n in range(10)]
    plan = plan_of(scores, wrong, consensus_changes=4)
    assert len(plan.consensus_edits.update) == 4
    assert plan.deferred == 6


@pytest.mark.parametrize(("quality", "edited"), [(0.03, False), (0.06, True)])
def test_a_consensus_is_edited_when_its_quality_moved(quality, edited):
    scores = scores_of(12, [(row, who, 0) for row in range(10) for who in (0, 1)])
    published, version = carried_out(plan_of(scores), [], "")
    moved = [
        Prediction(row.id, row.task, row.model_version, row.score - quality, row.result)
        if row.model_version == CONSENSUS_VERSION
        else row
        for row in published
    ]
    assert bool(plan_of(scores, moved, version).consensus_edits.update) == edited
