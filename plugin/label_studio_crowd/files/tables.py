"""What was found, as tables: of tasks, annotators, answers, the classes' probabilities, and who agrees with whom."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from crowdcore.crowd.grouping import ratio
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.classes import class_probabilities
from label_studio_crowd.files.digits import with_few_digits
from label_studio_crowd.files.pairs import pairs
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.store.people import annotator_name, is_model

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
    """Data frames, as `export` writes them.

    Attributes
    ----------
    tasks
        task, consensus, quality, agreement, majority_vote, num_labels, num_model_answers, priority, settled,
        settled_by, queue_position, predicted, model_disagrees, crowdlab, crowdlab_quality, activelab. Labels, agreement
        and majority vote are those of people. `predicted` is what the classifier says, out of sample: without having
        learned from the task's own labels. A task without labels has no consensus; there, models among the annotators
        have a say in `predicted`. Where the model disagrees, the consensus is a label that none of its annotators
        gave; theirs is in `majority_vote`. The last three are the second opinion: CROWDLAB's label and its quality, and
        ActiveLab's score (low: one more label is worth most). They are missing where answers are not one class, and so
        is `predicted` of labelled tasks. Numbers have seven significant digits, in all tables.
    annotators
        annotator, name, is_model, quality, quality_low, quality_high, agreement_with_consensus, mostly_wrong_on,
        num_labels, median_seconds, copy_group; worst first. Low and high are the quality's 90 % interval, empty with
        CROWDLAB. Agreement is of tasks on whose consensus others, the classifier or a known truth have a say, too;
        without any it is empty, and so is quality. Annotators with the same copy group give the same labels, also where
        everybody else says otherwise; it is empty for all others.
    answers
        task, annotator, name, label, quality, is_model.
    probabilities
        task, label, probability, model_probability: how probable each class is, by the consensus and by the classifier.
        Classes that both of them give less than half a per cent are left out. Where several classes may apply, each has
        the probability that it applies; of other answers there is nothing.
    regions
        Of answers about regions, a row for each that somebody gave about one: control, task, region, annotator, name,
        label, and the region's consensus and quality, which are empty where most who marked it said nothing.
    agreement
        annotator, name, other, other_name, shared_tasks, same_answers, agreement: for each two annotators who answered
        the same tasks, on how many of these they gave the same answer.

    Where several controls are scored, these columns are the first one's; the tasks have consensus, quality, agreement,
    num_labels, num_model_answers, consensus_json, told and the second opinion of each other, with its name after a
    colon, and the other tables have rows for each control, and its name in the first column. Of answers that are not
    one class the consensus and the labels are as a person reads them; `consensus_json` is the consensus as Label
    Studio keeps it, and `told` what else the kind tells.
    """

    tasks: pd.DataFrame
    annotators: pd.DataFrame
    answers: pd.DataFrame
    probabilities: pd.DataFrame
    regions: pd.DataFrame
    agreement: pd.DataFrame

    def by_name(self) -> dict[str, pd.DataFrame]:
        """Return the tables by their names, the tasks' first."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


TABLES: Final = tuple(one.name for one in fields(Tables))
"""The tables' names."""
_IF_ANY: Final = ("probabilities", "regions", "agreement")
"""Those that are left out where they have no rows."""


def tables(
    snapshot: Snapshot,
    names: Mapping[int, str],
    data: Mapping[int, Mapping[str, Any]] | None = None,
    *,
    hidden: bool = False,
) -> Tables:
    """Return the tables of a project.

    Parameters
    ----------
    snapshot
        What the last run believed.
    names
        Annotators' names.
    data
        Tasks' data, by the task, to be put beside its consensus.
    hidden
        Give the annotators pseudonyms, as the pages do, instead of their ids and names.
    """
    import pandas as pd

    each = [snapshot, *snapshot.others]
    labels = [np.array(one.classes, dtype=object) for one in each]
    tasks = _tasks(snapshot, labels[0], data)
    for one, named in zip(each[1:], labels[1:], strict=True):
        others = _tasks(one, named, None)
        tasks = tasks.join(others[others.columns.intersection(_OF_CONTROL)].add_suffix(f":{one.control}"))
    who = [_who(one, names, hidden=hidden) for one in each]
    of_controls = [
        (_annotators(one, named, people), _answers(one, named, people), class_probabilities(one), pairs(one, people))
        for one, named, people in zip(each, labels, who, strict=True)
    ]
    if snapshot.others:
        for one, frames in zip(each, of_controls, strict=True):
            for frame in frames:
                frame.insert(0, "control", one.control)
    annotators, answers, probable, agreement = (
        pd.concat(frames, ignore_index=True) for frames in zip(*of_controls, strict=True)
    )
    found = (tasks, annotators, answers, probable, _regions(each, who), agreement)
    return Tables(*map(with_few_digits, found))


def _who(snapshot: Snapshot, names: Mapping[int, str], *, hidden: bool) -> pd.DataFrame:
    """Return annotator and name of each annotator."""
    import pandas as pd

    ids, keys = snapshot.annotators.tolist(), snapshot.annotators
    if hidden:
        numbers = snapshot.pseudonym.tolist()
        pseudonyms = {one: f"annotator {number}" for one, number in zip(ids, numbers, strict=True)}
        names = {**pseudonyms, **{one: name for one, name in names.items() if is_model(one)}}
        keys = np.array([f"a{number}" for number in numbers], dtype=object)
    who: pd.DataFrame = pd.DataFrame({"annotator": keys, "name": [annotator_name(one, names) for one in ids]})
    return who


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
            "predicted": _named(labels, np.where(said, snapshot.predicted, consensus)),
            "model_disagrees": snapshot.model_disagrees,
        }
    )
    if len(snapshot.crowdlab):
        tasks["crowdlab"] = _named(labels, np.where(snapshot.labels > 0, snapshot.crowdlab, -1))
        tasks["crowdlab_quality"] = np.where(snapshot.labels > 0, snapshot.crowdlab_quality, np.nan)
        tasks["activelab"] = snapshot.activelab
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


