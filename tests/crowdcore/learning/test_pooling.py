"""Two classifiers as one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore.learning.pooling import best_share, pool


def two(seed, N=20, K=4):
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.ones(K), size=N) for _ in range(3)]


@given(st.integers(0, 10**6), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_a_pool_is_between_the_two_whichever_comes_first(seed, share):
    first, second, _ = two(seed)
    pooled = pool(first, second, share)
    assert np.allclose(pooled.sum(axis=1), 1)
    assert np.allclose(pooled, pool(second, first, 1 - share))
    odds = [np.log(P[:, 0] / P[:, 1]) for P in (first, second, pooled)]
    assert (odds[2] >= np.minimum(odds[0], odds[1]) - 1e-9).all()
    assert (odds[2] <= np.maximum(odds[0], odds[1]) + 1e-9).all()


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_the_second_counts_up_to_half_and_not_where_it_is_wrong(seed):
    first, second, truth = two(seed)
    assert best_share(first, truth, truth) == 0.5
    assert best_share(truth, second, truth) == 0
