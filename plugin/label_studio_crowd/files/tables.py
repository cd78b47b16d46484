"""What was found, as tables: one row a task, one a label, one an annotator."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.scoring.snapshot import answer_times
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.store.people import annotator_name
from label_studio_crowd.studio.client import Prediction

if TYPE_CHECKING:
    import pandas as pd

FORMATS: Final = (".csv", ".json", ".parquet")


@dataclass(frozen=True)
class Tables:
    """Three data frames, as `export` writes them.

    Attributes
    ----------
    tasks
        task, consensus, quality, agreement, majority_vote, num_labels, priority, settled, settled_by,
        queue_position, predicted. A task without labels has no consensus; `predicted` is what the classifier
        says of it.
    annotators
        annotator, name, quality, quality_low, quality_high, agreement_with_consensus, worst_class, num_labels,
        median_seconds; worst first. Low and high are the quality's 90 % interval, empty with CROWDLAB. Agreement is
        of tasks on whose consensus others, the classifier or a known truth have a say, too; without any it is empty,
        and so is quality.
    answers
        task, annotator, label, quality.
    """

    tasks: pd.DataFrame
    annotators: pd.DataFrame
    answers: pd.DataFrame


def tables(
    scores: Scores,
    annotations: Sequence[Annotation],
    names: Mapping[int, str],
    queue: Sequence[Prediction],
    data: Sequence[Mapping[str, Any]] | None = None,
) -> Tables:
    """Return the tables of a project.

    Parameters
    ----------
    scores
        What is believed of the project.
    annotations
        For the time that annotators took.
    names
        Annotators' names.
    queue
        The predictions that are the queue.
    data
        Each task's data, to be put beside its consensus.
    """
    import pandas as pd

    crowd, result = scores.answers.crowd, scores.result
    labels = np.array([str(label) for label in crowd.classes], dtype=object)
    judged = (crowd.num_answers > 0) | (scores.answers.known_labels >= 0)
    place = {row.task: position for position, row in enumerate(sorted(queue, key=lambda row: row.score or 0.0), 1)}
    tasks = pd.DataFrame(
        {
            "task": crowd.tasks,
            "consensus": _named(labels, np.where(judged, result.consensus, -1)),
            "quality": np.where(judged, result.quality, np.nan),
            "agreement": result.agreement,
            "majority_vote": _named(labels, scores.majority),
            "num_labels": crowd.num_answers,
            "priority": scores.priority,
            "settled": scores.settled,
            "settled_by": scores.settled_by.astype(object),
            "queue_position": pd.array([place.get(task) for task in crowd.tasks.tolist()], dtype="Int64"),
            "predicted": _named(labels, np.where(judged, -1, result.consensus)),
        }
    )
    if data is not None:
        fields = dict.fromkeys(field for row in data for field in row)
        columns = {f"data.{field}": [_scalar(row.get(field)) for row in data] for field in fields}
        tasks = tasks.join(pd.DataFrame(columns, index=tasks.index))
    seconds = pd.Series(answer_times(crowd, annotations)[1]).groupby(crowd.annotator).median()
    stats = result.annotators
    annotators = pd.DataFrame(
        {
            "annotator": crowd.annotators,
            "name": [annotator_name(annotator, names) for annotator in crowd.annotators.tolist()],
            "quality": scores.annotator_quality,
            "quality_low": scores.quality_interval[:, 0],
            "quality_high": scores.quality_interval[:, 1],
            "agreement_with_consensus": scores.agreement,
            "worst_class": _named(labels, scores.worst_class),
            "num_labels": stats.num_answers,
            "median_seconds": seconds.reindex(range(len(crowd.annotators))).to_numpy(),
        }
    ).sort_values(["quality", "agreement_with_consensus"], ignore_index=True)
    return Tables(tasks, annotators, result.labels_frame())


def _scalar(value: Any) -> str | None:
    """Return a data value as text, so that a column is of one type; lists and objects as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _named(labels: Any, codes: Any) -> list[str | None]:
    return [None if code < 0 else labels[code] for code in codes]


def check_path(path: Path) -> None:
    """Raise a `UserError` if tables cannot be written there; called before anything is computed."""
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"--out is {path.name!r}: its ending chooses the format, one of {', '.join(FORMATS)}.")
    if path.is_dir():
        raise UserError(f"--out is {path}, which is a folder: name a file in it.")
    if not path.parent.is_dir():
        raise UserError(f"--out is in {path.parent}, which is not a folder: create it, or choose another one.")
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise UserError("Parquet needs pyarrow: pip install 'label-studio-crowd[parquet]', or use .csv.") from None


def write(found: Tables, path: Path) -> list[Path]:
    """Write the tables and return the files: one for .json, three for .csv and .parquet.

    The tasks go into `path`, the others beside it: labels.csv, labels-annotators.csv, labels-answers.csv.

    Raises
    ------
    UserError
        If a file cannot be written.
    """
    check_path(path)
    try:
        return _write(found, path)
    except OSError as error:
        raise UserError(f"{error.filename or path} cannot be written ({error.strerror}): correct --out.") from None


def _write(found: Tables, path: Path) -> list[Path]:
    parts = {"": found.tasks, "-annotators": found.annotators, "-answers": found.answers}
    if path.suffix.lower() == ".json":
        import orjson

        content = {
            (name.removeprefix("-") or "tasks"): frame.astype(object).where(frame.notna(), None).to_dict("records")
            for name, frame in parts.items()
        }
        path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))
        return [path]
    paths = []
    for name, frame in parts.items():
        texts = frame.select_dtypes(["object"]).columns
        table = frame.astype(dict.fromkeys(texts, "string"))  # text also where a column is empty
        target = path.with_name(path.stem + name + path.suffix)
        if path.suffix.lower() == ".csv":
            table.to_csv(target, index=False)
        else:
            table.to_parquet(target, index=False)
        paths.append(target)
    return paths
