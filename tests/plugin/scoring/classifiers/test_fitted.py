"""A trained classifier predicts tasks that it never saw."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from crowdcore import Crowd
from harness.messages import draw_messages
from label_studio_crowd.scoring.classifiers import TaskData, build, train
from label_studio_crowd.scoring.classifiers.linear import Linear
from label_studio_crowd.scoring.classifiers.out_of_sample import FLOOR
from tests.plugin.scoring.kinds_of_models import SPECS, K, N, assert_probabilities, prior, project, tasks_of

# ---------------------------------------------------------------------- it predicts what it never saw


@pytest.mark.parametrize("kind", SPECS)
def test_new_tasks_are_predicted(fitted, kind):
    data, truth = project(seed=1)
    P = fitted[kind].predict(tasks_of(data))
    assert_probabilities(P, N)
    assert (P.argmax(axis=1) == truth).mean() > 0.9
    np.testing.assert_allclose(P[:, 3], FLOOR / K)  # no label is of this class
    assert P.tobytes() == fitted[kind].predict(tasks_of(data)).tobytes()


@pytest.mark.parametrize("kind", SPECS)
def test_a_task_is_predicted_alike_alone_and_among_others(fitted, kind):
    data, _ = project(20, seed=2)
    together = fitted[kind].predict(tasks_of([*data, {"text": None, "x": "?", "v": [1]}, {}]))
    alone = np.concatenate([fitted[kind].predict(tasks_of([row])) for row in data])
    np.testing.assert_allclose(together[:20], alone, atol=1e-5)


def test_requests_at_the_same_time_get_what_they_get_alone(fitted):
    data, _ = project(40, seed=3)
    for model in fitted.values():
        alone = model.predict(tasks_of(data)).tobytes()
        with ThreadPoolExecutor(8) as pool:
            assert {P.tobytes() for P in pool.map(lambda _, m=model: m.predict(tasks_of(data)), range(40))} == {alone}


def test_unlabelled_texts_are_predicted_much_as_out_of_sample():
    crowd = draw_messages(np.random.default_rng(0), 900)
    classes = sorted(set(crowd.intents))
    truth = np.array([classes.index(label) for label in crowd.intents])
    labels = np.where(np.arange(900) < 600, truth, -1)
    classifier = build("text:text", tasks_of(crowd.tasks), n_classes=len(classes))
    out_of_sample = classifier.predict_out_of_sample(labels, len(classes))[600:]
    P = classifier.model(labels, len(classes)).predict(tasks_of(crowd.tasks[600:]))
    assert (P.argmax(axis=1) == out_of_sample.argmax(axis=1)).mean() >= 0.95
    assert 0 < np.abs(P - out_of_sample).mean() < 0.03
    assert (P.argmax(axis=1) == truth[600:]).mean() > 0.85


@pytest.mark.parametrize("kind", SPECS)
def test_unlabelled_tasks_of_every_kind_are_predicted_much_as_out_of_sample(own_models, kind):
    data, truth = project()
    labels = np.where(np.arange(N) < 160, truth, -1)
    classifier = build(SPECS[kind], tasks_of(data), n_classes=K)
    model = classifier.model(labels, K)  # the order of the two calls does not matter
    out_of_sample = classifier.predict_out_of_sample(labels, K)[160:]
    P = model.predict(tasks_of(data[160:]))
    assert (P.argmax(axis=1) == out_of_sample.argmax(axis=1)).mean() >= 0.95
    assert 0 < np.abs(P - out_of_sample).mean() < 0.1


def test_the_setting_is_the_one_that_the_folds_were_fitted_with(monkeypatch):
    settings, fit = [], Linear.fit

    def spy(self, train, y, values, seed):
        settings.append((len(train), tuple(values), seed))
        return fit(self, train, y, values, seed)

    monkeypatch.setattr(Linear, "fit", spy)
    data, truth = project()
    truth = np.random.default_rng(1).permutation(truth)  # nothing to learn, so that the careful setting wins
    classifier = build("text:text", tasks_of(data), n_classes=3)
    classifier.predict_out_of_sample(truth, 3, seed=7)
    folds = settings[-1]
    classifier.model(truth, 3, seed=7)
    assert settings[-1] == (N, *folds[1:])
    assert folds[1] != (classifier._learner.default,)


@pytest.mark.parametrize("classes", [2, 3])
def test_discriminant_analysis_is_pooled_with_regression(classes):
    rng = np.random.default_rng(0)
    y = np.arange(120) % classes
    X = (rng.normal(size=(120, 6)) + rng.normal(size=(classes, 6))[y]).astype(np.float32)
    linear = Linear(X, [0.5], [0.5, 0.0, 1.0])
    both, regression, discriminant = (
        fitted.probabilities(X) for fitted in linear.fit(np.arange(120), y, linear.settings, 0)
    )
    mean = np.sqrt(regression * discriminant)
    np.testing.assert_allclose(both, mean / mean.sum(axis=1, keepdims=True), atol=1e-5)
    assert np.abs(regression - discriminant).max() > 0.05


def test_of_embeddings_errors_that_many_share_are_learned_less():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    X = rng.normal(size=(600, 40)) + rng.normal(scale=0.7, size=(3, 40))[truth]
    said = np.where((truth == 0) & (rng.random(600) < 0.45), 1, truth)
    classifier = build("embedding:v", tasks_of([{"v": row} for row in X.tolist()]), n_classes=3)
    pooled = classifier.predict_out_of_sample(said, 3)
    classifier._learner.settings = [(C, 0.0) for C, _ in classifier._learner.settings]
    alone = classifier.predict_out_of_sample(said, 3)
    assert np.mean(pooled.argmax(axis=1) == truth) > np.mean(alone.argmax(axis=1) == truth) + 0.01


def test_predictions_of_another_model_are_not_made_into_one():
    tasks = TaskData([1, 2], [{}, {}], predictions={"m": {1: (0, 0.9)}})
    assert build("predictions:m", tasks, n_classes=2).model(np.array([0, 1]), 2) is None


# ---------------------------------------------------------------------- where there is little to go by


@pytest.mark.parametrize("kind", SPECS)
@pytest.mark.parametrize("labels", [[-1] * 12, [2] + [-1] * 11, [2] * 12], ids=["none", "one", "one class"])
def test_labels_of_fewer_than_two_classes_leave_their_shares(own_models, kind, labels):
    data, _ = project(12)
    model = build(SPECS[kind], tasks_of(data), n_classes=K).model(np.array(labels), K)
    P = model.predict(tasks_of(data[:3]))
    assert_probabilities(P, 3)
    counts = np.bincount([c for c in labels if c >= 0], minlength=K) + 1 / K
    np.testing.assert_allclose(P, np.tile(counts / counts.sum(), (3, 1)), atol=FLOOR)


@pytest.mark.parametrize(
    ("kind", "useless"),
    [
        ("text", [{}, {"text": ""}, {"text": None, "note": "<br>"}, {"other": "ball goal"}]),
        ("tabular", [{}, {"x": "a", "colour": "mauve"}, {"x": [1], "row": 3}, {"row": {"age": float("inf")}}]),
        ("embedding", [{}, {"v": [1.0] * 11}, {"v": "[1, 2"}, {"v": [float("nan")] * 12}, {"v": [1e300] * 12}]),
        ("estimator", [None, {"text": 5, "x": 1.0}, {"text": "ball", "x": "far"}, {}]),
    ],
)
def test_data_of_no_use_get_the_shares_of_the_classes(fitted, kind, useless):
    data, truth = project()
    P = fitted[kind].predict(tasks_of([*useless, data[0]]))
    np.testing.assert_allclose(P[:-1], np.tile(prior(truth), (len(useless), 1)), atol=0.02)
    assert P[-1].argmax() == truth[0]


def test_texts_without_a_word_in_common_with_any_project():
    model = build("text:text", tasks_of([{"text": t} for t in "?!.,"]), n_classes=2).model(np.array([0, 1, 0, 1]), 2)
    assert_probabilities(model.predict(tasks_of([{"text": "words"}, {"text": "?"}])), 2, 2)


def test_no_tasks(fitted):
    for model in fitted.values():
        assert_probabilities(model.predict(tasks_of([])), 0)


def test_wrong_labels_are_refused():
    data, _ = project(3)
    with pytest.raises(ValueError, match="allowed are 0 to 2"):
        build("text:text", tasks_of(data), n_classes=3).model(np.array([0, 1, 3]), 3)


# ---------------------------------------------------------------------- training


def test_training_leaves_a_model_of_the_labels_it_last_learned_from():
    data, truth = project()
    tasks = tasks_of(data)
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(200), 2)
    label = np.where(rng.random(400) < 0.7, truth[task], rng.integers(0, 3, 400))
    crowd = Crowd.from_codes(task, np.arange(400) % 7, label, tasks=range(N), annotators=range(7), classes=range(3))
    classifier, steps = build("text:text", tasks, n_classes=3), []
    trained = train(classifier, crowd, seed=3, progress=lambda *step: steps.append(step))
    P = trained.model.predict(tasks)
    assert P.tobytes() == classifier.model(trained.labels, 3, seed=3).predict(tasks).tobytes()
    assert (P.argmax(axis=1) == truth)[200:].mean() > 0.9
    assert steps[-1] == ("training the model for new tasks", 1, 1)


def test_training_without_a_model_of_its_own():
    tasks = TaskData(range(4), [{}] * 4, predictions={"m": {0: (1, 0.9)}})
    crowd = Crowd.from_codes([0, 1], [0, 0], [1, 0], tasks=range(4), annotators=range(1), classes=range(2))
    assert train(build("predictions:m", tasks, n_classes=2), crowd).model is None
