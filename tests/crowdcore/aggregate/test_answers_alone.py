"""Each method of answers alone, on cases whose result can be worked out."""

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd
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
    PlantNet,
    TwoThird,
    Wawa,
    ZeroBasedSkill,
)


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


def test_mmsr_ends_where_agreements_contradict_each_other():
    # the first agrees with both others, who do not agree with each other: no factors fit, and they would overflow
    fitted = MMSR().fit(Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, -1, 0]]))
    assert fitted.labels_.tolist() == [0, 1, 0]
    assert fitted.skills_.argmax() == 0
    assert not fitted.converged_


def test_clusters_are_found():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=500)
    good = np.where(rng.random((500, 6)) < 0.9, truth[:, None], rng.integers(3, size=(500, 6)))
    wide = np.column_stack([good, rng.integers(3, size=(500, 6))])
    fitted = DawidSkeneClust(n_clusters=2).fit(Crowd.from_wide(wide))
    assert fitted.cluster_.argmax(axis=1).tolist() == [0] * 6 + [1] * 6
    assert np.diagonal(fitted.cluster_confusion_[0]).min() > 0.85
