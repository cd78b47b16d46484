"""The benchmarks of speed and of savings run and say what they should."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.science import savings, settling
from benchmarks.science.papers.generated import Recipe
from benchmarks.science.papers.trust import OURS
from benchmarks.science.speed.works import Goal
from harness.checkout import DATA

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


@pytest.fixture(scope="module")
def data():
    if not DATA.exists():
        pytest.skip(f"the crowds with ground truth are not there: {DATA}")
    return DATA


def save(*words):
    command = [sys.executable, "-m", "benchmarks.science.savings", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_savings_by_one_command(data, tmp_path):
    done = save("--quick", "--orders", 1, "--jobs", 2, "--data", data, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "savings.md").read_text()
    for text in ("bluebird", "face-sentiment", "median", "our consensus"):
        assert text in done.stdout
        assert text in written
    assert "CIFAR" not in done.stdout  # too few answers a task


@pytest.mark.parametrize("module", ["savings", "settling"])
def test_crowds_that_are_missing_are_told(tmp_path, module):
    command = [sys.executable, "-m", f"benchmarks.science.{module}", "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"in {tmp_path}" in done.stderr.replace("\n", "")
    assert "--data" in done.stderr


def test_examples_of_savings_run():
    assert doctest.testmod(savings).failed == 0


@given(st.lists(st.floats(0.1, 1), min_size=2, max_size=8), st.floats(1, 5), st.floats(0, 1))
def test_who_is_right_more_often_with_as_many_labels_saves_more(accuracies, asked, right):
    labels, accuracy = np.arange(1.0, len(accuracies) + 1), np.sort(accuracies)
    one, better, cheaper = (
        savings.saving(asked * share, aim, labels, accuracy)
        for share, aim in ((1, right), (1, min(1.0, right + 0.1)), (0.5, right))
    )
    assert better.saved >= one.saved
    assert cheaper.saved >= one.saved
    assert labels[0] <= one.needed <= labels[-1]
    assert one.enough == (accuracy[-1] >= right)


@pytest.fixture(scope="module")
def easy():
    known = Recipe(200, 30, answers=12, accuracy=0.85, spread=0.5).make(3)
    return settling.Recorded(known.crowd, known.truth)


def test_tasks_are_asked_about_until_they_are_settled(easy):
    scores = settling.reveal(easy, OURS, 0.9, most=None)
    asked, there = scores.answers.crowd.num_answers, easy.crowd.num_answers
    assert ((scores.settled_by == "quality") | (asked == there)).all()
    assert (asked <= there).all()
    assert 2 <= asked.mean() < there.mean() / 2
    assert (settling.reveal(easy, OURS, 0.9, most=3).answers.crowd.num_answers <= 3).all()


def test_labels_are_saved_where_annotators_are_good(easy, monkeypatch):
    monkeypatch.setitem(settling.READERS, "easy", lambda data: easy)
    one = savings.replay(savings.Run(DATA, "easy", 0, None))
    assert one.labels[-1] == easy.crowd.num_answers.mean()
    assert one.majority[-1] > one.majority[0] + 0.05
    assert one.right > np.interp(one.asked, one.labels, one.majority)
    assert savings.saving(one.asked, one.right, one.labels, one.majority).saved > 0.2
