"""What the commands without Label Studio read and write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from label_studio_crowd.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from crowdcore import Crowd
    from crowdcore.formats import Reading

STUDIO: Final = "label-studio"
TABLES: Final = (".csv", ".tsv", ".parquet", ".json")


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn what the user can mend into a `UserError`: bad values, files, and a library that is not installed."""
    try:
        yield
    except ValueError as error:
        # crowdcore's arguments are options here
        told = re.sub(r"\b(task|annotator|label)_column=", r"--\1-column", str(error))
        raise UserError(re.sub(r"\bformat=", "--format ", told)) from None
    except OSError as error:
        raise UserError(f"{error.filename or 'A file'} cannot be used ({error.strerror or error}).") from None
    except ImportError as error:
        if "pyarrow" not in str(error):
            raise
        raise UserError("Parquet needs pyarrow: pip install 'label-studio-crowd[parquet]', or use .csv.") from None


@dataclass(frozen=True)
class HowToRead:
    """How answers are read: the options that all commands share.

    Attributes
    ----------
    format
        One of `crowdcore.formats.FORMATS`, or "label-studio"; None to look.
    task_column, annotator_column, label_column
        Names of a long table's columns, None for the usual ones.
    control
        Of a Label Studio export: the control, where there are several.
    trust_ground_truth
        Of a Label Studio export: whether ground-truth annotations are the truth.
    """

    format: str | None = None
    task_column: str | None = None
    annotator_column: str | None = None
    label_column: str | None = None
    control: str | None = None
    trust_ground_truth: bool = False

    def read(self, path: Path) -> Reading:
        """Read the answers.

        Raises
        ------
        UserError, ValueError, OSError
            If they cannot be read.
        """
        from crowdcore.formats import FORMATS, read_crowd

        if self.format not in (None, STUDIO, *FORMATS):
            raise UserError(f"--format is {self.format!r}; allowed are {', '.join((*FORMATS, STUDIO))}.")
        names = {
            "task_column": self.task_column,
            "annotator_column": self.annotator_column,
            "label_column": self.label_column,
        }
        if self.format == STUDIO or (self.format is None and _is_export(path)):
            from label_studio_crowd.files.studio_export import read_export

            return read_export(path, self.control, trust_ground_truth=self.trust_ground_truth)
        if self.control or self.trust_ground_truth:
            option = "--control" if self.control else "--trust-ground-truth"
            raise UserError(f"{option} is for Label Studio's JSON export, and {path} is not one: leave it out.")
        return read_crowd(path, self.format, **names)


@dataclass(frozen=True)
class Source:
    """Where the answers are, a file or a folder, and how to read them."""

    path: Path
    how: HowToRead

    def read(self) -> Reading:
        """Read the answers; raises what `HowToRead.read` raises."""
        return self.how.read(self.path)


def _is_export(path: Path) -> bool:
    """Return whether a file is a JSON list, as Label Studio exports; peerannot's JSON is an object."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of the tasks, each None if not given, in the crowd's order.

    Attributes
    ----------
    crowd
        The answers of N tasks, with all K classes that the rest names.
    pred_probs
        Class probabilities (N, K), by task and class.
    features
        Features (N, d).
    known_labels
        True labels by task.
    notes
        What the user should know of it.
    """

    crowd: Crowd
    pred_probs: pd.DataFrame | None = None
    features: NDArray[np.float64] | None = None
    known_labels: pd.Series[Any] | None = None
    notes: tuple[str, ...] = ()


