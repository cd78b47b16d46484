"""What was found, as tables: one row a task, one a label, one an annotator."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from crowdcore.crowd.grouping import ratio
from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.store.people import annotator_name

if TYPE_CHECKING:
    import pandas as pd

_OF_CONTROL: Final = (
    "consensus",
    "quality",
    "agreement",
    "num_labels",
    "num_model_answers",
    "consensus_json",
    "told",
    "crowdlab",
    "crowdlab_quality",
    "activelab",
)
"""What the tasks' table has of each further control, where there is such a column, with its name after a colon."""
FORMATS: Final = (".csv", ".json", ".parquet")


@dataclass(frozen=True)
class Tables:
    """Four data frames, as `export` writes them.

    Attributes
    ----------
    tasks
        task, consensus, quality, agreement, majority_vote, num_labels, num_model_answers, priority, settled,
        settled_by, queue_position, predicted, model_disagrees, crowdlab, crowdlab_quality, activelab. Labels, agreement
        and majority vote are those of people. A task without labels has no consensus: `predicted` is what models say of
        it. Where the model disagrees, the consensus is a label that none of the task's annotators gave; theirs is in
        `majority_vote`. The last three are the second opinion: CROWDLAB's label and its quality, and ActiveLab's score
        (low: one more label is worth most). They are missing where answers are not one class.
    annotators
        annotator, name, is_model, quality, quality_low, quality_high, agreement_with_consensus, worst_class,
        num_labels, median_seconds, copy_group; worst first. Low and high are the quality's 90 % interval, empty with
        CROWDLAB. Agreement is of tasks on whose consensus others, the classifier or a known truth have a say, too;
        without any it is empty, and so is quality. Annotators with the same copy group give the same labels, also where
        everybody else says otherwise; it is empty for all others.
    answers
        task, annotator, label, quality, is_model.
    regions
        Of answers about regions, a row for each that somebody gave about one: control, task, region, annotator, label,
        and the region's consensus and quality, which are empty where most who marked it said nothing.

    Where several controls are scored, these columns are the first one's; the tasks have consensus, quality, agreement,
    num_labels, num_model_answers, consensus_json, told and the second opinion of each other, with its name after a
    colon, and annotators and answers have a row for each control, and its name in the first column. Of answers that are
    not one class the consensus and the labels are as a person reads them; `consensus_json` is the consensus as Label
    Studio keeps it, and `told` what else the kind tells.
    """

    tasks: pd.DataFrame
    annotators: pd.DataFrame
    answers: pd.DataFrame
    regions: pd.DataFrame


def tables(snapshot: Snapshot, names: Mapping[int, str], data: Mapping[int, Mapping[str, Any]] | None = None) -> Tables:
    """Return the tables of a project.

    Parameters
    ----------
    snapshot
        What the last run believed.
    names
        Annotators' names.
    data
        Tasks' data, by the task, to be put beside its consensus.
    """
    import pandas as pd

    each = [snapshot, *snapshot.others]
    labels = [np.array(one.classes, dtype=object) for one in each]
    tasks = _tasks(snapshot, labels[0], data)
    for one, named in zip(each[1:], labels[1:], strict=True):
        others = _tasks(one, named, None)
        tasks = tasks.join(others[others.columns.intersection(_OF_CONTROL)].add_suffix(f":{one.control}"))
    annotators = [_annotators(one, named, names) for one, named in zip(each, labels, strict=True)]
    answers = [_answers(one, named) for one, named in zip(each, labels, strict=True)]
    if snapshot.others:
        for one, *frames in zip(each, annotators, answers, strict=True):
            for frame in frames:
                frame.insert(0, "control", one.control)
    regions = _regions(each)
    return Tables(tasks, pd.concat(annotators, ignore_index=True), pd.concat(answers, ignore_index=True), regions)


