"""The papers' benchmarks run and say what they should; their figures in full are in docs/results."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from benchmarks.papers import report, scores
from benchmarks.papers.draws import NUM_LABELED, make_draw, read_draw
from benchmarks.papers.rounds import RULES, run_draw

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def data():
    if not DATA.exists():
        pytest.skip(f"the crowds with ground truth are not there: {DATA}")
    return DATA


def papers(*words):
    command = [sys.executable, "-m", "benchmarks.papers", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["tutorial"], ["0.98932384", "14 of 14"]),
        (["crowdlab", "--quick"], ["without per-annotator weights", "feature EM", "lift@1000", "not measured"]),
        (
            ["activelab", "--quick", "--rounds", 2],
            ["ActiveLab / CROWDLAB", "uncertainty / majority vote", "not measured"],
        ),
        (["peerannot", "--quick"], ["15 of 15", "NaiveSoft", "the truth"]),
    ],
    ids=lambda words: words[0],
)
def test_each_paper_by_one_command(data, tmp_path, words, shown):
    done = papers(*words, "--data", data, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / f"{words[0]}.md").read_text()
    for text in shown:
        assert text in done.stdout
        assert text in written
    assert f"`python -m benchmarks.papers {' '.join(map(str, words))} --data" in written


@pytest.mark.parametrize("paper", ["tutorial", "crowdlab", "activelab", "peerannot"])
def test_data_that_are_missing_are_told(tmp_path, paper):
    done = papers(paper, "--data", tmp_path)
    assert done.returncode == 2
    assert f"in {tmp_path}" in done.stderr.replace("\n", "")
    assert "--data" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nosuch"], "choose from"),
        (["activelab", "--draws", 0], "0 is less than 1"),
        (["activelab", "--parts", "nosuch"], "choose from"),
        (["peerannot", "--repeats", "many"], "invalid positive value: 'many'"),
    ],
)
def test_bad_options_are_refused(words, complaint):
    done = papers(*words)
    assert done.returncode == 2
    assert complaint in done.stderr


@pytest.mark.parametrize("module", [scores, report])
def test_examples_in_docstrings_run(module):
    assert doctest.testmod(module).failed == 0


def test_lift_and_auprc_rank_low_quality_as_wrong():
    wrong, quality = np.array([True, True, False, False]), np.array([0.1, 0.2, 0.8, 0.9])
    assert scores.lift(wrong, quality, 2) == 2
    assert scores.lift(wrong, np.full(4, 0.5), 2) == 1
    assert scores.auroc(wrong, quality) == scores.auprc(wrong, quality) == 1
    rng = np.random.default_rng(0)
    wrong, quality = rng.random(2000) < 0.2, rng.random(2000)
    assert scores.auprc(wrong, quality) == pytest.approx(average_precision_score(wrong, -quality), abs=0.005)


def test_calibration_error_and_likelihood_of_what_is_right_as_often_as_it_says():
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(3), size=20_000)
    truth = np.minimum((rng.random((20_000, 1)) > P.cumsum(axis=1)).sum(axis=1), 2)
    assert scores.calibration_error(P, truth) < 0.02
    assert scores.calibration_error(P**3 / (P**3).sum(axis=1, keepdims=True), truth) > 0.1
    assert scores.negative_log_likelihood(P, truth) < scores.negative_log_likelihood(P**3, truth)


def test_a_made_draw_is_like_those_given(data):
    for draw in (make_draw(data, 7), read_draw(data, 4)):
        assert draw.features.shape == (2000, 4)
        assert draw.potential.shape == (2000, 30)
        given = (draw.votes >= 0).sum(axis=1)
        assert (given[:NUM_LABELED] > 0).all()
        assert not given[NUM_LABELED:].any()
        assert 540 < given.sum() < 600
        asked = draw.votes >= 0
        assert np.array_equal(draw.votes[asked], draw.potential[asked])
        right = draw.potential == draw.truth[:, None]
        assert right.mean() == pytest.approx(0.88, abs=0.01)
        assert all(right[draw.truth == k].mean() > 0.5 for k in range(4))
        assert ((draw.completely_labeled().votes >= 0).sum(axis=1) > 0).all()
        assert ((draw.singly_labeled().votes >= 0).sum(axis=1)[:NUM_LABELED] == 1).all()


def test_an_unlimited_pool_holds_all_but_the_test_set(data):
    draw = make_draw(data, 7, unlimited=True)
    assert len(draw.truth) + len(draw.test_truth) == 5456


def test_rounds_ask_for_new_labels_where_the_rule_says(data):
    draw = read_draw(data, 4)
    curve = run_draw(draw, "good random", "majority vote", "neighbours", rounds=3)
    assert curve.labeled.tolist() == [500, 600, 700]  # those with fewest labels first
    curve = run_draw(draw.completely_labeled(), "ActiveLab", "CROWDLAB", "neighbours", rounds=2)
    assert curve.labeled.tolist() == [2000, 2000]
    curve = run_draw(draw.singly_labeled(), "ActiveLab", "majority vote", "neighbours", rounds=3, new_only=True)
    assert curve.labeled.tolist() == [500, 600, 700]


def test_a_run_is_repeatable(data):
    one, other = (run_draw(read_draw(data, 4), "random", "CROWDLAB", "neighbours", rounds=3) for _ in range(2))
    assert np.array_equal(one.accuracy, other.accuracy)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_scores_every_task(data, rule):
    if rule.startswith("cleanlab"):
        pytest.importorskip("cleanlab", reason="cleanlab is not installed")
    curve = run_draw(read_draw(data, 4), rule, "CROWDLAB", "neighbours", rounds=3)
    assert curve.labeled[-1] >= 500
    assert ((curve.accuracy > 0.5) & (curve.accuracy < 1)).all()
