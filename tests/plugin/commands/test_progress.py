"""What commands show while they work: most of it on a terminal alone, and nothing where a program reads."""

import io
import logging
import sys

import pytest
from rich.console import Console

from label_studio_crowd.commands.compiling import compilation_told
from label_studio_crowd.commands.crowd_display import working


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_being_done_is_shown_on_a_terminal(terminal):
    screen = io.StringIO()
    with working(Console(file=screen, force_terminal=terminal), "glad"):
        pass
    assert ("glad" in screen.getvalue()) == terminal
    assert ("0:00:00" in screen.getvalue()) == terminal


def test_in_json_nothing_is_shown():
    screen = io.StringIO()
    with working(Console(file=screen, force_terminal=True, quiet=True), "glad"):
        pass
    assert screen.getvalue() == ""


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("screen", "quiet", "lines"), [(Screen(), False, 2), (Screen(), True, 0), (io.StringIO(), False, 1)]
)
def test_a_compilation_is_told_when_it_begins_and_on_a_terminal_with_its_seconds(screen, quiet, lines, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # those of pytest
    monkeypatch.setattr(logging, "lastResort", logging.StreamHandler(screen))
    monkeypatch.setattr(sys, "stderr", screen)
    with compilation_told(quiet=quiet):
        logging.getLogger("crowdcore").warning("Compiling crowdcore's kernels, once after installation.")
        assert len(screen.getvalue().splitlines()) == min(lines, 1), "at its beginning"
    said = screen.getvalue().splitlines()
    assert len(said) == lines
    assert not said or "Compiling crowdcore's kernels" in said[0]
    assert lines < 2 or "Compiled in" in said[1]


def test_without_a_compilation_nothing_is_said_of_one(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with compilation_told(quiet=False):
        pass
    assert screen.getvalue() == ""
