"""Checks of answers, class probabilities and known labels that come from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore import kernels
from crowdcore.crowd.columns import fitting
from crowdcore.crowd.frames import as_pandas, is_foreign
from crowdcore.crowd.ids import Codes, Ids, plain
from crowdcore.crowd.table import Crowd

if TYPE_CHECKING:
    import pandas as pd

SUM_TOLERANCE = 1e-3


def as_crowd(answers: Crowd | pd.DataFrame) -> Crowd:
    """Return the answers as a crowd; a frame as `Crowd.from_long` reads it.

    Raises
    ------
    ValueError
        If they are not a Crowd or a long frame, or if there are no classes.
    """
    if isinstance(answers, Crowd):
        crowd = answers
    elif is_foreign(answers) or hasattr(answers, "columns"):
        crowd = Crowd.from_long(answers)
    else:
        raise ValueError(
            f"The answers are a {type(answers).__name__}; pass a Crowd, or a frame with columns task, annotator "
            "and label. For a matrix of tasks x annotators use Crowd.from_wide."
        )
    if not len(crowd.classes):
        raise ValueError(f"{crowd!r} has no classes. Pass classes= when making the crowd, or at least one answer.")
    return crowd


def as_ensemble(crowd: Crowd, pred_probs: ArrayLike | None) -> NDArray[np.float64]:
    """Return class probabilities as an array of shape (P, N, K): P models, none for None.

    Parameters
    ----------
    crowd : Crowd
        Gives N and K, and the task ids for messages.
    pred_probs : array_like of shape (N, K) or (P, N, K), or None
        One model's probabilities, or an ensemble's: rows in the order of ``crowd.tasks``, columns in that of
        ``crowd.classes``. A DataFrame is put into this order by its index and columns.

    Raises
    ------
    ValueError
        If the shape is wrong, a value is negative or not finite, or a row does not sum to 1 within
        `SUM_TOLERANCE`. The message names the task.
    """
    if not isinstance(crowd, Crowd):
        raise TypeError(
            f"Expected a Crowd, found a {type(crowd).__name__}: make one, for example with "
            "Crowd.from_long(frame) or Crowd.from_wide(matrix)."
        )
    if not len(crowd.classes):
        raise ValueError(f"{crowd!r} has no classes. Pass classes= when making the crowd, or at least one answer.")
    N, K = len(crowd.tasks), len(crowd.classes)
    if pred_probs is None:
        return np.empty((0, N, K))
    P = as_numbers(in_order(crowd.tasks, crowd.classes, pred_probs))
    models = P[None] if P.ndim == 2 else P
    if models.ndim != 3 or models.shape[1:] != (N, K) or not len(models):
        raise ValueError(
            f"pred_probs has shape {P.shape}; expected ({N}, {K}) for one model or (models, {N}, {K}) for an "
            "ensemble: a row for each of the crowd's tasks, a column for each of its classes, in the same "
            f"order. The classes are {crowd.classes.tolist()[:8]}. If classes or tasks have no answers yet, name them "
            "with classes= and tasks= when making the crowd."
        )
    for model, probabilities in enumerate(models):
        row = kernels.first_improper_row(kernels.frozen(probabilities), SUM_TOLERANCE)
        if row >= 0:
            which = f" of model {model}" if P.ndim == 3 else ""
            where = f"pred_probs{which}, row {row} (task {plain(crowd.tasks[row])!r})"
            unknown = _unknown_class(crowd, pred_probs, crowd.tasks[row])
            raise ValueError(f"{where}: {unknown or _fault(models[model, row])}")
    return models


def _unknown_class(crowd: Crowd, pred_probs: Any, task: Any) -> str:
    """Return that a DataFrame has probability for a class which the crowd does not have, "" if it has none."""
    known = set(crowd.classes.tolist())
    extra = [name for name in getattr(pred_probs, "columns", ()) if name not in known]
    values = [pred_probs.loc[task, name] for name in extra]
    given = [name for name, value in zip(extra, values, strict=True) if isinstance(value, int | float) and value > 0]
    if not given:
        return ""
    return (
        f"there is probability for class {plain(given[0])!r}, which is none of the crowd's {len(known)} classes "
        f"{crowd.classes.tolist()[:8]}: nobody has chosen it yet. Name all classes when making the crowd, with "
        f"classes={[*crowd.classes.tolist()[:8], *map(plain, given)]}."
    )


def _fault(values: NDArray[np.float64]) -> str:
    """Return what is wrong with a row of probabilities, and what to do."""
    advice = "Pass probabilities: finite, not negative, each row summing to 1."
    if not np.isfinite(values).all():
        return f"found {values.tolist()}, which is not finite. {advice}"
    if values.min() < 0:
        return f"found {values.min():.6g}, which is negative. {advice}"
    return (
        f"the row sums to {values.sum():.6g}, not to 1 within {SUM_TOLERANCE}. {advice} "
        "Divide each row by its sum, or use predict_proba instead of decision_function."
    )


def as_numbers(pred_probs: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities as an array; raise a ValueError if they are no numbers."""
    try:
        found = np.asarray(pred_probs)
        if found.dtype.kind != "c":
            return found.astype(np.float64, copy=False)
        fault = "complex numbers"
    except (TypeError, ValueError) as error:
        fault = str(error)
    raise ValueError(
        f"pred_probs, a {type(pred_probs).__name__}, is not an array of numbers ({fault}). Pass a matrix of "
        "probabilities, a row for each task; if it is sparse, pass pred_probs.toarray()."
    )


