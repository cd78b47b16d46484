"""What the command line says, where no test of a command shows it."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from label_studio_crowd.commands.display import show_status


@pytest.mark.parametrize(("retry_at", "again"), [(5.0, r"at \d\d:\d\d:05"), (None, "now")])
@pytest.mark.parametrize(
    ("state", "said"), [("away", "• The service waits for Label Studio"), ("failed", "✗ The service could not rescore")]
)
def test_status_tells_waiting_for_label_studio_from_a_failure(state, said, retry_at, again):
    console = Console(file=io.StringIO(), width=200)
    job = {"job": "rescore", "state": state, "problem": "A reason.", "retry_at": retry_at}
    show_status(console, {"service": [job], "title": "animals", "connected": True}, None)
    written = console.file.getvalue()
    assert said in written
    assert re.search(rf"A reason\. It tries again {again}\.", written)
