"""The options of the commands that work on a project of Label Studio."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from label_studio_crowd.commands.gathering import Command, gather
from label_studio_crowd.errors import UserError

if TYPE_CHECKING:
    from label_studio_crowd.settings import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print how training went and the seconds of each stage, too.")
]
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
    "model_annotators": _names(
        "--model-annotators", "Model version that counts as an annotator; may be repeated [none]."
    ),
    "classifier": _text(
        "--classifier",
        "auto, none, text[:FIELDS], tabular[:FIELDS], embedding[:FIELD], predictions:MODEL_VERSION, or "
        "package.module:factory [auto].",
    ),
    "consensus": _text(
        "--consensus",
        "hierarchical-dawid-skene or crowdlab, which also says how the queue is ordered [hierarchical-dawid-skene].",
    ),
    "trust_ground_truth": _yes_or_no(
        "--trust-ground-truth/--no-trust-ground-truth", "Take ground-truth annotations as the truth [no]."
    ),
    "target_quality": Annotated[
        float | None, typer.Option("--target-quality", help="Quality that settles a task [0.9; with crowdlab 0.8].")
    ],
    "min_labels": _number("--min-labels", "Labels that a task needs to be settled [1; without a classifier 2]."),
    "max_labels": _number("--max-labels", "Maximum number of labels per task [the project's own maximum, or 5]."),
    "queue_size": _number("--queue-size", "Tasks in the queue [by the number of annotators]."),
    "label_budget": _number("--label-budget", "Maximum number of labels in the whole project [no limit]."),
    "show_consensus": _yes_or_no("--show-consensus/--hide-consensus", "Pre-fill the consensus for annotators [no]."),
    "review_tabs": _yes_or_no(
        "--review-tabs/--no-review-tabs",
        "Add tabs for reviewers to the Data Manager: tasks to check, and settled tasks [no].",
    ),
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
    "model_annotators",
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
CONNECTING: Final = ("review_tabs",)
"""What only `connect` acts on."""


_PROJECT_ARGUMENT: Final[Any] = typer.Argument(
    metavar="PROJECT", show_default=False, help="Number of the project, as in its address."
)
_PROJECT_OR_FILE_ARGUMENT: Final[Any] = typer.Argument(
    metavar="PROJECT|EXPORT",
    show_default=False,
    help="Number of the project, as in its address; or a file: Label Studio's JSON export.",
)
_PROJECT_OPTION: Final[Any] = typer.Option(
    "--project", "-p", help="Number of the project. Or set LABEL_STUDIO_CROWD_PROJECT."
)


def _one_project(number: int | None, named: int | None) -> int:
    if number is not None and named is not None and number != named:
        raise UserError(f"Found project {number} and --project {named}: name one.")
    chosen = next((given for given in (number, named) if given is not None), None)
    if chosen is not None and chosen < 1:
        raise UserError(f"Found project {chosen}: projects have numbers from 1 on, as in their addresses.")
    if chosen := chosen or _load().project:
        return chosen
    raise UserError(
        "No project is named: give its number, as in `label-studio-crowd look 3`, or set LABEL_STUDIO_CROWD_PROJECT. "
        "`label-studio-crowd projects` lists them."
    )


def _project_or_file(found: str | None, named: int | None) -> int | Path:
    if found is None or found.isdecimal():
        return _one_project(None if found is None else int(found), named)
    if named is not None:
        raise UserError(f"Found {found} and --project {named}: name one.")
    if not Path(found).exists():
        raise UserError(f"{found} is neither the number of a project nor a file: correct it.")
    return Path(found)


with_project_or_file: Final = gather(
    "project",
    _project_or_file,
    {
        "found": (Annotated[str | None, _PROJECT_OR_FILE_ARGUMENT], None),
        "named": (Annotated[int | None, _PROJECT_OPTION], None),
    },
)
"""Lets a command take a project as `with_project`, or Label Studio's JSON export, as an argument."""

with_project: Final = gather(
    "project",
    _one_project,
    {
        "number": (Annotated[int | None, _PROJECT_ARGUMENT], None),
        "named": (Annotated[int | None, _PROJECT_OPTION], None),
    },
)
"""Lets a command take a project, as an argument, as an option or from the settings; its parameter `project` has it."""


def with_settings(*names: str) -> Callable[[Command], Command]:
    """Let a command take these settings as flags; its parameter `settings` has them, over all other sources."""
    return gather("settings", _load, {name: (_FLAGS[name], None) for name in names})


def _load(**flags: Any) -> Settings:
    from label_studio_crowd.settings import load

    return load(**{name: ",".join(value) if isinstance(value, list) else value for name, value in flags.items()})
