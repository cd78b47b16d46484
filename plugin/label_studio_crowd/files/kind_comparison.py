"""Ways to a consensus of each kind side by side, where the truth is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd, hierarchical_dawid_skene
from crowdcore.kinds import AnswerTable, ordered
from label_studio_crowd.errors import UserError
from label_studio_crowd.store.people import are_models

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


def compare_sets(table: AnswerTable, ours: Sequence[Any], truth: dict[Any, Any]) -> pd.DataFrame:
    """Return how often each way's sets are right, and their mean F1; tasks without answers are left out.

    Parameters
    ----------
    table
        The answers.
    ours
        The sets of `crowdcore.kinds.label_sets`, (N,).
    truth
        The true set by task.
    """
    at = _judged(table, truth)
    true_sets = [frozenset(truth[table.tasks[i]]) for i in at]
    ways = {
        "sets": [frozenset(ours[i]) for i in at],
        "majority of each class": [_majority(_said(table, i)) for i in at],
    }
    ways["union"] = [frozenset().union(*_said(table, i)) for i in at]
    rows = [
        (name, float(np.mean([a == b for a, b in zip(found, true_sets, strict=True)])), _f1(found, true_sets))
        for name, found in ways.items()
    ]
    return _frame(rows, ("exactly_right", "f1"), "f1", best_is_large=True)


def compare_numbers(table: AnswerTable, ours: Floats, truth: dict[Any, Any], tolerance: float) -> pd.DataFrame:
    """Return how far each way's numbers are from the truth, and how many are within the tolerance.

    Parameters are as those of `compare_sets`.
    """
    from scipy.stats import trim_mean

    at = _judged(table, truth)
    wanted = np.array([float(truth[table.tasks[i]]) for i in at])
    means: dict[str, Callable[[Floats], float]] = {
        "mean": lambda values: float(values.mean()),
        "median": lambda values: float(np.median(values)),
        "trimmed mean": lambda values: float(trim_mean(values, 0.2)),
    }
    ways = {"numbers": ours[at]}
    ways |= {name: np.array([mean(_said(table, i)) for i in at]) for name, mean in means.items()}
    rows = []
    for name, found in ways.items():
        off = np.abs(found - wanted)
        r = float(np.corrcoef(found, wanted)[0, 1]) if np.ptp(found) > 0 < np.ptp(wanted) else float("nan")
        rows.append((name, float(off.mean()), float((off <= tolerance).mean()), r))
    return _frame(rows, ("mean_absolute_error", "within_tolerance", "correlation"), "mean_absolute_error")


def compare_by_distance(
    table: AnswerTable, ours: Sequence[Any], truth: dict[Any, Any], distance: Callable[[Any, Any], float], name: str
) -> pd.DataFrame:
    """Return how far each way's texts, rankings or regions are from the truth, and how many are exactly right.

    Parameters
    ----------
    table, ours, truth
        As those of `compare_sets`.
    distance
        How far two answers are from each other, in [0, 1].
    name
        What our own way is called.
    """
    at = _judged(table, truth)
    wanted = [truth[table.tasks[i]] for i in at]
    off = {
        name: [distance(ours[i], true) for i, true in zip(at, wanted, strict=True)],
        "answer nearest to the others": [
            distance(_nearest(_said(table, i), distance), true) for i, true in zip(at, wanted, strict=True)
        ],
        "an answer at random": [
            float(np.mean([distance(answer, true) for answer in _said(table, i)]))
            for i, true in zip(at, wanted, strict=True)
        ],
    }
    rows = [(way, float(np.mean(far)), float(np.mean(np.array(far) == 0))) for way, far in off.items()]
    return _frame(rows, ("distance", "exactly_right"), "distance")


def _nearest(said: Sequence[Any], distance: Callable[[Any, Any], float]) -> Any:
    return min(said, key=lambda one: sum(distance(one, other) for other in said))


def compare_ordered(crowd: Crowd, truth: pd.Series[Any]) -> pd.DataFrame:
    """Return how many classes each way is from the truth in the mean, and how often it is right and within one.

    Parameters
    ----------
    crowd
        The answers; its classes are in order, and have all that are true.
    truth
        The true class by task.
    """
    from crowdcore.aggregate import DawidSkene, MajorityVote

    place = {task: i for i, task in enumerate(crowd.tasks.tolist())}
    code = {label: k for k, label in enumerate(crowd.classes.tolist())}
    pairs = [(place[task], code[label]) for task, label in truth.items() if task in place]
    at = np.array([i for i, _ in pairs if crowd.num_answers[i]], np.int64)
    if not len(at):
        raise UserError("No task has both an answer and a known truth: check that both files have the same ids.")
    wanted = np.array([k for i, k in pairs if crowd.num_answers[i]])
    medians = [int(np.median(crowd.label[crowd.indptr[i] : crowd.indptr[i + 1]])) for i in at]
    people = ~are_models(crowd.annotators)
    ways = {
        "ordered": ordered(crowd, people=people).consensus[at],
        "hierarchical-dawid-skene": hierarchical_dawid_skene(crowd, people=people).consensus[at],
        "dawid-skene": DawidSkene().fit(crowd).codes_[at],
        "majority-vote": MajorityVote().fit(crowd).codes_[at],
        "median": np.array(medians),
    }
    rows = []
    for name, found in ways.items():
        off = np.abs(found - wanted)
        rows.append((name, float(off.mean()), float((off == 0).mean()), float((off <= 1).mean())))
    return _frame(rows, ("mean_absolute_error", "right", "within_one"), "mean_absolute_error")


def _judged(table: AnswerTable, truth: dict[Any, Any]) -> NDArray[np.int64]:
    there = [i for i, task in enumerate(table.tasks.tolist()) if task in truth and table.num_answers[i]]
    if not there:
        raise UserError("No task has both an answer and a known truth: check that both files have the same ids.")
    return np.array(there, np.int64)


def _said(table: AnswerTable, task: int) -> Any:
    return table.values[table.indptr[task] : table.indptr[task + 1]]


def _majority(said: Sequence[Any]) -> frozenset[Any]:
    votes = Counter(label for labels in said for label in set(labels))
    return frozenset(label for label, count in votes.items() if count > len(said) / 2)


def _f1(found: Sequence[frozenset[Any]], truth: Sequence[frozenset[Any]]) -> float:
    pairs = zip(found, truth, strict=True)
    return float(np.mean([2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for a, b in pairs]))


def _frame(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str], by: str, *, best_is_large: bool = False
) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=["method", *columns]).set_index("method")
    best_first: pd.DataFrame = frame.sort_values(by, ascending=not best_is_large, kind="stable")
    return best_first
