"""The commands that train networks: `train`, `aggregate-deep` and `modelinfo`, which need no Label Studio."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from label_studio_crowd.commands.gathering import Command
from label_studio_crowd.commands.help import ON_FILES, examples
from label_studio_crowd.commands.learning_options import with_learning
from label_studio_crowd.commands.opening import consoles
from label_studio_crowd.commands.reading import with_reading
from label_studio_crowd.files.learning.plan import Plan

if TYPE_CHECKING:
    from rich.console import Console

    from label_studio_crowd.files.learning.lessons import Lessons
    from label_studio_crowd.files.learning.training import Outcome, Work
    from label_studio_crowd.files.sources import HowToRead

DataArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Answers in any form that `aggregate` reads, with --features; or peerannot's folder: "
        "train/CLASS/NAME-TASK.png, test and val alike if there are any, answers.json, metadata.json.",
        show_default=False,
    ),
]
NameOption = Annotated[
    str,
    typer.Option("--output-name", "-o", help="Name of the files: results/NAME.json and that of the network."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the results as JSON and nothing else.")]

_SHOWN: Final = {
    "test_accuracy": "accuracy, in percent",
    "test_ece": "calibration error",
    "test_loss": "log loss",
    "test_brier": "Brier score",
    "test_micro_top2": "truth among the two most probable, in percent",
    "test_micro_top5": "truth among the five most probable, in percent",
}


@with_learning
@with_reading
def train(
    data: DataArgument,
    output_name: NameOption,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            help="The labels to learn, as `aggregate` writes them: .npy in the order of the tasks, or a table [our own "
            "consensus of the answers, with the features].",
        ),
    ] = None,
    as_json: JsonOption = False,
    *,
    plan: Plan,
    how: HowToRead,
) -> None:
    """Train a network on the tasks' aggregated labels. The truth is used for the test only."""
    from label_studio_crowd.files.learning.training import Work, taught

    _run(Work(data, output_name, plan, how), partial(taught, labels=labels), as_json=as_json)


@with_learning
@with_reading
def aggregate_deep(
    data: DataArgument,
    output_name: NameOption,
    strategy: Annotated[
        str,
        typer.Option(
            "--strategy",
            "-s",
            help="consensus, crowdlayer, conal or coupled-cross-entropy, with options as in conal[scale=1e-4], "
            "crowdlayer[kind=vw] and coupled-cross-entropy[regularizer=trace].",
        ),
    ] = "consensus",
    as_json: JsonOption = False,
    *,
    plan: Plan,
    how: HowToRead,
) -> None:
    """Train a network straight from the annotators' answers. The consensus is most often the best teacher."""
    from label_studio_crowd.files.learning.models import find_strategy
    from label_studio_crowd.files.learning.training import Work, taught_by_answers
    from label_studio_crowd.files.user_errors import user_errors

    with user_errors():
        find_strategy(strategy)
    _run(Work(data, output_name, plan, how), partial(taught_by_answers, strategy=strategy), as_json=as_json)


def modelinfo(as_json: JsonOption = False) -> None:
    """List the networks that --model takes. It needs no connection to the internet."""
    from label_studio_crowd.files.learning.models import own_models, torchvision_models
    from label_studio_crowd.files.user_errors import user_errors

    with user_errors():
        own, others = own_models(), torchvision_models()
    if as_json:
        typer.echo(json.dumps({"own": own, "torchvision": others}))
        return
    typer.echo(f"Ours: {', '.join(own)}")
    typer.echo("Your own: package.module:factory, where factory(shape, classes) returns a torch.nn.Module")
    typer.echo("torchvision's: " + (", ".join(others) or "none, because torchvision is not installed or does not load"))


_EXAMPLES: Final[dict[Command, tuple[str, ...]]] = {
    train: (
        "train answers.csv --features features.npy -o run1 --truth truth.csv",
        "train folder -o run1 --labels folder/labels/labels_digits_ds.npy --model cnn",
    ),
    aggregate_deep: (
        "aggregate-deep answers.csv --features features.npy -o run1",
        "aggregate-deep folder -o run1 -s crowdlayer[kind=vw] --n-epochs 20",
    ),
    modelinfo: ("modelinfo",),
}


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    for command, lines in _EXAMPLES.items():
        name = command.__name__.replace("_", "-")
        app.command(name, rich_help_panel=ON_FILES, epilog=examples(*lines))(command)


def _run(work: Work, learn: Callable[..., Outcome], *, as_json: bool) -> None:
    """Read, learn, and show."""
    from label_studio_crowd.commands.crowd_display import progress_bar
    from label_studio_crowd.files.user_errors import user_errors

    console, err = consoles(as_json)
    try:
        with user_errors():
            work.check()
            lessons = work.lessons()
            _tell(err, lessons.notes)
            with progress_bar(err) as progress:
                found = learn(work, lessons, progress=progress)
    except KeyboardInterrupt:
        typer.echo("\nStopped. Run the command again with --resume to go on.", err=True)
        raise typer.Exit(130) from None
    _tell(err, found.notes)
    if as_json:
        typer.echo(json.dumps(found.results))
        return
    _show(console, lessons, found)


def _show(console: Console, lessons: Lessons, found: Outcome) -> None:
    losses = found.results["train_loss"]
    console.print(f"{len(losses)} epochs; the loss fell from {losses[0]:.4f} to {losses[-1]:.4f}.", highlight=False)
    if lessons.test is None:
        console.print("There is no truth to test it with: give --truth, or pictures in test/CLASS.", highlight=False)
    else:
        where = "that were learned from" if lessons.test.learned_from else "that were not learned from"
        console.print(f"On {len(lessons.test.codes):,} tasks of known truth {where}:", highlight=False)
        for name, what in _SHOWN.items():
            if name in found.results:
                console.print(f"  {what}: {found.results[name]:.4f}", highlight=False)
    for path in found.paths:
        typer.echo(f"Wrote {path}")


def _tell(err: Console, notes: Iterable[str]) -> None:
    for note in notes:
        err.print(note, highlight=False, markup=False, soft_wrap=True)
