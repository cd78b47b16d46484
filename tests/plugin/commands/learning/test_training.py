"""The commands that train networks, as a user types them, on pictures and features."""

from __future__ import annotations

import json
import sys
import types
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.plugin.commands.learning.drawn import LEARNED, N_TASKS, N_TEST, read_results

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


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
