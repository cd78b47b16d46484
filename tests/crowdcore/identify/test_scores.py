"""Scores of tasks and annotators, and the methods by name."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from crowdcore import Crowd
from crowdcore.aggregate import GLAD, DawidSkene, MajorityVote
from crowdcore.identify import (
    METHODS,
    feedback_effort,
    find_method,
    gini,
    glad_scores,
    spam_score,
    trace_confusion,
    vote_entropy,
    workload,
)
from crowdcore.simulation import discrete_difficulty, hammer_spammer, independent_confusion

DATA = Path(__file__).parents[4] / "shared" / "data"


def test_importing_is_light():
    code = (
        "import sys, crowdcore.identify, crowdcore.simulation;"
        "print(sorted({'pandas', 'sklearn', 'scipy', 'numba'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.fixture
def crowd():
    """Answers of three annotators to nine tasks; a fourth annotator and a tenth task have none."""
    wide = [["a", "a", "b", None], ["b", "b", "a", None], ["a", "a", "a", None]] * 3
    return Crowd.from_wide([*wide, [None] * 4])


def test_entropy_of_votes():
    crowd = Crowd.from_wide([[0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 1], [2, -1, -1, -1], [-1] * 4])
    assert np.allclose(vote_entropy(crowd), [0, np.log(4), np.log(2), 0, np.nan], equal_nan=True)
    assert np.allclose(vote_entropy(crowd, normalize=True), [0, 1, 0.5, 0, np.nan], equal_nan=True)
    assert np.isnan(vote_entropy(Crowd.from_wide([[5]]), normalize=True)).all()


def test_effort_and_workload(crowd):
    assert feedback_effort(crowd).tolist() == [3] * 9 + [0]
    assert workload(crowd).tolist() == [9, 9, 9, 0]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30))
@settings(deadline=None)
def test_gini_is_its_definition(amounts):
    x = np.array(amounts, dtype=float)
    expected = np.abs(x[:, None] - x).sum() / (2 * len(x) * x.sum()) if x.sum() else np.nan
    assert gini(amounts) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_gini_refuses_what_cannot_be_shared_out():
    with pytest.raises(ValueError, match=r"gini: found -1.0; amounts are finite, 0 or more"):
        gini([2, -1])


def test_spam_score_and_trace_are_peerannots_formulas(crowd):
    fitted = DawidSkene(confusion_prior=0.3).fit(crowd)
    scores = []
    for A in fitted.confusion_[:3]:
        pairs = itertools.combinations(range(2), 2)
        scores.append(sum(((A[k] - A[m]) ** 2).sum() for k, m in pairs) / 2)
    assert spam_score(crowd, fitted)[:3] == pytest.approx(scores)
    assert np.array_equal(spam_score(crowd, fitted.confusion_), spam_score(crowd, fitted), equal_nan=True)
    assert trace_confusion(crowd, fitted)[:3] == pytest.approx([np.trace(A) for A in fitted.confusion_[:3]])
    assert np.array_equal(trace_confusion(crowd, fitted, normalize=True) * 2, trace_confusion(crowd, fitted), True)
    assert np.isnan([spam_score(crowd)[3], trace_confusion(crowd)[3]]).all()


def test_scores_tell_hammers_from_spammers():
    made = hammer_spammer(500, 20, 4, ratio=0.5, answers_per_task=8, seed=0)
    for score in (spam_score(made.crowd), trace_confusion(made.crowd, normalize=True)):
        assert score[:10].min() > 0.95
        assert score[10:].max() < 0.5
    assert (spam_score(made.crowd) <= 1).all()
    assert np.isnan(spam_score(Crowd.from_wide([[5]]))).all()


BAD = [
    (MajorityVote(), "This MajorityVote has no confusion_. Fit it first, or use DawidSkene"),
    (DawidSkene(), "This DawidSkene has no confusion_. Fit it first"),
    (np.eye(2), r"confusions have shape \(2, 2\); expected \(4, 2, 2\)"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_confusions_must_be_of_the_crowd(crowd, given, message):
    with pytest.raises(ValueError, match=message):
        spam_score(crowd, given)


def test_glad_finds_hard_tasks_and_bad_annotators():
    made = discrete_difficulty(400, 20, 3, ratio=0.5, ratio_diff=1, seed=1)
    found = glad_scores(made.crowd)
    hard = made.difficulty == "hard"
    assert np.median(found.difficulty[hard]) > 2 * np.median(found.difficulty[~hard])
    assert found.ability[:10].min() > found.ability[10:].max()


def test_glad_says_nothing_of_those_without_answers(crowd):
    fitted = GLAD().fit(crowd)
    found = glad_scores(fitted)
    assert np.isnan(found.difficulty).tolist() == [False] * 9 + [True]
    assert np.isnan(found.ability).tolist() == [False] * 3 + [True]
    assert np.allclose(found.difficulty[:9], np.exp(-fitted.easiness_[:9]))
    with pytest.raises(ValueError, match="This GLAD is not fitted"):
        glad_scores(GLAD())


SUBJECTS = {"task": "tasks", "annotator": "annotators"}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_gives_a_frame_of_its_subject(method, crowd):
    P, X = np.tile([0.6, 0.4], (10, 1)), np.arange(20.0).reshape(10, 2)
    frame = method.run(crowd, pred_probs=P, known_labels={0: "a"}, seed=1, features=X)
    if method.subject in SUBJECTS:
        ids = getattr(crowd, SUBJECTS[method.subject])
        assert pd.unique(frame.index.get_level_values(method.subject)).tolist() == ids.tolist()
    elif method.subject == "project":
        assert frame.index.name == "measure"
        assert {"value", "low", "high"} <= set(frame)
    elif method.subject == "group":
        assert list(frame)[:2] == ["group", "annotator"]
    else:
        assert list(frame)[:2] == ["annotator", "other"]
        assert "model" in frame["other"].tolist()
    X = X[: crowd.to_long()["task"].nunique()]
    shuffled = method.run(crowd.to_long().sample(frac=1, random_state=0), known_labels={0: "a"}, seed=1, features=X)
    again = method.run(crowd.to_long(), known_labels={0: "a"}, seed=1, features=X)
    pd.testing.assert_frame_equal(shuffled, again)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("rows", [[[None, None]], [[0, None]], [[0, 0]], [[0, 1]]])
def test_every_method_copes_with_next_to_nothing(method, rows):
    frame = method.run(Crowd.from_wide(rows, classes=[0, 1]), known_labels=[0], features=[[1.0, 2.0]])
    numbers = frame.select_dtypes("number").to_numpy(dtype=float)
    assert not np.isinf(numbers).any()


def test_methods_without_truth_or_features_say_so(crowd):
    for method in METHODS.values():
        if method.needs_features:
            with pytest.raises(ValueError, match=f"{method.name} needs features: numbers for each task"):
                method.run(crowd)
        if method.needs_truth:
            with pytest.raises(ValueError, match=f"{method.name} needs known_labels: the truth of some tasks"):
                method.run(crowd)


def test_methods_are_found_by_peerannots_names():
    found = [find_method(name).name for name in ("entropy", "krippendorffAlpha", "spam_score", "trace_confusion")]
    assert found == ["entropy", "krippendorff-alpha", "spam-score", "trace-confusion"]
    names = [name for method in METHODS.values() for name in (method.name, *method.aliases)]
    assert len(names) == len(set(names))
    assert {find_method(name).name for name in names} == set(METHODS)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("oracle", r"no method 'oracle'\. Did you mean .*\? Choose one of entropy, glad-difficulty"),
        ("WAUMM", "Did you mean 'waum'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_names_there_are(name, message):
    with pytest.raises(ValueError, match=message):
        find_method(name)


def test_ordinal_and_interval_alpha_are_for_numbers():
    made = independent_confusion(30, 3, 3)
    assert len(find_method("krippendorffAlpha").run(made.crowd)) == 3
    names = made.crowd.to_long().replace({"label": {0: "ape", 1: "bee", 2: "cat"}})
    assert find_method("krippendorffAlpha").run(names).index.tolist() == ["krippendorff_alpha_nominal"]


def test_real_annotators_are_judged_as_the_truth_judges_them():
    folder = DATA / "dog"
    if not folder.exists():
        pytest.skip(f"the data are not there: {folder}")
    frame = pd.read_csv(folder / "answer.csv").set_axis(["task", "annotator", "label"], axis=1)
    truth = pd.read_csv(folder / "truth.csv").set_axis(["task", "label"], axis=1).set_index("task")["label"]
    judged = find_method("honeypots").run(frame, known_labels=truth)
    known = judged["num_honeypots"] >= 20
    scores = {"accuracy": "accuracy", "spam-score": "spam_score", "glad-ability": "ability", "agreement": "with_others"}
    for name, column in scores.items():
        found = find_method(name).run(frame)[column]
        assert found[known].corr(judged["accuracy"][known], method="spearman") > 0.7
    voted = MajorityVote().fit(frame)
    wrong = pd.Series(voted.codes_, index=voted.crowd_.tasks)[truth.index] != truth
    assert roc_auc_score(wrong, find_method("entropy").run(frame)["entropy"][truth.index]) > 0.6
