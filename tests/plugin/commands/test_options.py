"""Which options commands have, how they are helped, and how a project is named."""

import re

import pytest

from label_studio_crowd.commands.cli import app
from label_studio_crowd.commands.options import CONNECTING, SCORING
from label_studio_crowd.settings import PROJECT_OPTIONS

WITHOUT_A_FLAG = {"retrain_share", "retrain_hours", "consensus_changes"}  # README says so
NOWHERE = ["--url", "http://127.0.0.1:9", "--store", "sqlite:///store.sqlite"]


def test_every_option_that_connect_remembers_has_a_flag():
    """Both lists are spelt out, because importing the settings takes longer than `--help` may."""
    assert tuple(name for name in PROJECT_OPTIONS if name not in WITHOUT_A_FLAG) == (*SCORING, *CONNECTING)


def test_a_call_without_words_says_where_to_begin(run):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "Where to begin:" in out
    for group in ("On a Label Studio project:", "As a service:", "On files, without Label Studio:"):
        assert group in out


@pytest.mark.parametrize("columns", ["80", "160"])
def test_every_command_is_listed_with_a_whole_sentence(good, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    lines = good("--help").splitlines()
    assert max(map(len, lines)) <= 80
    for entry in app.registered_commands:
        command = entry.name or entry.callback.__name__.replace("_", "-")
        (line,) = (line for line in lines if line.startswith(f"  {command} "))
        assert re.search(r"  [A-Z][^.]*[a-zA-Z]\.$", line), line


def test_help_has_no_words_of_python(good):
    for entry in app.registered_commands:
        said = good(entry.name or entry.callback.__name__.replace("_", "-"), "--help")
        assert not re.search(r"<\w+|\[\[|\{|x>=|list\[", said), said


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_helps_with_examples(flag, good):
    for entry in app.registered_commands:
        command = entry.name or entry.callback.__name__.replace("_", "-")
        said = good(command, flag)
        assert "Examples:" in said
        assert f"label-studio-crowd {command}" in said.split("Examples:")[1]


def test_completion_can_be_shown(good, monkeypatch):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert "label-studio-crowd" in good("--show-completion", "bash")


class TestTheProject:
    def test_may_be_named_in_three_ways(self, run, monkeypatch):
        for words in (["7"], ["--project", "7"], ["-p", "7"], ["7", "-p", "7"]):
            assert "No project" not in run("status", *words, *NOWHERE)[2]
        monkeypatch.setenv("LABEL_STUDIO_CROWD_PROJECT", "7")
        assert "No project" not in run("status", *NOWHERE)[2]

    def test_is_asked_for(self, bad):
        assert "label-studio-crowd projects" in bad("status", *NOWHERE)

    def test_is_one(self, bad):
        assert "project 3 and --project 4: name one" in bad("status", "3", "--project", "4", *NOWHERE)

    def test_in_the_environment_is_a_number(self, bad, monkeypatch):
        monkeypatch.setenv("LABEL_STUDIO_CROWD_PROJECT", "three")
        assert "Setting project" in bad("status", *NOWHERE)
