"""`aggregate` for a crowd larger than memory, or on a Dask cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.method_options import parse_method, parse_options
from label_studio_crowd.files.sources import TABLES, check_out, user_errors, write_frame

if TYPE_CHECKING:
    from rich.console import Console

    from crowdcore.partitioned import PartitionedCrowd

PartsOption = Annotated[
    str | None,
    typer.Option(
        "--parts",
        metavar="FOLDER",
        help="In place of ANSWERS: a folder, or URL as s3://..., of long Parquet files, read part by part. "
        "--probabilities and --out are folders of Parquet files then; methods: crowdlab, majority-vote, dawid-skene, "
        "fast- and one-coin-dawid-skene.",
    ),
]
DaskOption = Annotated[
    str | None,
    typer.Option("--dask", metavar="ADDRESS", help="With --parts: a Dask scheduler, as tcp://host:8786 [in turn]."),
]
ScratchOption = Annotated[
    str | None,
    typer.Option("--scratch", metavar="FOLDER", help="With --parts: where to sort them; with --dask, seen by all."),
]
_ELSEWHERE: Final = {
    "answers": "ANSWERS",
    "features": "--features",
    "known": "--known",
    "hard": "--hard",
    "format": "--format",
    "control": "--control",
    "trust_ground_truth": "--trust-ground-truth",
}


def check_whole(given: Mapping[str, Any]) -> None:
    """Raise a `UserError` if there are no answers, or options that only parts have."""
    odd = next((f"--{name}" for name in ("dask", "scratch") if given[name]), None)
    if odd:
        raise UserError(f"{odd} goes with --parts FOLDER, a folder of Parquet files: give that in place of ANSWERS.")
    if given["answers"] is None:
        raise UserError("There are no answers: give ANSWERS, a file or folder, or --parts FOLDER for a large crowd.")


def aggregate_parts(given: Mapping[str, Any], console: Console, err: Console) -> None:
    """Do what the command's parameters, by name, ask for."""
    odd = next((flag for name, flag in _ELSEWHERE.items() if given[name]), None)
    if odd:
        raise UserError(f"{odd} does not go with --parts: leave it out, or give ANSWERS that fit in memory.")
    check_out(given["annotators_out"], TABLES, "--annotators-out")
    name, options = parse_method(given["method"] or ("crowdlab" if given["probabilities"] else "dawid-skene"))
    options |= parse_options(given["option"] or ())
    try:
        from crowdcore.aggregate.methods import find_method
        from crowdcore.partitioned import PartitionedCrowd
    except ImportError as error:
        raise UserError(str(error)) from None
    from label_studio_crowd.commands.crowd_display import progress_bar

    columns = [given[f"{what}_column"] or what for what in ("task", "annotator", "label")]
    try:
        with user_errors(), progress_bar(err) as progress:
            method = find_method(name).make(**options)
            with PartitionedCrowd.from_parquet(
                given["parts"], *columns, client=given["dask"], scratch=given["scratch"], progress=progress
            ) as crowd:
                err.print(repr(crowd), highlight=False, markup=False, soft_wrap=True)
                _write_labels(crowd, method, given, console)
    except UserError as error:
        raise UserError(_as_options(str(error))) from None


def _write_labels(crowd: PartitionedCrowd, method: Any, given: Mapping[str, Any], console: Console) -> None:
    """Aggregate, and write or show what was found."""
    out = None if given["out"] is None else address(given["out"])
    pred_probs = None if given["probabilities"] is None else address(given["probabilities"])
    found = crowd.aggregate(method, out, pred_probs=pred_probs, pred_probs_task=given["task_column"] or "task")
    if out is None:
        from label_studio_crowd.commands.crowd_display import show_frame

        show_frame(console, next(found.frames()), f"{type(method).__name__}: the first of {len(found.files)} parts")
        console.print("[dim]Write all of them with --out FOLDER[/]", highlight=False)
    else:
        typer.echo(f"Wrote {found.folder}: {len(found.files)} Parquet file{'s' if len(found.files) > 1 else ''}")
    if given["annotators_out"] is not None:
        typer.echo(f"Wrote {write_frame(found.annotators, given['annotators_out'])}")


def address(path: Path) -> str:
    """Return a path, or URL, as it was typed: as a path, a URL has lost one of its slashes."""
    return re.sub(r"^(\w{2,}):/(?!/)", r"\1://", str(path))


def _as_options(message: str) -> str:
    """Return a message of crowdcore's with the names that its arguments have here."""
    message = re.sub(r"\b(task|annotator|label)=", r"--\1-column", message)
    return re.sub(r"\bscratch=", "--scratch ", message)