def read_evidence(
    source: Source,
    reading: Reading,
    *,
    probabilities: Path | None = None,
    features: Path | None = None,
    known: Path | None = None,
) -> Evidence:
    """Read the files beside the answers; the crowd has the classes of all of them.

    The truth that comes with the answers is evidence only where the user trusts it, as in a Label Studio export.

    Raises
    ------
    ValueError, OSError
        If a file cannot be read, or does not fit the crowd.
    """
    from crowdcore.formats import add_classes, read_features, read_probabilities

    crowd, notes = reading.crowd, []
    pred_probs = None if probabilities is None else read_probabilities(probabilities, crowd)
    if pred_probs is not None:
        crowd = add_classes(crowd, pred_probs.columns)
    truth = read_true_labels(reading, known) if known is not None or source.how.trust_ground_truth else None
    if truth is not None:
        outside = ~truth.index.isin(crowd.tasks)
        if outside.any():
            notes.append(f"{outside.sum():,} of the {len(truth):,} known labels belong to tasks without answers.")
            truth = truth[~outside]
        crowd = add_classes(crowd, truth.to_numpy())
        if pred_probs is not None:
            pred_probs = pred_probs.reindex(columns=crowd.classes.tolist(), fill_value=0.0)
    if not len(crowd.classes):
        raise UserError(f"{source.path} has no answers: no row has a label.")
    matrix = None if features is None else read_features(features, crowd)
    return Evidence(crowd, pred_probs, matrix, truth, tuple(notes))


def read_true_labels(reading: Reading, path: Path | None) -> pd.Series[Any]:
    """Return the true labels by task: of a file, or, without one, what came with the answers.

    Raises
    ------
    UserError
        If there are none.
    ValueError, OSError
        If the file cannot be read.
    """
    import pandas as pd

    from crowdcore.formats import read_truth

    crowd = reading.crowd
    if path is not None:
        return read_truth(path, crowd)
    if reading.truth is None:
        raise UserError("The answers come without the truth: give --truth FILE, with the columns task and truth.")
    known = reading.truth >= 0
    labels: pd.Series[Any] = pd.Series(crowd.classes[reading.truth[known]], index=crowd.tasks[known], name="truth")
    return labels


def check_out(
    path: Path | None, endings: tuple[str, ...], option: str = "--out", *, read: Iterable[Path | None] = ()
) -> None:
    """Raise a `UserError` if nothing can be written there; called before anything is computed.

    What is read, files or peerannot's folder, is not overwritten.
    """
    if path is None:
        return
    for given in read:
        if given is not None and path.exists() and any(path.samefile(file) for file in _files(given)):
            raise UserError(f"{option} is {path}, which this command reads: choose another name.")
    if path.suffix.lower() not in endings:
        raise UserError(f"{option} is {path.name!r}: its ending chooses the format, one of {', '.join(endings)}.")
    if path.is_dir():
        raise UserError(f"{option} is {path}, which is a folder: name a file in it.")
    if not path.parent.is_dir():
        raise UserError(f"{option} is in {path.parent}, which is not a folder: create it, or choose another one.")
    if path.suffix.lower() == ".parquet":
        with user_errors():
            import pyarrow  # noqa: F401


def _files(path: Path) -> list[Path]:
    """Return a file, or peerannot's files in a folder, as far as they are there."""
    from crowdcore.formats.folders import ANSWERS, CONFUSIONS, METADATA, TRUTH

    files = [path / name for name in (ANSWERS, METADATA, TRUTH, CONFUSIONS)] if path.is_dir() else [path]
    return [file for file in files if file.exists()]


def write_frame(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table, its index first where it has a name; the ending chooses the format."""
    table = frame.reset_index() if frame.index.name is not None else frame
    ending = path.suffix.lower()
    if ending == ".parquet":
        table.columns = table.columns.map(str)
        texts = table.select_dtypes(["object"]).columns
        table.astype(dict.fromkeys(texts, "string")).to_parquet(path, index=False)
    elif ending == ".json":
        import orjson

        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        records = [{str(name): value for name, value in row.items()} for row in rows]
        path.write_bytes(orjson.dumps(records, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))
    elif ending == ".md":
        path.write_text(markdown(table), encoding="utf-8")
    else:
        table.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    return path


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown; missing values are empty."""
    rows = [list(map(str, table.columns)), ["---"] * len(table.columns)]
    rows += table.astype(object).where(table.notna(), "").map(_cell).to_numpy().tolist()
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")
