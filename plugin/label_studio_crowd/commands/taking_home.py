"""The commands that take the consensus out of a project: as tables, for Label Studio, or to train a model with."""

from __future__ import annotations

import sys
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from label_studio_crowd.commands.help import ON_LABEL_STUDIO, examples
from label_studio_crowd.commands.opening import at_work, consoles, last_snapshot
from label_studio_crowd.commands.options import STORE, DryRunOption, with_project, with_settings
from label_studio_crowd.errors import UserError
from label_studio_crowd.wording import count

if TYPE_CHECKING:
    from label_studio_crowd.files.agreed import Agreed, Wanted
    from label_studio_crowd.files.label_studio import As
    from label_studio_crowd.project import Project
    from label_studio_crowd.settings import Settings


class Format(str, Enum):
    """What `export` writes."""

    TABLES = "tables"
    LABEL_STUDIO = "label-studio"
    COCO = "coco"
    YOLO = "yolo"
    CONLL = "conll"
    SPACY = "spacy"


_WHICH = frozenset(("--min-quality", "--settled"))
_TAKEN = {
    Format.TABLES: frozenset(("--with-data",)),
    Format.LABEL_STUDIO: _WHICH | {"--as-annotations", "--ground-truth"},
    Format.COCO: _WHICH | {"--control", "--with-images"},
    Format.YOLO: _WHICH | {"--control", "--with-images"},
    Format.CONLL: _WHICH | {"--control"},
    Format.SPACY: _WHICH | {"--control"},
}
"""The options that each format takes."""

OutOption = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        help="tables: a file ending in .csv, .json or .parquet (needs pyarrow). label-studio: .json. coco, yolo: a new "
        "folder. conll: .conll. spacy: .spacy (needs spaCy) or .jsonl.",
    ),
]
MinQualityOption = Annotated[
    float, typer.Option("--min-quality", min=0, max=1, help="Leave out tasks whose consensus has a lower quality.")
]
SettledOption = Annotated[bool, typer.Option("--settled", help="Leave out tasks that need more labels.")]


_EXAMPLES: Final = (
    "export 3 --out labels.csv",
    "export 3 --out labels.parquet --with-data",
    "export 3 --format label-studio --out tasks.json --min-quality 0.9",
    "export 3 --format coco --out coco/ --with-images",
    "export 3 --format conll --out names.conll",
)


_EXAMPLES_OF_WRITING: Final = (
    "write-annotations 3 --dry-run",
    "write-annotations 3 --settled --ground-truth",
    "write-annotations 3 --undo",
)


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    app.command(rich_help_panel=ON_LABEL_STUDIO, epilog=examples(*_EXAMPLES))(export)
    app.command(rich_help_panel=ON_LABEL_STUDIO, epilog=examples(*_EXAMPLES_OF_WRITING))(write_annotations)


@with_project
@with_settings(*STORE)
def export(
    project: int,
    out: OutOption,
    settings: Settings,
    format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="tables; label-studio: tasks that it imports; coco, yolo: regions in pictures; conll, spacy: spans in "
            "texts.",
        ),
    ] = Format.TABLES,
    with_data: Annotated[bool, typer.Option("--with-data", help="Tables: add each task's data to its row.")] = False,
    as_annotations: Annotated[
        bool, typer.Option("--as-annotations", help="label-studio: the consensus as annotations, not predictions.")
    ] = False,
    ground_truth: Annotated[
        bool, typer.Option("--ground-truth", help="label-studio: as annotations that are the ground truth.")
    ] = False,
    min_quality: MinQualityOption = 0.0,
    settled: SettledOption = False,
    control: Annotated[
        str | None, typer.Option("--control", help="coco, yolo, conll, spacy: the control that marks the regions.")
    ] = None,
    with_images: Annotated[
        bool,
        typer.Option("--with-images", help="coco, yolo: write the pictures, too, as far as Label Studio has them."),
    ] = False,
) -> None:
    """Write the consensus to files. They are tables, tasks that Label Studio imports, or data to train a model with."""
    from label_studio_crowd.files.agreed import Wanted

    given = {"--as-annotations": as_annotations, "--ground-truth": ground_truth, "--with-data": with_data}
    given |= {"--min-quality": min_quality > 0, "--settled": settled}
    given |= {"--control": control is not None, "--with-images": with_images}
    odd = next((flag for flag, is_given in given.items() if is_given and flag not in _TAKEN[format]), None)
    if odd:
        raise UserError(f"{odd} does not go with --format {format.value}: leave it out, or choose another format.")
    wanted = Wanted(min_quality, settled)
    if format is Format.TABLES:
        _write_tables(project, settings, out, with_data=with_data)
    elif format is Format.LABEL_STUDIO:
        what: As = "ground truth" if ground_truth else "annotations" if as_annotations else "predictions"
        _write_import(project, settings, out, wanted, what)
    else:
        _write_training(project, settings, out, format.value, wanted, control, with_images=with_images)


