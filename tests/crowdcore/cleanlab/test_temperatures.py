import numpy as np
import pytest

from crowdcore import Crowd, apply_temperature, fit_temperature


def loss(crowd, P, T):
    """The definition, written out."""
    total = []
    for i in np.flatnonzero(crowd.num_answers):
        scaled = P[i] ** (1 / T)
        scaled = np.maximum(scaled / scaled.sum(), 1e-30)
        total.append(-(crowd.counts[i] / crowd.num_answers[i]) @ np.log(scaled) / np.log(P.shape[1]))
    return np.mean(total)


@pytest.mark.parametrize("seed", range(20))
def test_the_temperature_is_the_best_of_the_grid(draw, seed):
    crowd, P = draw(seed, K=2 + seed % 5)
    sharp = apply_temperature(P, np.random.default_rng(seed).choice([0.05, 0.3, 1, 3]))
    coarse = [0.1, 0.2, 0.5, 0.8, 1, 2, 3, 5, 8]
    best = int(np.argmin([loss(crowd, sharp, T) for T in coarse]))
    fine = []
    if best:
        fine += list(np.linspace(coarse[best - 1], coarse[best], 4, endpoint=False))
    if best < 8:
        fine += list(np.linspace(coarse[best], coarse[best + 1], 5))
    assert fit_temperature(crowd, sharp) == fine[int(np.argmin([loss(crowd, sharp, T) for T in fine]))]


def test_an_oversure_model_is_cooled_and_a_modest_one_heated(draw):
    crowd, P = draw(1, N=300)
    T = fit_temperature(crowd, P)
    assert fit_temperature(crowd, apply_temperature(P, 1 / 3)) > T
    assert fit_temperature(crowd, apply_temperature(P, 3)) < T


def test_the_range_ends_at_a_tenth_and_below_eight():
    votes = np.array([[5, 5], [5, 5], [5, 5]])
    assert fit_temperature(votes, [[1 - 1e-9, 1e-9]] * 3) == 7.25
    assert fit_temperature([[9, 0]] * 3, [[0.51, 0.49]] * 3) == 0.1


def test_votes_can_be_given_as_counts(draw):
    crowd, P = draw(2)
    assert fit_temperature(crowd, P) == fit_temperature(crowd.counts, P)


def test_each_model_of_an_ensemble_has_its_own(draw):
    crowd, P = draw(3)
    models = np.stack([P, apply_temperature(P, 0.2)])
    T = fit_temperature(crowd, models)
    assert T.tolist() == [fit_temperature(crowd, P) for P in models]
    assert np.array_equal(apply_temperature(models, T)[1], apply_temperature(models[1], T[1]))


def test_without_answers_nothing_is_scaled():
    crowd = Crowd.from_wide(np.full((2, 2), -1), classes=[0, 1])
    assert fit_temperature(crowd, [[0.5, 0.5], [0.1, 0.9]]) == 1


def test_scaling_keeps_rows_sums_and_order(draw):
    _, P = draw(4, K=5)
    for T in (0.1, 1, 7.25):
        scaled = apply_temperature(P, T)
        assert np.allclose(scaled.sum(axis=1), 1, rtol=0, atol=1e-15)
        assert (scaled.argsort(axis=1) == P.argsort(axis=1)).all()
    assert np.allclose(apply_temperature(P, 1), P, rtol=0, atol=1e-15)


def test_zeros_stay_finite():
    for T in (0.1, 1, 7.25):
        assert np.isfinite(apply_temperature([[1.0, 0.0, 0.0]], T)).all()
    crowd = Crowd.from_wide([[0, 1], [1, 1]])
    assert np.isfinite(fit_temperature(crowd, [[1, 0], [1, 0]]))


@pytest.mark.parametrize("T", [0, -1, np.nan, np.inf])
def test_a_temperature_is_positive(T):
    with pytest.raises(ValueError, match="above 0"):
        apply_temperature([[0.5, 0.5]], T)


@pytest.mark.parametrize("votes", [[[-1, 2]], [[0.5, 0.5]], [1, 2]])
def test_votes_are_counts(votes):
    with pytest.raises(ValueError, match="how often each class was chosen"):
        fit_temperature(votes, [[0.5, 0.5]])
