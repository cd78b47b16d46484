"""Where the answers are that a command without Label Studio reads, and how to read them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.user_errors import as_options

if TYPE_CHECKING:
    from crowdcore.crowd.repeats import Repeated
    from crowdcore.formats import Reading

STUDIO: Final = "label-studio"


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
        from label_studio_crowd.files.studio_json import load_export

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