@with_project
@with_settings(*STORE)
def write_annotations(
    project: int,
    settings: Settings,
    ground_truth: Annotated[
        bool, typer.Option("--ground-truth", help="Give the annotations the ground-truth flag.")
    ] = False,
    min_quality: MinQualityOption = 0.0,
    settled: SettledOption = False,
    undo: Annotated[bool, typer.Option("--undo", help="Delete what was written, and nothing else.")] = False,
    dry_run: DryRunOption = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing.")] = False,
) -> None:
    """Write the consensus into the project, as annotations. They are by a user of their own, and never answers."""
    from label_studio_crowd.commands.display import progress_bars, show_changes
    from label_studio_crowd.connection.record import find_record
    from label_studio_crowd.exchange import annotating
    from label_studio_crowd.exchange.pull import look_up, update_mirror
    from label_studio_crowd.files.agreed import Wanted

    out, err = consoles()
    with progress_bars(err) as progress, at_work(project, settings, writing=True, progress=progress) as opened:
        look_up(opened)
        update_mirror(opened, full=False)
        found = None if undo else _agreed(opened, Wanted(min_quality, settled))
        results = {task.task: task.result for task in found.tasks} if found else {}
        changes = annotating.find_changes(opened, results, ground_truth=ground_truth)
    show_changes(out, changes.in_words(), dry_run=True, begun=yes and not dry_run)
    if found and (left_out := found.about_left_out()):
        out.print(f"Left out: {left_out}", highlight=False)
    if dry_run or not changes:
        return
    _ask(yes)
    with progress_bars(err) as progress, at_work(project, settings, writing=True, progress=progress) as opened:
        annotating.carry_out(opened, changes, connected=find_record(opened) is not None)
    out.print(
        "Done." if undo else f"Written. Take it back with: label-studio-crowd write-annotations {project} --undo",
        highlight=False,
    )


def _ask(yes: bool) -> None:
    """Ask whether to go on.

    Raises
    ------
    UserError
        If nobody can answer.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError("Nothing was written, because nobody can be asked here: repeat the command with --yes.")
    typer.confirm("Do this?", abort=True)


def _write_tables(project: int, settings: Settings, out: Path, *, with_data: bool) -> None:
    from label_studio_crowd.exchange.pull import look_up
    from label_studio_crowd.files.tables import check_path, tables, write

    check_path(out)
    with at_work(project, settings) as opened:
        look_up(opened)
        snapshot = last_snapshot(opened)
        found = tables(snapshot, opened.annotator_names(), opened.store.mirror.data() if with_data else None)
    for path in write(found, out):
        typer.echo(f"Wrote {path}")


def _write_import(project: int, settings: Settings, out: Path, wanted: Wanted, what: As) -> None:
    from label_studio_crowd.files.label_studio import write_import
    from label_studio_crowd.files.writing import check_out

    check_out(out, (".json",))
    with at_work(project, settings) as opened:
        found = _agreed(opened, wanted)
    _tell(write_import(found.tasks, out, what), found)


def _write_training(
    project: int,
    settings: Settings,
    out: Path,
    name: str,
    wanted: Wanted,
    control: str | None,
    *,
    with_images: bool,
) -> None:
    from label_studio_crowd.commands.display import progress_bars
    from label_studio_crowd.exchange.pull import look_up
    from label_studio_crowd.files.training.formats import TRAINING_FORMATS
    from label_studio_crowd.files.training.marked import marked
    from label_studio_crowd.files.training.pictures import fetch_pictures, file_names

    format = TRAINING_FORMATS[name]
    format.check(out)
    remarks = Counter[str]()
    with progress_bars(consoles()[1]) as progress, at_work(project, settings, progress=progress) as opened:
        look_up(opened)
        found = marked(last_snapshot(opened), opened.store.mirror.data(), format.medium, wanted, control)
        if not found.tasks:
            why = "; ".join(found.left_out) or "it has no tasks"
            raise UserError(f"Project {project} has no task to write ({why}): nothing was written.")
        if with_images:
            known_as = [address for address in (settings.url, settings.public_url) if address]
            names = file_names(found.tasks)
            fetch_pictures(found.tasks, names, out / "images", opened.studio, known_as, remarks, progress)
    paths = format.write(found, out, remarks)
    for path in paths:
        typer.echo(f"Wrote {path}")
    typer.echo(count(len(found.tasks), "task") + "".join(f"; left out: {what}" for what in found.left_out))
    for what, number in (+remarks).items():
        typer.echo(f"{number:,} {what}")


def _agreed(opened: Project, wanted: Wanted) -> Agreed:
    """Return the consensus of the tasks that are wanted.

    Raises
    ------
    UserError
        If there is none.
    """
    from label_studio_crowd.exchange.pull import look_up
    from label_studio_crowd.files.agreed import agreed

    look_up(opened)
    found = agreed(last_snapshot(opened), opened.store.mirror.data(), wanted)
    if not found.tasks:
        why = found.about_left_out() or "it has no tasks"
        raise UserError(f"Project {opened.number} has no task to write ({why}): nothing was written.")
    return found


def _tell(path: Path, found: Agreed) -> None:
    left_out = found.about_left_out()
    typer.echo(f"Wrote {path}: {count(len(found.tasks), 'task')}" + f"; left out: {left_out}" * bool(left_out))
