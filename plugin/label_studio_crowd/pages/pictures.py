"""What is drawn of a project, and what each picture says in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timezone, tzinfo

from label_studio_crowd.pages.charts import (
    Chart,
    Line,
    count_axis,
    histogram,
    line_chart,
    named_axis,
    share_axis,
    time_axis,
)
from label_studio_crowd.pages.insights import Histogram, Period
from label_studio_crowd.pages.insights.kinds import NumbersHabits, RegionsHabits
from label_studio_crowd.pages.words import count, duration, percent
from label_studio_crowd.scoring.outlook import Forecast, Moment

_INTERVAL = "90\u00a0% interval"


def quality_chart(found: Histogram) -> Chart | None:
    """Return how many tasks have a consensus of which quality; None where nobody has said anything."""
    total = sum(found.settled) + sum(found.unsettled)
    if not total:
        return None
    high = sum(found.settled[-2:]) + sum(found.unsettled[-2:])
    says = (
        f"Bars: the quality of the consensus of {count(total, 'task')}. It is {percent(found.edges[-3])} or more in "
        f"{count(high)}; no more labels are needed in {count(sum(found.settled))}."
    )
    heights = [sum(both) for both in zip(found.settled, found.unsettled, strict=True)]
    edges = named_axis("quality of the consensus (%)", [f"{100 * edge:g}" for edge in found.edges])
    parts = [("need no more labels", found.settled), ("wait for labels", found.unsettled)]
    return histogram(says, range(len(found.edges)), parts, edges, count_axis("tasks", heights))


def history_chart(history: Sequence[Moment], zone: tzinfo = timezone.utc, *, is_class: bool = True) -> Chart | None:
    """Return the estimated accuracy, or agreement with the truth, over time; None before there are two runs."""
    if len(history) < 2:
        return None
    first, last = history[0], history[-1]
    says = (
        f"A line: the estimated {_what(is_class)} over time, from {percent(first.accuracy, 1)} with "
        f"{count(first.labels, 'label')} to {percent(last.accuracy, 1)} with {count(last.labels, 'label')}."
    )
    line = Line(
        f"estimated {_what(is_class)}",
        [(moment.at, moment.accuracy) for moment in history],
        band=[(moment.at, moment.low, moment.high) for moment in history],
        band_name=_INTERVAL,
    )
    lowest = (moment.low for moment in history)
    when = time_axis([moment.at for moment in history], zone)
    return line_chart(says, [line], when, share_axis(_what(is_class), lowest))


def _what(is_class: bool) -> str:
    return "accuracy" if is_class else "agreement with the truth"


def forecast_chart(forecast: Forecast, *, is_class: bool = True) -> Chart | None:
    """Return the accuracy, or agreement, that further labels are expected to bring; None where none are needed."""
    queue, chance = forecast.queue, forecast.random
    if queue is None or chance is None:
        return None
    if len(queue.further_labels) < 2:
        return None
    says = (
        f"Lines: the {_what(is_class)} expected after {count(queue.further_labels[-1])} further labels: "
        f"{percent(queue.mean[-1], 1)} in the order of the queue, and {percent(chance.mean[-1], 1)} in random order "
        f"after {count(chance.further_labels[-1])}. Today it is {percent(queue.mean[0], 1)}."
    )
    lines = [
        Line(
            "in the queue's order",
            list(zip(queue.further_labels, queue.mean, strict=True)),
            band=list(zip(queue.further_labels, queue.low, queue.high, strict=True)),
            band_name=_INTERVAL,
        ),
        Line("in random order", list(zip(chance.further_labels, chance.mean, strict=True)), "second", dashed=True),
    ]
    far = [queue.further_labels[-1], chance.further_labels[-1]]
    return line_chart(
        says,
        lines,
        count_axis("further labels", far),
        share_axis(f"expected {_what(is_class)}", [*queue.low, *chance.mean]),
    )


def exactness_chart(found: RegionsHabits) -> Chart | None:
    """Return how far an annotator's boundaries agree with the consensus; None where none can be compared."""
    total = sum(found.counts)
    if not total:
        return None
    far = sum(count for edge, count in zip(found.edges, found.counts, strict=False) if edge < 0.7)
    says = f"Bars: how far {count(total, 'region')} agree with the consensus' boundaries; {count(far)} by less than .7."
    edges = named_axis("agreement of the boundaries", [f"{edge:g}" for edge in found.edges])
    return histogram(
        says, range(len(found.edges)), [("regions", found.counts)], edges, count_axis("regions", found.counts)
    )


def errors_chart(found: NumbersHabits) -> Chart | None:
    """Return how much too large an annotator's numbers are; None with few of them."""
    if not found.counts:
        return None
    says = (
        f"Bars: how much too large {count(sum(found.counts), 'answer')} are, from "
        f"{_difference(found, found.edges[0])} to {_difference(found, found.edges[-1])}."
    )
    edges = named_axis("too large by", [_difference(found, edge) for edge in found.edges])
    return histogram(
        says, range(len(found.edges)), [("answers", found.counts)], edges, count_axis("answers", found.counts)
    )


def _difference(found: NumbersHabits, edge: float) -> str:
    return "-" * (edge < 0) + duration(abs(edge)) if found.in_seconds else f"{edge:.2g}"


def periods_chart(periods: Sequence[Period], *, calibrated: bool, is_class: bool = True) -> Chart | None:
    """Return an annotator's quality over their labels, as a share where it is one; None with too few of them."""
    known = [
        (float(period.last), period.quality.value, period.quality.low, period.quality.high)
        for period in periods
        if period.quality.value is not None
    ]
    if len(known) < 2:
        return None
    if not calibrated:
        what, name, title = "score of their labels", "score", "score"
    elif is_class:
        what, name, title = "share of their labels that are right", "right", "share right"
    else:
        what = name = title = "expected agreement with the truth"
    says = f"A line: the {what}, from {percent(known[0][1])} of the first to {percent(known[-1][1])} of the last."
    band = [(at, low, high) for at, _, low, high in known if low is not None and high is not None and calibrated]
    line = Line(name, [(at, value) for at, value, _, _ in known], band=band, band_name=_INTERVAL)
    lowest = [value for _, value, _, _ in known] + [low for _, low, _ in band]
    return line_chart(says, [line], count_axis("labels given", [known[-1][0]]), share_axis(title, lowest))
