"""Models at hand: they stay on disk, and are read back or refused."""

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

from label_studio_crowd.scoring import models
from label_studio_crowd.scoring.classifiers import TaskData, build
from tests.plugin.scoring.kinds_of_models import (
    HEX,
    SPECS,
    K,
    project,
    tasks_of,
)

# ---------------------------------------------------------------------- pickles


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


# ---------------------------------------------------------------------- on disk


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
