"""peerannot's folder: answers.json, metadata.json, and the truth and confusion matrices of simulated crowds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.ids import Codes, as_ids
from crowdcore.crowd.repeats import refuse_repeated
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    from crowdcore.simulation import Simulation

ANSWERS: Final = "answers.json"
METADATA: Final = "metadata.json"
TRUTH: Final = "ground_truth.npy"
CONFUSIONS: Final = "matrices.npy"
DIFFICULTIES: Final = "difficulties.npy"
TEACHERS: Final = "student_teacher_association.npy"

_IDS: Final = {"tasks": "task_ids", "annotators": "annotator_ids", "classes": "class_names"}
"""Where metadata.json keeps ids that are not 0, 1, 2, ...; peerannot does not look at them."""


@dataclass(frozen=True, eq=False)
class Folder:
    """What a folder holds: N tasks, M annotators, K classes.

    Attributes
    ----------
    crowd : Crowd
        The answers.
    truth : ndarray of shape (N,) or None
        Class codes, -1 where the truth is not known.
    confusions : ndarray of shape (M, K, K) or None
        Of each annotator: true class, label.
    """

    crowd: Crowd
    truth: Codes | None = None
    confusions: NDArray[np.float64] | None = None


def read_folder(path: str | Path, *, answers: str | Path | None = None, metadata: str | Path | None = None) -> Folder:
    """Read peerannot's folder.

    Whole numbers as keys are ids; annotators are 0 to ``n_workers`` - 1 and classes 0 to ``n_classes`` - 1,
    answers or not. A folder that `write_folder` wrote has the ids of its crowd.

    Parameters
    ----------
    path : path
        The folder.
    answers, metadata : path, optional
        Other files than its answers.json and metadata.json.

    Raises
    ------
    ValueError
        If a file is missing or damaged, or they do not fit each other. The message names the file.
    OSError
        If a file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> crowd = Crowd.from_wide([["cat", "dog"], [None, "cat"]])
    >>> folder = write_folder(crowd, tempfile.mkdtemp(), name="pets", truth=[0, 1])
    >>> read_folder(folder).crowd.classes.tolist()
    ['cat', 'dog']
    """
    path = Path(path)
    answers_file, metadata_file = Path(answers or path / ANSWERS), Path(metadata or path / METADATA)
    found, about = _read_json(answers_file), _read_json(metadata_file)
    n_classes = about.get("n_classes")
    if not isinstance(n_classes, int) or n_classes < 1:
        raise ValueError(f"{metadata_file}: n_classes is {n_classes!r}; it must be a whole number, 1 or more.")
    try:
        crowd = Crowd.from_answers_json(found, classes=range(n_classes))
    except ValueError as error:
        raise ValueError(f"{answers_file}: {error}") from None
    truth = _load(path / TRUTH)
    crowd = _with_everyone(crowd, about, 0 if truth is None else len(truth))
    if truth is not None and len(truth) != len(crowd.tasks):
        raise ValueError(
            f"{path / TRUTH} has {len(truth)} labels and {answers_file} {len(crowd.tasks)} tasks: a label is needed "
            "for each task, in their order, -1 where it is not known."
        )
    if truth is not None:
        wrong = np.flatnonzero((truth < -1) | (truth >= n_classes) | (truth != np.trunc(truth)))
        if len(wrong):
            raise ValueError(
                f"{path / TRUTH}, task {wrong[0]}: found {truth[wrong[0]]}; allowed are the class codes 0 to "
                f"{n_classes - 1}, and -1 where the truth is not known."
            )
        truth = truth.astype(np.int64)
    confusions = _load(path / CONFUSIONS)
    expected = (len(crowd.annotators), n_classes, n_classes)
    if confusions is not None and confusions.shape != expected:
        raise ValueError(
            f"{path / CONFUSIONS} has shape {confusions.shape}; expected {expected}: annotator, true class, label."
        )
    ids = {what: about.get(key) for what, key in _IDS.items()}
    return Folder(_named(crowd, ids, metadata_file), truth, confusions)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{path} does not exist: peerannot's folder has {ANSWERS} and {METADATA}, with n_classes and n_workers."
        ) from None
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}): write it again.") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds a {type(found).__name__}; expected an object.")
    return found


def _load(path: Path) -> NDArray[Any] | None:
    if not path.exists():
        return None
    try:
        found: NDArray[Any] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is not an array of numbers ({error}): write it again with numpy.save.") from None
    if found.dtype.kind not in "iuf":
        raise ValueError(f"{path} holds {found.dtype}; expected numbers: class codes, or probabilities.")
    return found


def _with_everyone(crowd: Crowd, metadata: Mapping[str, Any], n_tasks: int) -> Crowd:
    """Return the crowd with the annotators and tasks that have no answers, where they are numbered from 0."""

    def all_of(ids: Any, size: Any) -> Any:
        numbered = isinstance(size, int) and ids.dtype.kind in "iu" and (not len(ids) or ids.max() < size)
        return np.arange(size) if numbered else ids

    tasks, annotators = all_of(crowd.tasks, n_tasks), all_of(crowd.annotators, metadata.get("n_workers"))
    return Crowd.from_codes(
        crowd.tasks[crowd.task] if len(tasks) > len(crowd.tasks) else crowd.task,  # ids are places then
        crowd.annotators[crowd.annotator] if len(annotators) > len(crowd.annotators) else crowd.annotator,
        crowd.label,
        tasks=tasks,
        annotators=annotators,
        classes=crowd.classes,
        ordered=crowd.ordered,
    )


def _named(crowd: Crowd, ids: Mapping[str, Any], where: Path) -> Crowd:
    """Return the crowd with the ids that `write_folder` put beside the codes."""
    names = {what: getattr(crowd, what) if given is None else as_ids(given, what) for what, given in ids.items()}
    for what, given in names.items():
        if len(given) != len(getattr(crowd, what)):
            raise ValueError(
                f"{where}: {_IDS[what]} lists {len(given)} ids, but there are {len(getattr(crowd, what))} {what}: "
                "correct the list, or remove it to number them from 0."
            )
    return replace(crowd, **names, ordered=ids["classes"] is not None or crowd.ordered)


def write_folder(
    crowd: Crowd,
    path: str | Path,
    *,
    name: str,
    truth: ArrayLike | None = None,
    confusions: ArrayLike | None = None,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write peerannot's folder; every ``peerannot`` command can read it.

    Tasks, annotators and classes are numbered from 0 in the crowd's order, as peerannot wants it; what their ids
    are stands in metadata.json, where `read_folder` finds it.

    Parameters
    ----------
    crowd : Crowd
        The answers.
    path : path
        The folder; made if it is not there.
    name : str
        Of the data set; part of the names of label files.
    truth : array_like of int, shape (N,), optional
        Class codes, -1 where the truth is not known.
    confusions : array_like of shape (M, K, K), optional
        Of each annotator: true class, label.
    about : mapping, optional
        Further entries of metadata.json.

    Returns
    -------
    Path
        The folder.
    """
    refuse_repeated(crowd.num_repeated, "peerannot's folder")
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    label, annotator = crowd.label.tolist(), list(map(str, crowd.annotator.tolist()))
    bounds = crowd.indptr.tolist()
    answers = {
        str(task): dict(zip(annotator[start:stop], label[start:stop], strict=True))
        for task, (start, stop) in enumerate(pairwise(bounds))
    }
    metadata = {
        "name": name,
        "n_workers": len(crowd.annotators),
        "n_classes": len(crowd.classes),
        "n_task": len(crowd.tasks),
        **(about or {}),
    }
    for what, key in _IDS.items():
        ids = getattr(crowd, what).tolist()
        if ids != list(range(len(ids))):
            metadata[key] = ids
    (path / ANSWERS).write_text(json.dumps(answers), encoding="utf-8")
    (path / METADATA).write_text(json.dumps(metadata, indent=3), encoding="utf-8")
    _save(path / TRUTH, truth)
    _save(path / CONFUSIONS, confusions)
    for file in (DIFFICULTIES, TEACHERS):
        _save(path / file, None)
    return path


