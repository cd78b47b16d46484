"""Networks as their users know them."""

import pickle
import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from crowdcore import Crowd, hierarchical_dawid_skene
from crowdcore.learning.networks import CoNAL, ConsensusNetwork, CoupledCrossEntropy, CrowdLayer, NetworkClassifier
from tests.crowdcore.learning.networks.crowds import draw

QUICK = {"epochs": 2, "least_steps": 0}
LEARNERS = {
    "consensus": ConsensusNetwork,
    **{
        f"crowd layer {kind}": lambda *module, kind=kind, **more: CrowdLayer(*module, kind=kind, **more)
        for kind in ("mw", "vw", "vb", "vw+b")
    },
    "conal": CoNAL,
    **{
        f"coupled {name}": lambda *module, name=name, **more: CoupledCrossEntropy(*module, regularizer=name, **more)
        for name in ("geo-reg-f", "geo-reg-w", "trace", None)
    },
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:.*answers for .* annotators and .* classes")


@pytest.mark.parametrize("name", LEARNERS)
def test_learns_classes_from_answers(name, small):
    X, crowd, truth = small
    fitted = LEARNERS[name](lr=1e-2, least_steps=120).fit(X, crowd)
    P = fitted.predict_proba(X)
    assert np.allclose(P.sum(axis=1), 1)
    assert np.mean(fitted.predict(X) == truth) > 0.9
    assert fitted.history_[-1]["train_loss"] < fitted.history_[0]["train_loss"]


def test_learns_from_probabilities_and_from_labels(small):
    X, _, truth = small
    soft = NetworkClassifier(lr=1e-2, least_steps=120).fit(X, np.eye(3)[truth] * 0.8 + 0.2 / 3)
    hard = NetworkClassifier(lr=1e-2, least_steps=120).fit(X, np.array(["a", "b", "c"])[truth])
    assert np.mean(soft.predict(X) == truth) > 0.95
    assert hard.classes_.tolist() == ["a", "b", "c"]
    assert np.mean(hard.predict(X) == np.array(["a", "b", "c"])[truth]) > 0.95
    assert soft.predict_proba(X).max(axis=1).mean() < hard.predict_proba(X).max(axis=1).mean()


@pytest.mark.parametrize("name", ["consensus", "crowd layer mw", "conal", "coupled geo-reg-f"])
def test_one_seed_twice_is_the_same_to_the_last_bit_and_torchs_own_chance_is_untouched(name, small):
    import torch

    X, crowd, _ = small
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = LEARNERS[name](epochs=3, least_steps=0, seed=3).fit(X, crowd)
    P = first.predict_proba(X)
    first.embed(X)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(99)
    assert np.array_equal(LEARNERS[name](epochs=3, least_steps=0, seed=3).fit(X, crowd).predict_proba(X), P)
    assert not np.array_equal(LEARNERS[name](epochs=3, least_steps=0, seed=4).fit(X, crowd).predict_proba(X), P)


def test_five_fits_side_by_side_are_those_in_turns(small):
    X, crowd, _ = small
    fit = lambda seed: CrowdLayer(epochs=3, least_steps=0, seed=seed).fit(X, crowd).predict_proba(X)  # noqa: E731
    in_turns, found = [fit(seed) for seed in range(5)], {}
    threads = [threading.Thread(target=lambda at=at: found.__setitem__(at, fit(at))) for at in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[at], in_turns[at]) for at in range(5))


@pytest.mark.parametrize("name", LEARNERS)
def test_tasks_annotators_or_classes_in_another_order_give_the_same(name, small):
    X, crowd, _ = small
    rng = np.random.default_rng(5)
    make = lambda: LEARNERS[name]("linear", lr=0.1, optimizer="sgd", standardize=False, least_steps=0)  # noqa: E731
    P = make().fit(X, crowd).predict_proba(X)
    tasks, people, classes = (rng.permutation(size) for size in (90, 6, 3))
    other = Crowd.from_codes(
        np.argsort(tasks)[crowd.task], np.argsort(people)[crowd.annotator], np.argsort(classes)[crowd.label],
        tasks=tasks, annotators=people, classes=classes,
    )  # fmt: skip
    again = make().fit(X[tasks], other).predict_proba(X)
    assert np.allclose(again, P[:, classes], atol=2e-4)


