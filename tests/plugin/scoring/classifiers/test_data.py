"""Data as they come."""

import numpy as np
import pytest

from label_studio_crowd.scoring.classifiers import build
from label_studio_crowd.scoring.classifiers.out_of_sample import FLOOR
from label_studio_crowd.scoring.classifiers.text import plain
from tests.plugin.scoring.classifiers.topical_texts import assert_probabilities, tasks_of, topical


def test_tasks_without_text_get_the_shares_of_the_classes():
    tasks, truth = topical(120)
    data = [dict(row) for row in tasks.data]
    data[0]["text"], data[1]["text"], data[2]["text"] = "", None, "  <br> "
    del data[3]["text"]
    data[4]["text"] = float("nan")
    classifier = build("auto", tasks_of(data, ("Text", "text")), n_classes=3)
    assert "115 of 120 tasks have text" in classifier.why
    labels = truth.copy()
    labels[:2] = -1
    P = classifier.predict_out_of_sample(labels, 3)
    assert_probabilities(P, 120, 3)
    np.testing.assert_allclose(P[:5], np.tile(np.bincount(truth) / 120, (5, 1)), atol=0.02)
    assert (P[5:].argmax(axis=1) == truth[5:]).mean() > 0.8


@pytest.mark.parametrize(
    "values",
    [
        ["?", "!", "?!", "..."] * 5,
        [1, 2.5, True, None, "four"] * 4,
        [["a list", "of strings"], {"nested": {"deep": "text"}}, [], {}] * 5,
        [f"{i:b}{'x' * i}" for i in range(20)],
    ],
    ids=["punctuation", "mixed types", "nested", "nothing in common"],
)
def test_odd_texts_are_no_trouble(values):
    tasks = tasks_of([{"text": value} for value in values])
    P = build("text:text", tasks, n_classes=2).predict_out_of_sample(np.arange(20) % 2, 2)
    assert_probabilities(P, 20, 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<p>Fish &amp; <b>chips</b></p><script>var x = 'no'</script>", "Fish & chips"),
        ("a < b and I <3 you", "a < b and I <3 you"),
        ("shown <!-- " * 20_000, "shown"),
        ("shown <style>" * 20_000, "shown"),
        (
            [{"author": "Ann", "text": "Hello", "start": 0.5, "audio": "https://x.org/a.mp3"}, {"text": "Bye"}],
            "Ann Hello Bye",
        ),
        (["one", 2, None], "one 2"),
        (3.5, "3.5"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_what_counts_as_text(value, text):
    assert plain(value) == text


def test_numbers_that_are_missing_or_written_as_strings():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 100)
    data = [{"x": str(c + rng.normal(0, 0.2))} for c in truth]
    for at, value in enumerate([None, "", float("nan"), float("inf"), "n/a"]):
        data[at] = {"x": value}
    del data[5]["x"]
    P = build("tabular:x", tasks_of(data), n_classes=2).predict_out_of_sample(truth, 2)
    assert_probabilities(P, 100, 2)
    assert (P.argmax(axis=1) == truth)[6:].mean() > 0.9


def test_a_category_with_thousands_of_values_and_one_that_is_constant():
    data = [{"c": f"value {i}", "k": "same", "m": [1, "a", None][i % 3]} for i in range(400)]
    P = build("tabular:c,k,m", tasks_of(data), n_classes=3).predict_out_of_sample(np.arange(400) % 3, 3)
    assert_probabilities(P, 400, 3)


def test_vectors_of_the_wrong_length_are_counted_and_get_the_shares_of_the_classes():
    rng = np.random.default_rng(0)
    truth = np.arange(90) % 3
    data = [{"v": (rng.normal(size=10) + 3 * np.eye(10)[c]).tolist()} for c in truth]
    data[0]["v"], data[1]["v"], data[2]["v"] = data[0]["v"][:9], None, [float("nan")] * 10
    data[3]["v"] = str(data[3]["v"])
    classifier = build("embedding:v", tasks_of(data), n_classes=3)
    assert "3 of 90 tasks have no such vector" in classifier.why
    P = classifier.predict_out_of_sample(truth, 3)
    assert_probabilities(P, 90, 3)
    np.testing.assert_allclose(P[:3], 1 / 3, atol=0.02)
    assert (P[3:].argmax(axis=1) == truth[3:]).mean() > 0.9
    assert P[3].argmax() == truth[3]


def test_predictions_are_taken_at_their_score():
    predictions = {"m": {100: (1, 0.7), 101: (1, 0.2), 102: (0, 1.0), 103: (7, 0.9), 104: (2, None), 105: (2, 87.0)}}
    tasks = tasks_of([{}] * 8, predictions=predictions)
    classifier = build("predictions:m", tasks, n_classes=3)
    assert "5 of 8 tasks" in classifier.why
    assert "2 without a score" in classifier.why
    P = classifier.predict_out_of_sample(np.array([-1] * 8), 3)
    assert_probabilities(P, 8, 3)
    np.testing.assert_allclose(P[0], [0.15, 0.7, 0.15], atol=FLOOR)
    np.testing.assert_allclose(P[1], 1 / 3, atol=FLOOR)  # a class is never predicted below chance
    assert P[2, 0] == pytest.approx(1, abs=FLOOR)
    np.testing.assert_allclose(P[3], 1 / 3)  # a class that the control does not have
    np.testing.assert_allclose(P[4:6], [[0.05, 0.05, 0.9]] * 2, atol=FLOOR)
    np.testing.assert_allclose(P[6:], 1 / 3)


def test_predictions_without_a_score_are_believed_as_often_as_they_are_right():
    truth = np.arange(200) % 2
    said = np.where(np.arange(200) % 5 < 3, truth, 1 - truth)  # right three times out of five
    tasks = tasks_of([{}] * 200, predictions={"m": {100 + i: (int(c), None) for i, c in enumerate(said)}})
    P = build("predictions:m", tasks, n_classes=2).predict_out_of_sample(truth, 2)
    np.testing.assert_allclose(P[np.arange(200), said], 0.6, atol=0.03)