def in_order(tasks: Ids, classes: Ids, pred_probs: ArrayLike) -> ArrayLike:
    """Return a DataFrame's rows and columns in the order of the tasks and classes; anything else as it is.

    A frame of polars or PyArrow names its tasks in a column, or has its rows in the order of the tasks.
    """
    if is_foreign(pred_probs):
        table = as_pandas(pred_probs)
        named = fitting(list(table.columns), "task", 1)
        if named:
            pred_probs = table.set_index(named[0])
        elif len(table) == len(tasks):
            pred_probs = table.set_axis(tasks.tolist())
        texts = {str(label): label for label in classes.tolist()}  # their columns are texts
        pred_probs = pred_probs.rename(columns=texts)  # type: ignore[union-attr]
    if not hasattr(pred_probs, "reindex"):
        return pred_probs
    frame: Any = pred_probs
    for what, ids, labels in (("index", tasks, frame.index), ("columns", classes, frame.columns)):
        known = set(labels)
        absent = [one for one in ids.tolist() if one not in known]
        if absent or len(known) != len(labels):
            fault = f"without {absent[0]!r}" if absent else "with duplicates"
            raise ValueError(
                f"pred_probs is a DataFrame {fault} in its {what}; expected index = crowd.tasks and columns = "
                "crowd.classes, in any order. Or pass an array in the crowd's order."
            )
    rows, columns = _places(tasks, frame.index), _places(classes, frame.columns)
    return frame.iloc[rows, columns].to_numpy()  # type: ignore[no-any-return]


def _places(wanted: Ids, labels: Iterable[Any]) -> list[int]:
    places = {label: place for place, label in enumerate(labels)}
    return [places[one] for one in wanted.tolist()]


def as_known_labels(crowd: Crowd, known_labels: ArrayLike | None) -> Codes:
    """Return the codes of the labels that are known to be true, -1 where unknown, shape (N,).

    Raises
    ------
    ValueError
        If the shape is not (N,) or a code is not -1 or one of the crowd's classes.
    """
    N, K = len(crowd.tasks), len(crowd.classes)
    if known_labels is None:
        return np.full(N, -1, dtype=np.int64)
    known = np.asarray(known_labels)
    if known.shape != (N,) or (known.size and known.dtype.kind not in "iu"):
        raise ValueError(
            f"known_labels has shape {known.shape} and type {known.dtype}; expected ({N},) integers: a class "
            "code for each of the crowd's tasks, -1 where the truth is not known."
        )
    known = known.astype(np.int64)
    wrong = np.flatnonzero((known < -1) | (known >= K))
    if len(wrong):
        raise ValueError(
            f"known_labels, row {wrong[0]} (task {plain(crowd.tasks[wrong[0]])!r}): found {known[wrong[0]]}; "
            f"allowed are the class codes 0 to {K - 1}, and -1 where the truth is not known."
        )
    return known


def as_people(annotators: Ids, people: ArrayLike | None) -> NDArray[np.bool_]:
    """Return who of the annotators are people, shape (M,); by default all.

    Raises
    ------
    ValueError
        If `people` has not True or False for each.
    """
    M = len(annotators)
    found = np.ones(M, np.bool_) if people is None else np.asarray(people)
    if found.shape != (M,) or found.dtype != np.bool_:
        raise ValueError(f"people must have True or False for each of the {M} annotators; it has shape {found.shape}.")
    return found


def as_known(crowd: Crowd, known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None) -> Codes:
    """Return codes of the labels known to be true, -1 where unknown, shape (N,).

    Raises
    ------
    ValueError
        If they do not fit the crowd, or name a task twice with different labels. The message names the task.
    """
    by_task = hasattr(known_labels, "items")
    if not by_task:
        return as_known_labels(crowd, known_labels)  # type: ignore[arg-type]
    places = {task: at for at, task in enumerate(crowd.tasks.tolist())}
    codes = {label: at for at, label in enumerate(crowd.classes.tolist())}
    known = np.full(len(crowd.tasks), -1, dtype=np.int64)
    for task, label in known_labels.items():  # type: ignore[union-attr]
        if plain(task) not in places:
            raise ValueError(f"known_labels: task {plain(task)!r} is not among the {len(places)} tasks of {crowd!r}.")
        if plain(label) not in codes:
            raise ValueError(
                f"known_labels, task {plain(task)!r}: found {plain(label)!r}; allowed are the crowd's classes "
                f"{list(codes)[:8]}. Leave out tasks whose truth is not known."
            )
        place, code = places[plain(task)], codes[plain(label)]
        if known[place] not in (-1, code):
            raise ValueError(
                f"known_labels has task {plain(task)!r} several times, as {plain(crowd.classes[known[place]])!r} and "
                f"as {plain(label)!r}: a task has one true label. Keep one of them, or leave the task out."
            )
        known[place] = code
    return known
