"""It learns, and is judged by tasks that it has not seen."""

import numpy as np
import pytest

from crowdcore import crowdlab, majority_vote
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.classifiers import build, choose, train
from label_studio_crowd.scoring.classifiers.out_of_sample import deal
from label_studio_crowd.scoring.consensus import MOST_EXPONENT, find_class_beliefs
from tests.plugin.own_modules import own_modules
from tests.plugin.scoring.classifiers.topical_texts import assert_probabilities, noisy_crowd, tasks_of, topical

# ---------------------------------------------------------------------- it learns, and out of sample


def test_text_tells_the_classes_of_labelled_and_unlabelled_tasks():
    tasks, truth = topical(300)
    labels = np.where(np.arange(300) < 200, truth, -1)
    P = build("auto", tasks, n_classes=3).predict_out_of_sample(labels, 3)
    assert_probabilities(P, 300, 3)
    right = P.argmax(axis=1) == truth
    assert right[:200].mean() > 0.9
    assert right[200:].mean() > 0.9


@pytest.mark.parametrize("method", ["hierarchical-dawid-skene", "crowdlab"])
def test_a_consensus_with_text_beats_the_majority(method):
    tasks, truth = topical(400)
    crowd = noisy_crowd(truth, 3)
    trained = train(build("text", tasks, n_classes=3), crowd, consensus=method)
    consensus = find_class_beliefs(method, crowd, trained.pred_probs).result.consensus
    assert (consensus == truth).mean() > (majority_vote(crowd) == truth).mean() + 0.1


def test_the_second_round_learns_from_the_consensus_of_the_first():
    tasks, truth = topical(400)
    crowd = noisy_crowd(truth, 3)
    classifier = build("text", tasks, n_classes=3)
    P = classifier.predict_out_of_sample(majority_vote(crowd), 3)
    for method, consensus in (
        ("crowdlab", crowdlab(crowd, P).consensus),
        ("hierarchical-dawid-skene", hierarchical_dawid_skene(crowd, P, most_exponent=MOST_EXPONENT).consensus),
    ):
        trained = train(classifier, crowd, consensus=method, rounds=2)
        np.testing.assert_array_equal(trained.labels, consensus)
        np.testing.assert_array_equal(trained.pred_probs, classifier.predict_out_of_sample(consensus, 3))


MEMORY = """
from sklearn.compose import make_column_transformer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

def make():
    return make_pipeline(make_column_transformer(("passthrough", ["x"])), KNeighborsClassifier(1))
"""


@pytest.fixture
def memory(tmp_path):
    """An estimator that knows every task it has seen by heart."""
    with own_modules(tmp_path, memory=MEMORY):
        yield "memory:make"


@pytest.mark.parametrize("spec", ["text:text", "tabular:x", "embedding:v", "memory:make"])
@pytest.mark.usefixtures("memory")
def test_labels_that_depend_on_nothing_are_not_predicted(spec):
    """Every task is unlike every other, so whoever saw its label knows it, and nobody else can."""
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 7)) for _ in range(200)]
    data = [
        {"text": f"{word} {word[::-1]}", "v": rng.normal(size=400).tolist(), "x": float(i)}
        for i, word in enumerate(words)
    ]
    labels = rng.integers(0, 2, 200)
    P = build(spec, tasks_of(data), n_classes=2).predict_out_of_sample(labels, 2)
    assert (P.argmax(axis=1) == labels).mean() < 0.6


def test_a_task_without_label_gets_the_mean_of_the_fold_models(memory):
    """An unlabelled copy of a labelled task is known to the four models that saw the label."""
    labels = np.random.default_rng(0).integers(0, 2, 400)
    tasks = tasks_of([{"x": float(x)} for x in [*range(400), *range(400)]])
    P = build(memory, tasks, n_classes=2).predict_out_of_sample(np.r_[labels, np.full(400, -1)], 2)
    assert (P[:400].argmax(axis=1) == labels).mean() < 0.6
    assert P[400:][np.arange(400), labels].min() > 0.79  # four of five are sure of it


def test_tabular_learns_from_numbers_and_from_categories():
    rng = np.random.default_rng(0)
    x, colour = rng.normal(size=300), rng.choice(["red", "green", "blue"], 300)
    truth = (x > 0) * 1 + (colour == "red") * 2
    data = [{"x": v, "colour": str(c)} for v, c in zip(x.tolist(), colour, strict=True)]
    P = build("auto", tasks_of(data), n_classes=4).predict_out_of_sample(truth, 4)
    assert (P.argmax(axis=1) == truth).mean() > 0.9


