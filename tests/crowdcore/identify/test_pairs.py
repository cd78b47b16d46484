"""Agreement of pairs of annotators."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from crowdcore import Crowd, majority_vote
from crowdcore.identify import annotator_agreement, annotator_pairs, pairs


@pytest.fixture(params=range(5))
def case(request, draw):
    """A crowd with empty tasks, its matrix with -1 for no answer, and probabilities."""
    crowd, P = draw(request.param, N=30, M=7, K=3, density=0.35)
    wide = np.full((30, 7), -1)
    wide[crowd.task, crowd.annotator] = crowd.label
    return crowd, wide, P


def by_hand(a, b):
    both = (a >= 0) & (b >= 0)
    a, b = a[both], b[both]
    if not len(a):
        return 0, np.nan, np.nan
    one = len(set(a) | set(b)) == 1
    return len(a), np.mean(a == b), np.nan if one else cohen_kappa_score(a, b)


def test_pairs_are_those_with_common_tasks_and_kappa_is_scikit_learns(case):
    crowd, wide, P = case
    consensus = majority_vote(crowd)
    found = annotator_pairs(crowd, pred_probs=P, consensus=consensus)
    assert found.ids.tolist() == [*range(7), "model", "consensus"]
    columns = np.column_stack([wide, P.argmax(axis=1), consensus])
    at = 0
    for j in range(9):
        for k in range(j + 1, 9):
            common, agreement, kappa = by_hand(columns[:, j], columns[:, k])
            if common:
                assert (found.first[at], found.second[at], found.common[at]) == (j, k, common)
                assert found.agreement[at] == pytest.approx(agreement)
                assert found.kappa[at] == pytest.approx(kappa, nan_ok=True)
                at += 1
    assert at == len(found.first)
    assert found.mean_agreement == pytest.approx(found.agreement.mean())
    assert found.mean_kappa == pytest.approx(np.nanmean(found.kappa))
    alone = annotator_pairs(crowd)
    among = found.second < 7
    assert np.array_equal(alone.agreement, found.agreement[among])
    assert np.array_equal(alone.kappa, found.kappa[among], equal_nan=True)


def test_the_chance_kernel_against_a_numpy_twin(case):
    crowd, wide, _ = case
    found = annotator_pairs(crowd)
    there = np.stack([wide == k for k in range(3)]).astype(float)  # K, N, M
    given = np.einsum("knj,nl->kjl", there, (wide >= 0).astype(float))  # label k by j on tasks shared with l
    common = given.sum(axis=0)[found.first, found.second]
    chance = (given * given.transpose(0, 2, 1)).sum(axis=0)[found.first, found.second] / common**2
    expected = np.full(len(chance), np.nan)
    np.divide(found.agreement - chance, 1 - chance, out=expected, where=1 - chance > 1e-12)
    assert np.allclose(found.kappa, expected, equal_nan=True)


def test_cohens_kappa_by_hand():
    rows = [["yes", "yes"]] * 20 + [["yes", "no"]] * 5 + [["no", "yes"]] * 10 + [["no", "no"]] * 15
    assert annotator_pairs(Crowd.from_wide(rows)).kappa.tolist() == pytest.approx([0.4])


def test_the_matrix_is_symmetric_and_says_nothing_of_those_who_share_nothing():
    crowd = Crowd.from_wide([["a", "a", None], ["b", "a", None], [None, None, "a"]])
    found = annotator_pairs(crowd)
    matrix = found.matrix()
    assert matrix.loc[0, 1] == matrix.loc[1, 0] == 0.5
    assert np.isnan(matrix.loc[0, 2])
    assert np.isnan(np.diagonal(matrix)).all()
    assert found.matrix("common").to_numpy().tolist() == [[0, 2, 0], [2, 0, 0], [0, 0, 0]]
    assert found.matrix("kappa").loc[0, 1] == 0


def test_too_large_a_matrix_is_refused(monkeypatch):
    monkeypatch.setattr(pairs, "DENSE_LIMIT", 2)
    found = annotator_pairs(Crowd.from_wide([[0, 1, 1]]))
    with pytest.raises(ValueError, match=r"3 x 3 annotators is too large; at most 2 are allowed. Use to_frame"):
        found.matrix()
    with pytest.raises(ValueError, match="what is 'alpha'; choose one of 'agreement', 'kappa', 'common'"):
        found.matrix("alpha")


@pytest.mark.parametrize("rows", [[[0], [1]], [[0, None], [None, 1]], [[None, None]]])
def test_without_common_tasks_there_are_no_pairs(rows):
    found = annotator_pairs(Crowd.from_wide(rows, classes=[0, 1]))
    assert found.to_frame().empty
    assert np.isnan([found.mean_agreement, found.mean_kappa]).all()


def test_agreement_with_others_and_with_the_consensus(case):
    crowd, wide, _ = case
    found = annotator_agreement(crowd)
    consensus = majority_vote(crowd)
    for j in range(7):
        mine = wide[:, j]
        same = compared = right = tasks = 0
        for i in np.flatnonzero(mine >= 0):
            others = np.delete(wide[i], j)
            others = others[others >= 0]
            same += (others == mine[i]).sum()
            compared += len(others)
            if len(others):
                tasks += 1
                right += mine[i] == consensus[i]
        assert found.num_compared[j] == tasks
        assert found.with_others[j] == pytest.approx(same / compared if compared else np.nan, nan_ok=True)
        assert found.with_consensus[j] == pytest.approx(right / tasks if tasks else np.nan, nan_ok=True)
    given = annotator_agreement(crowd, consensus=consensus)
    assert np.array_equal(given.with_consensus, found.with_consensus, equal_nan=True)


def test_a_lone_annotator_agrees_with_nobody():
    found = annotator_agreement(Crowd.from_wide([[0, None], [1, None]]))
    assert np.isnan(found.to_frame()[["with_others", "with_consensus"]]).all(axis=None)


@pytest.mark.parametrize("call", [annotator_pairs, annotator_agreement])
def test_a_consensus_must_fit(call):
    with pytest.raises(ValueError, match=r"shape \(1,\)"):
        call(Crowd.from_wide([[0, 1], [1, 1]]), consensus=[0])