@pytest.mark.parametrize("name", LEARNERS)
def test_an_estimator_clones_and_pickles(name, small):
    X, crowd, _ = small
    fitted = LEARNERS[name](**QUICK).fit(X, crowd)
    P = fitted.predict_proba(X)
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), P)
    copy = clone(fitted)
    assert not hasattr(copy, "module_")
    assert np.array_equal(copy.fit(X, crowd).predict_proba(X), P)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_saved_network_comes_back_without_code(name, small, tmp_path):
    X, crowd, _ = small
    fitted = LEARNERS[name](**QUICK).fit(X, crowd)
    path = fitted.save(tmp_path / "network.safetensors")
    loaded = type(fitted).load(path, device="cpu")
    assert np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert loaded.get_params()["epochs"] == 2
    assert loaded.annotators_.tolist() == crowd.annotators.tolist()
    with pytest.raises(ValueError, match="expected a NetworkClassifier"):
        NetworkClassifier.load(path)


@pytest.mark.parametrize("K", [1, 2])
@pytest.mark.parametrize("name", LEARNERS)
def test_few_classes(name, K):
    X, crowd, truth = draw(40, K, 4)
    fitted = LEARNERS[name](**QUICK).fit(X, crowd)
    assert fitted.predict_proba(X).shape == (40, K)
    assert K == 2 or (fitted.predict(X) == truth).all()


@pytest.mark.parametrize("name", LEARNERS)
def test_tasks_and_annotators_without_answers(name):
    X, crowd, _ = draw(40, 3, 5)
    told = crowd.select_answers((crowd.task < 30) & (crowd.annotator != 2))
    fitted = LEARNERS[name](**QUICK).fit(X, told)
    assert np.isfinite(fitted.predict_proba(X)).all()
    other = X.copy()
    other[30:] += 1  # what has no answers teaches nothing, and features of a consensus are scaled by all
    if name != "consensus":
        assert np.array_equal(LEARNERS[name](**QUICK).fit(other, told).predict_proba(X), fitted.predict_proba(X))
        confusion = fitted.confusion_[2]
        assert np.allclose(confusion, confusion.T, atol=0.02) or name == "conal"  # nobody answered: as at first
        assert (confusion.argmax(axis=1) == np.arange(3)).all()


def test_a_task_with_thousands_of_answers():
    crowd = Crowd.from_codes([0] * 5000 + [1, 2], [*range(5000), 0, 1], [0] * 5002, tasks=range(3),
                             annotators=range(5000), classes=range(2))  # fmt: skip
    P = CrowdLayer(**QUICK, kind="vb").fit(np.eye(3), crowd).predict_proba(np.eye(3))
    assert (P.argmax(axis=1) == 0).all()


def test_nothing_to_learn_is_said(small):
    X, crowd, _ = small
    none = crowd.select_answers(np.zeros(len(crowd.label), dtype=bool))
    with pytest.raises(ValueError, match="None of the 90 tasks has an answer"):
        CrowdLayer().fit(X, none)
    with pytest.raises(ValueError, match="kind is 'xy'; allowed are 'mw', 'vw', 'vb', 'vw\\+b'"):
        CrowdLayer(kind="xy").fit(X, crowd)
    with pytest.raises(ValueError, match="There are 89 rows"):
        CrowdLayer().fit(X[:-1], crowd)
    with pytest.raises(ValueError, match="row 3: a value is not finite"):
        CrowdLayer().fit(np.where(np.arange(90)[:, None] == 3, np.nan, X), crowd)


@pytest.mark.filterwarnings("default")
def test_few_answers_for_many_numbers_are_said(small, recwarn):
    X, crowd, _ = small
    CrowdLayer(**QUICK).fit(X, crowd)
    assert not recwarn
    few = crowd.select_answers(crowd.task < 40)
    with pytest.warns(UserWarning, match=r"CrowdLayer has 120 answers for 6 annotators and 3 classes: 6.7 for each"):
        CrowdLayer(**QUICK).fit(X, few)


def test_a_frame_is_put_into_the_order_of_the_tasks(small):
    X, crowd, _ = small
    frame = pd.DataFrame(X, index=crowd.tasks).sample(frac=1, random_state=0)
    found = CrowdLayer(**QUICK).fit(frame, crowd).predict_proba(X)
    assert np.array_equal(found, CrowdLayer(**QUICK).fit(X, crowd).predict_proba(X))


