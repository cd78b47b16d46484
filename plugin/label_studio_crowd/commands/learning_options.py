"""The options of the commands that train networks, with peerannot's names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from label_studio_crowd.commands.gathering import gather
from label_studio_crowd.files.learning.plan import Plan


def option(annotation: Any, *flags: str, text: str, **limits: Any) -> Any:
    """Return an option of typer's: its type, flags, help and limits."""
    return Annotated[annotation, typer.Option(*flags, help=text, **limits)]


LEARNING: Final[dict[str, tuple[Any, Any]]] = {
    "features": (
        option(
            Path | None,
            "--features",
            text="Features of the tasks: .npy in the order of the tasks, or a table with a task column. Without it, "
            "DATA is peerannot's folder with pictures.",
        ),
        None,
    ),
    "truth": (
        option(
            Path | None,
            "--truth",
            text="With --features: true labels, for the test. Tasks that have no answers are tested, or, if all have "
            "answers, those that were learned from.",
        ),
        None,
    ),
    "answers": (
        option(Path | None, "--answers", text="Of a folder with pictures: another file of answers [answers.json]."),
        None,
    ),
    "metadata_path": (
        option(
            Path | None,
            "--metadata-path",
            "--metadata_path",
            text="Of a folder with pictures: another file with the number of classes [metadata.json].",
        ),
        None,
    ),
    "n_classes": (
        option(int | None, "--n-classes", "-K", text="Number of classes [that of the data].", min=1),
        None,
    ),
    "path_remove": (
        option(
            Path | None,
            "--path-remove",
            text="List of tasks not to learn from, as identify writes it: too_hard_ALPHA.txt.",
        ),
        None,
    ),
    "model": (
        option(
            str | None,
            "--model",
            text="The network: a name that modelinfo lists, or package.module:factory [mlp; cnn for pictures].",
        ),
        None,
    ),
    "pretrained": (
        option(bool, "--pretrained", text="Begin with the weights that torchvision has for the model."),
        False,
    ),
    "freeze": (option(bool, "--freeze", text="Learn only the last layer of the network."), False),
    "n_params": (
        option(
            int | None,
            "--n-params",
            text="How many numbers describe a task, as a check [what the features have].",
            min=1,
        ),
        None,
    ),
    "img_size": (
        option(int | None, "--img-size", text="Height and width of the pictures [those of the first].", min=1),
        None,
    ),
    "data_augmentation": (
        option(
            bool,
            "--data-augmentation",
            text="Shear, mirror or cut pictures at random each time they are learned from.",
        ),
        False,
    ),
    "n_epochs": (
        option(
            int | None,
            "--n-epochs",
            text="How often each task is seen [40; more often where that is less than 400 steps].",
            min=1,
        ),
        None,
    ),
    "batch_size": (option(int, "--batch-size", text="Tasks of a step.", min=1), 100),
    "optimizer": (option(str, "--optimizer", "-optim", text="adamw, adam or sgd."), "adamw"),
    "lr": (option(float | None, "--lr", text="Learning rate [0.001; 0.1 with sgd].", min=0), None),
    "momentum": (option(float, "--momentum", text="Momentum of sgd.", min=0), 0.9),
    "decay": (option(float, "--decay", text="Weight decay.", min=0), 1e-4),
    "scheduler": (
        option(
            str | None,
            "--scheduler",
            text="How the learning rate falls: cosine, multistep or none [cosine; multistep with --milestones].",
        ),
        None,
    ),
    "milestones": (
        option(
            list[int] | None,
            "--milestones",
            "-m",
            text="Epochs at which multistep lowers the learning rate; may be repeated [50].",
            min=1,
        ),
        None,
    ),
    "lr_decay": (option(float, "--lr-decay", text="What multistep multiplies the learning rate with.", min=0), 0.1),
    "num_workers": (option(int, "--num-workers", text="Processes that read tasks; 0: this one does.", min=0), 0),
    "device": (option(str, "--device", text="auto, cpu, cuda, mps, or another name that torch knows."), "auto"),
    "seed": (option(int, "--seed", text="Seed of the random numbers.", min=0), 0),
    "resume": (option(bool, "--resume", text="Go on where the same command was stopped."), False),
}
"""Name → (annotation, default)."""

with_learning = gather("plan", Plan, LEARNING)
"""Lets a command take how a network learns; its parameter `plan` has it."""
