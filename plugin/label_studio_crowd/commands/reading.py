"""The options that say how answers are read, for the commands that need no Label Studio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from label_studio_crowd.commands.gathering import gather

if TYPE_CHECKING:
    from label_studio_crowd.files.sources import HowToRead


def _text(flag: str, text: str) -> Any:
    return Annotated[str | None, typer.Option(flag, help=text)]


_TRUST: Final[Any] = typer.Option(
    "--trust-ground-truth", help="For a Label Studio export: take ground-truth annotations as the truth."
)
_NO_HEADER: Final[Any] = typer.Option(
    "--no-header", help="The table has no line with names: its columns are task, annotator, label, or 1, 2, ..."
)
_MISSING: Final[Any] = typer.Option(
    "--missing",
    help="A word that stands for no answer; may be repeated [NA, N/A, null; of a wide table also -1, None].",
)
_MODELS: Final[Any] = typer.Option(
    "--model-annotators",
    metavar="NAME",
    help="For a Label Studio export: a model version whose predictions are answers too; may be repeated.",
)
_READING: Final[dict[str, tuple[Any, Any]]] = {
    "format": (_text("--format", "long, wide, matrix, json, folder, regions or label-studio [detected]."), None),
    "task_column": (_text("--task-column", "Column of the tasks [found by its name]."), None),
    "annotator_column": (_text("--annotator-column", "Column of the annotators [found by its name]."), None),
    "label_column": (_text("--label-column", "Column of the labels [found by its name]."), None),
    "repeated": (
        _text(
            "--repeated",
            "If an annotator has several answers to a task: latest, first, all, or error [latest].",
        ),
        None,
    ),
    "time_column": (
        _text(
            "--time-column", "Column with the time of each answer [found by its name, or the later row is the later]."
        ),
        None,
    ),
    "no_header": (Annotated[bool, _NO_HEADER], False),
    "missing": (Annotated[list[str] | None, _MISSING], None),
    "annotators": (
        _text("--annotators", "Of a wide table: the annotators' columns, separated by commas [all that hold labels]."),
        None,
    ),
    "classes": (
        _text("--classes", "All labels in their order, the lowest first, separated by commas [those found, sorted]."),
        None,
    ),
    "truth_column": (
        _text("--truth-column", "Column of the truth, in its file or in ANSWERS [found by its name]."),
        None,
    ),
    "truth_task_column": (
        _text("--truth-task-column", "Column of the tasks in the file with the truth [as in ANSWERS, or by its name]."),
        None,
    ),
    "kind": (
        _text(
            "--kind",
            "What the answers are: choice, ordered (classes in the order of --classes), set, number, text or ranking "
            "[by how they look; ranking only if you say so].",
        ),
        None,
    ),
    "tolerance": (
        Annotated[
            float | None,
            typer.Option("--tolerance", help="Of numbers: how far from the truth one is right [5 % of their range]."),
        ],
        None,
    ),
    "control": (_text("--control", "For a Label Studio export with several controls: the one to read."), None),
    "trust_ground_truth": (Annotated[bool, _TRUST], False),
    "model_annotators": (Annotated[list[str] | None, _MODELS], None),
}
"""How answers are read, for any command."""


def _how(**options: Any) -> HowToRead:
    from label_studio_crowd.files.sources import HowToRead

    return HowToRead(**options)


with_reading = gather("how", _how, _READING)
"""Lets a command take how answers are read; its parameter `how` has it."""
