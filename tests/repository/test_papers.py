"""The papers' benchmarks run and say what they should; their figures in full are in docs/results."""

import doctest
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from benchmarks.science.papers import by_answers, coverage, dominance, report, revealed, revealing, scores, trust
from benchmarks.science.papers.__main__ import main
from benchmarks.science.papers.cases import SMALL_PROJECTS, Case, all_cases, small_projects
from benchmarks.science.papers.datasets import PUBLIC, read_public
from benchmarks.science.papers.draws import NUM_LABELED, make_draw, read_draw
from benchmarks.science.papers.generated import KINDS, Known, Model, Recipe, random_recipe
from benchmarks.science.papers.planted import plant, read_digits
from benchmarks.science.papers.rounds import RULES, run_draw
from benchmarks.science.papers.small import SMALL
from crowdcore import Crowd, majority_vote
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from harness.checkout import DATA

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data():
    if not DATA.exists():
        pytest.skip(f"the crowds with ground truth are not there: {DATA}")
    return DATA


def papers(*words):
    command = [sys.executable, "-m", "benchmarks.science.papers", *map(str, words)]
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
        (
            ["dominance", "--quick", "--random", 3, "--jobs", 2],
            [
                "Where it loses",
                "with a model: data",
                "answers alone: random",
                "LabelMe, features",
                "bluebird",
                "Small projects",
                "settled on nobody's label",
                "Calibration by number of answers",
                "not measured",
            ],
        ),
        pytest.param(
            ["deep", "--quick"],
            ["CrowdLayer, MW", "CoNAL, scale 1e-4", "the same, its classifier LDA", "VGG-16"],
            marks=pytest.mark.skipif(
                not find_spec("skorch"), reason="torch is not installed: pip install 'label-studio-crowd[deep]'"
            ),
        ),
        (["coverage", "--quick", "--random", 2, "--jobs", 2], ["95 % holds", "face-sentiment", "not measured"]),
        (
            ["revealed", "--quick", "--orders", 1, "--rounds", 5, "--jobs", 2],
            ["least confidence / ours", "ActiveLab / CROWDLAB", "cifar10h-hard: answers needed", "not measured"],
        ),
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
    assert f"`python -m benchmarks.science.papers {' '.join(map(str, words))} --data" in written


