"""Models at hand: a trained classifier predicts tasks that it never saw, whatever they hold, and stays on disk."""

import importlib.metadata
import logging
import os
import pickle
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crowdcore import Crowd
from examples.text import text_crowd
from label_studio_crowd.scoring import models
from label_studio_crowd.scoring.classifiers import TaskData, build, train
from label_studio_crowd.scoring.classifiers.linear import Linear
from label_studio_crowd.scoring.classifiers.out_of_sample import FLOOR

K = 4
N = 240
HEX = "0123456789abcdef" * 2
COMMON = ["the", "a", "of", "and", "in", "to", "it", "was", "for"]
SPECS = {
    "text": "text:text,note",
    "tabular": "tabular:x,colour,row.age",
    "embedding": "embedding:v",
    "estimator": "own_models:forest",
}

MODULE = """
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

def forest():
    columns = make_column_transformer((CountVectorizer(), "text"), ("passthrough", ["x"]))
    return make_pipeline(columns, RandomForestClassifier(20))

class Own:
    "Not of scikit-learn."
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self
    def predict_proba(self, X):
        if X["x"].isin([666]).any():
            raise RuntimeError("the beast")
        return np.eye(len(self.classes_))[(X["x"].to_numpy() > 0).astype(int)]

def secret():
    return make_pipeline(FunctionTransformer(lambda X: X[["x"]]), RandomForestClassifier(5))
"""


@pytest.fixture(scope="module")
def own_models(tmp_path_factory):
    """A directory with a user's own estimators, which is the current one."""
    here = tmp_path_factory.mktemp("own")
    (here / "own_models.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setattr(sys, "path", [p for p in sys.path if p])
        yield here
    sys.modules.pop("own_models", None)


def tasks_of(data):
    return TaskData(range(len(data)), data)


def project(n=N, seed=0):
    """Tasks of three classes (of four that there might be), each kind of field telling most about them."""
    rng = np.random.default_rng(seed)
    words = ["ball goal team match", "bank money market stock", "planet star orbit moon"]
    truth = rng.integers(0, 3, n)
    data = [
        {
            "text": " ".join([*rng.choice(words[c].split(), 3), *rng.choice(COMMON, 6)]),
            "note": "seen" if rng.random() < 0.3 else None,
            "x": float(rng.normal() + 3 * c),
            "colour": str(rng.choice(["red", "green", "blue"], p=np.roll([0.8, 0.1, 0.1], c))),
            "row": {"age": int(rng.integers(20, 60) + 20 * c)},
            "v": (rng.normal(size=12) + 3 * np.eye(12)[c]).tolist(),
        }
        for c in truth
    ]
    return data, truth


@pytest.fixture(scope="module")
def fitted(own_models):
    """A model of each kind."""
    data, truth = project()
    return {kind: build(spec, tasks_of(data), n_classes=K).model(truth, K) for kind, spec in SPECS.items()}


def assert_probabilities(P, n, n_classes=K):
    assert P.shape == (n, n_classes)
    assert P.dtype == np.float64
    assert np.isfinite(P).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, atol=1e-12)
    assert P.min(initial=1) >= FLOOR / n_classes * (1 - 1e-9)


def prior(truth, n_classes=K):
    return np.bincount(truth, minlength=n_classes) / len(truth)


# ---------------------------------------------------------------- it predicts what it never saw


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
    crowd = text_crowd(900)
    classes = sorted(set(crowd.truth))
    truth = np.array([classes.index(label) for label in crowd.truth])
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


def test_predictions_of_another_model_are_not_made_into_one():
    tasks = TaskData([1, 2], [{}, {}], predictions={"m": {1: (0, 0.9)}})
    assert build("predictions:m", tasks, n_classes=2).model(np.array([0, 1]), 2) is None


# ---------------------------------------------------------------- where there is little to go by


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


# ---------------------------------------------------------------- whatever comes by HTTP

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


# ---------------------------------------------------------------- training


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


# ---------------------------------------------------------------- pickles


@pytest.mark.parametrize("kind", SPECS)
def test_a_reloaded_model_predicts_the_same_to_the_last_bit(fitted, kind):
    data, _ = project(seed=5)
    again = pickle.loads(pickle.dumps(fitted[kind]))
    assert again.predict(tasks_of(data)).tobytes() == fitted[kind].predict(tasks_of(data)).tobytes()


