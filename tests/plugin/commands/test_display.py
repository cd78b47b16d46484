"""What the command line says, where no test of a command shows it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from label_studio_crowd.commands.display import show_changes, show_projects, show_quiet, show_run, show_status
from label_studio_crowd.runs.watch import Quiet
from label_studio_crowd.store.reports import RunReport


@pytest.mark.parametrize(("retry_at", "again"), [(5.0, r"at \d\d:\d\d:05 \w+"), (None, "now")])
@pytest.mark.parametrize(
    ("state", "said"), [("away", "• The service waits for Label Studio"), ("failed", "✗ The service could not rescore")]
)
def test_status_tells_waiting_for_label_studio_from_a_failure(state, said, retry_at, again):
    console = Console(file=io.StringIO(), width=200)
    job = {"job": "rescore", "state": state, "problem": "A reason.", "retry_at": retry_at}
    show_status(console, {"service": [job], "problem": None, "title": "animals", "connected": True}, None)
    written = console.file.getvalue()
    assert said in written
    assert re.search(rf"A reason\. It tries again {again}\.", written)


def printed(show, *given, **how):
    console = Console(file=io.StringIO(), width=200)
    show(console, *given, **how)
    return console.file.getvalue()


def test_status_of_a_project_that_was_only_looked_at_says_when():
    state = {"service": [], "problem": None, "title": "animals", "connected": False, "looked_at": 1_800_000_000.0}
    assert re.search(
        r"animals: only looked at, 2027-01-1\d \d\d:\d\d:\d\d \w+; never synced\.", printed(show_status, state, None)
    )


def test_a_run_of_two_controls_says_of_which_one_crowdlab_agrees_and_writes_shares_as_pages_do():
    report = RunReport(
        title="t", project=4, control="stars, ent", tasks=1, labelled_tasks=1, labels=2, crowdlab_differs=0
    )
    written = printed(show_run, report)
    assert "(project 4, controls stars and ent): 2 labels" in written
    assert "CROWDLAB agrees on 100 % of the labelled tasks (control stars)" in written
    assert "CROWDLAB agrees on 96.3 % of the labelled tasks, not on 3\n" in printed(
        show_run, replace(report, control="stars", labelled_tasks=81, crowdlab_differs=3)
    )


def test_only_a_project_that_can_be_scored_is_suggested():
    row = {"title": "one", "annotations": 3, "tasks": 4, "scored_at": None, "can_be_scored": True}
    pictures, empty = {**row, "project": 9, "can_be_scored": False}, {**row, "project": 8, "tasks": 0}
    new, labelled = {**row, "project": 7, "annotations": 0}, {**row, "project": 6}
    assert "Next: label-studio-crowd look 6\n" in printed(
        show_projects, [pictures, empty, new, labelled], "http://host"
    )
    assert "Next: label-studio-crowd look 7\n" in printed(show_projects, [pictures, empty, new], "http://host")
    assert " look " not in printed(show_projects, [pictures, empty], "http://host")


def test_what_is_about_to_be_done_is_not_called_what_would_be():
    assert printed(show_changes, ["3 made"], dry_run=True, begun=True) == "Changes:\n  3 made\n"
    assert printed(show_changes, ["3 made"], dry_run=True).startswith("Would change:")
    assert printed(show_changes, [], dry_run=True, begun=True) == "Nothing to change.\n"


def test_that_nothing_is_new_is_said_once_and_not_between_two_changes():
    now, said = [0.0], []
    quiet = Quiet(clock=lambda: now[0])
    for second, eventful in ((0, False), (10, False), (20, True), (30, False), (79, False), (80, False), (200, False)):
        now[0] = second
        if quiet.is_worth_a_line(SimpleNamespace(eventful=eventful)):
            said.append((second, quiet.since))
    assert said == [(0, None), (80, 20)]
    assert re.search(r"\d \w+ Nothing new; looking every 60 s\.\n", printed(show_quiet, None, 60.0))
    assert re.search(r"Nothing new since \d\d:\d\d; looking every 0\.5 s\.\n", printed(show_quiet, 20.0, 0.5))


@pytest.mark.parametrize(("number", "said"), [(0, None), (1, "1 task,"), (1200, "1,200 tasks,")])
def test_a_run_says_where_the_model_disagrees(number, said):
    console = Console(file=io.StringIO(), width=200)
    show_run(console, RunReport(tasks=2000, model_disagrees=number))
    lines = [line for line in console.file.getvalue().splitlines() if "Model disagrees" in line]
    assert lines == ([f"Model disagrees: {said} where the classifier contradicts all annotators"] if said else [])


@pytest.mark.parametrize("verbose", [False, True])
def test_how_training_went_is_told_to_whoever_asks(verbose):
    console = Console(file=io.StringIO(), width=200)
    show_run(console, RunReport(classifier="text", rounds={"label": "3 rounds changed 9.0%."}), verbose=verbose)
    assert ("3 rounds changed 9.0%." in console.file.getvalue()) == verbose
