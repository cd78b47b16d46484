"""What pages show besides a snapshot: how a project came to where it is, and where it is going."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from crowdcore import Crowd
from crowdcore.hierarchical.consensus import HierarchicalResult
from label_studio_crowd.scoring.estimates import LEVEL, NO_PROBABILITY, Estimate
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.store.database import now
from label_studio_crowd.store.jobs import Kind, storable
from label_studio_crowd.store.mirror import ProjectMirror

HISTORY: Final = "history"
"""The fact with rows of: Unix time, labels, accuracy, low, high; the oldest first."""
PROBLEMS: Final = "problems"
"""The fact with the last failures: at (Unix time), kind (of job), problem, times (in a row), away (whether Label Studio
did not answer); the oldest first."""
FORECAST: Final = "forecast"
"""The fact with: labels (when it was made), circumstances, needed, and curves in the orders queue and random;
or the reason why there is none instead of these."""
RELIABILITY: Final = "reliability"
"""The fact with: labels (when they were found), and coefficients mean_kappa, fleiss_kappa and alpha."""

_STEP: Final = 1.02
_PROBLEMS_KEPT: Final = 50
_RESAMPLES: Final = 200
_NO_PAIRS: Final = "No task has labels by two annotators."
_NO_CHANCE: Final = "All labels compared are the same, so nothing tells agreement from chance."


def add_to_history(mirror: ProjectMirror, at: float, labels: int, accuracy: Estimate) -> None:
    """Record how a project stands, in place of the last record if that has hardly more labels than the one before.

    So the number of records grows with the logarithm of the labels, and the newest always stands.
    """
    if accuracy.value is None:
        return
    rows = mirror.recall(HISTORY) or []
    if len(rows) > 1 and _is_near(rows[-1][1], rows[-2][1]):
        rows.pop()
    mirror.remember(HISTORY, [*rows, [at, labels, accuracy.value, accuracy.low, accuracy.high]])


def add_problem(mirror: ProjectMirror, kind: Kind, problem: str, *, away: bool = False) -> None:
    """Record why a job failed, the same reason in a row once, and forget the oldest of many."""
    rows = mirror.recall(PROBLEMS) or []
    problem, times = storable(problem), 1
    if rows and rows[-1]["kind"] == kind and rows[-1]["problem"] == problem:
        times += rows.pop()["times"]
    rows.append({"at": now(), "kind": kind, "problem": problem, "times": times, "away": away})
    mirror.remember(PROBLEMS, rows[-_PROBLEMS_KEPT:])


def is_outlook_due(mirror: ProjectMirror, labels: int, circumstances: dict[str, Any]) -> bool:
    """Return whether the forecast was made with 2 % fewer or more labels, or under other circumstances."""
    found = mirror.recall(FORECAST)
    return found is None or found["circumstances"] != circumstances or not _is_near(labels, found["labels"])


def renew_outlook(mirror: ProjectMirror, scores: Scores, circumstances: dict[str, Any]) -> None:
    """Find the forecast and the coefficients of agreement anew: seconds for a large project.

    Parameters
    ----------
    circumstances
        What they depend on besides the labels; a JSON value.
    """
    crowd = scores.answers.crowd
    made = {"labels": len(crowd.label)}
    mirror.remember(RELIABILITY, {**made, "coefficients": _coefficients(crowd)})
    mirror.remember(FORECAST, {**made, "circumstances": circumstances, **_forecast(scores)})


def _is_near(labels: int, before: int) -> bool:
    return before / _STEP < labels < before * _STEP or labels == before


def _forecast(scores: Scores) -> dict[str, Any]:
    from crowdcore.outlook.forecast import forecast_accuracy

    result = scores.result
    if not isinstance(result, HierarchicalResult):
        return {"reason": NO_PROBABILITY}
    most = np.maximum(scores.max_labels - scores.answers.skips, 1)  # a skip takes the place of a label
    ahead = None
    found: dict[str, Any] = {}
    for name, order in (("queue", "priority"), ("random", "random")):
        future = forecast_accuracy(
            result,
            num_labels=ahead,
            order=order,
            target_quality=scores.target_quality,
            min_labels=scores.min_labels,
            max_labels=most,
            level=LEVEL,
        )
        if future.reason:
            return {"reason": future.reason}
        found[name] = {
            "further_labels": future.num_labels.tolist(),
            "mean": future.accuracy.tolist(),
            "low": future.low.tolist(),
            "high": future.high.tolist(),
        }
        if ahead is None:
            needed = Estimate(future.labels_needed, future.labels_needed_low, future.labels_needed_high)
            found["needed"] = asdict(needed)
            ahead = max(int(future.num_labels[-1]), 1)
    return found


def _coefficients(crowd: Crowd) -> dict[str, Any]:
    from crowdcore.identify import annotator_pairs, fleiss_kappa, krippendorff_alpha

    if not len(crowd.label) or crowd.num_answers.max() < 2:
        found = dict.fromkeys(("mean_kappa", "fleiss_kappa", "alpha"), Estimate.unknown(_NO_PAIRS))
    else:
        alpha = krippendorff_alpha(crowd, n_resamples=_RESAMPLES, coverage=LEVEL)
        found = {
            "mean_kappa": _coefficient(annotator_pairs(crowd).mean_kappa),
            "fleiss_kappa": _coefficient(fleiss_kappa(crowd).value),
            "alpha": _coefficient(alpha.value, alpha.low, alpha.high),
        }
    return {name: asdict(value) for name, value in found.items()}


def _coefficient(value: float, low: float = math.nan, high: float = math.nan) -> Estimate:
    if math.isnan(value):
        return Estimate.unknown(_NO_CHANCE)
    return Estimate(value) if math.isnan(low) else Estimate(value, low, high)
