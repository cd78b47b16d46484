"""Commands as a user types them."""

from __future__ import annotations

import json
import sys

import pytest

from label_studio_crowd.commands import cli


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run a command in an empty folder: run("aggregate", path, ...) -> (exit code, output, what was said beside)."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["label-studio-crowd", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


@pytest.fixture
def good(run):
    """Run a command that succeeds, and return its output."""

    def good(*words):
        code, out, err = run(*words)
        assert code == 0, err
        return out

    return good


@pytest.fixture
def bad(run):
    """Run a command that the user has to mend, and return the one line that says how."""

    def bad(*words):
        code, out, err = run(*words)
        assert code == 2, err
        assert "Traceback" not in err
        return json.loads(out)["error"] if "--json" in words else err.strip().splitlines()[-1]

    return bad
