"""What the commands without Label Studio read and write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from label_studio_crowd.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from crowdcore import Crowd
    from crowdcore.crowd.repeats import Repeated
    from crowdcore.formats import Reading

STUDIO: Final = "label-studio"
TABLES: Final = (".csv", ".tsv", ".parquet", ".json")


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn what the user can mend into a `UserError`: bad values, files, and a library that is not installed."""
    try:
        yield
    except ValueError as error:
        raise UserError(as_options(str(error))) from None
    except OSError as error:
        raise UserError(f"{error.filename or 'A file'} cannot be used ({error.strerror or error}).") from None
    except ImportError as error:
        if "label-studio-crowd[" in str(error):  # it says what to install
            raise UserError(str(error)) from None
        if "pyarrow" not in str(error):
            raise
        raise UserError("Parquet needs pyarrow: pip install 'label-studio-crowd[parquet]', or use .csv.") from None


def as_options(told: str) -> str:
    """Return a message of crowdcore's with the names that its arguments have here."""
    told = told.replace("truth_task_column=", "--truth-task-column").replace("header=False", "--no-header")
    told = re.sub(r"\b(task|annotator|label|time|truth)_column=", r"--\1-column", told)
    names = r"\b(format|repeated|missing|annotators|classes|kind)="
    return re.sub(names, r"--\1", re.sub(names + r"(?=[\w|-])", r"--\1 ", told))


@dataclass(frozen=True)
class HowToRead:
    """How answers are read: the options that all commands share.

    Attributes
    ----------
    format
        One of `crowdcore.formats.FORMATS`, or "label-studio"; None to look.
    task_column, annotator_column, label_column, time_column
        Names of a table's columns, None for the usual ones.
    annotators, classes
        A wide table's columns of annotators, and all labels in their order, each separated by commas; None for those
        that are found.
    repeated
        What becomes of an annotator's several answers to a task; None: the latest counts.
    missing
        Words that stand for no answer; None for the usual ones.
    no_header
        Whether a table's first line is a row.
    truth_column, truth_task_column
        Names of the columns of the truth, in its file or in the answers' table.
    control
        Of a Label Studio export: the control, where there are several.
    trust_ground_truth
        Of a Label Studio export: whether ground-truth annotations are the truth.
    model_annotators
        Of a Label Studio export: the model versions whose predictions are answers.
    kind
        What the answers are: one of `crowdcore.formats.KINDS`; None to look.
    tolerance
        Of numbers: how far from the truth one is right; None for a twentieth of their range.
    """

    format: str | None = None
    task_column: str | None = None
    annotator_column: str | None = None
    label_column: str | None = None
    time_column: str | None = None
    annotators: str | None = None
    classes: str | None = None
    repeated: str | None = None
    missing: list[str] | None = None
    no_header: bool = False
    truth_column: str | None = None
    truth_task_column: str | None = None
    control: str | None = None
    trust_ground_truth: bool = False
    model_annotators: list[str] | None = None
    kind: str | None = None
    tolerance: float | None = None

    def read(self, path: Path, truth: Path | None = None) -> Reading:
        """Read the answers; the column of the truth is theirs if there is no file of it.

        Raises
        ------
        UserError, ValueError, OSError
            If they cannot be read.
        """
        from crowdcore.crowd.repeats import check_repeated
        from crowdcore.formats import FORMATS, KINDS, read_crowd

        if self.format not in (None, STUDIO, *FORMATS):
            raise UserError(f"--format is {self.format!r}; allowed are {', '.join((*FORMATS, STUDIO))}.")
        if self.kind not in (None, *KINDS):
            raise UserError(f"--kind is {self.kind!r}; allowed are {', '.join(KINDS)}.")
        check_repeated(self.repeated)
        if self.truth_task_column and truth is None:
            raise UserError(
                "--truth-task-column is a column of the file with the truth: give that, too, or leave it out."
            )
        columns = {
            "task_column": self.task_column,
            "annotator_column": self.annotator_column,
            "label_column": self.label_column,
            "time_column": self.time_column,
            "truth_column": self.truth_column if truth is None else None,
        }
        classes, repeated = _listed(self.classes), cast("Repeated | None", self.repeated)
        if not path.exists():
            raise UserError(f"{path} does not exist: correct the path.")
        tasks = self._tasks_of_export(path)
        if tasks is not None:
            from label_studio_crowd.files.studio_export import read_export
            from label_studio_crowd.settings import names_in

            odd = [name for name, value in {**columns, "annotators": self.annotators}.items() if value]
            if odd:
                raise UserError(
                    f"{path} is read as Label Studio's export, which has no columns to name: leave out "
                    f"--{odd[0].replace('_', '-')}."
                )
            return read_export(
                path,
                tasks,
                self.control,
                trust_ground_truth=self.trust_ground_truth,
                classes=classes,
                repeated=repeated,
                kind=self.kind,
                models=names_in(",".join(self.model_annotators or ())),
            )
        for option in self._of_export():
            raise UserError(f"{option} is for Label Studio's JSON export, and {path} is not one: leave it out.")
        reading = read_crowd(
            path,
            self.format,
            **columns,
            annotators=_listed(self.annotators),
            classes=None if classes is None else as_numbers(classes),
            repeated=repeated,
            missing=self.missing,
            header=not self.no_header,
        )
        return replace(reading, about=as_options(reading.about))

    def _of_export(self) -> list[str]:
        """Return the options that were given and make sense for a Label Studio export alone."""
        given = {
            "--control": self.control,
            "--trust-ground-truth": self.trust_ground_truth,
            "--model-annotators": self.model_annotators,
        }
        return [option for option, value in given.items() if value]

    def _tasks_of_export(self, path: Path) -> list[Any] | None:
        """Return the tasks of what Label Studio wrote; None if it is something else."""
        from crowdcore.formats.tables import is_json
        from label_studio_crowd.files.studio_export import load_export

        if self.format not in (None, STUDIO) or not (self.format == STUDIO or path.is_dir() or is_json(path)):
            return None
        tasks = load_export(path)
        if tasks is None and self.format == STUDIO:
            raise UserError(f"{path} is not Label Studio's export, a JSON list of tasks: export the format JSON.")
        return tasks


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",")]