def _save(path: Path, array: ArrayLike | None) -> None:
    if array is None:
        path.unlink(missing_ok=True)  # of another crowd
    else:
        np.save(path, np.asarray(array))


def write_simulation(simulation: Simulation, path: str | Path, *, name: str) -> Path:
    """Write a simulated crowd with its truth and confusion matrices, as ``peerannot simulate`` does.

    Returns
    -------
    Path
        The folder.
    """
    path = write_folder(simulation.crowd, path, name=name, truth=simulation.truth, confusions=simulation.confusions)
    teacher = simulation.teacher
    students = None if teacher is None else np.flatnonzero(teacher >= 0)
    pairs = None if teacher is None or students is None else np.column_stack([students, teacher[students]])
    _save(path / DIFFICULTIES, simulation.difficulty)
    _save(path / TEACHERS, pairs)
    return path


def label_file(folder: str | Path, strategy: str, *, hard: bool = False) -> Path:
    """Return where peerannot keeps a strategy's labels: ``labels/labels_<name>_<strategy>[_hard].npy``.

    Raises
    ------
    ValueError
        If the folder has no metadata.json, which has the name.
    """
    folder = Path(folder)
    name = _read_json(folder / METADATA).get("name", folder.name)
    return folder / "labels" / f"labels_{name}_{strategy.lower()}{'_hard' if hard else ''}.npy"
