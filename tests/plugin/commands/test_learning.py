"""The commands that train networks and find tasks that are too hard, as a user types them, on pictures and features."""

from __future__ import annotations

import json
import shutil
import sys
import types
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdcore.formats import read_folder
from crowdcore.simulation import hammer_spammer
from harness.picture_folders import write_digits

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

N_TASKS, N_TEST, N_VAL = 40, 20, 10
LEARNED = ("train", "aggregate-deep")


@pytest.fixture
def deep():
    """Needed where networks learn."""
    for package in ("torch", "skorch", "safetensors"):
        pytest.importorskip(package, reason="the extra deep is not installed, so no network learns")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    pytest.importorskip("PIL", reason="Pillow is not installed, so there are no pictures")
    folder = tmp_path_factory.mktemp("pictures") / "digits"
    write_digits(folder, n_tasks=N_TASKS, n_test=N_TEST, n_val=N_VAL)
    return folder


@pytest.fixture
def digits(drawn, tmp_path):
    """peerannot's folder, in the folder where commands run."""
    shutil.copytree(drawn, tmp_path / "digits")
    return tmp_path / "digits"


@pytest.fixture
def table(tmp_path):
    """Answers with features, and the truth also of 20 tasks that have no answers."""
    made = hammer_spammer(n_tasks=100, n_annotators=6, n_classes=3, answers_per_task=3, ratio=0.2, seed=0)
    rng = np.random.default_rng(0)
    answered = np.arange(100) < 80
    long = made.crowd.to_long()
    long["label"] = np.array(["ape", "bee", "cat"])[long["label"]]
    long[long["task"] < 80].to_csv(tmp_path / "answers.csv", index=False)
    X = 2 * np.eye(3)[made.truth] + rng.normal(scale=0.7, size=(100, 3))
    np.save(tmp_path / "features.npy", X[answered])
    pd.DataFrame(X).assign(task=range(100)).to_csv(tmp_path / "features.csv", index=False)
    truth = np.array(["ape", "bee", "cat"])[made.truth]
    pd.DataFrame({"task": range(100), "truth": truth}).to_csv(tmp_path / "truth.csv", index=False)
    return X, truth


def read_results(folder, name):
    return json.loads((folder / "results" / f"{name}.json").read_text())


