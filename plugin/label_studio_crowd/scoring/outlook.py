"""What pages show besides a snapshot: the history of a project, and its forecast."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdcore import Crowd, CrowdlabResult
from crowdcore.hierarchical.result import HierarchicalResult
from crowdcore.kinds import NumberResult
from crowdcore.outlook.quality import QualityForecast
from label_studio_crowd.estimate import LEVEL, Estimate
from label_studio_crowd.scoring.accuracy import NO_PROBABILITY
from label_studio_crowd.scoring.agreement_alone import AgreementAlone
from label_studio_crowd.scoring.growth import Without, forecast_by_growth
from label_studio_crowd.scoring.kinds import KindBelief
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.store.facts import Fact, Facts, PlainFact
from label_studio_crowd.store.people import are_models
from label_studio_crowd.store.reports import RunReport

NOT_YET: Final = "It is computed in the background, some time after a run."
"""Why there is no forecast, and no coefficient of agreement, before the first were computed."""

MOST_COMPARED: Final = 40
"""Annotators who are compared two by two."""
_COMPARISONS: Final = 6000
_STEP: Final = 1.02
_RESAMPLES: Final = 200
_NO_PAIRS: Final = "No task has labels by two annotators."
_FOR_CLASSES: Final = "It is for answers of one class."
_NO_CHANCE: Final = "All labels compared are the same, so agreement cannot be separated from chance."


class Moment(NamedTuple):
    """How the project stood at a time (Unix time): labels, and the estimated accuracy with its interval."""

    at: float
    labels: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class History(PlainFact):
    """How the project stood after past runs, the oldest first."""

    fact = "history"

    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True)
class Curve:
    """Accuracy after so many further labels: mean, and 90 % band; all of the same length.

    It is the share of *all* tasks whose consensus is right, tasks without one being wrong: so it begins elsewhere than
    the accuracy of a snapshot, which is of the tasks with labels. Of answers that are not one class, and where several
    controls are scored, it is how far the consensus is expected to agree with the truth.
    """

    further_labels: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Forecast(Fact):
    """What further labels are expected to bring, or the reason why that is not known.

    Attributes
    ----------
    labels
        How many labels there were when it was made.
    circumstances
        What it depends on besides the labels.
    needed
        Further labels until every task is settled; None where no control tells.
    queue, random
        Labels given in the order of the queue, and to tasks by chance; None where there is a reason.
    reason
        "" where there is a forecast.
    control, others
        Which control the curves are about, and the same for the others; "" and () where there is only one.
    """

    fact = "forecast"

    labels: int
    circumstances: Mapping[str, Any]
    needed: Estimate | None = None
    queue: Curve | None = None
    random: Curve | None = None
    reason: str = ""
    control: str = field(kw_only=True)  # without it, an earlier release made it, which knew only classes
    others: tuple[Forecast, ...] = ()

    def of_control(self, name: str) -> Forecast | None:
        """Return that of a control; None if it has not been made."""
        return next((each for each in (self, *self.others) if each.control in ("", name)), None)


@dataclass(frozen=True)
class Reliability(Fact):
    """Coefficients of agreement.

    Attributes
    ----------
    labels
        How many labels there were when they were found.
    coefficients
        Of mean_kappa, fleiss_kappa and alpha.
    similar
        Of answers that are not one class: two annotators, how similar their answers to shared tasks are on average, in
        [0, 1], and on how many tasks that was looked at; of those with most answers.
    control, others
        Which control all of this is about, and the same for the others; "" and () where there is only one.
    alone
        Agreement by the controls that are not scored.
    """

    fact = "reliability"

    labels: int
    coefficients: Mapping[str, Estimate]
    similar: tuple[tuple[int, int, float, int], ...] = ()
    control: str = ""
    others: tuple[Reliability, ...] = ()
    alone: tuple[AgreementAlone, ...] = ()

    def of_control(self, name: str) -> Reliability | None:
        """Return that of a control; None if it has not been found."""
        return next((each for each in (self, *self.others) if each.control in ("", name)), None)


@dataclass(frozen=True)
class DryRun(Fact):
    """What a run would change, and when that was found out (Unix time)."""

    fact = "dry_run"

    at: float
    report: RunReport


def add_to_history(facts: Facts, at: float, labels: int, accuracy: Estimate) -> None:
    """Record how a project stands, in place of the last record if that has hardly more labels than the one before.

    So the number of records grows with the logarithm of the labels, and the newest always stands.
    """
    if accuracy.value is None or accuracy.low is None or accuracy.high is None:
        return
    rows = (facts.read(History) or History()).moments
    if len(rows) > 1 and _is_near(rows[-1].labels, rows[-2].labels):
        rows = rows[:-1]
    facts.write(History((*rows, Moment(at, labels, accuracy.value, accuracy.low, accuracy.high))))


def is_outlook_due(facts: Facts, labels: int, circumstances: Mapping[str, Any]) -> bool:
    """Return whether the forecast was made with 2 % fewer or more labels, or under other circumstances."""
    found = facts.read(Forecast)
    return found is None or found.circumstances != circumstances or not _is_near(labels, found.labels)


def renew_outlook(
    facts: Facts,
    scores: Scores,
    circumstances: Mapping[str, Any],
    without: Without,
    alone: tuple[AgreementAlone, ...] = (),
) -> None:
    """Compute the forecast and the coefficients of agreement, both of people: seconds for a large project.

    Parameters
    ----------
    circumstances
        What they depend on besides the labels; a JSON value.
    without
        Scores the project without some labels.
    alone
        Agreement by the controls that are not scored.
    """
    first, *others = (replace(_reliability(each), alone=alone) for each in scores.controls)
    facts.write(replace(first, others=tuple(others), control=first.control if others else ""))
    facts.write(_forecast(scores, circumstances, without))


def _is_near(labels: int, before: int) -> bool:
    return before / _STEP < labels < before * _STEP or labels == before


def _forecast(scores: Scores, circumstances: Mapping[str, Any], without: Without) -> Forecast:
    if any(isinstance(part.result, CrowdlabResult) for part in scores.controls):
        return Forecast(int(scores.num_labels.sum()), circumstances, reason=NO_PROBABILITY, control="")
    if isinstance(scores.result, HierarchicalResult) and not scores.parts:
        return _forecast_of_classes(scores, scores.result, circumstances)
    labels, names = int(scores.num_labels.sum()), [part.answers.control.name for part in scores.parts] or [""]
    by_order = forecast_by_growth(scores, without)
    made = Forecast(labels, circumstances, needed=_needed(by_order["priority"]), control="")
    first, *others = (
        _with_curves(made, queue, chance, name)
        for queue, chance, name in zip(by_order["priority"], by_order["random"], names, strict=True)
    )
    return replace(first, others=tuple(others))


def _needed(forecasts: Sequence[QualityForecast]) -> Estimate | None:
    """Return how many labels all controls together need; None where no control tells."""
    told = (
        Estimate(one.labels_needed, one.labels_needed_low, one.labels_needed_high)
        for one in forecasts
        if not one.reason
    )
    return next(told, None)


def _with_curves(made: Forecast, queue: QualityForecast, chance: QualityForecast, control: str) -> Forecast:
    if queue.reason:
        return replace(made, reason=queue.reason, control=control)
    in_turn, at_random = (_curve(one.num_labels, one.quality, one.low, one.high) for one in (queue, chance))
    return replace(made, queue=in_turn, random=at_random, control=control)


def _curve(*numbers: NDArray[Any]) -> Curve:
    return Curve(*(tuple(each.tolist()) for each in numbers))


def _forecast_of_classes(scores: Scores, result: HierarchicalResult, circumstances: Mapping[str, Any]) -> Forecast:
    from crowdcore.outlook.forecast import forecast_accuracy

    labels = int(scores.num_labels.sum())
    most = np.maximum(scores.max_labels - scores.answers.skips, 1)  # a skip takes the place of a label
    ahead, needed, curves = None, None, {}
    for name, order in (("queue", "priority"), ("random", "random")):
        future = forecast_accuracy(
            result,
            num_labels=ahead,
            order=order,
            target_quality=scores.target_quality,
            min_labels=scores.min_labels,
            max_labels=most,
            level=LEVEL,
            people=~scores.answers.are_models if scores.answers.are_models.any() else None,
        )
        if future.reason:
            return Forecast(labels, circumstances, reason=future.reason, control="")
        curves[name] = _curve(future.num_labels, future.accuracy, future.low, future.high)
        if ahead is None:
            needed = Estimate(future.labels_needed, future.labels_needed_low, future.labels_needed_high)
            ahead = max(int(future.num_labels[-1]), 1)
    return Forecast(labels, circumstances, needed, curves["queue"], curves["random"], control="")


def _reliability(scores: Scores) -> Reliability:
    labels, control, result = int(scores.num_labels.sum()), scores.answers.control.name, scores.result
    if isinstance(result, KindBelief):
        return Reliability(labels, _coefficients_of(result), _similar(result), control)
    return Reliability(labels, _coefficients(scores.answers.labels), (), control)


def _coefficients(crowd: Crowd) -> dict[str, Estimate]:
    from crowdcore.identify import annotator_pairs, fleiss_kappa, krippendorff_alpha

    if not len(crowd.label) or crowd.num_answers.max() < 2:
        return dict.fromkeys(("mean_kappa", "fleiss_kappa", "alpha"), Estimate.unknown(_NO_PAIRS))
    alpha = krippendorff_alpha(crowd, n_resamples=_RESAMPLES, coverage=LEVEL)
    return {
        "mean_kappa": _coefficient(annotator_pairs(crowd).mean_kappa),
        "fleiss_kappa": _coefficient(fleiss_kappa(crowd).value),
        "alpha": _coefficient(alpha.value, alpha.low, alpha.high),
    }


def _coefficients_of(belief: KindBelief) -> dict[str, Estimate]:
    """Return alpha of what people answered, with the distance of the kind of answers; kappas are for classes."""
    from crowdcore.kinds.agreement import alpha

    people = belief.compared.of_annotators(~are_models(belief.compared.annotators))
    value, low, high = alpha(people, belief.distance, n_resamples=_RESAMPLES, coverage=LEVEL)
    kappas = dict.fromkeys(("mean_kappa", "fleiss_kappa"), Estimate.unknown(_FOR_CLASSES))
    return {**kappas, "alpha": _coefficient(value, low, high)}


def _similar(belief: KindBelief) -> tuple[tuple[int, int, float, int], ...]:
    """Return how similar the answers of each two annotators are, on tasks in an order of chance."""
    table, alike = belief.compared, _similarity(belief)
    counts = np.bincount(table.annotator, minlength=len(table.annotators))
    most = set(np.argsort(-counts, kind="stable")[:MOST_COMPARED].tolist())
    found: dict[tuple[int, int], list[float]] = {}
    looked = 0
    for task in np.random.default_rng(0).permutation(len(table.tasks)).tolist():
        answers = range(int(table.indptr[task]), int(table.indptr[task + 1]))
        for one, other in combinations([answer for answer in answers if int(table.annotator[answer]) in most], 2):
            pair = int(table.annotator[one]), int(table.annotator[other])
            found.setdefault(pair, []).append(alike(table.values[one], table.values[other]))
            looked += 1
        if looked >= _COMPARISONS:
            break
    ids = table.annotators.tolist()
    return tuple(
        (int(ids[one]), int(ids[other]), float(np.mean(similar)), len(similar))
        for (one, other), similar in sorted(found.items())
    )


def _similarity(belief: KindBelief) -> Callable[[Any, Any], float]:
    """Return how similar two answers are, in [0, 1]; of numbers whether they are within the tolerance."""
    if isinstance(belief.found, NumberResult) and belief.compared is belief.found.answers:
        most = belief.found.tolerance
        return lambda one, other: float(abs(one - other) <= most)
    return lambda one, other: min(max(1.0 - belief.distance(one, other), 0.0), 1.0)


def _coefficient(value: float, low: float = math.nan, high: float = math.nan) -> Estimate:
    if math.isnan(value):
        return Estimate.unknown(_NO_CHANCE)
    return Estimate(value) if math.isnan(low) else Estimate(value, low, high)