@pytest.mark.parametrize("kind", ["text", "tabular", "embedding"])
def test_a_pickle_grows_with_what_was_learned_and_not_with_the_tasks(kind):
    def size(n):
        data, truth = project(n)
        model = build(SPECS[kind], tasks_of(data), n_classes=K).model(truth, K)
        return len(pickle.dumps(model))

    few, many = size(500), size(2000)
    assert many < few + 200_000  # 1,500 more tasks are 400 kB
    assert many < 600_000


def test_a_pickle_of_the_largest_vocabulary_is_a_few_megabytes():
    rng = np.random.default_rng(0)
    words = np.array(["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 6)) for _ in range(30_000)])
    data = [{"text": " ".join(rng.choice(words, 30))} for _ in range(5_000)]
    model = build("text:text", tasks_of(data), n_classes=2).model(np.arange(5_000) % 2, 2)
    terms = [term for _, tfidf in model.features.vectorizers for term in tfidf.vocabulary_]
    assert len(terms) > 60_000
    pickled = pickle.dumps(model)
    assert data[0]["text"].encode() not in pickled
    assert len(pickled) < 20 * len(terms) + sum(map(len, terms))


# ---------------------------------------------------------------- on disk


class Remembered:
    """The least that is a model."""

    def __init__(self, value):
        self.value = value

    def predict(self, tasks):
        return np.full((len(tasks), 1), self.value)


class Unkeepable(Remembered):
    def __reduce__(self):
        raise TypeError("not this one")


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "state" / "models"


def files(directory):
    return sorted(path.name for path in directory.iterdir())


def test_what_is_kept_is_at_hand(directory, fitted):
    data, _ = project(30, seed=6)
    for number, (kind, model) in enumerate(fitted.items()):
        models.keep(directory, f"{number:032x}", model)
        found = models.at_hand(directory, f"{number:032x}")
        assert found is not model
        assert found.predict(tasks_of(data)).tobytes() == model.predict(tasks_of(data)).tobytes(), kind
    assert files(directory) == [f"{number:032x}.pickle" for number in range(4)]


def test_nobody_else_may_read_or_write(directory):
    before = os.umask(0)
    try:
        models.keep(directory, HEX, Remembered(1))
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / f"{HEX}.pickle").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "training", ["", "../0a", "0A", "0a.pickle", "0a\n", "/etc/passwd", "0a\0", "g", "٣", "a" * 129, None, 3, b"0a"]
)
def test_a_training_is_hexadecimal_or_nothing(directory, training):
    with pytest.raises(ValueError, match="expected up to 128 digits"):
        models.keep(directory, training, Remembered(1))
    with pytest.raises(ValueError, match="expected up to 128 digits"):
        models.forget(directory, training)
    assert models.at_hand(directory, training) is None
    assert not directory.exists()


def test_a_model_that_is_not_there_yet_is_found_once_it_is(directory, caplog):
    assert models.at_hand(directory, HEX) is None
    models.keep(directory, HEX, Remembered(1))
    assert models.at_hand(directory, HEX).value == 1
    assert models.at_hand(directory, HEX) is models.at_hand(directory, HEX)
    models.keep(directory, HEX, Remembered(2))
    assert models.at_hand(directory, HEX).value == 2
    models.forget(directory, HEX)
    assert models.at_hand(directory, HEX) is None
    models.forget(directory, HEX)
    assert not caplog.records


def test_a_model_that_cannot_be_written_leaves_the_old_one_and_no_rubbish(directory, monkeypatch):
    models.keep(directory, HEX, Remembered(1))
    with pytest.raises(Exception, match=r"cannot be kept.*not this one"):
        models.keep(directory, HEX, Unkeepable(2))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        models.keep(directory, HEX, Remembered(2))
    assert files(directory) == [f"{HEX}.pickle"]
    assert models.at_hand(directory, HEX).value == 1


def cut(path, monkeypatch):
    path.write_bytes(path.read_bytes()[:-9])


def empty(path, monkeypatch):
    path.write_bytes(b"")


def overwrite(path, monkeypatch):
    path.write_bytes(b"\x80\x05garbage" * 1000)


def another_header(path, monkeypatch):
    path.write_bytes(b"[1, 2]\n" + path.read_bytes().partition(b"\n")[2])


def another_release(path, monkeypatch):
    monkeypatch.setattr(models, "version", lambda package: "99.0")