@pytest.mark.parametrize(
    ("words", "model"),
    [
        (["train"], "best_models/cnn/two.safetensors"),
        (["aggregate-deep", "-s", "consensus"], "best_models/two.safetensors"),
        (["aggregate-deep", "-s", "crowdlayer[kind=vw]"], "best_models/two.safetensors"),
        (["aggregate-deep", "-s", "CoNAL[scale=1e-4]"], "best_models/two.safetensors"),
        (["aggregate-deep", "-s", "coupled[regularizer=trace]"], "best_models/two.safetensors"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_two_epochs_on_peerannots_folder(good, deep, digits, words, model):
    command, *rest = words
    shown = good(command, digits, "-o", "two", *rest, "--model", "cnn", "--n-epochs", 2, "-K", 10)
    assert "2 epochs; the loss fell from" in shown
    assert f"On {N_TEST} tasks of known truth that were not learned from:" in shown
    found = read_results(digits, "two")
    assert [len(found[name]) for name in ("train_loss", "val_loss", "val_accuracy")] == [2, 2, 2]
    assert 0 <= found["test_accuracy"] <= 100
    assert found["test_micro_top2"] <= found["test_micro_top5"]
    assert {"test_loss", "test_ece", "test_brier", "test_macro_top2", "test_macro_top5"} <= set(found)
    assert (digits / model).exists()
    assert not list(digits.glob("best_models/**/*checkpoint*"))


def test_the_same_seed_gives_the_same_results(good, deep, digits):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        good("train", digits, "-o", name, "--n-epochs", 1, "--seed", seed)
    a, b, c = (read_results(digits, name) for name in "abc")
    assert a == b
    assert a["test_loss"] != c["test_loss"]


def test_peerannots_options_are_taken(good, deep, digits):
    np.save("labels.npy", np.eye(10)[np.arange(N_TASKS) % 10])
    good(
        "train", digits, "-o", "all", "-K", 10, "--labels", "labels.npy", "--model", "mlp", "--n-epochs", 2,
        "--lr", 0.01, "--momentum", 0.8, "--decay", 5e-4, "--scheduler", "multistep", "-m", 1, "-m", 2,
        "--lr-decay", 0.5, "--batch-size", 16, "-optim", "SGD", "--img-size", 6, "--data-augmentation",
        "--num-workers", 0, "--n-params", 108, "--metadata_path", digits / "metadata.json", "--seed", 1, "--freeze",
        "--device", "cpu",
    )  # fmt: skip
    assert len(read_results(digits, "all")["train_loss"]) == 2


def test_labels_are_learned_and_the_folders_names_are_not(good, deep, digits):
    """What everybody calls 7 is learned as 7, whatever folder a picture is in."""
    np.save("labels.npy", np.full(N_TASKS, 7))
    good("train", digits, "-o", "sevens", "--labels", "labels.npy", "--model", "linear", "--n-epochs", 5, "--lr", 0.05)
    found = read_results(digits, "sevens")
    truth = [int(path.parent.name) for path in (digits / "test").rglob("*.png")]
    assert found["test_accuracy"] == pytest.approx(100 * np.mean(np.array(truth) == 7))


@pytest.mark.parametrize("features", ["features.npy", "features.csv"])
@pytest.mark.parametrize("command", LEARNED)
def test_features_beside_answers(good, deep, table, command, features):
    options = ["--features", features, "--truth", "truth.csv", "--n-epochs", 40, "--lr", 0.02, "--json"]
    if features.endswith("npy"):  # it has no rows for tasks without answers
        pd.read_csv("truth.csv").head(80).to_csv("truth.csv", index=False)
    found = json.loads(good(command, "answers.csv", "-o", "x", *options))
    assert found["test_accuracy"] >= 80
    assert found["val_loss"] == []
    with open("results/x.json") as file:
        assert json.load(file) == found
    assert "test_micro_top2" not in found  # of three classes


def test_it_says_whether_the_test_was_learned_from(good, deep, table):
    words = ["answers.csv", "-o", "x", "--features", "features.csv", "--n-epochs", 1]
    assert "On 20 tasks of known truth that were not learned from:" in good("train", *words, "--truth", "truth.csv")
    pd.read_csv("truth.csv").head(80).to_csv("few.csv", index=False)
    assert "On 80 tasks of known truth that were learned from:" in good("train", *words, "--truth", "few.csv")
    assert "There is no truth to test it with" in good("train", *words)


def test_labels_that_aggregate_wrote(good, deep, table):
    good("aggregate", "answers.csv", "-m", "dawid-skene", "--out", "soft.csv")
    good("aggregate", "answers.csv", "-m", "dawid-skene", "--out", "hard.csv", "--hard")
    good("aggregate", "answers.csv", "-m", "dawid-skene", "--out", "soft.npy")
    words = ["answers.csv", "--features", "features.csv", "--truth", "truth.csv", "--n-epochs", 2]
    for file in ("soft.csv", "hard.csv", "soft.npy"):
        good("train", *words, "-o", file, "--labels", file)
    by_table, by_array = (read_results(Path(), name)["train_loss"] for name in ("soft.csv", "soft.npy"))
    assert by_table == pytest.approx(by_array)


def test_a_stopped_training_goes_on(run, good, deep, table, monkeypatch):
    words = ["train", "answers.csv", "--features", "features.csv", "--truth", "truth.csv", "--n-epochs", 4]
    good(*words, "-o", "whole")
    from label_studio_crowd.commands import crowd_display

    def stops(what, done, total):
        if done == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(crowd_display, "progress_bar", lambda console: nullcontext(stops))
        code, _, err = run(*words, "-o", "parts")
    assert code == 130
    assert "--resume" in err
    good(*words, "-o", "parts", "--resume")
    assert read_results(Path(), "parts") == read_results(Path(), "whole")


def test_modelinfo(good, deep, monkeypatch):
    shown = good("modelinfo")
    assert "Ours: linear, mlp, cnn" in shown
    models = types.ModuleType("torchvision.models")
    models.list_models = lambda module=None: ["resnet18", "vgg16_bn"]
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    assert "resnet18, vgg16_bn" in good("modelinfo")
    assert json.loads(good("modelinfo", "--json"))["torchvision"] == ["resnet18", "vgg16_bn"]


def test_a_network_of_torchvision_is_taken_by_its_name(good, bad, deep, digits, monkeypatch):
    import torch

    class Small(torch.nn.Module):
        def __init__(self, num_classes):
            super().__init__()
            self.fc = torch.nn.Linear(3 * 8 * 8, num_classes)

        def forward(self, x):
            return self.fc(x.flatten(1))

    models = types.ModuleType("torchvision.models")
    models.list_models = lambda module=None: ["resnet18"]
    models.get_model = lambda name, weights=None, num_classes=10: Small(num_classes)
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    good("train", digits, "-o", "r", "--model", "resnet18", "--n-epochs", 1)
    assert (digits / "best_models" / "resnet18" / "r.safetensors").exists()
    said = bad("train", digits, "-o", "r", "--model", "resnet8")
    assert "Did you mean resnet18? Allowed are linear, mlp, cnn, torchvision's 1 (modelinfo lists them)" in said


# ---------------------------------------------------------------- hard tasks


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


# ---------------------------------------------------------------- what is wrong


def test_without_torch_one_line_says_what_to_install(bad, table, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for command in LEARNED:
        said = bad(command, "answers.csv", "--features", "features.npy", "-o", "x")
        assert "pip install 'label-studio-crowd[deep]'" in said


def test_without_torch_hard_tasks_are_found(good, table, monkeypatch):
    for package in ("torch", "skorch", "safetensors"):
        monkeypatch.setitem(sys.modules, package, None)
    assert "the hardest tasks first" in good(
        "identify", "answers.csv", "-m", "waum", "--features", "features.npy", "--n-epochs", 1
    )


@pytest.mark.parametrize("command", LEARNED)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["answers.csv"], "give --features FILE, or peerannot's folder with pictures"),
        (["nothing.csv", "--features", "features.npy"], "nothing.csv does not exist"),
        (
            ["answers.csv", "--features", "short.npy"],
            "short.npy has shape (79, 3); expected 2 dimensions and a row for",
        ),
        (["answers.csv", "--features", "others.csv"], "others.csv has no row for task 0"),
        (["answers.csv", "--features", "words.csv"], "expected a finite number"),
        (["answers.csv", "--features", "features.npy", "-K", 2], "--n-classes is 2, and the answers have 3 classes"),
        (["answers.csv", "--features", "features.npy", "--model", "resnet19"], "there is no such network"),
        (
            ["answers.csv", "--features", "features.npy", "--scheduler", "linear"],
            "--scheduler is 'linear'; allowed are",
        ),
        (["answers.csv", "--features", "features.npy", "-m", 3, "--scheduler", "cosine"], "--milestones are for"),
        (["answers.csv", "--features", "features.npy", "--optimizer", "lbfgs"], "optimizer is 'lbfgs'; allowed are"),
        (["answers.csv", "--features", "features.npy", "--n-params", 4], "each task has 3 numbers"),
        (["answers.csv", "--features", "features.npy", "--img-size", 4], "--img-size is for a folder with pictures"),
        (["answers.csv", "--features", "features.npy", "--path-remove", "list.txt"], "task '99' is none of the 80"),
        (["answers.csv", "--features", "features.npy", "--device", "abacus"], "abacus"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, list) else "",
)
def test_bad_features_and_options(bad, deep, table, command, words, said):
    X, _ = table
    np.save("short.npy", X[:79])
    pd.DataFrame(X[:80]).assign(task=range(200, 280)).to_csv("others.csv", index=False)
    pd.DataFrame(X[:80]).assign(task=range(80), word="x").to_csv("words.csv", index=False)
    with open("list.txt", "w") as file:
        file.write("3 3\n9 99\n")
    assert said in bad(command, *words, "-o", "x")


@pytest.mark.parametrize("name", ["a/b", "..", " ", ".x"])
def test_a_bad_name_of_results(bad, deep, table, name):
    assert "--output-name is" in bad("train", "answers.csv", "--features", "features.npy", "-o", name)


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("conaal", "There is no strategy 'conaal'. Did you mean 'conal'? Choose one of consensus, crowdlayer, conal"),
        ("conal[kind=vw]", "--strategy conal has no option 'kind'; in brackets may be scale."),
        ("crowdlayer[kind=xy]", "kind is 'xy'; allowed are 'mw', 'vw', 'vb', 'vw+b'"),
        ("conal[scale=1", "--strategy is 'conal[scale=1': the bracket is not closed"),
    ],
)
def test_bad_strategies(bad, deep, table, strategy, said):
    assert said in bad("aggregate-deep", "answers.csv", "--features", "features.npy", "-o", "x", "-s", strategy)


