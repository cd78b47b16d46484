"""The options of the commands that work on a project of Label Studio."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from label_studio_crowd.commands.gathering import Command, gather

if TYPE_CHECKING:
    from label_studio_crowd.settings import Settings

ProjectOption = Annotated[int, typer.Option("--project", "-p", min=1, help="Number of the project, as in its address.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")]


def _text(flag: str, text: str) -> Any:
    return Annotated[str | None, typer.Option(flag, help=text)]


def _names(flag: str, text: str) -> Any:
    return Annotated[list[str] | None, typer.Option(flag, help=text, metavar="NAME")]


def _number(flag: str, text: str) -> Any:
    return Annotated[int | None, typer.Option(flag, help=text)]


def _yes_or_no(flags: str, text: str) -> Any:
    return Annotated[bool | None, typer.Option(flags, help=text)]


_FLAGS: Final[dict[str, Any]] = {
    "url": _text("--url", "Label Studio's address."),
    "store": _text("--store", "The local mirror: sqlite:///FILE or postgresql://…"),
    "control": _names("--control", "Control to score; may be repeated [all that can be scored]."),
    "ordered": _names("--ordered", "Choices whose classes have an order, lowest first; may be repeated."),
    "classifier": _text(
        "--classifier",
        "auto, none, text[:FIELDS], tabular[:FIELDS], embedding[:FIELD], predictions:MODEL_VERSION, or "
        "package.module:factory [auto].",
    ),
    "consensus": _text(
        "--consensus",
        "hierarchical-dawid-skene, which ranks tasks by least confidence, or crowdlab, which ranks them by "
        "ActiveLab [hierarchical-dawid-skene].",
    ),
    "trust_ground_truth": _yes_or_no(
        "--trust-ground-truth/--no-trust-ground-truth", "Take ground-truth annotations as the truth [no]."
    ),
    "target_quality": Annotated[
        float | None, typer.Option("--target-quality", help="Quality that settles a task [0.9; with crowdlab 0.8].")
    ],
    "min_labels": _number("--min-labels", "Labels that a task needs to be settled [1; without a classifier 2]."),
    "max_labels": _number("--max-labels", "Maximum number of labels per task [5]."),
    "queue_size": _number("--queue-size", "Tasks in the queue [by the number of annotators]."),
    "label_budget": _number("--label-budget", "Maximum number of labels in the whole project [no limit]."),
    "show_consensus": _yes_or_no("--show-consensus/--hide-consensus", "Pre-fill the consensus for annotators [no]."),
    "host": _text("--host", "Address to listen on [all if a password is set, otherwise 127.0.0.1]."),
    "port": _number("--port", "Port to listen on [9090]."),
    "queue": _text("--queue", "redis://HOST:PORT/DATABASE, if workers are separate processes."),
    "workers": _number("--workers", "Projects that a worker rescores at the same time [2]."),
    "insecure": _yes_or_no("--insecure", "Listen beyond loopback without a password."),
}
"""The flags of settings, by the setting's name; None if a flag is not given."""

STORE: Final = ("url", "store")
SCORING: Final = (
    "control",
    "ordered",
    "classifier",
    "consensus",
    "trust_ground_truth",
    "target_quality",
    "min_labels",
    "max_labels",
    "queue_size",
    "label_budget",
    "show_consensus",
)


def with_settings(*names: str) -> Callable[[Command], Command]:
    """Let a command take these settings as flags; its parameter `settings` has them, over all other sources."""
    return gather("settings", _load, {name: (_FLAGS[name], None) for name in names})


def _load(**flags: Any) -> Settings:
    from label_studio_crowd.settings import load

    return load(**{name: ",".join(value) if isinstance(value, list) else value for name, value in flags.items()})
