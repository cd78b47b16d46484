"""A trained classifier predicts whatever comes by HTTP."""

import logging

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crowdcore import Crowd
from label_studio_crowd.scoring.classifiers import build, train
from label_studio_crowd.scoring.classifiers.out_of_sample import FLOOR
from tests.plugin.scoring.kinds_of_models import SPECS, assert_probabilities, project, tasks_of

TEXT = st.text(st.characters(exclude_categories=()))  # JSON can hold half characters
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    SCALARS
    | st.lists(st.floats(), min_size=12, max_size=12)
    | st.sampled_from(["red", "ball goal", "3", "[1, 2]", "<b>"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["text", "note", "x", "colour", "row", "row.age", "v"]) | TEXT
ROWS = st.dictionaries(FIELDS, JSON, max_size=7) | JSON


def nested(depth, inside):
    for _ in range(depth):
        inside = [inside]
    return inside


def everywhere(value):
    return dict.fromkeys(["text", "note", "x", "colour", "row", "v"], value) | {"row.age": value}


AWKWARD = {
    "a megabyte of letters": "x" * 1_000_000,
    "a megabyte of words": "ball <b> &amp; " * 70_000,
    "a megabyte of digits": "1" * 1_000_000,
    "a megabyte of brackets": "[" * 1_000_000,
    "nesting": nested(900, "ball"),
    "nesting without end": nested(5000, 1),
    "objects inside objects": {"a": {"b": {"row": {"age": {}}}}},
    "a character of thousands of digits": "ball &#" + "9" * 5000 + ";",
    "half a character": "\ud800",
    "a number of thousands of digits": 10**5000,
    "numbers near the largest": [1.7e308] * 12,
    "numbers that overflow later": [3e38] * 12,
    "integers beyond 64 bits": [2**70] * 12,
    "truth values": [True] * 12,
    "numbers and a list": [1.0] * 11 + [[2.0]],
    "not a number": float("nan"),
}


@pytest.mark.parametrize("kind", SPECS)
@given(rows=st.lists(ROWS, max_size=5))
@example(rows=[None, [], "text", 3, {"text": {}}])
def test_nothing_that_json_can_hold_is_too_much(fitted, kind, rows):
    assert_probabilities(fitted[kind].predict(tasks_of(rows)), len(rows))


@pytest.mark.parametrize("value", AWKWARD.values(), ids=AWKWARD)
@pytest.mark.parametrize("kind", SPECS)
def test_awkward_data_are_no_trouble_and_do_no_harm_to_others(fitted, kind, value):
    data, _ = project(3, seed=4)
    rows = [data[0], everywhere(value), data[1], {**data[2], "extra": value}]
    P = fitted[kind].predict(tasks_of(rows))
    assert_probabilities(P, 4)
    np.testing.assert_allclose(P[[0, 2, 3]], fitted[kind].predict(tasks_of(data)), atol=1e-5)


def test_a_task_on_which_an_estimator_fails_is_said_and_others_are_predicted(own_models, caplog):
    data = [{"x": float(x)} for x in [-1, 1] * 10]
    model = build("own_models:Own", tasks_of(data), n_classes=2).model(np.arange(20) % 2, 2)
    with caplog.at_level(logging.WARNING):
        P = model.predict(tasks_of([{"x": -5.0}, {"x": 666}, {"x": 5.0}, {"y": 1}]))
    np.testing.assert_allclose(P, [[1, 0], [0.5, 0.5], [0, 1], [1, 0]], atol=FLOOR)
    assert "1 of 4 tasks get the class shares" in caplog.text
    assert "the beast" in caplog.text


def test_an_estimator_that_cannot_be_pickled_says_so_and_training_goes_on(own_models):
    data = [{"x": float(x)} for x in range(30)]
    crowd = Crowd.from_codes(
        np.arange(30),
        np.arange(30) % 3,
        (np.arange(30) > 14) * 1,
        tasks=range(30),
        annotators=range(3),
        classes=range(2),
    )
    trained = train(build("own_models:secret", tasks_of(data), n_classes=2), crowd)
    assert trained.model is None
    assert trained.why.count("cannot be pickled") == 1
    assert_probabilities(trained.pred_probs, 30, 2)