def make_a_directory(path, monkeypatch):
    path.unlink()
    path.mkdir()


def module_gone(path, monkeypatch):
    header, newline, _ = path.read_bytes().partition(b"\n")
    path.write_bytes(header + newline + b"cno_such_module_here\nThing\n.")


def module_without_its_file(path, monkeypatch):
    header, newline, _ = path.read_bytes().partition(b"\n")
    path.write_bytes(header + newline + b"cos\nstat\n(S'no_such_file_here'\ntR.")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut, ""),
        (empty, ""),
        (overwrite, ""),
        (another_header, ""),
        (another_release, "scikit-learn 99.0"),
        (make_a_directory, ""),
        (module_gone, "no_such_module_here"),
        (module_without_its_file, "no_such_file_here"),
    ],
)
def test_a_model_that_cannot_be_read_is_none_and_said_once(directory, caplog, monkeypatch, damage, reason):
    models.keep(directory, HEX, Remembered("x" * 100))
    damage(directory / f"{HEX}.pickle", monkeypatch)
    with caplog.at_level(logging.WARNING):
        assert [models.at_hand(directory, HEX) for _ in range(3)] == [None] * 3
    (record,) = caplog.records
    assert record.name == "label_studio_crowd.scoring.models"
    assert HEX in record.getMessage()
    assert reason in record.getMessage()


def test_a_model_of_another_version_is_not_even_unpickled(directory, monkeypatch):
    models.keep(directory, HEX, Remembered(1))
    monkeypatch.setattr(models, "version", lambda package: "99.0")
    monkeypatch.setattr(pickle, "loads", lambda content: pytest.fail("unpickled"))
    assert models.at_hand(directory, HEX) is None
    assert importlib.metadata.version("scikit-learn") in (directory / f"{HEX}.pickle").read_bytes().decode("latin-1")


def test_the_last_few_stay_in_memory(directory):
    trainings = [f"{number:x}" for number in range(models.MOST_LOADED + 1)]
    for number, training in enumerate(trainings):
        models.keep(directory, training, Remembered(number))
    first = [models.at_hand(directory, training) for training in trainings[:-1]]
    models.at_hand(directory, trainings[0])  # asked for again, so not the oldest
    models.at_hand(directory, trainings[-1])
    assert models.at_hand(directory, trainings[0]) is first[0]
    assert models.at_hand(directory, trainings[1]) is not first[1]
    assert models.at_hand(directory, trainings[1]).value == 1


def test_many_threads_at_once(directory):
    """Writers replace the models while readers ask: whatever is found is whole."""
    trainings = [f"{number:x}" for number in range(12)]

    def ask(number):
        training = trainings[number % 12]
        if number % 5 == 0:
            models.keep(directory, training, Remembered([training] * 1000))
        if number % 31 == 0:
            models.forget(directory, training)
        found = models.at_hand(directory, training)
        return found is None or found.value == [training] * 1000

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(600)))
    assert len(models._loaded) <= models.MOST_LOADED


ELSEWHERE = """
import sys
from pathlib import Path
from label_studio_crowd.scoring import models
from label_studio_crowd.scoring.classifiers import TaskData
sys.path[:] = [p for p in sys.path if p]
model = models.at_hand(Path(sys.argv[1]), sys.argv[2])
data = [{"text": "ball goal team", "x": 0.5}, {"text": "star", "x": 6.0, "v": [1.0] * 12, "colour": "red"}]
print(model.predict(TaskData([1, 2], data)).tobytes().hex())
"""


@pytest.mark.parametrize("kind", SPECS)
def test_another_process_predicts_the_same(directory, fitted, own_models, kind):
    """It finds the user's own module in the current directory, as training did."""
    models.keep(directory, HEX, fitted[kind])
    data = [{"text": "ball goal team", "x": 0.5}, {"text": "star", "x": 6.0, "v": [1.0] * 12, "colour": "red"}]
    here = fitted[kind].predict(TaskData([1, 2], data))
    ran = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(directory), HEX],
        capture_output=True,
        text=True,
        cwd=own_models,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
    )
    assert ran.stdout.strip() == here.tobytes().hex(), ran.stderr


def test_importing_is_cheap():
    code = "import sys, label_studio_crowd.scoring.models; print(*{'sklearn', 'pandas', 'scipy'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
