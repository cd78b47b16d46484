"""What all methods have in common."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from crowdcore import Crowd, aggregate
from crowdcore.aggregate import METHODS, DawidSkene, MajorityVote
from tests.crowdcore.aggregate.every_method import ALONE, KNOWING, NAMES, WAYS, base, evidence, fit, needed

CLASSES = [
    kind for kind in vars(aggregate).values() if isinstance(kind, type) and issubclass(kind, aggregate.Aggregator)
]
OURS = "hierarchical-dawid-skene"
ABSTAINING = {"two-third", "plantnet"}
MODELS_OWN = {"label-quality-score", "model-alone"}  # what the votes say is no part of their probabilities


@pytest.fixture
def crowd():
    """Ten tasks, of which the last has no answers, four annotators, of whom the last gives none."""
    wide = [["cat", "cat", "dog", None], ["dog", "dog", "dog", None], ["cat", "cat", "cat", None]] * 3
    return Crowd.from_wide([*wide, [None] * 4])


@pytest.fixture
def sure():
    """Probabilities of a model that agrees with the majority of that crowd, and is undecided about the last task."""
    return np.array([[0.8, 0.2], [0.3, 0.7], [0.9, 0.1]] * 3 + [[0.5, 0.5]])


@pytest.mark.parametrize(
    "kind", [kind for kind in CLASSES if kind.__name__ not in ("Aggregator", "InformedAggregator")]
)
def test_every_method_shows_an_example_and_a_source(kind):
    assert ">>>" in kind.__doc__
    assert ".. math::" in kind.__doc__


def test_importing_is_light():
    code = (
        "import sys, crowdcore.aggregate, crowdcore.kernels;"
        "print(sorted({'pandas', 'sklearn', 'scipy', 'numba'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", WAYS)
def test_results_are_in_the_crowds_order_and_classes(name, crowd, sure):
    fitted = fit(name, crowd, sure)
    assert np.array_equal(fitted.crowd_.tasks, crowd.tasks)
    assert fitted.probas_.shape == (10, 2)
    assert np.allclose(fitted.probas_.sum(axis=1), 1)
    assert (fitted.probas_ >= 0).all()
    if base(name) not in ABSTAINING | {"feature-em"}:
        assert fitted.codes_.tolist()[:9] == [0, 1, 0] * 3
    for code, label, quality in zip(fitted.codes_, fitted.labels_, fitted.quality_, strict=True):
        assert label == (None if code < 0 else ["cat", "dog"][code])
        assert np.isnan(quality) if code < 0 else 0 <= quality <= 1


@pytest.mark.parametrize("name", WAYS)
def test_fit_predict_and_fit_predict_proba_are_fit(name, crowd, sure):
    fitted = fit(name, crowd, sure)
    given = needed(name, sure, evidence(10, 2)[1])
    assert WAYS[name].make().fit_predict(crowd, **given).tolist() == fitted.labels_.tolist()
    assert np.array_equal(WAYS[name].make().fit_predict_proba(crowd, **given), fitted.probas_)


@pytest.mark.parametrize("name", ALONE)
def test_a_task_without_answers_has_no_label_and_leaves_the_others_alone(name, crowd):
    fitted = fit(name, crowd)
    assert fitted.labels_[9] is None
    assert np.isnan(fitted.quality_[9])
    without = fit(name, crowd.select_tasks(range(9)))
    assert np.allclose(fitted.probas_[:9], without.probas_, rtol=0, atol=1e-9)
    if name == OURS:
        assert 0.5 < fitted.probas_[9, 0] < 2 / 3  # of the others, two thirds are cats
    else:
        assert np.allclose(fitted.probas_[9], fitted.prior_ if hasattr(fitted, "prior_") else [0.5, 0.5])


@pytest.mark.parametrize("name", [name for name in WAYS if "+" not in name and "pred_probs" in WAYS[name].needs])
def test_a_task_without_answers_has_what_the_model_says(name, crowd, sure):
    sure[9] = [0.4, 0.6]
    fitted = fit(name, crowd, sure)
    assert fitted.labels_[9] == "dog"
    said = sure[9]
    if base(name) == OURS:  # the model as far as it is heard
        said = fitted.result_.pred_probs[9] ** fitted.result_.model_exponent
    assert np.allclose(fitted.probas_[9], said / said.sum())
    assert fitted.quality_[9] == pytest.approx(fitted.probas_[9, 1])
    without = fit(name, crowd.select_tasks(range(9)), sure[:9])
    assert np.allclose(fitted.probas_[:9], without.probas_, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in WAYS if base(name) != "dawid-skene-clust"])
def test_an_annotator_without_answers_changes_nothing(name, crowd, sure):
    """But in clusters, which are of equal size at the start, and in CROWDLAB's mean weight of annotators."""
    options = {"n_restarts": 1} if base(name) == "mace" else {}
    without = Crowd(crowd.tasks, crowd.annotators[:3], crowd.classes, crowd.indptr, crowd.annotator, crowd.label)
    fitted, other = fit(name, crowd, sure, **options), fit(name, without, sure, **options)
    close = 1e-5 if base(name) == OURS else 1e-9  # of the variance of skills it slows the way to the optimum
    assert np.allclose(fitted.probas_, other.probas_, rtol=0, atol=close)
    for what in ("skills_", "confusion_"):
        if hasattr(fitted, what) and name != "crowdlab":
            assert np.allclose(getattr(fitted, what)[:3], getattr(other, what), rtol=0, atol=close)


