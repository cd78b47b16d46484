"""Every method of the registry, fitted in each way that it can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from crowdcore import Crowd
from crowdcore.aggregate import METHODS, run_method

NAMES = list(METHODS)
EVIDENCE = frozenset({"pred_probs", "features"})
WAYS = {
    name + suffix: replace(method, needs=method.needs | used, takes=method.takes - EVIDENCE)
    for name, method in METHODS.items()
    for suffix, used in [("", frozenset()), *((f" by {what}", {what}) for what in sorted(method.takes & EVIDENCE))]
}
"""The methods, and those that use evidence if there is any once more with each kind of it, which they need then."""
ALONE = [name for name in WAYS if not WAYS[name].needs]
KNOWING = [name for name in WAYS if "known_labels" in WAYS[name].takes]


def base(name):
    """The name without "+model", or what the method uses."""
    return name.removesuffix("+model").partition(" by ")[0]


def evidence(num_tasks, num_classes, seed=0):
    """A model's probabilities, without ties, and features."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(num_classes), size=num_tasks), rng.normal(size=(num_tasks, 3))


def fit(name, crowd, pred_probs=None, features=None, known_labels=None, **options):
    """Fit a method in one of its ways; what it needs and is not given is drawn."""
    P, X = evidence(len(crowd.tasks), len(crowd.classes))
    found = run_method(
        WAYS[name], crowd, pred_probs=P if pred_probs is None else pred_probs,
        features=X if features is None else features, known_labels=known_labels, options=options,
    )  # fmt: skip
    return found.aggregator


def needed(name, pred_probs, features):
    """What a way needs, by the names of `fit`."""
    given = {"pred_probs": pred_probs, "features": features}
    return {what: given[what] for what in WAYS[name].needs}


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
    return crowds(most_classes=2 if WAYS[name].binary else 5)


def as_crowd(wide, classes):
    return Crowd.from_wide(wide, classes=classes)
