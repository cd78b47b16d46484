"""Crowds for networks."""

import numpy as np

from crowdcore import Crowd


def draw(N, K, M, *, each=3, d=5, right=0.75, seed=0):
    """Return features of classes that lie apart, a crowd's answers, and the truth."""
    rng = np.random.default_rng(seed)
    truth = np.arange(N) % K
    X = rng.normal(size=(N, d)) + 2 * rng.normal(size=(K, d))[truth]
    task = np.repeat(np.arange(N), each)
    annotator = np.concatenate([rng.permutation(M)[:each] for _ in range(N)])
    told = np.where(rng.random(N * each) < right, truth[task], rng.integers(0, K, N * each))
    return X, Crowd.from_codes(task, annotator, told, tasks=range(N), annotators=range(M), classes=range(K)), truth
