"""Answers that are numbers, dates and times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from crowdcore.kinds import AnswerTable, NumberResult, numbers
from crowdcore.kinds.agreement import squared_distance
from label_studio_crowd.scoring.kinds.kind import Details, Floats, Kind, Told
from label_studio_crowd.scoring.kinds.marked_texts import NO_TEXTS, Text
from label_studio_crowd.store.people import are_models
from label_studio_crowd.studio.controls import Control
from label_studio_crowd.studio.controls.forms.numbers import length_of


class Numbers(Kind[NumberResult]):
    """Numbers; dates and times are seconds."""

    def believe(
        self,
        control: Control,
        table: AnswerTable,
        known: Sequence[Any],
        marked: Mapping[int, Text] = NO_TEXTS,
        model: Floats | None = None,
    ) -> NumberResult:
        """See `Kind`."""
        truths = [np.nan if value is None else value for value in known]
        predicted = None if model is None else model[:, 0]
        people = ~are_models(table.annotators)
        return numbers(table, predicted, known=truths, tolerance=control.step, people=people)

    def columns(self, control: Control, answers: Iterable[Any]) -> tuple[str, ...]:
        """See `Kind`: the number."""
        return ("number",)

    def hears(self, found: NumberResult) -> bool:
        """See `Kind`."""
        return found.explained > 0

    def by_model(self, control: Control, P: Floats, answers: Sequence[Any]) -> list[tuple[Any, float] | None]:
        """See `Kind`: the number; how sure it is, a regressor does not say."""
        whole = all(float(value).is_integer() for value in answers)
        width = float(np.std(answers)) if len(answers) else 0.0
        return [
            None if np.isnan(number) else (_on_scale(control, number, whole, width), 0.0) for number in P[:, 0].tolist()
        ]

    def consensus(self, control: Control, found: NumberResult) -> list[Any]:
        """See `Kind`."""
        table = found.answers
        by_people = table.of_annotators(~are_models(table.annotators)).values
        whole = all(float(value).is_integer() for value in (by_people if len(by_people) else table.values))
        told = zip(found.consensus.tolist(), found.known.tolist(), np.ptp(found.interval, axis=1).tolist(), strict=True)
        return [
            None if np.isnan(number) else number if known else _on_scale(control, number, whole, width)
            for number, known, width in told
        ]

    def tell(self, control: Control, found: NumberResult) -> Told:
        """See `Kind`."""
        predicted = found.predictions if found.predictions is not None and self.hears(found) else None
        says = [None] * len(found.consensus) if predicted is None else predicted.tolist()
        tasks = [
            f"90 % interval {_bound(control, low, high)} to {_bound(control, high, low)}"
            + _said(control, number, high - low)
            if np.isfinite(low)
            else ""
            for (low, high), number in zip(found.interval.tolist(), says, strict=True)
        ]
        shown = length_of if control.tag == "datetime" and control.written != "year" else "{:.3g}".format
        people = [
            f"bias {'+' * int(bias >= 0)}{shown(bias)}, spread {shown(spread)}"
            for bias, spread in zip(found.annotators.more["bias"], found.annotators.more["spread"], strict=True)
        ]
        return Told(tuple(tasks), tuple(people))

    def details(self, found: NumberResult, given: Sequence[Any], consensus: Sequence[Any]) -> Details:
        """See `Kind`; also the ends of each task's interval, (N,), and the tolerance, (1,)."""
        low, high = found.interval.T
        return {
            **super().details(found, given, consensus),
            "low": low,
            "high": high,
            "tolerance": np.array([found.tolerance]),
        }

    def distance(self, one: Any, other: Any) -> float:
        """See `Kind`."""
        return squared_distance(one, other)


def _on_scale(control: Control, number: float, whole: bool, width: float) -> float:
    """Return a number that annotators could have given: on a step, within the bounds, whole where all answers are."""
    if control.step:
        start = control.least or 0.0
        number = start + round((number - start) / control.step) * control.step
    elif whole:
        number = float(round(number))
    if control.least is not None:
        number = max(number, control.least)
    if control.most is not None:
        number = min(number, control.most)
    return float(number) if float(number).is_integer() else round(number, max(_digits(width), _digits(number) + 4))


def _bound(control: Control, bound: float, other: float) -> str:
    """Return an end of an interval with as many digits as its width asks for."""
    return control.show(bound if control.tag == "datetime" else round(bound, max(_digits(bound - other), 0)))


def _said(control: Control, number: float | None, width: float) -> str:
    """Return what the classifier says, as a person reads it; "" where it says nothing."""
    if number is None or np.isnan(number):
        return ""
    return f"; the classifier says {_bound(control, number, number + width)}"


def _digits(width: float) -> int:
    """Return the decimal places at which a width has two digits."""
    return int(np.clip(1 - np.floor(np.log10(abs(width))), -12, 12)) if width and np.isfinite(width) else 12
