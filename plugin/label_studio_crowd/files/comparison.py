"""All methods side by side on a crowd whose truth is known."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from crowdcore.aggregate.methods import METHODS, Method, find_method, run_method
from crowdcore.crowd.table import Crowd
from label_studio_crowd.files.evidence import Evidence
from label_studio_crowd.files.method_options import of_people

if TYPE_CHECKING:
    import pandas as pd

BINS: Final = 10
"""Equal bins of confidence, for the calibration error."""
_WARM_UP: Final = 20
_LEAST: Final = 1e-15
_OPTIONS: Final = {"pred_probs": "--probabilities", "features": "--features"}


@dataclass(frozen=True)
class Row:
    """What a method achieved, on the tasks that have answers and a known truth.

    Attributes
    ----------
    method
        Its name.
    accuracy, low, high
        Share of right labels, tasks without a label counted as wrong, and Wilson's 95 % interval.
    undecided
        Tasks to which the method gives no label.
    log_loss
        Mean negative logarithm of the true class's probability, each at least 1e-15.
    calibration_error
        Mean distance between a label's probability and the share that is right, over ten equal bins.
    seconds
        Of computing, compilation left out.
    note
        Why there is nothing: skipped, or failed.
    """

    method: str
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    undecided: int | None = None
    log_loss: float | None = None
    calibration_error: float | None = None
    seconds: float | None = None
    note: str = ""


def chosen_methods(names: Sequence[str]) -> list[Method]:
    """Return the methods of these names, each once; all if there are none.

    Raises
    ------
    ValueError
        If a name is not known.
    """
    return list(dict.fromkeys(map(find_method, names))) or list(METHODS.values())


def missing_evidence(method: Method, evidence: Evidence) -> str:
    """Return why a method cannot be run on what is given, "" if it can."""
    absent = [_OPTIONS[what] for what in sorted(method.needs) if getattr(evidence, what) is None]
    if absent:
        return f"needs {' and '.join(absent)}"
    if method.binary and len(evidence.crowd.classes) != 2:
        return f"is for two classes, and there are {len(evidence.crowd.classes)}"
    return ""


def compare(
    evidence: Evidence,
    truth: pd.Series[Any],
    methods: Sequence[Method],
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> list[Row]:
    """Run methods one after the other; best first, then those that failed or were skipped.

    Parameters
    ----------
    evidence
        The crowd and what else the methods may use; not its known labels.
    truth
        True labels by task. A class that nobody chose is right for no method.
    methods
        From `chosen_methods`.
    progress
        Told the method's name, how many are done, and how many there are.
    """
    from crowdcore.crowd.ids import as_array

    crowd = evidence.crowd
    place = _places(truth.index, crowd.tasks)
    codes = np.append(_places(crowd.classes, as_array(truth.to_numpy())), -1)[place]
    scored = (place >= 0) & (crowd.num_answers > 0)
    rows = []
    for done, method in enumerate(methods):
        progress(method.name, done, len(methods))
        reason = missing_evidence(method, evidence)
        rows.append(Row(method.name, note=f"skipped: {reason}") if reason else _run(method, evidence, codes, scored))
    progress("", len(methods), len(methods))
    return sorted(rows, key=lambda row: (row.accuracy is None, not row.note.startswith("failed"), -(row.accuracy or 0)))


def _places(known: Any, wanted: Any) -> NDArray[np.int64]:
    import pandas as pd

    found: NDArray[np.int64] = pd.Index(known).get_indexer(pd.Index(wanted))
    return found


def _run(method: Method, evidence: Evidence, codes: NDArray[np.int64], scored: NDArray[np.bool_]) -> Row:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if "features" not in method.needs:  # those spend their time in scikit-learn
            with suppress(Exception):  # compiles what it needs; what fails here fails below, and is told there
                few = np.flatnonzero(scored)[:_WARM_UP]
                _aggregated(method, evidence.crowd.select_tasks(few), evidence, few)
        started = time.perf_counter()
        try:
            found = _aggregated(method, evidence.crowd, evidence)
        except Exception as error:  # one method's failure is a row, so that the others are seen
            return Row(method.name, note=f"failed: {error or type(error).__name__}")
        seconds = time.perf_counter() - started
    given, probas, truth = found.aggregator.codes_[scored], found.probas[scored], codes[scored]
    right = (given == truth) & (given >= 0)
    low, high = _wilson(int(right.sum()), len(right))
    decided = given >= 0
    confidence = probas[decided, given[decided]]
    true_share = np.where(truth >= 0, probas[np.arange(len(truth)), truth], 0.0)
    return Row(
        method.name,
        float(right.mean()),
        low,
        high,
        int((~decided).sum()),
        float(np.log(1 / np.clip(true_share, _LEAST, 1)).mean()),
        _calibration_error(confidence, right[decided]),
        seconds,
    )


def _aggregated(method: Method, crowd: Crowd, evidence: Evidence, rows: Any = slice(None)) -> Any:
    return run_method(
        method,
        crowd,
        pred_probs=None if evidence.pred_probs is None else evidence.pred_probs.iloc[rows],
        features=None if evidence.features is None else evidence.features[rows],
        options=of_people(method, crowd),
    )


def _wilson(right: int, total: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    interval = binomtest(right, total).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float | None:
    if not len(right):
        return None
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(place, confidence - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(right))
