"""What all aggregators have in common."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd, aggregate
from crowdcore.aggregate import (
    GLAD,
    IWMV,
    KOS,
    MACE,
    MMSR,
    WDS,
    DawidSkene,
    DawidSkeneClust,
    FastDawidSkene,
    MajorityVote,
    NaiveSoft,
    OneCoinDawidSkene,
    PlantNet,
    TwoThird,
    Wawa,
    ZeroBasedSkill,
)

METHODS = [getattr(aggregate, name) for name in aggregate.__all__ if name != "Aggregator"]
KNOWING = [DawidSkene, FastDawidSkene, OneCoinDawidSkene, GLAD, MACE, WDS]
MODULES = [f"crowdcore.aggregate.{module.name}" for module in pkgutil.iter_modules(aggregate.__path__)]


def binary(method):
    return method is KOS


@pytest.fixture
def crowd():
    """Ten tasks, of which the last has no answers, four annotators, of whom the last gives none."""
    wide = [["cat", "cat", "dog", None], ["dog", "dog", "dog", None], ["cat", "cat", "cat", None]] * 3
    return Crowd.from_wide([*wide, [None] * 4])


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("method", METHODS)
def test_every_method_shows_an_example(method):
    assert ">>>" in method.__doc__


def test_importing_is_light():
    code = (
        "import sys, crowdcore.aggregate, crowdcore.kernels;"
        "print(sorted({'pandas', 'sklearn', 'scipy', 'numba'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("method", METHODS)
def test_results_are_in_the_crowds_order_and_classes(method, crowd):
    fitted = method().fit(crowd)
    assert fitted.crowd_ is crowd
    assert fitted.probas_.shape == (10, 2)
    assert np.allclose(fitted.probas_.sum(axis=1), 1)
    assert (fitted.probas_ >= 0).all()
    assert fitted.codes_.tolist()[:9] == [0, 1, 0] * 3 or method in (TwoThird, PlantNet)
    for code, label in zip(fitted.codes_, fitted.labels_, strict=True):
        assert label == (None if code < 0 else ["cat", "dog"][code])
    assert fitted.fit_predict(crowd).tolist() == fitted.labels_.tolist()
    assert np.array_equal(method().fit_predict_proba(crowd), fitted.probas_)


@pytest.mark.parametrize("method", METHODS)
def test_a_task_without_answers_has_no_label_and_leaves_the_others_alone(method, crowd):
    fitted = method().fit(crowd)
    assert fitted.labels_[9] is None
    without = method().fit(crowd.select_tasks(range(9)))
    assert np.allclose(fitted.probas_[:9], without.probas_, rtol=0, atol=1e-9)
    prior = fitted.prior_ if hasattr(fitted, "prior_") else [0.5, 0.5]
    assert np.allclose(fitted.probas_[9], prior)


@pytest.mark.parametrize("method", METHODS)
def test_an_annotator_without_answers_changes_nothing(method, crowd):
    fitted = method().fit(crowd)
    without = Crowd(crowd.tasks, crowd.annotators[:3], crowd.classes, crowd.indptr, crowd.annotator, crowd.label)
    options = {"n_restarts": 1} if method is MACE else {}
    if method is DawidSkeneClust:
        return  # counts when annotators are divided into clusters of equal size at the start
    fitted, other = method(**options).fit(crowd), method(**options).fit(without)
    assert np.allclose(fitted.probas_, other.probas_, rtol=0, atol=1e-9)
    for name in ("skills_", "confusion_"):
        if hasattr(fitted, name):
            assert np.allclose(getattr(fitted, name)[:3], getattr(other, name), rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_nobody_answers(method):
    crowd = Crowd.from_wide([[-1, -1], [-1, -1]], classes=[0, 1])
    fitted = method().fit(crowd)
    assert fitted.labels_.tolist() == [None, None]
    assert np.allclose(fitted.probas_, 0.5)


@pytest.mark.parametrize("method", METHODS)
def test_no_tasks_at_all(method):
    crowd = Crowd.from_wide(np.empty((0, 2), dtype=int), classes=[0, 1])
    assert method().fit(crowd).probas_.shape == (0, 2)


@pytest.mark.parametrize("method", [m for m in METHODS if not binary(m)])
def test_a_single_class_is_certain(method):
    fitted = method().fit(Crowd.from_wide([[5, 5, 5], [5, 5, 5], [5, 5, 5]]))
    assert np.allclose(fitted.probas_, 1)


@pytest.mark.parametrize("method", METHODS)
def test_a_single_answer(method):
    fitted = method().fit(Crowd.from_wide([[1]], classes=[0, 1]))
    assert np.isfinite(fitted.probas_).all()
    assert np.allclose(fitted.probas_.sum(axis=1), 1)


@pytest.mark.parametrize("method", METHODS)
def test_a_task_with_a_thousand_answers_does_not_underflow(method):
    rng = np.random.default_rng(0)
    wide = np.where(rng.random((4, 1000)) < 0.8, np.array([[0], [1], [0], [1]]), rng.integers(2, size=(4, 1000)))
    fitted = method().fit(Crowd.from_wide(wide))
    assert np.isfinite(fitted.probas_).all()
    assert fitted.codes_.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_a_frames_rows_does_not_matter(method, crowd):
    frame = crowd.to_long()
    a = method().fit(frame)
    b = method().fit(frame.sample(frac=1, random_state=1))
    assert np.array_equal(a.probas_, b.probas_)
    assert a.labels_.tolist() == b.labels_.tolist()


def test_a_frame_may_call_annotators_workers(crowd):
    frame = crowd.to_long().rename(columns={"annotator": "worker"})
    assert MajorityVote().fit_predict(frame).tolist()[:3] == ["cat", "dog", "cat"]


@pytest.mark.parametrize("method", METHODS)
def test_fitting_leaves_the_options_alone(method, crowd):
    fitted = method()
    before = dict(fitted.get_params())
    fitted.fit(crowd)
    assert fitted.get_params() == before
    assert repr(fitted) == repr(method())


def test_scikit_learns_clone_works():
    from sklearn.base import clone

    copied = clone(DawidSkene(n_iter=7, confusion_prior=0.5))
    assert copied.get_params() == {"n_iter": 7, "tol": 1e-5, "confusion_prior": 0.5, "class_prior": 0.0}
    assert DawidSkene().set_params(n_iter=3).n_iter == 3


@pytest.mark.parametrize("method", KNOWING)
def test_known_labels_are_believed_and_teach_about_annotators(method):
    crowd = Crowd.from_wide([["a", "b", "b"]] * 20 + [["b", "a", "a"]] * 20)  # one against two
    truth = dict.fromkeys(range(10), "a") | dict.fromkeys(range(20, 30), "b")
    fitted = method().fit(crowd, truth)
    assert fitted.labels_[:10].tolist() == ["a"] * 10
    assert np.array_equal(fitted.probas_[:10], np.tile([1.0, 0.0], (10, 1)))
    if method is not WDS:  # which never lets an annotator count against their own label
        assert fitted.labels_.tolist() == ["a"] * 20 + ["b"] * 20
    codes = np.full(40, -1)
    codes[list(truth)] = [0] * 10 + [1] * 10
    assert np.array_equal(method().fit(crowd, codes).probas_, fitted.probas_)
    assert np.array_equal(method().fit(crowd, pd.Series(truth)).probas_, fitted.probas_)


@pytest.mark.parametrize("method", KNOWING)
def test_a_known_task_without_answers_has_its_label(method, crowd):
    fitted = method().fit(crowd, {9: "dog"})
    assert fitted.labels_[9] == "dog"
    assert fitted.probas_[9].tolist() == [0, 1]


GOOD = Crowd.from_wide([[0, 1], [1, 1]])
BAD = [
    (MajorityVote(), [[0, 1]], None, "The answers are a list; pass a Crowd, or a frame"),
    (MajorityVote(), pd.DataFrame({"task": [0]}), None, "no column 'annotator'; its columns are"),
    (MajorityVote(), Crowd.from_wide([[None]]), None, "has no classes. Pass classes="),
    (MajorityVote(), GOOD, [0, 1], "was given known_labels and has no use for them. Leave them out, or use"),
    (DawidSkene(), GOOD, [0], r"known_labels has shape \(1,\)"),
    (DawidSkene(), GOOD, [0, 2], r"found 2; allowed are the class codes 0 to 1"),
    (DawidSkene(), GOOD, {7: 0}, "task 7 is not among the 2 tasks"),
    (DawidSkene(), GOOD, {0: "a"}, r"task 0: found 'a'; allowed are the crowd's classes \[0, 1\]"),
    (MajorityVote(skills=[1.0]), GOOD, None, r"skills have shape \(1,\); expected \(2,\)"),
    (MajorityVote(skills={0: 1.0}), GOOD, None, "skill of annotator 1 is nan; every annotator with answers"),
    (MajorityVote(skills=[1, np.inf]), GOOD, None, "skill of annotator 1 is inf"),
    (MajorityVote(ties="last"), GOOD, None, "ties is 'last'; allowed are 'share' and 'first'"),
    (DawidSkene(n_iter=0), GOOD, None, "n_iter is 0; it must be a whole number, 1 or more"),
    (DawidSkene(n_iter=2.5), GOOD, None, "n_iter is 2.5; it must be a whole number"),
    (DawidSkene(tol=np.nan), GOOD, None, "tol is nan; it must be a number"),
    (DawidSkene(confusion_prior=-1), GOOD, None, "confusion_prior is -1.0; it must be a number or a matrix"),
    (DawidSkene(confusion_prior=np.ones(3)), GOOD, None, r"a matrix \(2, 2\) of true class by label"),
    (DawidSkene(class_prior=-1), GOOD, None, "class_prior is -1; it must be finite, 0 or more"),
    (OneCoinDawidSkene(right_prior=-1), GOOD, None, "right_prior is -1; it must be finite, 0 or more"),
    (GLAD(class_prior=[1, 0]), GOOD, None, "expected 2 finite shares above 0"),
    (GLAD(m_step_tol=0), GOOD, None, "m_step_tol is 0; it must be above 0"),
    (MACE(method="mcmc"), GOOD, None, "method is 'mcmc'; allowed are 'vb' and 'em'"),
    (MACE(alpha=0), GOOD, None, "alpha is 0; it must be a finite number above 0"),
    (MACE(n_restarts=0), GOOD, None, "n_restarts is 0; it must be a whole number, 1 or more"),
    (KOS(), Crowd.from_wide([[0, 1, 2]]), None, r"KOS is for two classes, and the crowd has 3: \[0, 1, 2\]. Use"),
    (KOS(seed=-1), GOOD, None, "seed is -1; it must be a whole number, 0 or more"),
    (DawidSkeneClust(n_clusters=0), GOOD, None, "n_clusters is 0; it must be a whole number, 1 or more"),
    (IWMV(weights="log"), GOOD, None, "weights is 'log'; allowed are 'centered' and 'accuracy'"),
    (ZeroBasedSkill(lr_init=0), GOOD, None, "lr_init is 0; it must be above 0"),
    (TwoThird(threshold=2), GOOD, None, r"threshold is 2; it must lie in \(0, 1\]"),
    (PlantNet(ai_mode="boss"), GOOD, None, "ai_mode is 'boss'; allowed are 'ignored', 'worker'"),
    (PlantNet(ai="bot"), GOOD, None, "ai is 'bot', which is not among the annotators"),
    (PlantNet(ai=1, ai_mode="confident"), GOOD, None, "needs one for each of the 2 tasks"),
    (PlantNet(authors=[5, 0]), GOOD, None, "an annotator code for each task"),
]


@pytest.mark.parametrize(("method", "answers", "known", "message"), BAD)
def test_an_error_says_what_was_found_and_what_is_allowed(method, answers, known, message):
    with pytest.raises(ValueError, match=message):
        method.fit(answers, known)


def test_an_unknown_option_is_named():
    with pytest.raises(ValueError, match="has no option 'iterations'; it has n_iter, tol"):
        DawidSkene().set_params(iterations=3)


def test_naive_soft_is_the_share_of_votes():
    assert NaiveSoft().fit_predict_proba(Crowd.from_wide([[0, 0, 1, 0]])).tolist() == [[0.75, 0.25]]


def test_skills_count_as_votes_and_negative_ones_for_the_other_classes():
    crowd = Crowd.from_wide([["a", "a", "b"], ["c", -1, -1]], classes=["a", "b", "c"])
    voted = MajorityVote(skills={0: 1, 1: 0.5, 2: 2}).fit(crowd)
    assert np.allclose(voted.probas_, [[1.5 / 3.5, 2 / 3.5, 0], [0, 0, 1]])
    assert voted.labels_.tolist() == ["b", "c"]
    against = MajorityVote(skills=[-1, 1, 1]).fit(crowd)
    assert against.probas_[1].tolist() == [0.5, 0.5, 0]
    assert MajorityVote(skills={0: 3.0}, default_skill=1.0).fit_predict(crowd)[0] == "a"


def test_wawa_by_hand():
    # majority: 0, 1, and a tie shared by 0 and 1
    crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, -1, 1]])
    wawa = Wawa().fit(crowd)
    assert wawa.skills_.tolist() == pytest.approx([2.5 / 3, 1, 1.5 / 3])
    assert wawa.probas_[2].tolist() == pytest.approx([2.5 / 4, 1.5 / 4])
    assert Wawa(ties="first").fit(crowd).skills_.tolist() == pytest.approx([1, 1, 1 / 3])


def test_zero_based_skill_stops_when_skills_stand_still():
    crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1]])
    fitted = ZeroBasedSkill().fit(crowd)
    assert fitted.converged_
    assert fitted.n_iter_ < 5
    assert fitted.skills_.tolist() == [1, 1, 0.5]
    slow = ZeroBasedSkill(lr_init=0.5, n_iter=2).fit(crowd)
    start = 0.5 + 1e-5
    assert slow.skills_[0] == pytest.approx(1 - (1 - start) / 4)


def test_two_thirds_needs_two_answers_and_two_thirds_of_them():
    crowd = Crowd.from_wide([[0, 0, 1], [0, 1, -1], [1, -1, -1], [1, 1, -1]])
    fitted = TwoThird().fit(crowd)
    assert fitted.labels_.tolist() == [0, None, None, 1]
    assert fitted.too_hard_.tolist() == [False, True, True, False]
    assert TwoThird(threshold=0.5, min_answers=1).fit(crowd).codes_.tolist() == [0, 0, 1, 1]


def test_iwmv_turns_around_who_is_worse_than_chance():
    crowd = Crowd.from_wide([[0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 0, 1], [1, 1, 1, 0], [-1, -1, -1, 1]])
    fitted = IWMV().fit(crowd)
    assert fitted.skills_.tolist() == [1, 1, 1, 0]
    assert fitted.labels_[4] == 0
    assert IWMV(weights="accuracy").fit(crowd).labels_[4] == 1


def test_dawid_skene_prior_is_pseudo_counts():
    crowd = Crowd.from_wide([[0], [1]], classes=[0, 1])
    prior = np.array([[3.0, 1.0], [2.0, 2.0]])  # true class, label
    fitted = DawidSkene(n_iter=1, confusion_prior=prior).fit(crowd)
    start = np.array([[4, 1], [2, 3]]) / 5
    joint = start * 0.5
    T = (joint / joint.sum(axis=0)).T
    assert np.allclose(fitted.probas_, T)
    counts = T.T + prior
    assert np.allclose(fitted.confusion_[0], counts / counts.sum(axis=1, keepdims=True))


def test_the_fast_variant_is_nearly_always_the_same(generated):
    crowd = generated(2000, 30, 4)
    slow, fast = DawidSkene().fit(crowd), FastDawidSkene().fit(crowd)
    assert np.mean(slow.codes_ == fast.codes_) > 0.97
    assert fast.n_iter_ < slow.n_iter_
    assert set(np.unique(fast.probas_)) <= {0, 0.5, 1}


def test_wds_by_hand(generated):
    crowd = generated(50, 5, 3)
    fitted = WDS().fit(crowd)
    weights = np.diagonal(fitted.confusion_, axis1=1, axis2=2)[crowd.annotator, crowd.label]
    votes = np.bincount(crowd.task * 3 + crowd.label, weights, minlength=150).reshape(50, 3)
    answered = crowd.num_answers > 0
    assert np.allclose(fitted.probas_[answered], (votes / votes.sum(axis=1, keepdims=True))[answered])


def test_mace_finds_the_spammer_and_what_they_say():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    wide = np.where(rng.random((300, 5)) < 0.9, truth[:, None], rng.integers(3, size=(300, 5)))
    wide[:, 4] = 1
    for method in ("vb", "em"):
        fitted = MACE(method=method).fit(Crowd.from_wide(wide, classes=range(3)))
        assert fitted.skills_.argmin() == 4
        assert fitted.skills_[:4].min() > 0.75
        assert fitted.strategy_[4].argmax() == 1
        assert np.mean(fitted.codes_ == truth) > 0.97


def test_maces_restarts_differ_and_the_best_is_kept(generated):
    crowd = generated(100, 8, 3, 4)
    one, many = MACE(n_restarts=1, method="em").fit(crowd), MACE(n_restarts=20, method="em").fit(crowd)
    assert many.objective_ >= one.objective_
    assert np.array_equal(many.probas_, MACE(n_restarts=20, method="em").fit(crowd).probas_)


def test_glad_finds_difficulty_and_ability():
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=400)
    hard = np.arange(400) < 100
    right = rng.random((400, 8)) < np.where(hard[:, None], 0.6, np.array([0.95] * 7 + [0.5]))
    fitted = GLAD().fit(Crowd.from_wide(np.where(right, truth[:, None], 1 - truth[:, None])))
    assert fitted.easiness_[hard].mean() < fitted.easiness_[~hard].mean()
    assert fitted.skills_.argmin() == 7


def test_plantnet_counts_the_classes_that_annotators_recognise():
    # the first knows 20 classes, the others only the first one; on the last task they disagree
    wide = np.full((21, 3), -1)
    wide[:20, 0] = np.arange(20)
    wide[0] = 0
    wide[20] = [5, 0, -1]
    fitted = PlantNet(theta_conf=0.5, theta_acc=0.6).fit(Crowd.from_wide(wide, classes=range(20)))
    weight = 2**0.5 - 2**0.2 + np.log(2.1)
    assert fitted.skills_.tolist() == pytest.approx([weight, np.log(2.1), np.log(2.1)])
    assert fitted.accuracy_[20] == pytest.approx(weight / (weight + np.log(2.1)))
    own = PlantNet(authors=dict.fromkeys(range(20), 0), theta_conf=0.5, theta_acc=0.6)
    owned = own.fit(Crowd.from_wide(wide, classes=range(20)))
    assert owned.skills_[0] == pytest.approx(20**0.5 - 20**0.2 + np.log(2.1))
    assert owned.labels_[20] == 5


@pytest.mark.parametrize(
    ("mode", "label", "valid"),
    [
        ("ignored", 0, True),
        ("worker", 0, False),
        ("fixed", 1, False),
        ("confident", 1, False),
        ("invalidating", 0, False),
    ],
)
def test_plantnets_modes_of_a_model(mode, label, valid):
    crowd = Crowd.from_wide(pd.DataFrame([[0, 0, 0, 1]], columns=["ann", "bob", "cy", "bot"]))
    weight = 10.0 if mode != "worker" else 1.0
    fitted = PlantNet(ai="bot", ai_mode=mode, ai_weight=weight, ai_scores=[0.9], ai_threshold=0.5, theta_acc=0.85,
                      output_unvalidated=True).fit(crowd)  # fmt: skip
    assert fitted.labels_.tolist() == [label]
    assert fitted.valid_.tolist() == [valid]


def test_kos_without_a_decision_has_no_label():
    fitted = KOS().fit(Crowd.from_wide([[0, 1]]))  # the two say opposite things, and nothing else is known
    assert fitted.labels_.tolist() == [None]
    assert fitted.probas_.tolist() == [[0.5, 0.5]]


def test_koss_messages_never_overflow(generated):
    fitted = KOS(n_iter=100_000, tol=-1.0).fit(generated(100, 20, 2))
    assert np.isfinite(fitted.scores_).all()


def test_mmsr_leaves_pairs_out_who_share_no_task():
    # two groups that never meet, each in agreement
    wide = np.full((20, 6), -1)
    wide[:10, :3] = (np.arange(10) % 2)[:, None]
    wide[10:, 3:] = (np.arange(10) % 2)[:, None]
    fitted = MMSR().fit(Crowd.from_wide(wide))
    assert (fitted.skills_ > 0).all()
    assert fitted.labels_.tolist() == [0, 1] * 10


def test_clusters_are_found():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=500)
    good = np.where(rng.random((500, 6)) < 0.9, truth[:, None], rng.integers(3, size=(500, 6)))
    wide = np.column_stack([good, rng.integers(3, size=(500, 6))])
    fitted = DawidSkeneClust(n_clusters=2).fit(Crowd.from_wide(wide))
    assert fitted.cluster_.argmax(axis=1).tolist() == [0] * 6 + [1] * 6
    assert np.diagonal(fitted.cluster_confusion_[0]).min() > 0.85