def test_the_two_sides_of_a_comparison_stay_apart():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    good, bad = "clear helpful answer", "vague rude reply"
    data = [{"a": (good, bad)[c], "b": (bad, good)[c]} for c in truth]
    tasks = tasks_of(data, ("Text", "a"), ("Text", "b"))
    P = build("text", tasks, n_classes=2).predict_out_of_sample(truth, 2)
    assert (P.argmax(axis=1) == truth).mean() > 0.95


@pytest.mark.parametrize("spec", ["text:text", "tabular:n", "embedding:v"])
def test_the_same_seed_gives_the_same_probabilities(spec):
    rng = np.random.default_rng(0)
    tasks, truth = topical(80)
    data = [
        {**row, "n": float(rng.normal() + c), "v": rng.normal(size=9).tolist()}
        for row, c in zip(tasks.data, truth, strict=True)
    ]
    one, two = (build(spec, tasks_of(data), n_classes=3) for _ in range(2))
    np.testing.assert_array_equal(
        one.predict_out_of_sample(truth, 3, seed=5), two.predict_out_of_sample(truth, 3, seed=5)
    )
    np.testing.assert_array_equal(
        one.predict_out_of_sample(truth, 3, seed=5), two.predict_out_of_sample(truth, 3, seed=5)
    )
    assert (one.predict_out_of_sample(truth, 3, seed=6) != two.predict_out_of_sample(truth, 3, seed=5)).any()


# ---------------------------------------------------------------------- labels that are few, rare, or missing


DEGENERATE = {
    "no labels": [-1] * 12,
    "one label": [1] + [-1] * 11,
    "two labels of two classes": [0, 1] + [-1] * 10,
    "three labels of one class": [2] * 3 + [-1] * 9,
    "one class only": [1] * 12,
    "a class with a single member": [0] * 6 + [1] * 5 + [3],
    "every label another class": [0, 1, 2, 3] + [-1] * 8,
    "fewer members than folds": [0] * 8 + [1] * 2 + [2] * 2,
}


@pytest.mark.parametrize("labels", DEGENERATE.values(), ids=DEGENERATE)
@pytest.mark.parametrize("spec", ["text:text", "tabular:x,colour", "embedding:v", "predictions:m"])
def test_any_labels_give_probabilities(spec, labels):
    rng = np.random.default_rng(0)
    data = [
        {"text": f"some words {i % 3}", "x": i, "colour": "rb"[i % 2], "v": rng.normal(size=8).tolist()}
        for i in range(12)
    ]
    tasks = tasks_of(data, predictions={"m": {100: (0, 0.8), 105: (1, None)}})
    P = build(spec, tasks, n_classes=5).predict_out_of_sample(np.array(labels), 5)
    assert_probabilities(P, 12, 5)


def test_without_labels_all_classes_are_equally_probable():
    tasks, _ = topical(10)
    P = build("text", tasks, n_classes=4).predict_out_of_sample(np.full(10, -1), 4)
    np.testing.assert_allclose(P, 0.25)


def test_with_one_class_that_class_is_likely_and_the_others_possible():
    tasks, _ = topical(20)
    P = build("text", tasks, n_classes=3).predict_out_of_sample(np.full(20, 2), 3)
    assert (P.argmax(axis=1) == 2).all()
    assert P[:, 2].min() > 0.9


def test_no_tasks_at_all():
    assert choose("auto", tasks_of([]), n_classes=2).classifier is None
    with pytest.raises(UserError, match="no data"):
        build("text", tasks_of([]), n_classes=2)


@pytest.mark.parametrize("sizes", [[7, 3, 1], [1, 1, 1, 1, 1, 1, 1], [23, 2], [5]])
def test_folds_are_as_even_as_the_classes_allow(sizes):
    y = np.repeat(np.arange(len(sizes)), sizes)
    fold = deal(y, 5, np.random.default_rng(0))
    assert np.ptp(np.bincount(fold, minlength=5)) <= 1
    for c in range(len(sizes)):
        assert np.ptp(np.bincount(fold[y == c], minlength=5)) <= 1


@pytest.mark.parametrize(
    ("labels", "says"),
    [([0, 1], "shape"), ([0, 1, 3], "allowed are 0 to 2"), ([0, -2, 1], "allowed"), ([0.0, 1.0, 2.0], "float")],
)
def test_wrong_labels_are_refused(labels, says):
    tasks, _ = topical(3)
    with pytest.raises(ValueError, match=says):
        build("text", tasks, n_classes=3).predict_out_of_sample(np.array(labels), 3)
