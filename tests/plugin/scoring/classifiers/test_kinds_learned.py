"""Sets and numbers learned from text, columns, vectors, predictions, and estimators of the user's own."""

import pickle
from functools import partial

import numpy as np
import pytest

from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers import TaskData, choose, choose_for_numbers, choose_for_sets
from tests.plugin.own_modules import own_modules

N, K = 200, 3
WORDS = [["ball", "goal"], ["bank", "loan"], ["moon", "star"]]
MODULE = """
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline

def with_words(estimator):
    return make_pipeline(make_column_transformer((CountVectorizer(), "text")), estimator)

def logistic():
    return with_words(LogisticRegression())
def forest():
    return with_words(RandomForestClassifier(20))
def multi():
    return with_words(MultiOutputClassifier(LogisticRegression()))
def chain():
    return with_words(ClassifierChain(LogisticRegression()))
def ridge():
    return with_words(Ridge())
def forest_of_numbers():
    return with_words(RandomForestRegressor(20))
def for_all(kind):
    return ridge() if kind == "number" else multi() if kind == "set" else logistic()

class Own:
    "Not of scikit-learn."
    def fit(self, X, y):
        self.mean = y.mean()
        return self
    def predict(self, X):
        return [self.mean] * (len(X) - 1)
"""


@pytest.fixture
def own_module(tmp_path):
    with own_modules(tmp_path, own_kinds=MODULE):
        yield


@pytest.fixture(scope="module")
def made():
    """Tasks whose text, columns and vectors tell a set and a number; both, with a fifth not known."""
    rng = np.random.default_rng(0)
    right = (rng.random((N, K)) < [0.5, 0.3, 0.15]).astype(np.int64)
    number = 100 + 10 * (right @ [3.0, -2.0, 1.0]) + rng.normal(0, 3, N)
    data = [
        {
            "text": " ".join(
                [*(rng.choice(WORDS[k]) for k in np.flatnonzero(row)), *rng.choice(["a", "the", "of"], 4)]
            ),
            **{f"x{k}": float(row[k] + 0.3 * rng.normal()) for k in range(K)},
            "v": [*(row + 0.3 * rng.normal(size=K)).tolist(), *rng.normal(size=7).tolist()],
        }
        for row in right
    ]
    known = np.arange(N) < 160
    sets = np.where(known[:, None], right, -1)
    return TaskData(range(N), data, [("Text", "text")]), right, sets, number, np.where(known, number, np.nan)


SPECS = ["auto", "text", "tabular:x0,x1,x2", "embedding:v"]


@pytest.mark.parametrize(
    "spec", [*SPECS, *(f"own_kinds:{name}" for name in ("logistic", "forest", "multi", "chain", "for_all"))]
)
def test_sets_are_learned(made, spec, own_module):
    tasks, right, sets, _, _ = made
    classifier = choose_for_sets(spec, tasks, n_classes=K).classifier
    P = classifier.predict_out_of_sample(sets)
    assert P.shape == (N, K)
    assert ((P > 0) & (P < 1)).all()
    assert ((P > 0.5) == right).mean() > 0.85
    assert ((P > 0.5) == right)[160:].mean() > 0.85
    model = pickle.loads(pickle.dumps(classifier.model(sets)))
    again = model.predict(tasks)
    assert ((again > 0.5) == right).mean() > 0.85
    odd = TaskData([1, 2], [{"text": 7, "v": "x"}, {}], [("Text", "text")])
    assert np.isfinite(model.predict(odd)).all()
    assert model.predict(TaskData([], [], [])).shape == (0, K)


@pytest.mark.parametrize("spec", [*SPECS, *(f"own_kinds:{name}" for name in ("ridge", "forest_of_numbers", "for_all"))])
def test_numbers_are_learned(made, spec, own_module):
    tasks, _, _, number, known = made
    classifier = choose_for_numbers(spec, tasks).classifier
    predicted = classifier.predict_out_of_sample(known)
    assert np.corrcoef(predicted, number)[0, 1] > 0.85
    assert np.corrcoef(predicted[160:], number[160:])[0, 1] > 0.75
    model = pickle.loads(pickle.dumps(classifier.model(known)))
    again = model.predict(tasks)
    assert again.shape == (N, 1)
    assert np.corrcoef(again[:, 0], number)[0, 1] > 0.85
    assert model.predict(TaskData([], [], [])).shape == (0, 1)


