"""Dirichlet distributions, one a row, as variational Bayes needs them."""

from __future__ import annotations

from crowdcore.aggregate.classes.aggregator import Floats


def means(parameters: Floats) -> Floats:
    """Return the expected shares, shape (..., K)."""
    shares: Floats = parameters / parameters.sum(axis=-1, keepdims=True)
    return shares


def mean_logs(parameters: Floats) -> Floats:
    """Return the expected logarithms of the shares, shape (..., K)."""
    from scipy.special import digamma

    logs: Floats = digamma(parameters) - digamma(parameters.sum(axis=-1, keepdims=True))
    return logs


def divergence(parameters: Floats, prior: Floats) -> float:
    """Return the sum of the Kullback-Leibler divergences from the prior, whose shape is (K,)."""
    from scipy.special import gammaln

    total = parameters.sum(axis=-1)
    constant = gammaln(prior.sum()) - gammaln(prior).sum()
    apart = gammaln(total) - gammaln(parameters).sum(axis=-1) - constant
    return float(apart.sum() + ((parameters - prior) * mean_logs(parameters)).sum())
