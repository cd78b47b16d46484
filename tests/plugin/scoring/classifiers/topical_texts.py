"""Texts whose words tell their class, and a crowd that labels them."""

import numpy as np

from crowdcore import Crowd
from label_studio_crowd.scoring.classifiers import TaskData

TOPICS = [
    ["ball", "goal", "team", "match", "player", "score", "league", "coach"],
    ["bank", "money", "market", "stock", "price", "trade", "profit", "loan"],
    ["planet", "star", "orbit", "moon", "comet", "rocket", "galaxy", "light"],
]
COMMON = ["the", "a", "of", "and", "in", "to", "it", "was", "for", "on", "with", "at", "by", "from", "this", "that"]


def tasks_of(data, *fields, predictions=None):
    return TaskData(range(100, 100 + len(data)), data, fields, predictions or {})


def topical(n, seed=0, topical_words=3):
    """Texts whose words tell their class, and the classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    data = [{"text": " ".join([*rng.choice(TOPICS[c], topical_words), *rng.choice(COMMON, 8)])} for c in truth]
    return tasks_of(data, ("Text", "text")), truth


def noisy_crowd(truth, K, *, skill=0.65, answers=2, annotators=12, seed=0):
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(len(truth)), answers)
    who = np.concatenate([rng.choice(annotators, answers, replace=False) for _ in truth])
    label = np.where(rng.random(len(task)) < skill, truth[task], rng.integers(0, K, len(task)))
    return Crowd.from_codes(task, who, label, tasks=range(len(truth)), annotators=range(annotators), classes=range(K))


def assert_probabilities(P, N, K):
    assert P.shape == (N, K)
    assert P.dtype == np.float64
    assert np.isfinite(P).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-12)
    assert P.min() > 0.0099 / K  # logarithms are taken of these