def test_embeddings_are_what_the_last_layer_sees(small):
    X, crowd, _ = small
    fitted = CrowdLayer(**QUICK).fit(X, crowd)
    features = fitted.embed(X)
    last = fitted.module_[-1]
    logits = features @ last.weight.detach().double().numpy().T + last.bias.detach().double().numpy()
    powers = np.exp(logits)
    assert features.shape == (90, 128)
    assert np.allclose(powers / powers.sum(axis=1, keepdims=True), fitted.predict_proba(X), atol=1e-5)


def test_an_interrupted_fit_goes_on_as_if_nothing_had_been(small, tmp_path):
    X, crowd, _ = small
    whole = CoNAL(epochs=6, least_steps=0).fit(X, crowd)

    def stop(what, done, of):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CoNAL(epochs=6, least_steps=0, checkpoint=tmp_path, progress=stop).fit(X, crowd)
    told = []
    kept = {"epochs": 6, "least_steps": 0, "checkpoint": tmp_path, "resume": True}
    again = CoNAL(progress=lambda *news: told.append(news), **kept).fit(X, crowd)
    assert np.array_equal(again.predict_proba(X), whole.predict_proba(X))
    assert told[0][1] in (3, 4)
    assert told[-1][1] == told[-1][2] == len(again.history_)
    with pytest.raises(ValueError, match=r"was made with lr = '0\.001', and now it is '0\.01'"):
        CoNAL(lr=1e-2, **kept).fit(X, crowd)


@pytest.mark.parametrize("by", ["answers", "validation"])
def test_an_early_stop_takes_the_best_epoch(by, small):
    X, crowd, truth = small
    fitted = CrowdLayer(early_stopping=by, lr=0.03, least_steps=0).fit(X, crowd, validation=(X[:30], truth[:30]))
    column = "answers_loss" if by == "answers" else "val_loss"
    losses = [line[column] for line in fitted.history_]
    if by == "validation":
        found = -np.log(fitted.predict_proba(X[:30])[np.arange(30), truth[:30]]).mean()
        assert found == pytest.approx(min(losses), abs=1e-5)
    assert min(losses) < losses[0]


def test_a_module_of_ones_own(small):
    import torch

    X, crowd, _ = small
    own = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.BatchNorm1d(7), torch.nn.Linear(7, 3))
    first = {name: tensor.clone() for name, tensor in own.state_dict().items()}
    fitted = CrowdLayer(own, **QUICK, batch_size=89).fit(X, crowd)
    assert all(torch.equal(tensor, first[name]) for name, tensor in own.state_dict().items())
    assert fitted.embed(X).shape == (90, 7)
    with pytest.raises(ValueError, match="gives \\(1, 4\\) for one task of shape \\(5,\\); expected \\(1, 3\\)"):
        CrowdLayer(torch.nn.Linear(5, 4)).fit(X, crowd)
    with pytest.raises(ValueError, match="There is no module 'resnet18'"):
        CrowdLayer("resnet18").fit(X, crowd)


def test_known_labels_teach_where_nobody_answered(small):
    X, crowd, truth = small
    told = crowd.select_answers(crowd.task >= 60)
    known = np.where(np.arange(90) < 60, truth, -1)
    fitted = ConsensusNetwork(lr=1e-2, least_steps=120).fit(X, told, known_labels=known)
    assert fitted.consensus_.consensus[:60].tolist() == truth[:60].tolist()
    assert np.mean(fitted.predict(X) == truth) > 0.95
    without = ConsensusNetwork(**QUICK).fit(X, told)
    assert len(without.consensus_.known) == 90
    assert not without.consensus_.known.any()


def test_other_features_can_be_the_consensus(small):
    X, crowd, _ = small
    flat = X[:, :1] * 0
    noted = ConsensusNetwork(**QUICK).fit(flat, crowd, features=X).consensus_.quality.mean()
    assert noted > ConsensusNetwork(**QUICK).fit(flat, crowd).consensus_.quality.mean()


def test_a_network_is_a_classifier_of_the_consensus(small):
    X, crowd, truth = small
    network = NetworkClassifier(lr=1e-2, epochs=20, least_steps=0)
    found = hierarchical_dawid_skene(crowd, features=X, classifier=network)
    assert np.mean(found.consensus == truth) > np.mean(hierarchical_dawid_skene(crowd).consensus == truth)


def test_weights_count_as_repeated_tasks(small):
    X, _, truth = small
    weight = np.where(truth == 0, 0.0, 1.0)
    P = NetworkClassifier(lr=1e-2, least_steps=120).fit(X, truth, sample_weight=weight).predict_proba(X)
    assert P[:, 0].max() < 0.1
