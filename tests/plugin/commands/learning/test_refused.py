"""What commands that learn cannot use, and what they say of it."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from tests.plugin.commands.learning.drawn import LEARNED, N_TASKS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_without_torch_one_line_says_what_to_install(bad, table, without_deep):
    for command in LEARNED:
        said = bad(command, "answers.csv", "--features", "features.npy", "-o", "x")
        assert "pip install 'label-studio-crowd[deep]'" in said


def test_without_torch_hard_tasks_are_found(good, table, without_deep):
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
