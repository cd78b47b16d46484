"""What must hold for every crowd."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore import Crowd, activelab, crowdlab, majority_vote
from tests.crowdcore.drawn_crowds import crowds

law = settings(max_examples=60, deadline=None)


def outcome(wide, P, classes=None):
    crowd = Crowd.from_wide(wide, classes=range(P.shape[1]) if classes is None else classes)
    return crowdlab(crowd, P), activelab(crowd, P)


def close(a, b):
    return np.allclose(a, b, rtol=0, atol=1e-9, equal_nan=True)


@law
@given(crowds())
def test_the_order_of_tasks_does_not_matter(case):
    wide, P, rng = case
    order = rng.permutation(len(wide))
    (a, scores), (b, permuted) = outcome(wide, P), outcome(wide[order], P[order])
    assert np.array_equal(a.consensus[order], b.consensus)
    assert close(a.quality[order], b.quality)
    assert close(a.posterior[order], b.posterior)
    assert close(a.annotators.quality, b.annotators.quality)
    assert np.array_equal(a.annotators.worst_class, b.annotators.worst_class)
    assert close(scores[order], permuted)


@law
@given(crowds())
def test_the_order_of_annotators_does_not_matter(case):
    wide, P, rng = case
    order = rng.permutation(wide.shape[1])
    (a, scores), (b, permuted) = outcome(wide, P), outcome(wide[:, order], P)
    assert np.array_equal(a.consensus, b.consensus)
    assert close(a.posterior, b.posterior)
    assert close(a.annotators.quality[order], b.annotators.quality)
    assert close(a.annotator_weights[order], b.annotator_weights)
    assert close(scores, permuted)


@law
@given(crowds())
def test_the_order_of_classes_does_not_matter(case):
    wide, P, rng = case
    order = rng.permutation(P.shape[1])
    (a, scores), (b, permuted) = outcome(wide, P), outcome(wide, P[:, order], classes=order)
    assert np.array_equal(a.consensus, order[b.consensus])
    assert close(a.posterior[:, order], b.posterior)
    assert close(a.annotators.quality, b.annotators.quality)
    assert close(scores, permuted)


@law
@given(crowds())
def test_everything_is_a_probability(case):
    wide, P, _ = case
    result, scores = outcome(wide, P)
    assert np.allclose(result.posterior.sum(axis=1), 1)
    measured = ~np.isnan(result.annotators.quality)
    for values in (
        result.posterior, result.quality, result.label_quality, scores, result.annotators.quality[measured],
    ):  # fmt: skip
        assert ((values >= 0) & (values <= 1)).all()


@law
@given(crowds())
def test_sparse_and_dense_are_the_same(case):
    wide, P, rng = case
    task, annotator = np.nonzero(wide >= 0)
    shuffled = rng.permutation(len(task))
    N, K = P.shape
    sparse = Crowd.from_codes(
        task[shuffled], annotator[shuffled], wide[task, annotator][shuffled],
        tasks=range(N), annotators=range(wide.shape[1]), classes=range(K),
    )  # fmt: skip
    result, scores = outcome(wide, P)
    assert np.array_equal(crowdlab(sparse, P).posterior, result.posterior)
    assert np.array_equal(activelab(sparse, P), scores)


@law
@given(crowds())
def test_from_long_undoes_to_long(case):
    wide, P, _ = case
    names = np.array([f"class {k}" for k in range(P.shape[1])], dtype=object)
    crowd = Crowd.from_wide(np.where(wide >= 0, names[wide], None), classes=names)
    ids = {"tasks": crowd.tasks, "annotators": crowd.annotators, "classes": crowd.classes}
    again = Crowd.from_long(crowd.to_long(), **ids)
    for name in ("tasks", "annotators", "classes", "indptr", "annotator", "label"):
        assert np.array_equal(getattr(again, name), getattr(crowd, name))


@law
@given(crowds())
def test_the_majority_of_the_unanimous_is_what_they_say(case):
    wide, P, _ = case
    wide = np.where(wide >= 0, P.argmin(axis=1)[:, None], -1)
    crowd = Crowd.from_wide(wide, classes=range(P.shape[1]))
    answered = crowd.num_answers > 0
    assert np.array_equal(majority_vote(crowd)[answered], P.argmin(axis=1)[answered])
    assert np.array_equal(majority_vote(crowd, P)[answered], P.argmin(axis=1)[answered])


@law
@given(crowds(), st.integers(0, 1000))
def test_a_seed_reproduces_every_random_choice(case, seed):
    wide, P, _ = case
    crowd = Crowd.from_wide(wide, classes=range(P.shape[1]))
    assert np.array_equal(majority_vote(crowd, seed=seed), majority_vote(crowd, seed=seed))
    a, b = crowdlab(crowd, seed=seed), crowdlab(crowd, seed=seed)
    assert np.array_equal(a.posterior, b.posterior)


@law
@given(crowds())
def test_the_majority_is_a_label_with_the_most_votes(case):
    wide, P, _ = case
    crowd = Crowd.from_wide(wide, classes=range(P.shape[1]))
    answered = np.flatnonzero(crowd.num_answers)
    votes = crowd.counts[answered, majority_vote(crowd)[answered]]
    assert np.array_equal(votes, crowd.counts[answered].max(axis=1))