def test_a_paper_that_is_none_is_refused():
    done = papers("nosuch")
    assert done.returncode == 2
    assert "choose from" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def refused(monkeypatch, capsys):
    """Give the command words that it refuses, in this process: refused(*words) -> what it says."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["papers", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert stopped.value.code == 2
        return capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    "paper", ["tutorial", "crowdlab", "activelab", "peerannot", "dominance", "coverage", "revealed"]
)
def test_data_that_are_missing_are_told(refused, tmp_path, paper):
    complaint = refused(paper, "--data", tmp_path)
    assert f"in {tmp_path}" in complaint.replace("\n", "")
    assert "--data" in complaint


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["activelab", "--draws", 0], "0 is less than 1"),
        (["activelab", "--parts", "nosuch"], "choose from"),
        (["dominance", "--random", 0], "0 is less than 1"),
        (["revealed", "--orders", "many"], "invalid positive value: 'many'"),
        (["peerannot", "--repeats", "many"], "invalid positive value: 'many'"),
    ],
)
def test_bad_options_are_refused(refused, words, complaint):
    assert complaint in refused(*words)


@pytest.mark.parametrize("module", [scores, report, coverage, dominance, revealed, revealing, trust])
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


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_what_it_says(name):
    recipe = KINDS[name]
    known = recipe.make(5)
    crowd = known.crowd
    assert crowd.counts.shape == (recipe.n_tasks, recipe.n_classes)
    assert len(crowd.annotators) == recipe.n_annotators == len(known.chance)
    assert crowd.num_answers.min() >= 1
    assert crowd.num_answers.mean() == pytest.approx(min(recipe.answers, recipe.n_annotators), rel=0.2)
    right = np.bincount(crowd.annotator, crowd.label == known.truth[crowd.task], len(known.chance))
    size = np.bincount(crowd.annotator, minlength=len(known.chance))
    error = (right - size * known.chance).sum() / np.sqrt((size * known.chance * (1 - known.chance)).sum())
    assert abs(error) < 5
    assert (known.pred_probs is None) == (recipe.model is None and not recipe.separation)
    if recipe.model and recipe.model.sees == "truth":
        found = (known.pred_probs.argmax(axis=1) == known.truth).mean()
        assert found == pytest.approx(recipe.model.accuracy, abs=0.02)
    assert np.array_equal(recipe.make(5).crowd.label, crowd.label)


@pytest.mark.parametrize("balanced", [False, True])
def test_a_model_is_calibrated_unless_it_is_sharpened(balanced):
    shares = (0.25,) * 4 if balanced else (0.6, 0.2, 0.1, 0.1)
    made = {
        sharpness: Recipe(20_000, class_shares=shares, model=Model(0.8, sharpness, balanced=balanced)).make(3)
        for sharpness in (1, 3)
    }
    errors = {of: scores.calibration_error(known.pred_probs, known.truth) for of, known in made.items()}
    assert errors[1] < 0.02
    assert errors[3] > 0.08


def test_a_mixed_up_model_and_a_random_one_are_seldom_right():
    for sees, low, high in (("the next class", 0.0, 0.15), ("a random class", 0.2, 0.3)):
        known = Recipe(2000, model=Model(0.8, sees=sees)).make(0)
        assert low <= (known.pred_probs.argmax(axis=1) == known.truth).mean() <= high


def test_annotators_err_together_only_on_the_tasks_that_waver():
    def misled(together):
        known = Recipe(2000, answers=8, spread=0, together=together).make(0)
        return (majority_vote(known.crowd) != known.truth).mean()

    assert misled(0.3) > misled(0.0) + 0.05


def test_random_recipes_are_repeatable_and_differ():
    recipes = [random_recipe(seed, with_model=True) for seed in range(20)]
    assert recipes == [random_recipe(seed, with_model=True) for seed in range(20)]
    assert len(set(map(str, recipes))) == 20
    assert random_recipe(0, with_model=False).model is None


def test_cases_have_names_of_their_own_and_keep_their_crowds(data):
    cases = all_cases(data, 9, 1, quick=False)
    assert len({case.name for case in cases}) == len(cases)
    more = {case.name: case for case in all_cases(data, 12, 1, quick=True)}
    for case in cases:
        if case.group != "data" and case.name in more:
            assert np.array_equal(case.read().crowd.label, more[case.name].read().crowd.label)


@pytest.mark.parametrize("name", PUBLIC)
def test_of_an_annotators_two_answers_the_last_counts_and_unknown_truth_is_told(data, name):
    crowd, truth = read_public(data, name)
    answers = pd.read_csv(data / "crowds" / name / "answers.csv")
    last = answers.groupby(["task", "annotator"]).label.last()
    assert len(crowd.label) == len(last)
    some = np.random.default_rng(0).integers(len(crowd.label), size=200)
    for task, annotator, label in zip(crowd.task[some], crowd.annotator[some], crowd.label[some], strict=True):
        assert last[crowd.tasks[task], crowd.annotators[annotator]] == crowd.classes[label]
    given = pd.read_csv(data / "crowds" / name / "truth.csv").set_index("task").truth
    known = truth >= 0
    assert known.sum() == len(given)
    assert (crowd.classes[truth[known]] == given[crowd.tasks[known]]).all()
    few, of_few = read_public(data, name, 20)
    assert len(few.tasks) == 20
    assert (of_few >= 0).all()


def test_a_small_project_is_what_it_says():
    project = SMALL["80 tasks, 118 classes, 3 labels"]
    known = [project.make(seed, with_model=False) for seed in range(30)]
    crowd = known[0].crowd
    assert (crowd.num_answers == 3).all()
    assert crowd.counts.shape == (80, 118)
    right = np.mean([(one.crowd.label == one.truth[one.crowd.task]).mean() for one in known])
    assert right == pytest.approx(np.mean(known[0].chance), abs=0.02)
    rare = np.mean([SMALL["100 tasks, rare .10, 2 labels"].make(seed, False).truth.mean() for seed in range(30)])
    assert rare == pytest.approx(0.1, abs=0.02)


def test_draws_of_a_small_project_are_shown_as_their_mean():
    cases = [case for case in small_projects(1, quick=True) if case.draws_of.endswith("alone")]
    one, two = outcomes = [dominance.measure(case) for case in cases]
    (mean,) = dominance.merged(outcomes)
    assert mean.case.name == one.case.draws_of
    assert mean.case.group == SMALL_PROJECTS
    assert mean.ours.accuracy == pytest.approx((one.ours.accuracy + two.ours.accuracy) / 2)
    assert mean.trust.unanimous == (one.trust.unanimous + two.trust.unanimous) / 2


def test_tasks_of_unknown_truth_are_not_judged():
    known = Recipe(200, 20, answers=4).make(1)
    half = np.arange(200) < 100
    outcome = dominance.measure(Case("half", "kinds", "", lambda: Known(known.crowd, np.where(half, known.truth, -1))))
    found = hierarchical_dawid_skene(known.crowd)
    assert outcome.num_tasks == 100
    assert outcome.ours.accuracy == np.mean((found.consensus == known.truth)[half])
    assert outcome.trust.right == np.sum((found.consensus == known.truth)[half])


def test_who_is_overruled_is_counted():
    crowd = Crowd.from_wide([["a", "a", None]] * 20 + [["b", "b", "a"]] * 20 + [["b", None, None]] * 20, classes="abc")
    truth = np.repeat([0, 1, 1], 20)
    sure = np.full((60, 3), 1e-6)
    sure[np.arange(60), np.where(np.arange(60) < 1, 2, truth)] = 1
    known = Known(crowd, truth, sure / sure.sum(axis=1, keepdims=True))
    found = trust.plugin_scores(crowd, known.pred_probs)
    counted = trust.trust_of(known, with_model=True)
    assert counted.unanimous == 20
    assert counted.tasks == 60
    assert counted.chance == 60
    overruled = found.result.consensus[:20] != 0
    assert counted.overruled == counted.overruled_wrong == overruled.sum()
    assert counted.unsaid == (crowd.counts[np.arange(60), found.result.consensus] == 0).sum()
    assert counted.settled == (found.settled_by == "quality").sum()


def test_calibration_is_that_of_the_thinned_crowd():
    case = Case("made", "many", "", lambda: Recipe(300, 60, answers=12, accuracy=0.8).make(1))
    few, many = (by_answers.calibrate(by_answers.Thinned(case, number)) for number in (2, 10))
    assert few.tasks == 300 > many.tasks >= 150
    assert many.right > few.right
    assert 0 <= few.error <= 1
    assert by_answers.calibrate(by_answers.Thinned(case, 20)) is None


def test_dominance_measures_what_the_methods_say():
    known = Recipe(300, 20, answers=4, model=Model(0.7)).make(1)
    outcome = dominance.measure(Case("made", "kinds", "", lambda: known))
    found = hierarchical_dawid_skene(known.crowd, known.pred_probs)
    assert outcome.setting == "model"
    assert outcome.ours.accuracy == np.mean(found.consensus == known.truth)
    assert outcome.ours.ece == scores.calibration_error(found.posterior, known.truth)
    assert outcome.found["agreement"].accuracy == np.mean(majority_vote(known.crowd, known.pred_probs) == known.truth)
    others = [row.accuracy for method, row in outcome.found.items() if method != dominance.OURS]
    assert len(others) == 7
    assert outcome.gap == outcome.ours.accuracy - max(others)


def test_intervals_of_the_same_level_are_those_given():
    known = Recipe(500, 40, answers=4, model=Model(0.7)).make(2)
    found = hierarchical_dawid_skene(known.crowd, known.pred_probs)
    quality, interval = found.annotators.quality, found.quality_interval
    assert coverage.narrower(quality, interval, coverage.LEVEL) == pytest.approx(interval, abs=1e-6)
    inner = coverage.narrower(quality, interval)
    assert (inner[:, 0] > interval[:, 0]).all()
    assert (inner[:, 1] < interval[:, 1]).all()


def test_intervals_hold_most_annotators_where_the_crowd_is_easy():
    known = Recipe(1500, 40, answers=6, accuracy=0.8, model=Model(0.9)).make(2)
    knowledge = coverage.know(Case("made", "kinds", "", lambda: known))
    assert knowledge.num_annotators >= knowledge.num_judged > 20
    assert knowledge.covered >= 0.9
    assert knowledge.covered >= knowledge.covered_narrower
    assert knowledge.below + knowledge.above == pytest.approx(1 - knowledge.covered)
    assert knowledge.rank > 0.9


@pytest.mark.parametrize("way", revealed.WAYS)
@pytest.mark.parametrize("has_model", [True, False])
def test_answers_are_revealed_until_all_are_known(way, has_model):
    known = Recipe(60, 12, model=Model(0.7) if has_model else None).make(4)
    crowd, P = known.crowd, known.pred_probs
    curve = revealed.reveal(crowd, known.truth, revealed.WAYS[way], P, rounds=6, seed=1)
    assert curve.num_answers[0] == 60 if not has_model else 10 < curve.num_answers[0] < 50
    assert curve.num_answers[-1] == len(crowd.label)
    steps = np.diff(curve.num_answers)
    assert (steps > 0).all()
    assert steps.max() <= len(crowd.label) // 6
    last, _ = revealed.WAYS[way](crowd, P, np.random.default_rng(0))
    assert curve.accuracy[-1] == np.mean(last == known.truth)


def test_answers_are_revealed_where_the_scores_are_low():
    crowd = Crowd.from_wide(np.zeros((20, 6), dtype=int), classes=range(2))
    seen = []

    def first_tasks(part, pred_probs, rng):
        seen.append(part.num_answers)
        return np.zeros(20, dtype=int), np.arange(20.0)

    revealed.reveal(crowd, np.zeros(20, dtype=int), first_tasks, rounds=12)
    assert seen[1].tolist() == [2] * 10 + [1] * 10
    assert seen[5].tolist() == [6] * 10 + [1] * 10
    assert seen[6].tolist() == [6] * 10 + [2] * 10


def test_a_curve_tells_its_mean_and_when_it_reached_a_target():
    curve = revealed.Curve(np.array([10, 20, 40]), np.array([0.5, 0.7, 0.7]))
    assert curve.mean() == pytest.approx(0.7 - 0.2 * 10 / 2 / 30, abs=1e-3)
    assert curve.mean(1 / 3) == pytest.approx(0.6)
    assert curve.needed(0.6) == pytest.approx(15)
    assert curve.needed(0.4) == 10
    assert np.isnan(curve.needed(0.8))


@pytest.mark.parametrize("per_task", [5, 2])
def test_hard_digits_are_planted_as_they_say(per_task):
    digits = read_digits(mnist=False)
    made = plant(digits, per_task, seed=0)
    crowd = made.crowd
    assert np.bincount(made.kind).tolist() == [750, 150, 100]
    assert set(crowd.num_answers.tolist()) == {per_task}
    right = (crowd.label == made.truth[crowd.task]).astype(float)
    shares = [right[made.kind[crowd.task] == kind].mean() for kind in (0, 1, 2)]
    assert shares[0] > 0.6 > 0.5 > shares[1] > shares[2]
    again = plant(digits, per_task, seed=0)
    assert np.array_equal(again.X, made.X)
    assert np.array_equal(again.crowd.label, crowd.label)
    blended = np.flatnonzero(made.kind == 1)[0]
    assert not (made.X[blended] == digits.X).all(axis=1).any()
