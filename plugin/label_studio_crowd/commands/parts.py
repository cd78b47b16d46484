"""`aggregate` for a crowd larger than memory, or on a Dask cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.method_options import parse_method, parse_options
from label_studio_crowd.files.user_errors import as_options, user_errors
from label_studio_crowd.files.writing import TABLES, check_out, write_frame

if TYPE_CHECKING:
    from rich.console import Console

    from crowdcore.crowd.repeats import Repeated
    from crowdcore.partitioned import PartitionedCrowd, PartitionedResult
    from label_studio_crowd.files.sources import HowToRead

PartsOption = Annotated[
    str | None,
    typer.Option(
        "--parts",
        metavar="FOLDER",
        help="Instead of ANSWERS: a folder, or a URL such as s3://..., of long Parquet files, read part by part. "
        "--probabilities and --out are then folders of Parquet files, too. Methods: crowdlab, majority-vote, "
        "dawid-skene, fast- and one-coin-dawid-skene.",
    ),
]
DaskOption = Annotated[
    str | None,
    typer.Option(
        "--dask", metavar="ADDRESS", help="With --parts: a Dask scheduler, such as tcp://host:8786 [parts run in turn]."
    ),
]
ScratchOption = Annotated[
    str | None,
    typer.Option(
        "--scratch",
        metavar="FOLDER",
        help="With --parts: a folder to sort them in; with --dask, all workers must see it.",
    ),
]


def whole(answers: Path | None, *, dask: str | None, scratch: str | None) -> Path:
    """Return where the answers are that fit in memory.

    Raises
    ------
    UserError
        If there are none, or there are options that only parts have.
    """
    odd = next((name for name, value in (("--dask", dask), ("--scratch", scratch)) if value), None)
    if odd:
        raise UserError(f"{odd} goes with --parts FOLDER, a folder of Parquet files: give that instead of ANSWERS.")
    if answers is None:
        raise UserError("There are no answers: give ANSWERS, a file or folder, or --parts FOLDER for a large crowd.")
    return answers


@dataclass(frozen=True)
class Parts:
    """A crowd in parts, and how it is gone over.

    Attributes
    ----------
    folder
        A folder, or URL, of Parquet files.
    how
        The names of its columns.
    dask, scratch
        A Dask scheduler's address, and where answers are sorted; None for this process, and a folder of its own.
    probabilities
        A folder of a model's probabilities.
    """

    folder: str
    how: HowToRead
    dask: str | None
    scratch: str | None
    probabilities: Path | None

    def refuse(self, given: Mapping[str, Any]) -> None:
        """Raise a `UserError` for an option, by its flag, that a crowd in parts does not take."""
        odd = next((flag for flag, value in given.items() if value), None)
        others = (
            "trust_ground_truth",
            "time_column",
            "truth_column",
            "truth_task_column",
            "annotators",
            "classes",
            "kind",
        )
        for name in (*others, "tolerance", "missing", "no_header"):
            if odd is None and getattr(self.how, name):
                odd = f"--{name.replace('_', '-')}"
        if odd:
            raise UserError(f"{odd} cannot be used with --parts: leave it out, or give ANSWERS that fit in memory.")

    def aggregate(
        self,
        strategy: str | None,
        options: Sequence[str],
        out: Path | None,
        annotators_out: Path | None,
        console: Console,
        err: Console,
    ) -> None:
        """Compute the labels by a method with options, and write or show them."""
        check_out(annotators_out, TABLES, "--annotators-out")
        name, parsed = parse_method(strategy or ("crowdlab" if self.probabilities else "dawid-skene"))
        parsed |= parse_options(options)
        try:
            from crowdcore.aggregate.methods import find_method
            from crowdcore.crowd.repeats import about_repeated, check_repeated
            from crowdcore.partitioned import PartitionedCrowd
        except ImportError as error:
            raise UserError(str(error)) from None
        from label_studio_crowd.commands.crowd_display import progress_bar

        columns = [getattr(self.how, f"{what}_column") or what for what in ("task", "annotator", "label")]
        try:
            with user_errors(), progress_bar(err) as progress:
                method = find_method(name).make(**parsed)
                check_repeated(self.how.repeated)
                repeated = cast("Repeated", self.how.repeated or "latest")
                with PartitionedCrowd.from_parquet(
                    self.folder, *columns, repeated=repeated, client=self.dask, scratch=self.scratch, progress=progress
                ) as crowd:
                    aside = about_repeated(crowd.num_repeated, repeated, None) if crowd.num_repeated else ""
                    told = as_options("; ".join(filter(None, [repr(crowd), aside])))
                    err.print(told, highlight=False, markup=False, soft_wrap=True)
                    found = self._found(crowd, method, out)
                    _tell(found, method, console, written=out is not None)
                    if annotators_out is not None:
                        typer.echo(f"Wrote {write_frame(found.annotators, annotators_out)}")
        except UserError as error:
            raise UserError(_as_options(str(error))) from None

    def _found(self, crowd: PartitionedCrowd, method: Any, out: Path | None) -> PartitionedResult:
        return crowd.aggregate(
            method,
            None if out is None else address(out),
            pred_probs=None if self.probabilities is None else address(self.probabilities),
            pred_probs_task=self.how.task_column or "task",
        )


def address(path: Path) -> str:
    """Return a path, or URL, as it was typed: as a path, a URL has lost one of its slashes."""
    return re.sub(r"^(\w{2,}):/(?!/)", r"\1://", str(path))


def _as_options(message: str) -> str:
    """Return a message of crowdcore's with the names that its arguments have here."""
    message = re.sub(r"\b(task|annotator|label)=", r"--\1-column", message)
    return re.sub(r"\bscratch=", "--scratch ", message)


def _tell(found: PartitionedResult, method: Any, console: Console, *, written: bool) -> None:
    """Say where labels were written, or show the first of them."""
    if written:
        typer.echo(f"Wrote {found.folder}: {len(found.files)} Parquet file{'s' if len(found.files) > 1 else ''}")
        return
    from label_studio_crowd.commands.crowd_display import show_frame

    show_frame(console, next(found.frames()), f"{type(method).__name__}: the first of {len(found.files)} parts")
    console.print("[dim]Write all of them with --out FOLDER[/]", highlight=False)
