"""Labels that nobody gave."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore import Crowd, crowdlab, hierarchical_dawid_skene
from crowdcore.votes import overruled_tasks, within_answers

law = settings(max_examples=50, deadline=None)


@st.composite
def results(draw):
    """A consensus by either method, with or without a model; few answers, so that the model overrules some."""
    N, M, K = draw(st.integers(1, 20)), draw(st.integers(1, 4)), draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = np.where(rng.random((N, M)) < 0.5, rng.integers(K, size=(N, M)), -1)
    known = np.where(rng.random(N) < draw(st.sampled_from([0.0, 0.2])), rng.integers(K, size=N), -1)
    P = rng.dirichlet(np.full(K, 0.2), size=N) if draw(st.booleans()) else None
    method = draw(st.sampled_from([hierarchical_dawid_skene, crowdlab]))
    return method(Crowd.from_wide(wide, classes=range(K)), P, known_labels=known)


@law
@given(results())
def test_overruled_are_the_answered_tasks_of_unknown_truth_that_nobody_answered_so(result):
    found = overruled_tasks(result.crowd, result.consensus, result.known)
    said = [set(labels.tolist()) for labels in np.split(result.crowd.label, result.crowd.indptr[1:-1])]
    expected = [
        bool(labels) and label not in labels and not known
        for labels, label, known in zip(said, result.consensus.tolist(), result.known, strict=True)
    ]
    assert found.tolist() == expected


@law
@given(results())
def test_within_the_answers_a_consensus_is_the_most_probable_that_was_said(result):
    kept, crowd = within_answers(result), result.crowd
    overruled = overruled_tasks(crowd, result.consensus, result.known)
    assert not overruled_tasks(crowd, kept.consensus, kept.known).any()
    for name in ("consensus", "quality", "agreement"):
        np.testing.assert_array_equal(getattr(kept, name)[~overruled], getattr(result, name)[~overruled])
    for row in np.flatnonzero(overruled):
        given = crowd.label[crowd.indptr[row] : crowd.indptr[row + 1]]
        assert kept.quality[row] == result.posterior[row, kept.consensus[row]] == result.posterior[row, given].max()
        assert kept.agreement[row] == np.mean(given == kept.consensus[row])


def believed(known=-1, model=True):
    """Agreed tasks with a model that is right on all of them, and one where it contradicts whoever is always wrong."""
    truth = np.arange(40) % 3
    wide = np.column_stack([truth, truth, (truth + 1) % 3])
    wide[-1] = [-1, -1, (truth[-1] + 1) % 3]
    P = np.full((40, 3), 0.0005)
    P[np.arange(40), truth] = 0.999
    labels = np.full(40, -1)
    labels[-1] = known
    return hierarchical_dawid_skene(Crowd.from_wide(wide), P if model else None, known_labels=labels)


def test_the_model_disagrees_where_it_outweighs_all_annotators():
    result = believed()
    assert np.flatnonzero(result.model_disagrees).tolist() == [39]
    assert (result.consensus[39], within_answers(result).consensus[39]) == (0, 1)
    assert within_answers(result).quality[39] < 0.5 < result.quality[39]
    assert within_answers(result).confidence[39] < 0.5 < result.confidence[39]


@pytest.mark.parametrize("without", [{"known": 0}, {"model": False}])
def test_there_is_nothing_to_disagree_with_a_known_label_and_nobody_to_disagree_without_a_model(without):
    assert not believed(**without).model_disagrees.any()