@pytest.mark.parametrize("name", WAYS)
def test_nobody_answers(name):
    crowd = Crowd.from_wide([[-1, -1], [-1, -1]], classes=[0, 1])
    fitted = fit(name, crowd, [[0.5, 0.5], [0.2, 0.8]])
    assert np.isfinite(fitted.probas_).all()
    if name in ALONE:
        assert fitted.labels_.tolist() == [None, None]
        assert np.allclose(fitted.probas_, 0.5)


@pytest.mark.parametrize("name", WAYS)
def test_no_tasks_at_all(name):
    crowd = Crowd.from_wide(np.empty((0, 2), dtype=int), classes=[0, 1])
    fitted = fit(name, crowd)
    assert fitted.probas_.shape == (0, 2)
    assert fitted.labels_.tolist() == []


@pytest.mark.parametrize("name", [name for name in WAYS if not WAYS[name].binary])
def test_a_single_class_is_certain(name):
    fitted = fit(name, Crowd.from_wide([[5, 5, 5], [5, 5, 5], [5, 5, 5]]))
    assert np.allclose(fitted.probas_, 1)


@pytest.mark.parametrize("name", WAYS)
def test_a_single_answer(name):
    fitted = fit(name, Crowd.from_wide([[1]], classes=[0, 1]))
    assert np.isfinite(fitted.probas_).all()
    assert np.allclose(fitted.probas_.sum(axis=1), 1)


@pytest.mark.parametrize("name", [name for name in WAYS if name not in MODELS_OWN])
def test_a_task_with_a_thousand_answers_does_not_underflow(name):
    rng = np.random.default_rng(0)
    wide = np.where(rng.random((4, 1000)) < 0.8, np.array([[0], [1], [0], [1]]), rng.integers(2, size=(4, 1000)))
    fitted = fit(name, Crowd.from_wide(wide), np.full((4, 2), 0.5))
    assert np.isfinite(fitted.probas_).all()
    assert fitted.codes_.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("name", WAYS)
def test_a_model_that_is_quite_sure_is_no_error(name, crowd):
    fitted = fit(name, crowd, np.eye(2)[[1, 0] * 5])
    assert np.isfinite(fitted.probas_).all()
    assert np.allclose(fitted.probas_.sum(axis=1), 1)


