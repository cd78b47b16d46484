"""Areas under the margin: the papers' definitions, what they find, and what does not matter to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from crowdcore import Crowd
from crowdcore.aggregate import DawidSkene
from crowdcore.identify import aum, find_method, too_hard, waum
from crowdcore.identify.courses import PerceptronCourse

K = 3


def draw(seed=0, N=120, M=8, per_task=4):
    """Return answers (N, M), -1 for none, features, and which tasks lie between two classes."""
    rng = np.random.default_rng(seed)
    truth, other = rng.integers(K, size=N), rng.integers(1, K, size=N)
    hard = np.arange(N) % 5 == 0
    centres = 3 * np.eye(K, 6)
    X = np.where(hard[:, None], (centres[truth] + centres[(truth + other) % K]) / 2, centres[truth])
    X = X + rng.normal(scale=0.6, size=X.shape)
    right = rng.random((N, M)) < np.where(hard, 0.5, 0.9)[:, None]
    wide = np.where(right, truth[:, None], ((truth + other) % K)[:, None])
    wide[rng.random((N, M)).argsort(axis=1) >= per_task] = -1
    return wide, X, hard


def of(wide, classes=range(K)):
    return Crowd.from_wide(wide, classes=classes)


def told(logits):
    """A course of training that says what is given, epoch by epoch."""
    return lambda task, label, n_classes, n_epochs, seed: iter(logits)


LOGITS = np.array([[[3.0, 1.0, 0.0], [0.0, 2.0, 5.0]], [[1.0, 2.0, 0.0], [4.0, 0.0, 1.0]]])  # epochs, tasks, classes


def test_aum_is_the_mean_margin_of_both_papers():
    crowd, labels = of([[0, 1], [2, 2]]), [0, 1]
    found = aum(crowd, told(LOGITS), labels, n_epochs=2, keep_logits=True)
    assert found.yang == pytest.approx([((3 - 1) + (1 - 1)) / 2, ((2 - 2) + (0 - 1)) / 2])
    assert found.pleiss == pytest.approx([((3 - 1) + (1 - 2)) / 2, ((2 - 5) + (0 - 4)) / 2])
    assert np.array_equal(found.area, found.yang)
    assert np.array_equal(found.logits, LOGITS)
    assert np.array_equal(aum(crowd, told(LOGITS), labels, margin="pleiss", n_epochs=2).area, found.pleiss)
    third = aum(crowd, told(LOGITS), labels, n_epochs=2, topk=2)
    assert third.yang == pytest.approx([((3 - 0) + (1 - 0)) / 2, ((2 - 0) + (0 - 0)) / 2])


def test_waum_is_the_papers_weighted_mean():
    crowd = of([[0, 1], [2, -1]])
    confusions = np.array([[[0.9, 0.1, 0], [0, 0.8, 0.2], [0, 0, 1]], [[0.2, 0.8, 0], [0, 0.4, 0.6], [0.5, 0, 0.5]]])
    found = waum(crowd, told(LOGITS), confusions, n_epochs=2)
    P = softmax(LOGITS, axis=2)
    second = np.sort(P, axis=2)[:, :, -2]
    area = [(P[:, i, y] - second[:, i]).mean() for i, y in ((0, 0), (0, 1), (1, 2))]
    trust = [P[-1, i] @ np.diag(confusions[j]) for i, j in ((0, 0), (0, 1), (1, 0))]
    assert found.answer_area == pytest.approx(area)
    assert found.trust == pytest.approx(trust)
    assert found.area == pytest.approx([np.dot(trust[:2], area[:2]) / sum(trust[:2]), area[2]])


def test_waum_of_one_answer_is_aum_of_that_label():
    wide, X, _ = draw(per_task=1)
    crowd = of(wide)
    weighted = waum(crowd, X, n_epochs=10)
    assert np.allclose(weighted.area, aum(crowd, X, crowd.label, of="probabilities", n_epochs=10).area, atol=1e-12)


def test_waum_of_answers_that_are_trusted_alike_is_their_mean():
    wide, X, _ = draw()
    crowd = of(wide)
    found = waum(crowd, X, np.tile(np.eye(K), (8, 1, 1)), n_epochs=5)
    assert np.allclose(found.trust, 1)
    assert np.allclose(found.area, np.bincount(crowd.task, found.answer_area) / crowd.num_answers)
    nobody = waum(crowd, X, np.tile(1 - np.eye(K), (8, 1, 1)) / 2, n_epochs=5)
    assert np.allclose(nobody.area, found.area)


METHODS = {
    "aum": lambda crowd, X: aum(crowd, X, n_epochs=8).area,
    "pleiss": lambda crowd, X: aum(crowd, X, margin="pleiss", n_epochs=8).area,
    "waum": lambda crowd, X: waum(crowd, X, n_epochs=8).area,
    "waum-perworker": lambda crowd, X: waum(crowd, X, per_annotator=True, n_epochs=8).area,
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_tasks_annotators_and_classes_does_not_matter(method, seed):
    wide, X, _ = draw(seed)
    rng = np.random.default_rng(seed)
    tasks, annotators, classes = rng.permutation(len(wide)), rng.permutation(wide.shape[1]), rng.permutation(K)
    found = method(of(wide), X)
    assert np.ptp(found) > 0.1
    close = {"rtol": 0, "atol": 1e-8}
    assert np.allclose(method(of(wide[tasks]), X[tasks]), found[tasks], **close)
    assert np.allclose(method(of(wide[:, annotators]), X), found, **close)
    assert np.allclose(method(of(wide, classes), X), found, **close)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_hard_tasks_are_low_and_a_seed_repeats_itself(method):
    wide, X, hard = draw(N=240)
    found = method(of(wide), X)
    assert roc_auc_score(hard, -found) > 0.75
    assert np.array_equal(method(of(wide), X), found)


def test_a_wrong_label_is_low():
    wide, X, hard = draw(N=300)
    crowd = of(wide)
    labels = DawidSkene().fit(crowd).codes_
    wrong = np.flatnonzero(~hard)[:20]
    labels[wrong] = (labels[wrong] + 1) % K
    found = aum(crowd, X, labels, margin="pleiss")
    assert roc_auc_score(np.isin(np.arange(300), wrong), -found.area) > 0.95


def test_tasks_without_answers_are_not_judged_and_change_nothing():
    wide, X, _ = draw()
    before = {name: method(of(wide), X) for name, method in METHODS.items()}
    more = np.vstack([wide, np.full((1, 8), -1)])
    for name, method in METHODS.items():
        after = method(of(more), np.vstack([X, X.mean(axis=0)]))
        assert np.isnan(after[-1])
        assert np.allclose(after[:-1], before[name], atol=0.1)  # the scale of features has one task more
    frame = aum(of(more), np.vstack([X, X[0]]), n_epochs=1).to_frame()
    assert frame["label"].isna().tolist() == [False] * 120 + [True]


def test_labels_may_come_by_task_and_features_as_a_frame_or_sparse():
    wide, X, _ = draw()
    crowd = of(wide)
    labels = DawidSkene().fit(crowd).codes_
    expected = aum(crowd, X, labels, n_epochs=3).area
    assert np.array_equal(aum(crowd, X, dict(enumerate(labels.tolist())), n_epochs=3).area, expected)
    shuffled = pd.DataFrame(X, index=crowd.tasks).sample(frac=1, random_state=0)
    assert np.array_equal(aum(crowd, shuffled, labels, n_epochs=3).area, expected)
    sparse = aum(crowd, csr_matrix(np.where(X > 1, X, 0)), labels, n_epochs=3).area
    assert np.isfinite(sparse).all()


@pytest.mark.parametrize("rows", [[[-1, -1]], [[0, -1]], [[0, 0], [0, 0]]])
@pytest.mark.parametrize("n_classes", [1, 2, 4])
def test_next_to_nothing_is_no_trouble(rows, n_classes):
    crowd = of(rows, range(n_classes))
    for method in METHODS.values():
        found = method(crowd, np.arange(2.0 * len(rows)).reshape(-1, 2))
        assert np.array_equal(np.isnan(found), crowd.num_answers == 0)


def test_far_features_have_finite_areas():
    wide, X, _ = draw()
    X[:5] *= 1e6
    for method in METHODS.values():
        assert np.isfinite(method(of(wide), X)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": "young"}, "margin is 'young'; it must be 'yang' or 'pleiss'"),
        ({"topk": 3}, "topk is 3; it must be a whole number from 1 to 2: there are 3 classes"),
        ({"topk": 0}, "topk is 0"),
        ({"n_epochs": 0}, "n_epochs is 0; it must be a whole number, 1 or more"),
        ({"features": np.ones((5, 2))}, r"features have shape \(5, 2\); expected \(120, d\)"),
        ({"features": np.full((120, 2), np.nan)}, "features, row 0"),
    ],
)
@pytest.mark.parametrize("method", [aum, waum])
def test_what_does_not_fit_is_refused(method, options, message):
    wide, X, _ = draw()
    with pytest.raises(ValueError, match=message):
        method(of(wide), **{"features": X, **options})


def test_labels_and_confusions_must_fit():
    wide, X, _ = draw()
    with pytest.raises(ValueError, match=r"^labels has shape \(3,\)"):
        aum(of(wide), X, [0, 1, 2])
    with pytest.raises(ValueError, match=r"^labels, task 3: found 'cat'"):
        aum(of(wide), X, {3: "cat"})
    with pytest.raises(ValueError, match="of is 'odds'"):
        aum(of(wide), X, of="odds")
    with pytest.raises(ValueError, match=r"confusions have shape \(2, 3, 3\); expected \(8, 3, 3\)"):
        waum(of(wide), X, np.ones((2, 3, 3)))


def test_too_hard_is_the_share_that_was_asked_for():
    areas = np.random.default_rng(0).normal(size=1000)
    assert len(too_hard(areas, 0.01)) == 10
    assert sorted(areas)[:10] == sorted(areas[too_hard(areas, 0.01)])
    assert too_hard([np.nan, np.nan]).tolist() == []
    assert len(too_hard(areas, 1)) == 1000
    with pytest.raises(ValueError, match=r"alpha is 1\.5"):
        too_hard(areas, 1.5)


def test_progress_is_told():
    wide, X, _ = draw(N=20, M=8)
    told: list[tuple[str, int, int]] = []
    aum(of(wide), X, n_epochs=3, progress=lambda *step: told.append(step))
    assert told == [("learning", 1, 3), ("learning", 2, 3), ("learning", 3, 3)]
    told.clear()
    waum(of(wide), X, n_epochs=2, per_annotator=True, progress=lambda *step: told.append(step))
    assert [done for _, done, _ in told] == list(range(1, told[-1][2] + 1))


def test_the_methods_by_name_are_these():
    wide, X, _ = draw()
    crowd = of(wide)
    fitted = DawidSkene().fit(crowd)
    for name, expected in {
        "AUM": aum(crowd, X, fitted.codes_).area,
        "WAUM": waum(crowd, X, fitted).area,
        "WAUM_perworker": waum(crowd, X, fitted, per_annotator=True).area,
    }.items():
        frame = find_method(name).run(crowd, features=X)
        assert np.array_equal(frame[frame.columns[-1]], expected)


def test_a_known_label_is_what_is_learned():
    wide, X, _ = draw()
    frame = find_method("aum").run(of(np.vstack([wide, np.full((1, 8), -1)])), features=np.vstack([X, X[:1]]),
                                   known_labels={120: 2})  # fmt: skip
    assert frame["label"].iloc[-1] == 2
    assert np.isfinite(frame["aum"].iloc[-1])


def test_the_perceptron_learns():
    _, X, _ = draw()
    *_, last = PerceptronCourse(X)(np.arange(3), np.arange(3), K, 100, 0)
    assert last.shape == (120, K)
    assert last[:3].argmax(axis=1).tolist() == [0, 1, 2]