def _annotators(snapshot: Snapshot, labels: Any, who: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    seconds = pd.Series(snapshot.answer_seconds).groupby(snapshot.answer_annotator).median()
    annotators: pd.DataFrame = pd.DataFrame(
        {
            "annotator": who.annotator,
            "name": who["name"],
            "is_model": snapshot.are_models,
            "quality": snapshot.annotator_quality,
            "quality_low": snapshot.quality_low,
            "quality_high": snapshot.quality_high,
            "agreement_with_consensus": snapshot.agreement,
            "mostly_wrong_on": _named(labels, snapshot.worst_class),
            "num_labels": snapshot.annotator_labels,
            "median_seconds": seconds.reindex(range(len(snapshot.annotators))).to_numpy(),
            **({"told": list(snapshot.of_annotators)} if snapshot.of_annotators else {}),
            "copy_group": pd.Series(snapshot.copy_group + 1, dtype="Int64").where(snapshot.copy_group >= 0),
        }
    )
    worst_first: pd.DataFrame = annotators.sort_values(["quality", "agreement_with_consensus"], ignore_index=True)
    return worst_first


def _answers(snapshot: Snapshot, labels: Any, who: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    crowd = snapshot.crowd
    answers: pd.DataFrame = pd.DataFrame(
        {
            "task": crowd.tasks[crowd.task],
            "annotator": who.annotator.to_numpy()[crowd.annotator],
            "name": who["name"].to_numpy()[crowd.annotator],
            "label": labels[crowd.label],
            "quality": snapshot.answer_quality,
            "is_model": ~snapshot.is_label,
        }
    )
    return answers


def _regions(each: Sequence[Snapshot], who: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    columns = ("control", "task", "region", "annotator", "name", "label", "consensus", "quality")
    rows = [
        (one.control, task, part.part, *people[giver], said, part.consensus, part.quality)
        for one, named in zip(each, who, strict=True)
        if one.of_parts
        for people in [list(named.itertuples(index=False, name=None))]
        for row, task in enumerate(one.tasks.tolist())
        for part in one.parts_of(row)
        for said, givers in part.votes
        for giver in givers
    ]
    regions: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return regions


def _scalar(value: Any) -> str | None:
    """Return a data value as text, so that a column is of one type; lists and objects as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _named(labels: Any, codes: Any) -> list[str | None]:
    return [None if code < 0 else labels[code] for code in codes]


def available_formats() -> tuple[str, ...]:
    """Return those of `FORMATS` that can be written here: Parquet needs pyarrow."""
    return FORMATS if find_spec("pyarrow") else FORMATS[:-1]


def check_path(path: Path) -> None:
    """Raise a `UserError` if tables cannot be written there; called before anything is computed."""
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"--out is {path.name!r}: its ending chooses the format, one of {', '.join(FORMATS)}.")
    if path.is_dir():
        raise UserError(f"--out is {path}, which is a folder: name a file in it.")
    if not path.parent.is_dir():
        raise UserError(f"--out is in {path.parent}, which is not a folder: create it, or choose another one.")
    if path.suffix.lower() not in available_formats():
        raise UserError("Parquet needs pyarrow: pip install pyarrow, or name a file that ends in .csv.")


def write(found: Tables, path: Path) -> list[Path]:
    """Write the tables and return the files: one for .json, one for each table for .csv and .parquet.

    The tasks go into `path`, the others beside it: labels.csv, labels-annotators.csv, labels-answers.csv and so on.

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
    parts = {name: frame for name, frame in found.by_name().items() if len(frame) or name not in _IF_ANY}
    if path.suffix.lower() == ".json":
        path.write_bytes(_as_json({name: records(frame) for name, frame in parts.items()}))
        return [path]
    paths = []
    for name, frame in parts.items():
        target = path.with_name(path.stem + f"-{name}" * (name != "tasks") + path.suffix)
        _write_frame(frame, target, path.suffix.lower())
        paths.append(target)
    return paths


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON has them; what is missing is null."""
    found: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return found


def table_bytes(frame: pd.DataFrame, format: str) -> bytes:
    """Return a table as a file of its own, in one of `available_formats`."""
    if format == ".json":
        return _as_json(records(frame))
    file = io.BytesIO()
    _write_frame(frame, file, format)
    return file.getvalue()


def _write_frame(frame: pd.DataFrame, target: Path | io.BytesIO, format: str) -> None:
    if format == ".csv":
        _with_texts(frame).to_csv(target, index=False)
    else:
        _with_texts(frame).to_parquet(target, index=False)


def _as_json(content: Any) -> bytes:
    import orjson

    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)


def _with_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns of texts are that also where they are empty."""
    texts = [name for name, kind in frame.dtypes.items() if kind.kind == "O"]
    table: pd.DataFrame = frame.astype(dict.fromkeys(texts, "string"))
    return table
