"""Which tasks have a consensus to take home, and how it is written."""

import dataclasses

import numpy as np
import orjson
import pytest

from harness.snapshots import control_of
from label_studio_crowd.files.agreed import Wanted, agreed
from label_studio_crowd.files.label_studio import as_import, write_import
from tests.plugin.pages.insights.small_projects import outweighed, votes

DATA = {task: {"text": f"text {task}"} for task in range(1, 20)}


def consensus(found):
    return {task.task: task.result[0]["value"]["choices"][0] for task in found.tasks}


def test_only_tasks_with_a_consensus_are_taken_and_the_rest_is_counted():
    snapshot = votes({1: "a", 2: "a"}, {1: "b", 2: "b"}, {})
    found = agreed(snapshot, {1: DATA[1], 3: DATA[3]})
    assert consensus(found) == {1: "a"}
    assert found.tasks[0].data == {"text": "text 1"}
    assert found.left_out == {"whose data is not here": 1, "without a consensus": 1}
    assert found.about_left_out() == "1 whose data is not here, 1 without a consensus"


def test_unsure_and_unsettled_tasks_are_left_out_on_request():
    snapshot = outweighed("a", "a")
    assert len(agreed(snapshot, DATA).tasks) == 13
    settled = agreed(snapshot, DATA, Wanted(settled=True))
    assert 13 not in consensus(settled)
    assert settled.left_out == {"not settled": 1}
    lowest = float(snapshot.quality.min())
    sure = agreed(snapshot, DATA, Wanted(min_quality=np.nextafter(lowest, 1)))
    assert sure.tasks
    assert {task.task for task in sure.tasks} == set(snapshot.tasks[snapshot.quality > lowest].tolist())
    assert set(sure.left_out) == {"of a lower quality"}


def test_a_label_that_the_config_has_no_more_is_not_written():
    snapshot = votes({1: "a", 2: "a"}, {1: "b", 2: "b"})
    config, _ = control_of(("b", "c"))
    found = agreed(dataclasses.replace(snapshot, label_config=config), DATA)
    assert consensus(found) == {2: "b"}
    assert found.left_out == {"with a label that the labeling config does not offer": 1}


def test_what_most_left_out_has_no_consensus_in_a_task_of_several_controls():
    first = votes({1: "a", 2: "a"}, {1: "b", 2: "b"})
    config = (
        '<View><Text name="text" value="$text"/><Choices name="label" toName="text"><Choice value="a"/>'
        '<Choice value="b"/></Choices><Choices name="more" toName="text"><Choice value="a"/><Choice value="b"/>'
        "</Choices></View>"
    )
    more = dataclasses.replace(
        first, control="more", label_config=config, left_out=np.array([True, False]), quality=np.array([0.1, 0.6])
    )
    both = dataclasses.replace(first, label_config=config, others=(more,))
    found = agreed(both, DATA)
    assert [[item["from_name"] for item in task.result] for task in found.tasks] == [["label"], ["label", "more"]]
    assert len({item["id"] for task in found.tasks for item in task.result}) == 3
    assert found.tasks[1].quality == 0.6
    assert found.tasks[0].quality == pytest.approx(first.quality[0])
    alone = agreed(both, DATA, controls=["more"])
    assert [task.task for task in alone.tasks] == [2]


@pytest.mark.parametrize(
    ("what", "kind", "truth"),
    [
        ("predictions", "predictions", None),
        ("annotations", "annotations", False),
        ("ground truth", "annotations", True),
    ],
)
def test_tasks_are_as_label_studio_imports_them(what, kind, truth, tmp_path):
    found = agreed(votes({1: "a", 2: "a"}), DATA)
    written = orjson.loads(write_import(found.tasks, tmp_path / "tasks.json", what).read_bytes())
    assert written == as_import(found.tasks, what)
    (task,) = written
    assert task["data"] == {"text": "text 1"}
    (one,) = task[kind]
    assert one["result"][0]["value"] == {"choices": ["a"]}
    assert one.get("ground_truth") is truth
    if what == "predictions":
        assert (one["model_version"], one["score"]) == ("crowd-consensus", round(found.tasks[0].quality, 3))


def test_what_is_written_twice_is_the_same():
    assert agreed(votes({1: "a", 2: "a"}), DATA) == agreed(votes({1: "a", 2: "a"}), DATA)
