"""Every method of the registry, fitted in one way."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from crowdcore import Crowd
from crowdcore.aggregate import METHODS, run_method

NAMES = list(METHODS)
ALONE = [name for name in NAMES if not METHODS[name].needs]
KNOWING = [name for name in NAMES if "known_labels" in METHODS[name].takes]


def base(name):
    """The name without "+model"."""
    return name.removesuffix("+model")


def evidence(num_tasks, num_classes, seed=0):
    """A model's probabilities, without ties, and features."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(num_classes), size=num_tasks), rng.normal(size=(num_tasks, 3))


def fit(name, crowd, pred_probs=None, features=None, known_labels=None, **options):
    """Fit a method; what it needs and is not given is drawn."""
    P, X = evidence(len(crowd.tasks), len(crowd.classes))
    found = run_method(
        name, crowd, pred_probs=P if pred_probs is None else pred_probs, features=X if features is None else features,
        known_labels=known_labels, options=options,
    )  # fmt: skip
    return found.aggregator


@st.composite
def crowds(draw, most_classes=5):
    """A wide matrix (-1 for no answer), the number of classes, and a generator."""
    N, M, K = draw(st.integers(1, 25)), draw(st.integers(1, 7)), draw(st.integers(2, most_classes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = rng.integers(K, size=(N, M))
    if draw(st.booleans()):  # most agree
        wide = np.where(rng.random((N, M)) < 0.8, np.arange(N)[:, None] % K, wide)
    wide[rng.random((N, M)) < draw(st.sampled_from([0.0, 0.3, 0.8]))] = -1
    return wide, K, rng


def crowds_for(name):
    """Crowds that the method takes."""
    return crowds(most_classes=2 if METHODS[name].binary else 5)


def as_crowd(wide, classes):
    return Crowd.from_wide(wide, classes=classes)
