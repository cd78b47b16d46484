"""`identify` with the methods that need a network or features: tasks that are too hard, as a user finds them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from crowdcore.formats import read_folder
from tests.plugin.commands.learning.drawn import N_TASKS, read_results

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize("margin", ["yang", "pleiss"])
@pytest.mark.parametrize("method", ["waum", "waum-perworker"])
def test_waum_writes_peerannots_files(good, digits, method, margin):
    words = ["--use-pleiss"] * (margin == "pleiss")
    good("identify", digits, "-s", method, "--alpha", 0.1, "--n-epochs", 2, *words)
    name = method.replace("-", "_")
    folder = digits / "identification" / "perceptron" / f"{name}_0.1_{margin}"
    frame = pd.read_csv(folder / "waum.csv")
    assert list(frame.columns) == ["index", "task", "waum"]
    files = sorted((digits / "train").rglob("*.png"))  # as torchvision's ImageFolder has them
    assert frame["task"].tolist() == [file.name for file in files]
    assert frame["index"].tolist() == list(range(N_TASKS))
    crowd = read_folder(digits).crowd
    trust, area = (json.loads((folder / f"{what}_per_worker.json").read_text()) for what in ("score", "aum"))
    for place, file in enumerate(files):
        task = int(file.stem.split("-")[-1])
        annotators = crowd.annotators[crowd.annotator[crowd.indptr[task] : crowd.indptr[task + 1]]]
        assert sorted(map(int, trust[str(place)])) == annotators.tolist()
        mean = np.average(list(area[str(place)].values()), weights=list(trust[str(place)].values()))
        assert frame["waum"][place] == pytest.approx(mean)
    hard = np.loadtxt(folder / "too_hard_0.1.txt", dtype=int, ndmin=2)
    assert [files[place].stem for place in hard[:, 0]] == [f"digits-{task}" for task in hard[:, 1]]
    assert frame["waum"][hard[:, 0]].max() <= frame["waum"].drop(hard[:, 0]).min()
    labels = np.load(digits / "labels" / f"labels_{name}_0.1.npy")
    assert labels.shape == (N_TASKS, 10)
    assert np.array_equal(np.flatnonzero(labels.sum(axis=1) == 0), np.sort(hard[:, 1]))


def test_aum_writes_peerannots_files(good, digits):
    good("identify", digits, "-m", "aum", "--n-epochs", 3)
    folder = digits / "identification" / "perceptron" / "aum"
    records, values = pd.read_csv(folder / "full_aum_records.csv"), pd.read_csv(folder / "aum_values.csv")
    assert list(values.columns) == ["sample_id", "filename", "AUM_yang", "AUM_pleiss"]
    assert list(records.columns)[:10] == [
        "index", "task", "label", "epoch", "label_logit", "label_prob", "other_max_logit", "other_max_prob",
        "secondlogit", "secondprob",
    ]  # fmt: skip
    assert list(records.columns)[10:] == [f"logits_{code}" for code in range(10)]
    assert len(records) == 3 * N_TASKS
    margin = (records["label_logit"] - records["other_max_logit"]).groupby(records["index"]).mean()
    assert np.allclose(margin, values["AUM_pleiss"])
    margin = (records["label_logit"] - records["secondlogit"]).groupby(records["index"]).mean()
    assert np.allclose(margin, values["AUM_yang"])
    assert (folder / "too_hard_0.01.txt").exists()


@pytest.mark.parametrize(("method", "folder"), [("aum", "aum"), ("waum", "waum_0.1_yang")])
def test_a_network_judges_pictures(good, deep, digits, method, folder):
    words = ["--model", "cnn", "--n-epochs", 2, "--alpha", 0.1, "-optim", "SGD", "--lr", 0.05, "--momentum", 0.5]
    good("identify", digits, "-m", method, *words)
    written = digits / "identification" / "cnn" / folder
    assert len((written / "too_hard_0.1.txt").read_text().splitlines()) >= N_TASKS // 10
    if method == "aum":
        assert len(pd.read_csv(written / "full_aum_records.csv")) == 2 * N_TASKS


def test_what_is_too_hard_is_not_learned_from(good, deep, digits):
    good("identify", digits, "-m", "waum", "--alpha", 0.25, "--n-epochs", 2)
    hard = digits / "identification" / "perceptron" / "waum_0.25_yang" / "too_hard_0.25.txt"
    removed = np.loadtxt(hard, dtype=int, ndmin=2)[:, 1]
    labels = np.full(N_TASKS, 3)
    labels[removed] = -1  # the same as having no label
    np.save("labels.npy", np.full(N_TASKS, 3))
    np.save("without.npy", labels)
    good("train", digits, "-o", "a", "--labels", "labels.npy", "--path-remove", hard, "--n-epochs", 2)
    good("train", digits, "-o", "b", "--labels", "without.npy", "--n-epochs", 2)
    good("train", digits, "-o", "c", "--labels", "labels.npy", "--n-epochs", 2)
    a, b, c = (read_results(digits, name) for name in "abc")
    assert a == b != c


def test_features_of_texts_are_judged_too(good, table, tmp_path):
    frame = pd.read_csv("answers.csv")
    frame["task"] = "task " + frame["task"].astype(str)
    frame.to_csv("answers.csv", index=False)
    features = pd.read_csv("features.csv")
    features["task"] = "task " + features["task"].astype(str)
    features.to_csv("features.csv", index=False)
    shown = good("identify", "answers.csv", "-m", "waum", "--features", "features.csv", "--n-epochs", 2)
    assert "waum: the hardest tasks first" in shown
    assert not list(tmp_path.glob("identification"))  # nobody asked for it
    good("identify", "answers.csv", "-m", "waum", "--features", "features.csv", "--n-epochs", 2, "--out", "w.csv")
    assert len(pd.read_csv("w.csv")) == 80
    good("identify", "answers.csv", "-m", "waum", "--features", "features.csv", "--n-epochs", 2, "--alpha", 0.1)
    listed = tmp_path / "identification" / "perceptron" / "waum_0.1_yang" / "too_hard_0.1.txt"
    assert all(line.split(" ", 1)[1].startswith("task ") for line in listed.read_text().splitlines())


def test_labels_and_matrices_of_others_are_taken(good, table):
    np.save("matrices.npy", np.tile(np.eye(3), (6, 1, 1)))
    np.save("labels.npy", np.zeros(80, dtype=int))
    words = ["identify", "answers.csv", "--features", "features.csv", "--n-epochs", 2, "--out"]
    good(*words, "own.csv", "-m", "waum")
    good(*words, "given.csv", "-m", "waum", "--matrix-file", "matrices.npy")
    assert not np.allclose(pd.read_csv("own.csv")["waum"], pd.read_csv("given.csv")["waum"])
    good(*words, "apes.csv", "-m", "aum", "--hard-labels", "labels.npy")
    assert set(pd.read_csv("apes.csv")["label"]) == {"ape"}