def test_bad_labels(bad, deep, table):
    words = ["train", "answers.csv", "--features", "features.npy", "-o", "x", "--labels"]
    np.save("short.npy", np.zeros(79, dtype=int))
    assert "short.npy has shape (79,)" in bad(*words, "short.npy")
    np.save("high.npy", np.full(80, 3))
    assert "high.npy, row 0: found 3; allowed are the classes' numbers 0 to 2, and -1" in bad(*words, "high.npy")
    np.save("wide.npy", np.ones((80, 4)))
    assert "wide.npy has 4 columns, and there are 3 classes" in bad(*words, "wide.npy")
    np.save("none.npy", np.full(80, -1))
    assert "None of the 80 tasks to learn from has a label" in bad(*words, "none.npy")


def damage(folder, what):
    if what == "answers":
        (folder / "answers.json").unlink()
    elif what == "metadata":
        (folder / "metadata.json").unlink()
    elif what == "train":
        shutil.rmtree(folder / "train")
    elif what == "picture":
        next((folder / "train").rglob("*.png")).write_bytes(b"not a picture")
    elif what == "half a picture":
        file = sorted((folder / "train").rglob("*.png"))[-1]
        file.write_bytes(file.read_bytes()[:60])
    elif what == "names":
        for place, file in enumerate(sorted((folder / "train").rglob("*.png"))):
            file.rename(file.with_name(f"digits-{1000 + place}.png"))
    elif what == "classes":
        (folder / "test" / "3").rename(folder / "test" / "three")
    elif what == "loose":
        file = next((folder / "test").rglob("*.png"))
        file.rename(folder / "test" / file.name)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("answers", "answers.json does not exist: peerannot's folder has answers.json and metadata.json"),
        ("metadata", "metadata.json does not exist"),
        ("train", "train does not exist: give peerannot's folder, with train/CLASS/NAME-TASK.png"),
        ("picture", ".png is no picture, or damaged"),
        ("half a picture", ".png is no picture, or damaged"),
        ("names", f"None of the {N_TASKS} tasks with answers (0, ...) has a picture in"),
        ("classes", "folders of classes (0, 1, 2"),
        ("loose", "is in no folder of a class: move it to"),
    ],
)
def test_a_bad_folder(bad, deep, digits, what, said):
    damage(digits, what)
    for words in (["train"], ["aggregate-deep", "-s", "crowdlayer"]):
        assert said in bad(*words, digits, "-o", "x", "--n-epochs", 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-m", "waum"], "--method waum needs features: give --features FILE, or peerannot's folder with pictures"),
        (["-m", "entropy", "--alpha", 0.1], "--alpha is for the methods aum, waum, waum-perworker, and the method is"),
        (["--features", "features.npy"], "--features is for the methods aum, waum, waum-perworker, and no method is"),
        (["-m", "waum", "--features", "features.npy", "--topk", 3], "topk is 3; it must be a whole number from 1"),
        (
            ["-m", "waum", "--features", "features.npy", "--matrix-file", "features.npy"],
            "confusions have shape (80, 3)",
        ),
        (["-m", "waum", "--features", "features.npy", "--matrix-file", "answers.csv"], "is not an array"),
        (["-m", "waum", "--features", "features.npy", "--lr", 0.1], "--lr is for networks, and tasks are judged by"),
        (["-m", "entropy", "--model", "cnn"], "--model is for the methods aum, waum, waum-perworker, and the method"),
        (["-m", "waums", "--features", "features.npy"], "--features is for the methods"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, list) else "",
)
def test_bad_options_for_hard_tasks(bad, table, words, said):
    assert said in bad("identify", "answers.csv", *words)


@pytest.mark.parametrize("command", [*LEARNED, "modelinfo"])
def test_help_is_in_whole_sentences(good, command):
    shown = " ".join(good(command, "--help").split())
    assert shown.split("Arguments:")[0].split("Options:")[0].strip().endswith(".")
    assert "Examples:" in shown
