"""A network in the course of its training, which finds hard tasks."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from crowdcore import Crowd
from crowdcore.identify import aum, waum
from crowdcore.learning.networks import NetworkCourse

pytest.importorskip("torch", reason="the extra deep is not installed, so no network learns")


def draw():
    """Return a crowd, features, and which tasks are hard: those between the classes."""
    rng = np.random.default_rng(0)
    truth, hard = rng.integers(2, size=120), np.arange(120) % 4 == 0
    X = (2 * truth - 1.0)[:, None] * np.where(hard, 0.0, 2.0)[:, None] + rng.normal(scale=0.4, size=(120, 2))
    right = rng.random((120, 3)) < np.where(hard, 0.5, 0.95)[:, None]
    return Crowd.from_wide(np.where(right, truth[:, None], 1 - truth[:, None]), classes=[0, 1]), X, hard


def course(X):
    return NetworkCourse(X, module="mlp", lr=0.02, schedule=None, batch_size=20)


def test_it_finds_hard_tasks_and_repeats_itself():
    crowd, X, hard = draw()
    found = waum(crowd, course(X), n_epochs=10)
    assert roc_auc_score(hard, -found.area) > 0.9
    assert np.array_equal(waum(crowd, course(X), n_epochs=10).area, found.area)
    assert roc_auc_score(hard, -aum(crowd, course(X), n_epochs=10, margin="pleiss").area) > 0.9


def test_there_are_logits_of_all_tasks_after_each_epoch():
    _, X, _ = draw()
    logits = list(course(X)(np.array([0, 1, 1]), np.array([0, 1, 0]), 3, 4, 0))
    assert [each.shape for each in logits] == [(120, 3)] * 4
    assert not np.allclose(logits[0], logits[-1])


def test_tasks_may_come_in_another_order():
    import pandas as pd

    crowd, X, _ = draw()
    frame = pd.DataFrame(X, index=crowd.tasks)
    shuffled = NetworkCourse(frame.sample(frac=1, random_state=0), crowd.tasks, module="linear", schedule=None)
    ordered = NetworkCourse(X, module="linear", schedule=None)
    found, expected = (waum(crowd, one, n_epochs=2).area for one in (shuffled, ordered))
    assert np.allclose(found, expected)
