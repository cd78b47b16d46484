"""What the command line says, where no test of a command shows it."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from label_studio_crowd.commands.display import show_run, show_status
from label_studio_crowd.store.reports import RunReport


@pytest.mark.parametrize(("retry_at", "again"), [(5.0, r"at \d\d:\d\d:05"), (None, "now")])
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


@pytest.mark.parametrize(("number", "said"), [(0, None), (1, "1 task,"), (1200, "1,200 tasks,")])
def test_a_run_says_where_the_model_disagrees(number, said):
    console = Console(file=io.StringIO(), width=200)
    show_run(console, RunReport(tasks=2000, model_disagrees=number))
    lines = [line for line in console.file.getvalue().splitlines() if "Model disagrees" in line]
    assert lines == ([f"Model disagrees: {said} where the classifier contradicts all annotators"] if said else [])
