"""The benchmark of speed runs, with peers and without; what it measures is not tested."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.science.speed.works import Goal

ROOT = Path(__file__).parents[2]


def bench(*options):
    command = [sys.executable, "-m", "benchmarks.science.speed", "--sizes", "200", "--repeat", "1", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_it_prints_a_row_for_each_work_and_writes_the_table(tmp_path):
    out = tmp_path / "results" / "speed.md"
    done = bench("--no-peers", "--only", "crowdlab,activelab,majority-vote", "dawid-skene", "from-long", "--out", out)
    assert done.returncode == 0, done.stderr
    for name in ("CROWDLAB", "ActiveLab", "majority vote", "Dawid-Skene", "Crowd.from_long"):
        assert name in done.stdout
        assert f"| {name}" in out.read_text()
    assert "failed" not in done.stdout
    assert "× (" in done.stdout  # CROWDLAB beside numpy's copies


def test_a_peer_is_measured_beside_us():
    pytest.importorskip("cleanlab", reason="cleanlab is not installed, so there is nothing to measure beside us")
    done = bench("--peer", sys.executable, "--only", "crowdlab")
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stdout
    theirs = next(line for line in done.stdout.splitlines() if "cleanlab" in line)
    assert " × (" in theirs  # a ratio


def test_a_peer_that_would_take_too_long_is_not_run_and_the_table_says_so():
    done = bench("--peer", sys.executable, "--most", "1e-9", "--only", "majority-vote")
    assert done.returncode == 0, done.stderr
    assert "not run: about" in done.stdout


def test_a_peer_that_stops_leaves_a_row_that_says_so():
    done = bench("--peer", sys.executable, "--only", "wawa")  # there is no crowd-kit in this environment
    assert done.returncode == 0, done.stderr
    assert "failed: ModuleNotFoundError" in done.stdout


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--only", "crowdlap"], "no work 'crowdlap'; choose of crowdlab, "),
        (["--peer", "/no/such/python"], "make one: python -m benchmarks.science.speed install"),
        (["--repeat", "0"], "--repeat 1 or more"),
    ],
)
def test_bad_options_are_refused(options, complaint):
    done = bench(*options)
    assert done.returncode == 2
    assert complaint in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("goal", "reached", "met"),
    [
        (Goal("faster", 100, "peer"), 80.0, False),  # by CPU seconds: our second core is no help
        (Goal("floor", 3, "peer"), 2.0, True),
        (Goal("seconds", 0.05), 0.1, False),
        (Goal("iteration", 0.05), 0.02, True),
        (Goal("memory", 3), 2.5, True),
    ],
)
def test_goals(goal, reached, met):
    ours = {"wall": 0.1, "cpu": 0.2, "peak": 250, "inputs": 100, "iterations": 5}
    theirs = {"wall": 0.05, "cpu": 16.0}
    assert goal.reached(ours, theirs) == pytest.approx(reached)
    assert goal.met(reached) is met
