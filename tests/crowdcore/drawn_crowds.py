"""Small crowds of every shape, for laws that hold for all of them."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def crowds(draw):
    """A wide matrix (-1 for no answer), probabilities without ties, and a generator for the rest."""
    N, M, K = draw(st.integers(1, 25)), draw(st.integers(1, 7)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = rng.integers(K, size=(N, M))
    wide[rng.random((N, M)) < draw(st.sampled_from([0.0, 0.3, 0.8]))] = -1
    if draw(st.booleans()):  # most agree
        wide = np.where((wide >= 0) & (rng.random((N, M)) < 0.8), np.arange(N)[:, None] % K, wide)
    return wide, rng.dirichlet(np.ones(K), size=N), rng
