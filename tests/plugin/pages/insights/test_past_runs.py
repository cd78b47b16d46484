"""Runs and failures."""

import pytest

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages import insights
from label_studio_crowd.store.problems import Problem, Problems
from label_studio_crowd.store.reports import Changes, FinishedRun, RunReport


def test_runs_and_failures_are_told_in_one_row_the_newest_first():
    report = RunReport(
        trigger="change",
        labels=7,
        settled=2,
        estimated_accuracy=Estimate(0.9, 0.8, 0.95),
        trained=True,
        seconds={"look": 0.1, "score": 0.4},
        seconds_waited=0.2,
        changes=Changes(reopen=2, queue_create=3, queue_update=1),
        warnings=("w",),
    )
    problems = Problems((Problem(1.0, "rescore", "too old to be shown"), Problem(25.0, "train", "no memory", times=3)))
    runs = [FinishedRun(30.0, report), FinishedRun(20.0, RunReport())]
    newest, failure, oldest = insights.past_runs(runs, problems)
    assert (newest.trigger, newest.labels, newest.accuracy.value, newest.trained) == (
        "a change in Label Studio",
        7,
        0.9,
        True,
    )
    assert newest.seconds == pytest.approx(0.5)
    assert [(stage.name, stage.seconds) for stage in newest.stages] == [("look", 0.1), ("score", 0.4)]
    assert [(count.what, count.number) for count in newest.changes] == [
        ("tasks opened", 2),
        ("queue entries written", 4),
    ]
    assert (failure.trigger, failure.problem) == ("training", "no memory (3 times)")
    assert (oldest.labels, oldest.accuracy.value, oldest.seconds) == (None, None, None)  # another release's report
