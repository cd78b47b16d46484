"""The options of `identify` for hard tasks by AUM and WAUM, with peerannot's names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from label_studio_crowd.commands.gathering import gather
from label_studio_crowd.commands.learning_options import LEARNING, option
from label_studio_crowd.files.learning.plan import MarginOptions, Plan

_FOR: Final = "For aum, waum and waum-perworker: "
_OPTIONS: Final[dict[str, tuple[Any, Any]]] = {
    "alpha": (
        option(
            float | None,
            "--alpha",
            text=_FOR + "share of the tasks to list as too hard. It writes peerannot's files into the folder "
            "identification beside the answers [with pictures 0.01, otherwise nothing is listed].",
            min=0,
            max=1,
        ),
        None,
    ),
    "use_pleiss": (option(bool, "--use-pleiss", text=_FOR + "the margin of Pleiss et al., not Yang's."), False),
    "topk": (
        option(int | None, "--topk", text=_FOR + "Yang's margin is to the class after the k most probable [1].", min=1),
        None,
    ),
    "n_epochs": (option(int | None, "--n-epochs", text=_FOR + "how often each task is seen [30].", min=1), None),
    "hard_labels": (
        option(Path | None, "--hard-labels", text="For aum: the labels, .npy or a table [Dawid-Skene's]."),
        None,
    ),
    "matrix_file": (
        option(
            Path | None,
            "--matrix-file",
            text="For waum: confusion matrices, .npy (annotators, classes, classes) [Dawid-Skene's].",
        ),
        None,
    ),
    "maxiter_dawid_skene": (
        option(int | None, "--maxiter-dawid-skene", text=_FOR + "most steps of Dawid-Skene [100].", min=1),
        None,
    ),
    "labels": (
        option(
            Path | None, "--labels", text=_FOR + "of a folder with pictures: another file of answers [answers.json]."
        ),
        None,
    ),
    "metadata_path": (
        option(
            Path | None,
            "--metadata-path",
            "--metadata_path",
            text=_FOR + "of a folder with pictures: another file with the number of classes [metadata.json].",
        ),
        None,
    ),
    "n_classes": (
        option(int | None, "--n-classes", "-K", text=_FOR + "number of classes [that of the data].", min=1),
        None,
    ),
    "img_size": (
        option(
            int | None, "--img-size", text=_FOR + "height and width of the pictures [their own, at most 32].", min=1
        ),
        None,
    ),
}

_NETWORK: Final = (
    "model", "pretrained", "freeze", "n_params", "data_augmentation", "batch_size", "optimizer", "lr", "momentum",
    "decay", "num_workers", "device",
)  # fmt: skip
_MODEL: Final = option(
    str | None,
    "--model",
    text=_FOR + "perceptron, which is scikit-learn's, or a network that modelinfo lists, with the options below "
    "[perceptron].",
)

with_network = gather("network", Plan, {name: LEARNING[name] for name in _NETWORK} | {"model": (_MODEL, None)})
"""Lets a command take which network judges tasks; its parameter `network` has it."""
with_margins = gather("margins", MarginOptions, _OPTIONS)
"""Lets a command take how hard tasks are found; its parameter `margins` has it."""