def test_no_task_is_learned_from_for_its_own_prediction(made):
    tasks, _, sets, _, known = made
    for_sets, for_numbers = choose_for_sets("text", tasks, n_classes=K), choose_for_numbers("text", tasks)
    P, predicted = (one.classifier.predict_out_of_sample(y) for one, y in ((for_sets, sets), (for_numbers, known)))
    turned, far = sets.copy(), known.copy()
    turned[5], far[5] = 1 - turned[5], 1e4
    assert np.abs(for_sets.classifier.predict_out_of_sample(turned)[5] - P[5]).max() < 0.1
    assert abs(for_numbers.classifier.predict_out_of_sample(far)[5] - predicted[5]) < 100  # the scale has changed


def test_too_few_numbers_teach_nothing(made):
    tasks, _, sets, number, _ = made
    few = np.where(np.arange(N) < 5, number, np.nan)
    classifier = choose_for_numbers("text", tasks).classifier
    assert np.isnan(classifier.predict_out_of_sample(few)).all()
    assert classifier.model(few) is None
    nothing = np.full_like(sets, -1)
    assert np.isfinite(choose_for_sets("text", tasks, n_classes=K).classifier.predict_out_of_sample(nothing)).all()


def test_how_each_kind_is_learned_is_said(made):
    tasks = made[0]
    assert "logistic regression" in choose_for_sets("text", tasks, n_classes=K).why
    assert "ridge regression" in choose_for_numbers("text", tasks).why
    assert "ridge regression" in choose_for_numbers("embedding:v", tasks).why
    assert "chosen by auto: it has an embedding" in choose_for_numbers("auto", tasks).why
    assert (
        choose_for_numbers("none", tasks).classifier is choose_for_sets("none", tasks, n_classes=K).classifier is None
    )


@pytest.mark.parametrize(
    ("factory", "kind", "told"),
    [
        ("logistic", "number", "Pipeline, which has classes instead of numbers. For numbers, factory"),
        ("ridge", "set", "Pipeline, which has no predict_proba"),
        ("ridge", "choice", "Pipeline, which has no predict_proba"),
    ],
)
def test_an_estimator_that_does_not_fit_the_kind_is_refused(made, own_module, factory, kind, told):
    chooses = {
        "number": choose_for_numbers,
        "set": partial(choose_for_sets, n_classes=K),
        "choice": partial(choose, n_classes=K),
    }
    with pytest.raises(UserError, match=told):
        chooses[kind](f"own_kinds:{factory}", made[0])


def test_a_regressor_that_leaves_tasks_out_is_named(made, own_module):
    tasks, _, _, _, known = made
    with pytest.raises(UserError, match="predict of own_kinds:Own gave 31 values for 32 tasks"):
        choose_for_numbers("own_kinds:Own", tasks).classifier.predict_out_of_sample(known)


def test_predictions_of_another_model_are_sets_and_numbers(made):
    tasks, right, sets, number, known = made
    of_sets = {task: (frozenset(np.flatnonzero(right[task]).tolist()), None) for task in range(0, N, 2)}
    theirs = TaskData(tasks.ids, tasks.data, tasks.fields, {"m": of_sets})
    P = choose_for_sets("predictions:m", theirs, n_classes=K).classifier.predict_out_of_sample(sets)
    assert ((P > 0.5) == right)[::2].all()
    assert P[1] == pytest.approx(right[:160].mean(axis=0), abs=0.02)
    of_numbers = {task: (float(number[task]), 0.5) for task in range(0, N, 2)}
    theirs = TaskData(tasks.ids, tasks.data, tasks.fields, {"m": of_numbers})
    predicted = choose_for_numbers("predictions:m", theirs).classifier.predict_out_of_sample(known)
    assert np.array_equal(predicted[::2], number[::2])
    assert np.isnan(predicted[1::2]).all()
    with pytest.raises(UserError, match="no predictions of model version 'other'; there are none of other models"):
        choose_for_numbers("predictions:other", theirs)
    with pytest.raises(UserError, match="which are our own predictions"):
        choose_for_sets("predictions:crowd-consensus", theirs, n_classes=K)