def _tasks(snapshot: Snapshot, labels: Any, data: Mapping[int, Mapping[str, Any]] | None) -> pd.DataFrame:
    import pandas as pd

    crowd, consensus = snapshot.people, snapshot.consensus
    said = (snapshot.labels > 0) | snapshot.known
    agreeing = np.bincount(crowd.task, crowd.label == consensus[crowd.task], minlength=len(snapshot.tasks))
    place = {task: position for position, task in enumerate(snapshot.queue.tolist(), 1)}
    tasks: pd.DataFrame = pd.DataFrame(
        {
            "task": snapshot.tasks,
            "consensus": _named(labels, np.where(said, consensus, -1)),
            "quality": np.where(said, snapshot.quality, np.nan),
            "agreement": ratio(agreeing, snapshot.labels),
            "majority_vote": _named(labels, snapshot.majority),
            "num_labels": snapshot.labels,
            "num_model_answers": snapshot.by_models if len(snapshot.by_models) else 0,
            "priority": snapshot.priority,
            "settled": snapshot.settled_by > 0,
            "settled_by": pd.Series(map(snapshot.reason, range(len(snapshot.tasks))), dtype=object),
            "queue_position": pd.array([place.get(task) for task in snapshot.tasks.tolist()], dtype="Int64"),
            "predicted": _named(labels, np.where(said, -1, consensus)),
            "model_disagrees": snapshot.model_disagrees,
        }
    )
    if len(snapshot.crowdlab):
        tasks["crowdlab"] = _named(labels, np.where(snapshot.labels > 0, snapshot.crowdlab, -1))
        tasks["crowdlab_quality"] = np.where(snapshot.labels > 0, _rounded(snapshot.crowdlab_quality), np.nan)
        tasks["activelab"] = _rounded(snapshot.activelab)
    if snapshot.values:
        packed = np.array(snapshot.values, dtype=object)
        tasks["consensus_json"] = _named(packed, np.where(said, consensus, -1))
        tasks["told"] = list(snapshot.of_tasks) or None
    if data is None:
        return tasks
    rows = [data.get(task, {}) for task in snapshot.tasks.tolist()]
    fields = dict.fromkeys(field for row in rows for field in row)
    columns = {f"data.{field}": [_scalar(row.get(field)) for row in rows] for field in fields}
    with_data: pd.DataFrame = tasks.join(pd.DataFrame(columns, index=tasks.index))
    return with_data


def _annotators(snapshot: Snapshot, labels: Any, names: Mapping[int, str]) -> pd.DataFrame:
    import pandas as pd

    seconds = pd.Series(_rounded(snapshot.answer_seconds)).groupby(snapshot.answer_annotator).median()
    annotators: pd.DataFrame = pd.DataFrame(
        {
            "annotator": snapshot.annotators,
            "name": [annotator_name(annotator, names) for annotator in snapshot.annotators.tolist()],
            "is_model": snapshot.are_models,
            "quality": snapshot.annotator_quality,
            "quality_low": snapshot.quality_low,
            "quality_high": snapshot.quality_high,
            "agreement_with_consensus": snapshot.agreement,
            "worst_class": _named(labels, snapshot.worst_class),
            "num_labels": snapshot.annotator_labels,
            "median_seconds": seconds.reindex(range(len(snapshot.annotators))).to_numpy(),
            **({"told": list(snapshot.of_annotators)} if snapshot.of_annotators else {}),
            "copy_group": pd.Series(snapshot.copy_group + 1, dtype="Int64").where(snapshot.copy_group >= 0),
        }
    )
    worst_first: pd.DataFrame = annotators.sort_values(["quality", "agreement_with_consensus"], ignore_index=True)
    return worst_first


def _answers(snapshot: Snapshot, labels: Any) -> pd.DataFrame:
    import pandas as pd

    crowd = snapshot.crowd
    answers: pd.DataFrame = pd.DataFrame(
        {
            "task": crowd.tasks[crowd.task],
            "annotator": crowd.annotators[crowd.annotator],
            "label": labels[crowd.label],
            "quality": _rounded(snapshot.answer_quality),
            "is_model": ~snapshot.is_label,
        }
    )
    return answers


def _regions(each: Sequence[Snapshot]) -> pd.DataFrame:
    import pandas as pd

    columns = ("control", "task", "region", "annotator", "label", "consensus", "quality")
    rows = [
        (one.control, task, part.part, int(one.annotators[who]), said, part.consensus, part.quality)
        for one in each
        if one.of_parts
        for row, task in enumerate(one.tasks.tolist())
        for part in one.parts_of(row)
        for said, whose in part.votes
        for who in whose
    ]
    regions: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return regions


def _rounded(kept: Any) -> Any:
    """Return numbers of which a snapshot keeps seven digits, without the digits that come of making them longer."""
    return kept.astype(np.float32).astype(str).astype(float)


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
    """Write the tables and return the files: one for .json, three or four for .csv and .parquet.

    The tasks go into `path`, the others beside it: labels.csv, labels-annotators.csv, labels-answers.csv; and
    labels-regions.csv, if there are answers about regions.

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
    if len(found.regions):
        parts["-regions"] = found.regions
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