@pytest.mark.parametrize("name", WAYS)
def test_the_order_of_a_frames_rows_does_not_matter(name, crowd, sure):
    frame = crowd.to_long()
    given = needed(name, sure[:9], evidence(9, 2)[1])
    a = WAYS[name].make().fit(frame, **given)
    b = WAYS[name].make().fit(frame.sample(frac=1, random_state=1), **given)
    assert np.array_equal(a.probas_, b.probas_)
    assert a.labels_.tolist() == b.labels_.tolist()


def test_a_frame_may_call_annotators_workers(crowd):
    frame = crowd.to_long().rename(columns={"annotator": "worker"})
    assert MajorityVote().fit_predict(frame).tolist()[:3] == ["cat", "dog", "cat"]


@pytest.mark.parametrize("name", WAYS)
def test_fitting_leaves_the_options_and_what_is_given_alone(name, crowd, sure):
    P, X = sure.copy(), evidence(10, 2)[1]
    made = WAYS[name].make()
    before = {option: repr(value) for option, value in made.get_params().items()}
    fit(name, crowd, P, X)
    assert np.array_equal(P, sure)
    assert np.array_equal(X, evidence(10, 2)[1])
    made.fit(crowd, **needed(name, P, X))
    assert {option: repr(value) for option, value in made.get_params().items()} == before


def test_scikit_learns_clone_works():
    from sklearn.base import clone

    copied = clone(DawidSkene(n_iter=7, confusion_prior=0.5))
    assert copied.get_params() == {"n_iter": 7, "tol": 1e-5, "confusion_prior": 0.5, "class_prior": 0.0}
    assert DawidSkene().set_params(n_iter=3).n_iter == 3


@pytest.mark.parametrize("name", KNOWING)
def test_known_labels_are_believed_and_teach_about_annotators(name):
    crowd = Crowd.from_wide([["a", "b", "b"]] * 20 + [["b", "a", "a"]] * 20)  # one against two
    truth = dict.fromkeys(range(10), "a") | dict.fromkeys(range(20, 30), "b")
    X = np.repeat([[0.0], [1.0]], 20, axis=0) + evidence(40, 2)[1] / 10
    undecided = np.full((40, 2), 0.5)
    fitted = fit(name, crowd, undecided, X, truth)
    assert fitted.labels_[:10].tolist() == ["a"] * 10
    assert np.array_equal(fitted.probas_[:10], np.tile([1.0, 0.0], (10, 1)))
    assert (fitted.quality_[:10] == 1).all()
    never_negative = {"wds", "crowdlab", "shared-weight"}  # an annotator does not count against their own label
    if base(name) not in never_negative and not name.endswith("+model"):
        assert fitted.labels_.tolist() == ["a"] * 20 + ["b"] * 20
    codes = np.full(40, -1)
    codes[list(truth)] = [0] * 10 + [1] * 10
    assert np.array_equal(fit(name, crowd, undecided, X, codes).probas_, fitted.probas_)
    assert np.array_equal(fit(name, crowd, undecided, X, pd.Series(truth)).probas_, fitted.probas_)


@pytest.mark.parametrize("name", KNOWING)
def test_a_known_task_without_answers_has_its_label(name, crowd, sure):
    fitted = fit(name, crowd, sure, known_labels={9: "dog"})
    assert fitted.labels_[9] == "dog"
    assert fitted.probas_[9].tolist() == [0, 1]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_method_takes_may_come_by_position_or_by_name(name, crowd, sure):
    given = {"pred_probs": sure, "features": evidence(10, 2)[1], "known_labels": {0: "cat"}}
    made = METHODS[name].make()
    named = METHODS[name].make().fit(crowd, **{what: given[what] for what in made.takes})
    placed = METHODS[name].make().fit(crowd, *(given[what] for what in made.takes))
    assert np.array_equal(named.probas_, placed.probas_)
    assert set(made.takes) == METHODS[name].needs | METHODS[name].takes
