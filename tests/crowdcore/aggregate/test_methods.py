"""Methods by name."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from crowdcore import Crowd, aggregate, crowdlab, hierarchical_dawid_skene
from crowdcore.aggregate import DawidSkene, HierarchicalDawidSkene, WithModel, find_method, run_method
from tests.crowdcore.aggregate.every_method import EVIDENCE, METHODS, NAMES, evidence

CROWD = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", "dog"], ["cat", None, "cat"]])
P = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
PEERANNOT = {
    "majority_voting": "majority-vote", "naive_soft": "naive-soft", "dawid_skene": "dawid-skene",
    "dawid_skene_clust": "dawid-skene-clust", "glad": "glad", "wds": "wds", "plantnet": "plantnet",
    "twothird": "two-third", "iwmv": "iwmv", "wawa": "wawa",
}  # fmt: skip
CROWD_KIT = {
    "MajorityVote": "majority-vote", "Wawa": "wawa", "ZeroBasedSkill": "zero-based-skill", "DawidSkene": "dawid-skene",
    "OneCoinDawidSkene": "one-coin-dawid-skene", "GLAD": "glad", "MACE": "mace", "MMSR": "mmsr", "KOS": "kos",
}  # fmt: skip
BENCHMARK = {
    "crowdlab": "crowdlab", "agreement": "agreement", "label_quality_score": "label-quality-score",
    "active_label_cleaning": "active-label-cleaning", "empirical_bayes": "empirical-bayes",
    "no_perannotator_weights": "shared-weight", "dawid_skene_with_model": "dawid-skene+model",
    "glad_with_model": "glad+model",
}  # fmt: skip
FREE = {
    "dawid skene": "dawid-skene", "Dawid-Skene": "dawid-skene", "M-MSR": "mmsr", "DS+Model": "dawid-skene+model",
    "hds": "hierarchical-dawid-skene", "Hierarchical": "hierarchical-dawid-skene",
    "HierarchicalDawidSkene": "hierarchical-dawid-skene",
}  # fmt: skip


@pytest.mark.parametrize(("alias", "name"), [*(PEERANNOT | CROWD_KIT | BENCHMARK | FREE).items()])
def test_a_method_answers_to_the_names_that_it_has_elsewhere(alias, name):
    assert find_method(alias) is METHODS[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_what_its_name_says(name):
    method = METHODS[name]
    assert method.name == name
    assert method.about
    assert find_method(name) is method
    assert all(find_method(alias) is method for alias in method.aliases)


def test_no_two_methods_share_a_name():
    claimed = [key for method in METHODS.values() for key in {_key(n) for n in (method.name, *method.aliases)}]
    assert len(claimed) == len(set(claimed))


def _key(name):
    return name.lower().replace("-", "").replace("_", "")


def test_every_public_aggregator_has_a_name():
    kinds = {name for name, kind in vars(aggregate).items() if isinstance(kind, type) and hasattr(kind, "fit")}
    bases = {"Aggregator", "InformedAggregator", "WithModel"}
    assert kinds - bases == {type(method.make()).__name__ for method in METHODS.values()} - bases


def test_every_method_of_answers_alone_can_have_the_model_as_an_annotator():
    with_model = {name for name in NAMES if name.endswith("+model")}
    assert with_model == {
        f"{name}+model" for name in NAMES if not EVIDENCE & (METHODS[name].needs | METHODS[name].takes)
    }
    assert all(METHODS[name].needs == {"pred_probs"} for name in with_model)


def test_run_method_gives_labels_probabilities_and_the_aggregator():
    found = run_method("dawid-skene", CROWD, options={"n_iter": 3})
    expected = DawidSkene(n_iter=3).fit(CROWD)
    assert found.labels.tolist() == expected.labels_.tolist()
    assert np.array_equal(found.probas, expected.probas_)
    assert found.aggregator.n_iter == 3


def test_peerannots_names_of_options_are_known():
    made = find_method("dawid_skene_clust").make(L=5, maxiter=7)
    assert (made.n_clusters, made.n_iter) == (5, 7)
    joined = find_method("dawid_skene_clust+model").make(L=5)
    assert joined.aggregator.n_clusters == 5


def test_the_frame_has_a_row_for_each_task_and_a_column_for_each_class():
    frame = run_method("majority-vote", CROWD).to_frame()
    assert frame.columns.tolist() == ["label", "quality", "cat", "dog"]
    assert frame.index.name == "task"
    assert frame.index.tolist() == [0, 1, 2]
    assert frame["label"].tolist() == ["cat", "dog", "cat"]
    assert frame["quality"].tolist() == pytest.approx([2 / 3, 1, 1])
    assert frame["dog"].tolist() == pytest.approx([1 / 3, 1, 0])


def test_a_class_may_be_called_like_a_column():
    frame = run_method("majority-vote", Crowd.from_wide([["label", "quality"]])).to_frame()
    assert frame.columns.tolist() == ["label", "quality", "class label", "class quality"]


def test_the_quality_in_the_frame_is_the_methods_own():
    cleaning = run_method("active-label-cleaning", CROWD, pred_probs=P)
    assert cleaning.to_frame()["quality"].tolist() == cleaning.aggregator.quality_.tolist()
    assert cleaning.quality.tolist() != cleaning.probas.max(axis=1).tolist()


@pytest.mark.parametrize("name", NAMES)
def test_the_annotators_frame_says_how_they_did(name):
    if METHODS[name].binary:
        assert len(CROWD.classes) == 2
    frame = run_method(name, CROWD, pred_probs=P, features=[[0.0], [1.0], [0.0]]).annotators_frame()
    assert frame.columns.tolist() == ["num_answers", "agreement_with_consensus", "skill"]
    assert frame.index.tolist() == [0, 1, 2, *(["model"] if name.endswith("+model") else [])]
    assert frame["num_answers"].tolist()[:3] == [3, 2, 3]
    assert frame["agreement_with_consensus"].between(0, 1).all()


def test_crowdlab_as_a_method_is_crowdlab():
    found = run_method("crowdlab", CROWD, pred_probs=P, options={"calibrate_probs": True})
    expected = crowdlab(CROWD, P, calibrate_probs=True)
    assert np.array_equal(found.labels, expected.labels)
    assert np.array_equal(found.quality, expected.quality)
    assert np.array_equal(found.annotators_frame()["skill"], expected.annotators.quality, equal_nan=True)


def test_an_ensemble_speaks_through_every_method():
    models = np.array([P, [[0.5, 0.5], [0.6, 0.4], [0.1, 0.9]]])
    for name in NAMES:
        if "pred_probs" in METHODS[name].needs:
            found = run_method(name, CROWD, pred_probs=models)
            assert np.allclose(found.probas.sum(axis=1), 1)
            if name != "crowdlab":  # which weighs each of them
                assert np.allclose(found.probas, run_method(name, CROWD, pred_probs=models.mean(axis=0)).probas)


def test_the_models_row_comes_last_and_it_is_judged_like_the_others():
    joined = WithModel(DawidSkene()).fit(CROWD, P)
    wide = [["cat", "cat", "dog", "cat"], ["dog", "dog", "dog", "dog"], ["cat", None, "cat", "cat"]]
    expected = DawidSkene().fit(Crowd.from_wide(wide))
    assert np.array_equal(joined.probas_, expected.probas_)
    assert np.array_equal(joined.aggregator_.confusion_, expected.confusion_)
    assert joined.crowd_.annotators.tolist() == [0, 1, 2, "model"]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_method_found_can_be_pickled_copied_and_cloned(name):
    crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 1], [0, 1, 0], [1, 0, 1]])
    P, X = evidence(4, 2)
    found = run_method(name, crowd, pred_probs=P, features=X)
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert again.method == found.method
        assert again.to_frame().equals(found.to_frame())
    fresh = clone(found.aggregator)
    assert not hasattr(fresh, "probas_")
    assert repr(fresh) == repr(found.aggregator)


def test_hierarchical_dawid_skene_as_a_method_is_hierarchical_dawid_skene():
    found = run_method("hds", CROWD, pred_probs=P, known_labels={2: "dog"}, options={"most_exponent": 1.0})
    expected = hierarchical_dawid_skene(CROWD, P, known_labels=[-1, -1, 1], most_exponent=1.0)
    assert np.array_equal(found.labels, expected.labels)
    assert np.array_equal(found.probas, expected.posterior)
    assert np.array_equal(found.quality, expected.quality)
    assert np.array_equal(found.aggregator.label_quality_, expected.label_quality)
    assert np.array_equal(found.aggregator.confusion_, expected.confusion())
    assert np.array_equal(found.annotators_frame()["skill"], expected.annotators.quality)


@pytest.mark.parametrize("given", [(), ("pred_probs",), ("features",), ("pred_probs", "features")], ids="+".join)
def test_hierarchical_dawid_skene_uses_what_there_is(given):
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 2
    crowd = Crowd.from_wide(np.where(rng.random((60, 3)) < 0.8, truth[:, None], 1 - truth[:, None]))
    features = truth[:, None] + rng.normal(size=(60, 2))
    all_of_it = {"pred_probs": np.where(truth[:, None] == [0, 1], 0.6, 0.4), "features": features}
    evidence = {what: all_of_it[what] for what in given}
    found = run_method("hierarchical-dawid-skene", crowd, **evidence)
    assert np.array_equal(found.probas, hierarchical_dawid_skene(crowd, **evidence).posterior)
    assert np.allclose(found.probas, run_method("hierarchical-dawid-skene", crowd).probas) == (not given)


def test_what_uses_probabilities_if_there_are_any_can_have_them_as_an_annotator_instead():
    known = [0, -1, -1]
    joined = WithModel(HierarchicalDawidSkene()).fit(CROWD, P, known)
    expected = HierarchicalDawidSkene().fit(CROWD.with_annotator("model", P.argmax(axis=1)), known_labels=known)
    assert np.array_equal(joined.probas_, expected.probas_)
