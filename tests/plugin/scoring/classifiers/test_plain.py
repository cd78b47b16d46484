"""A network as a project's classifier, kept without a pickle."""

import pickle

import numpy as np
import pytest

from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring import models
from label_studio_crowd.scoring.classifiers import TaskData, choose

SPEC = "crowdcore.learning:embedding_mlp"
HEX = "ab12"


@pytest.fixture
def quick(monkeypatch):
    """Networks that learn in a moment."""
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'label-studio-crowd[deep]'")
    torch.set_num_threads(1)
    from crowdcore.learning.networks import tables

    make = tables.NetworkClassifier
    monkeypatch.setattr(
        tables, "NetworkClassifier", lambda **options: make(**options, epochs=5, least_steps=0, lr=0.01)
    )
    monkeypatch.setattr(tables, "unpacked", lambda _, *rest, f=tables.unpacked: f(make, *rest))


def project(n=120):
    rng = np.random.default_rng(0)
    truth = np.arange(n) % 3
    V = rng.normal(size=(n, 6)) + 3 * rng.normal(size=(3, 6))[truth]
    return TaskData(range(n), [{"image": "a.png", "v": row.tolist()} for row in V]), truth


def test_a_network_learns_the_column_of_vectors(quick):
    tasks, truth = project()
    classifier = choose(SPEC, tasks, n_classes=3).classifier
    labels = np.where(np.arange(len(truth)) < 100, truth, -1)
    P = classifier.predict_out_of_sample(labels, 3)
    assert np.mean(P.argmax(axis=1) == truth) > 0.9
    assert np.array_equal(P, choose(SPEC, tasks, n_classes=3).classifier.predict_out_of_sample(labels, 3))


def test_its_model_is_kept_without_a_pickle_and_predicts_the_same(quick, tmp_path, monkeypatch):
    tasks, truth = project()
    model = choose(SPEC, tasks, n_classes=3).classifier.model(truth, 3)
    models.keep(tmp_path / "models", HEX, model)
    monkeypatch.setattr(pickle, "loads", None)
    again = models.at_hand(tmp_path / "models", HEX)
    assert np.array_equal(again.predict(tasks), model.predict(tasks))
    odd = TaskData(range(3), [{"v": "none"}, {}, {"v": [1.0]}])
    assert np.allclose(again.predict(odd).sum(axis=1), 1)


def test_without_torch_it_says_what_to_install(monkeypatch):
    def missing(module):
        raise ImportError(f"Networks need {module}: pip install 'label-studio-crowd[deep]'", name=module)

    monkeypatch.setattr("crowdcore.learning.networks.extra.needed", missing)
    with pytest.raises(UserError, match="pip install 'label-studio-crowd\\[deep\\]'"):
        choose(SPEC, project(6)[0], n_classes=3)