def as_numbers(names: list[str]) -> list[Any]:
    """Return labels as numbers if all are, as a table's are read."""
    from crowdcore.formats.delimited import typed

    found: list[Any] = typed(names).tolist()
    return found


@dataclass(frozen=True)
class Source:
    """Where the answers are, a file or a folder, how to read them, and where the truth is."""

    path: Path
    how: HowToRead
    truth: Path | None = None

    def read(self) -> Reading:
        """Read the answers; raises what `HowToRead.read` raises."""
        return self.how.read(self.path, self.truth)


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
    with_truth: bool = True,
) -> Evidence:
    """Read the files beside the answers; the crowd has the classes of all of them.

    The truth that comes with the answers is evidence only where the user trusts it, as in a Label Studio export, or
    names its column.

    Raises
    ------
    ValueError, OSError
        If a file cannot be read, or does not fit the crowd.
    """
    from crowdcore.formats import add_classes, read_features, read_probabilities
    from crowdcore.formats.truth_within import nearly_classes

    crowd, notes = reading.crowd, []
    pred_probs = None if probabilities is None else read_probabilities(probabilities, crowd)
    if pred_probs is not None:
        crowd = add_classes(crowd, pred_probs.columns)
    how = source.how
    trusted = source.truth is not None or how.trust_ground_truth or how.truth_column is not None
    truth = read_true_labels(source, reading) if with_truth and trusted else None
    if truth is not None:
        outside = ~truth.index.isin(crowd.tasks)
        if outside.any():
            notes.append(f"{outside.sum():,} of the {len(truth):,} known labels belong to tasks without answers.")
            truth = truth[~outside]
        crowd = add_classes(crowd, truth.to_numpy())
        notes += nearly_classes(truth.to_numpy(), reading.crowd)
        if pred_probs is not None:
            pred_probs = pred_probs.reindex(columns=crowd.classes.tolist(), fill_value=0.0)
    if not len(crowd.classes):
        raise UserError(f"{source.path} has no answers: no row has a label.")
    matrix = None if features is None else read_features(features, crowd)
    return Evidence(crowd, pred_probs, matrix, truth, tuple(notes))


def read_true_labels(source: Source, reading: Reading, kind: str = "choice") -> pd.Series[Any]:
    """Return the true labels by task: of a file, or, without one, what came with the answers.

    Parameters
    ----------
    kind
        What the answers are, as `crowdcore.formats.read_truth` takes it.

    Raises
    ------
    UserError
        If there are none.
    ValueError, OSError
        If the file cannot be read.
    """
    import pandas as pd

    from crowdcore.formats import read_truth

    crowd, how = reading.crowd, source.how
    if source.truth is not None:
        from label_studio_crowd.files.export_truths import exported_tasks, true_classes_of_export

        tasks = exported_tasks(source.truth)
        if tasks is not None:
            return true_classes_of_export(source.truth, tasks, reading)
        columns = {"task_column": how.truth_task_column, "truth_column": how.truth_column}
        try:
            return read_truth(source.truth, crowd, **columns, like=reading.task_column, kind=kind)
        except ValueError as error:
            raise UserError(as_options(str(error).replace("task_column=", "truth_task_column="))) from None
    if reading.true_labels is not None:
        return reading.true_labels
    if reading.truth is None:
        raise UserError(
            "The answers come without the truth: give --truth FILE, with the columns task and truth, or "
            "--truth-column, if a column of the answers has it."
        )
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
