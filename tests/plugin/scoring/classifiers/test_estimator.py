"""The user's own estimator, and what is said of a bad one."""

from dataclasses import replace

import numpy as np
import pytest

from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers import build
from tests.plugin.own_modules import own_modules
from tests.plugin.scoring.classifiers.topical_texts import assert_probabilities, tasks_of, topical

# ---------------------------------------------------------------------- the user's own estimator


MODULE = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

def forest():
    return make_pipeline(make_column_transformer((CountVectorizer(), "text")), RandomForestClassifier(10))

class Backwards:
    "Columns in an order of its own, and no other scikit-learn manners."
    def fit(self, X, y):
        self.classes_ = sorted(set(y), reverse=True)
        self.top = max(y)
        assert list(X.columns) == ["text"] and X.index[0] >= 100
        return self
    def predict_proba(self, X):
        return [[float(c == self.top) for c in self.classes_] for _ in range(len(X))]

class Broken(Backwards):
    def predict_proba(self, X):
        return [[float("nan")] * len(self.classes_)] * len(X)

class Narrow(Backwards):
    def predict_proba(self, X):
        return [[1.0]] * len(X)

class Raising(Backwards):
    def fit(self, X, y):
        raise KeyError("colour")

def needs_argument(x): ...
constant = 3
"""


@pytest.fixture
def own_module(tmp_path):
    modules = {"own_estimators": MODULE, "needs_torchlike": "import no_such_library_here", "crashing": "1 / 0"}
    with own_modules(tmp_path, **modules):
        yield


@pytest.mark.usefixtures("own_module")
def test_an_estimator_of_ones_own_from_the_current_directory():
    tasks, truth = topical(150)
    classifier = build("own_estimators:forest", tasks, n_classes=3)
    assert classifier.name == "estimator"
    assert "Pipeline from own_estimators:forest" in classifier.why
    P = classifier.predict_out_of_sample(truth, 3)
    assert_probabilities(P, 150, 3)  # a forest's exact zeros are gone
    assert (P.argmax(axis=1) == truth).mean() > 0.8
    np.testing.assert_array_equal(P, classifier.predict_out_of_sample(truth, 3))


@pytest.mark.usefixtures("own_module")
def test_columns_are_put_in_the_order_of_the_classes():
    tasks, truth = topical(30)
    P = build("own_estimators:Backwards", tasks, n_classes=4).predict_out_of_sample(truth, 4)
    assert (P.argmax(axis=1) == 2).all()


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("no_such_module_here:make", "no module 'no_such_module_here'.*Start from the directory"),
        ("sklearn.no_such_part:make", "no module 'sklearn.no_such_part'"),
        ("needs_torchlike:make", "needs the module 'no_such_library_here'"),
        ("crashing:make", "ZeroDivisionError"),
        ("own_estimators:missing", "has no 'missing'; what can be called in it: .*forest"),
        ("own_estimators:constant", "is a int, which cannot be called"),
        ("own_estimators:needs_argument", "without arguments"),
        ("own_estimators:LinearSVC", "has no predict_proba"),
        ("own_estimators:", "allowed are"),
        ("own_estimators.py/x:forest", "Example: my_models:make"),
    ],
)
def test_bad_paths_say_what_is_wrong(spec, says):
    with pytest.raises(UserError, match=says):
        build(spec, topical(5)[0], n_classes=3)


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize(
    ("name", "says"),
    [("Broken", "no probabilities"), ("Narrow", r"shape \(\d+, 1\)"), ("Raising", "KeyError: 'colour'.*columns text")],
)
def test_estimators_that_misbehave_say_what_is_wrong(name, says):
    tasks, truth = topical(30)
    with pytest.raises(UserError, match=says):
        build(f"own_estimators:{name}", tasks, n_classes=3).predict_out_of_sample(truth, 3)


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("magic", "'magic'; allowed are auto, none, text"),
        ("", "allowed are auto"),
        ("auto:text", "allowed are auto"),
        ("text:body", "'body' is in no task; the fields are .*\"text\""),
        ("text:void", "'void' is empty in every task"),
        ("text:,", "instead of a data field"),
        ("tabular", "no data field with numbers or categories; .*tabular:FIELD"),
        ("embedding", "no data field that holds a list of numbers"),
        ("embedding:text", "holds no lists of numbers; its first value is"),
        ("embedding:text,void", "void' is empty"),
        ("predictions", "without a model version"),
        (
            "predictions:v9",
            r"no predictions of model version 'v9'; versions of other models: 'v1' \(1 p.*\), 'v2' \(7 p",
        ),
        ("predictions:v2", r"Of the 7 predictions of model version 'v2' none answers this control; .*from_name"),
    ],
)
def test_errors_say_what_was_found_and_what_to_do(spec, says):
    data = [{"text": f"some longer words {i}", "void": None} for i in range(10)]
    tasks = tasks_of(data, predictions={"v1": {100: (0, 0.5)}})
    with pytest.raises(UserError, match=says):
        build(spec, replace(tasks, versions={"v1": 1, "v2": 7}), n_classes=2)
