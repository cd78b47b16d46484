"""Runs and failures."""

import pytest

from label_studio_crowd.pages import insights


def test_runs_and_failures_are_told_in_one_row_the_newest_first():
    report = {
        "trigger": "change",
        "labels": 7,
        "settled": 2,
        "estimated_accuracy": {"value": 0.9, "low": 0.8, "high": 0.95, "reason": ""},
        "trained": True,
        "seconds": {"look": 0.1, "score": 0.4},
        "seconds_waited": 0.2,
        "changes": {"reopen": 2, "queue_create": 3, "queue_update": 1, "consensus_delete": 0, "deferred": 0},
        "warnings": ["w"],
    }
    problems = [
        {"at": 1.0, "kind": "rescore", "problem": "too old to be shown", "times": 1},
        {"at": 25.0, "kind": "train", "problem": "no memory", "times": 3, "away": False},
    ]
    newest, failure, oldest = insights.past_runs([(30.0, report), (20.0, {})], problems)
    assert (newest.trigger, newest.labels, newest.accuracy.value, newest.trained) == ("something changed", 7, 0.9, True)
    assert newest.seconds == pytest.approx(0.5)
    assert [(stage.name, stage.seconds) for stage in newest.stages] == [("look", 0.1), ("score", 0.4)]
    assert [(count.what, count.number) for count in newest.changes] == [
        ("tasks opened", 2),
        ("queue entries written", 4),
    ]
    assert (failure.trigger, failure.problem) == ("training", "no memory (3 times)")
    assert (oldest.labels, oldest.accuracy.value, oldest.seconds) == (None, None, None)  # another release's report
