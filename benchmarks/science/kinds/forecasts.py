"""What further answers of any kind bring, forecast and come: quality, agreement with the truth, answers needed.

    python -m benchmarks.science.kinds.forecasts [--data FOLDER] [--draws N] [--out FOLDER]

The crowds are in --data (by default the folder shared/data beside the checkout); some more are drawn at random.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.science.kinds.answers import AREAS, draw_numbers, draw_sets
from benchmarks.science.kinds.crowds import Answer, answers_of, read_crowd, table_of
from benchmarks.science.kinds.rankings import induced, right_pairs
from benchmarks.science.kinds.region_crowds import read_regions
from benchmarks.science.papers.report import Claim, Report, Table, figure, positive, progress
from benchmarks.science.papers.running import carry_out, parser_of
from benchmarks.science.replays import Needed, needed_row
from crowdcore import Crowd
from crowdcore.kinds import (
    AnswerTable,
    KindResult,
    label_sets,
    numbers,
    ordered,
    rankings,
    region_distance,
    regions,
    text_distance,
    texts,
)
from crowdcore.outlook.courses import Question, Waiting
from crowdcore.outlook.growth import Growth, watch_growth
from crowdcore.outlook.quality import QualityForecast, forecast_growth, quality_interval
from harness.region_crowds import draw_regions

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Found = TypeVar("Found")

FEELINGS, APPLIES = ("anger", "joy", "surprise"), 20.0
"""Ratings from 0 to 100 of the same headlines, and from which on a feeling applies: these make sets."""
SHOWN, MOST = (2, 3), 6
"""Answers of each task that are shown before the forecast, and answers that are used at most."""
MOST_TASKS, LEVEL, LEAST_LEFT = 300, 0.9, 20
AT_A_TIME = 2
"""One answer is given to one in so many of the tasks before the consensus is found anew."""
DRAWN = "drawn"


@dataclass(frozen=True, eq=False)
class Case:
    """Answers, how they are believed, and how far a consensus agrees with the truth of its task."""

    name: str
    table: AnswerTable
    believe: Callable[[AnswerTable], Any]
    agrees: Callable[[Any, Any], float]
    truth: Sequence[Any]

    def real(self, result: KindResult) -> Floats:
        """Return how far each consensus agrees with the truth, 0 where there is none; (N,)."""
        there = result.num_answers > 0
        pairs = zip(result.consensus.tolist(), self.truth, there.tolist(), strict=True)
        return np.array([self.agrees(found, truth) if some else 0.0 for found, truth, some in pairs])


def recorded(data: Path) -> Iterator[Case]:
    """Read the crowds of the data folder."""
    for name in ("valence", "anger", "joy", "surprise", "airway-outer"):
        rows = read_crowd(data, f"number-{name}")[:MOST_TASKS]
        truth = [float(np.mean(row["truth"])) for row in rows]
        yield of_numbers(f"number-{name}", table_of(answers_of(rows), len(rows)), truth, logarithms=name in AREAS)
    yield _degrees(data)
    for name in ("ner-mturk-val", "boxes-people"):
        crowd = read_regions(data, name)
        yield Case(name, crowd.table, regions, _f1_of_regions, crowd.truth)
    rows = read_crowd(data, "transcription-dev-clean")[:MOST_TASKS]
    truths = [row["truth"] for row in rows]
    yield Case("transcription-dev-clean", table_of(answers_of(rows), len(rows)), texts, _same_words, truths)
    yield _feelings(data)
    case = induced(data, "number-airway-outer", 0)
    yield Case("rankings of airways", case.table, rankings, lambda found, true: right_pairs(found, true), case.truth)


def drawn(draws: int) -> Iterator[Case]:
    """Draw crowds of sets, numbers, spans and boxes."""
    for at in range(draws):
        table, truth, classes = draw_sets(6 + 5 * at, MOST_TASKS, 1 + MOST)
        yield Case(f"{DRAWN}: sets", table, lambda some, known=classes: label_sets(some, classes=known), f1, truth)
        lengths, true = draw_numbers(100 + at, MOST_TASKS, 1 + MOST, 30)
        yield of_numbers(f"{DRAWN}: numbers", lengths, true.tolist())
        for shape in ("spans", "boxes"):
            regional = draw_regions(shape, 100, 1 + MOST, 4, seed=100 + at, size=40)
            yield Case(f"{DRAWN}: {shape}", regional.table, regions, _f1_of_regions, regional.truth)


def of_numbers(name: str, table: AnswerTable, truth: Sequence[float], *, logarithms: bool = False) -> Case:
    """Return a crowd of numbers, which are right within the tolerance that all answers give."""
    tolerance = numbers(table, logarithms=logarithms).tolerance

    def within(found: float, true: float) -> float:
        off = np.log(found) - np.log(true) if logarithms else found - true
        return float(abs(off) <= tolerance)

    return Case(name, table, lambda some: numbers(some, logarithms=logarithms, tolerance=tolerance), within, truth)


def _degrees(data: Path) -> Case:
    rows = read_crowd(data, "ordinal-web")[: 2 * MOST_TASKS]
    table, truth = table_of(answers_of(rows), len(rows)), [row["truth"] for row in rows]
    degrees = range(1 + int(max(table.values.max(), max(truth))))

    def believe(some: AnswerTable) -> Any:
        return ordered(
            Crowd.from_codes(
                some.task, some.annotator, some.values.astype(np.int64),
                tasks=some.tasks, annotators=some.annotators, classes=degrees,
            )
        )  # fmt: skip

    return Case("ordinal-web", table, believe, lambda found, true: float(found == true), truth)


def _feelings(data: Path) -> Case:
    crowds = {name: read_crowd(data, f"number-{name}") for name in FEELINGS}
    answers, truth = list[Answer](), []
    for at in range(len(crowds[FEELINGS[0]])):
        rows = {name: rows[at] for name, rows in crowds.items()}
        truth.append({name for name, row in rows.items() if np.mean(row["truth"]) >= APPLIES})
        said: dict[str, set[str]] = {}
        for name, row in rows.items():
            for given in row["annotations"]:
                said.setdefault(given["annotator"], set()).update([name] if given["answer"] >= APPLIES else [])
        answers += [(at, who, applies) for who, applies in sorted(said.items())]
    table = table_of(answers, len(truth))
    return Case("feelings, as sets", table, lambda some: label_sets(some, classes=FEELINGS), f1, truth)


def f1(found: Any, true: Any) -> float:
    """Return the F1 of two sets, 1 if both are empty."""
    return 2 * len(found & true) / (len(found) + len(true)) if found or true else 1.0


def _f1_of_regions(found: Any, true: Any) -> float:
    return 1 - region_distance(found, true)


def _same_words(found: str, true: str) -> float:
    return 1 - text_distance(found, true)


@dataclass(frozen=True, eq=False)
class Replay:
    """A crowd of which some answers of each task are shown, and more are given in an order of chance.

    Attributes
    ----------
    case : Case
        The crowd.
    place : ndarray of int, shape (A,)
        The how-manieth of its task each answer is.
    limit : ndarray of int, shape (N,)
        How many answers each task has at most.
    """

    case: Case
    place: Codes
    limit: Codes

    @classmethod
    def of(cls, case: Case, seed: int) -> Replay:
        """Put the answers in an order of chance."""
        table = case.table
        order = np.lexsort((np.random.default_rng(seed).random(len(table.values)), table.task))
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order)) - table.indptr[table.task[order]]
        return cls(case, place, np.minimum(table.num_answers, MOST))

    def believe(self, shown: Codes) -> Any:
        """Return the consensus of so many answers of each task, (N,)."""
        return self.case.believe(self._table(shown))

    def _table(self, shown: Codes) -> AnswerTable:
        return self.case.table.of_answers(self.place < shown[self.case.table.task])

    def growth(self, shown: Codes, quality: Floats, seed: int) -> Growth:
        """Return how quality has grown with so many answers of each task."""
        some = self._table(shown)

        def without(hidden: NDArray[np.bool_]) -> list[Floats]:
            return [self.case.believe(some.of_answers(~hidden)).quality]

        return watch_growth([quality], shown, some.task, without, seed=seed)[0]


@dataclass(frozen=True, eq=False)
class Outcome:
    """A forecast beside what came.

    Attributes
    ----------
    forecast : QualityForecast
        As it was made.
    seen, real : ndarray of shape (S,)
        The mean quality, and the agreement with the truth, after as many answers.
    needed : Needed or None
        Answers until the target was reached everywhere; None if those were few.
    """

    forecast: QualityForecast
    seen: Floats
    real: Floats
    needed: Needed | None

    @property
    def held(self) -> NDArray[np.bool_]:
        """Where the interval holds what is true."""
        return (self.real >= self.forecast.low) & (self.real <= self.forecast.high)


def foretell(replay: Replay, first: int, order: str, seed: int) -> Outcome | None:
    """Forecast what comes after so many answers of each task, and let it come; None where nothing is forecast."""
    shown = np.minimum(first, replay.limit)
    result = replay.believe(shown)
    question = Question(result.quality, replay.growth(shown, result.quality, seed), np.ones(len(shown), np.bool_))
    left = int((replay.limit - shown).sum())
    waiting = Waiting(shown, shown >= replay.limit, replay.limit - shown)
    found = forecast_growth([question], waiting, num_labels=left, order=order, target_quality=1.0, level=LEVEL)[0]
    if found.reason:
        return None
    sizes, seen, real = zip(*_reveal(replay, shown, order, seed), strict=True)
    came = [np.interp(found.num_labels, sizes, values) for values in (seen, real)]
    return Outcome(found, came[0], came[1], _needed(replay, shown, question, seed))


def _reveal(replay: Replay, first: Codes, order: str, seed: int) -> Iterator[tuple[int, float, float]]:
    """Yield how many answers came, the mean quality, and the agreement with the truth."""
    rng, shown = np.random.default_rng(seed), first.copy()
    while True:
        result = replay.believe(shown)
        yield int((shown - first).sum()), float(result.quality.mean()), float(replay.case.real(result).mean())
        waiting = rng.permutation(np.flatnonzero(shown < replay.limit))
        if not len(waiting):
            return
        if order == "priority":
            waiting = waiting[np.argsort(result.quality[waiting], kind="stable")]
        shown[waiting[: -(-len(first) // AT_A_TIME)]] += 1


def _needed(replay: Replay, first: Codes, question: Question, seed: int) -> Needed | None:
    """Ask for answers until all tasks have the median quality that all answers give, or all that they may have."""
    target = float(np.median(replay.believe(replay.limit).quality))
    rng, shown, settled = np.random.default_rng(seed), first.copy(), np.zeros(len(first), np.bool_)
    quality = question.quality
    good = quality >= target
    found = forecast_growth(
        [question], Waiting(first, good | (first >= replay.limit), replay.limit - first),
        target_quality=target, level=LEVEL,
    )[0]  # fmt: skip
    while True:
        settled = settled | (quality >= target) | (shown >= replay.limit)
        waiting = rng.permutation(np.flatnonzero(~settled))
        if not len(waiting):
            break
        shown[waiting[np.argsort(quality[waiting], kind="stable")][: -(-len(first) // AT_A_TIME)]] += 1
        quality = replay.believe(shown).quality
    came = int((shown - first).sum())
    ends = found.labels_needed_low, found.labels_needed, found.labels_needed_high
    return Needed(*ends, came) if came >= LEAST_LEFT else None


def _now(replay: Replay, first: int) -> tuple[float, float, bool]:
    """Return the quality with so many answers of each task, the agreement with the truth, and whether that is held."""
    result = replay.believe(np.minimum(first, replay.limit))
    there = result.num_answers > 0
    real = float(replay.case.real(result)[there].mean())
    low, high = quality_interval(result.quality[there], level=LEVEL)
    return float(result.quality[there].mean()), real, bool(low <= real <= high)


def run(data: Path, draws: int) -> Report:
    """Measure everything."""
    groups: dict[str, list[Outcome]] = {}
    nows: dict[str, list[tuple[float, float, bool]]] = {}
    cases = [*recorded(data), *drawn(draws)]
    for case in track(cases, "crowds", console=progress, transient=True):
        for first in SHOWN:
            for seed, order in enumerate(("priority", "random")):
                replay = Replay.of(case, seed)
                found = foretell(replay, first, order, seed)
                if found is not None:
                    groups.setdefault(case.name, []).append(found)
        nows[case.name] = nows.get(case.name, []) + [_now(Replay.of(case, 0), first) for first in range(2, MOST + 1)]
    return _report(groups, nows)


def _report(groups: dict[str, list[Outcome]], nows: dict[str, list[tuple[float, float, bool]]]) -> Report:
    report = Report(
        "forecasts",
        "What further answers of any kind bring",
        f"Of each task {SHOWN[0]} or {SHOWN[1]} answers are shown, and what the others bring, up to {MOST}, is "
        "forecast and compared with what came, in the order of the queue and in an order of chance. Quality is what "
        "each kind of answers calls so ([kinds](../kinds.md)): the expected F1 of sets, spans and boxes, the chance to "
        "be within the tolerance or to be right, the share of right pairs or words.",
    )
    parts = {"the data folder": _of(groups, drawn=False), DRAWN: _of(groups, drawn=True)}
    both = {**groups, **{f"**{name}**": found for name, found in parts.items()}}
    report.tables += [
        Table(
            "How good the consensus is now: 90 % intervals",
            ("crowd", "mean quality", "agreement with the truth", "held"),
            [[name, *_now_row(found)] for name, found in nows.items()],
            f"With 2 to {MOST} answers of each task; means.",
        ),
        Table(
            "Forecasts: 90 % bands",
            (
                "crowd", "forecasts", "hold the truth", "at the end", "median width", "quality now", "at the end",
                "foreseen", "off by", "truth gained",
            ),
            [[name, *_forecast_row(found)] for name, found in both.items() if found],
            "The share of all points of the band that hold the agreement with the truth; the mean quality that was "
            "seen, at first and after all answers, and the one foreseen; by how much that is off, on average.",
        ),
        Table(
            "Answers still needed: 90 % intervals",
            ("crowd", "forecasts", "hold", "fewer came", "more came", "width", "median is off", "by size"),
            [needed_row(name, there) for name, found in both.items()
             if (there := [each.needed for each in found if each.needed is not None])],
            "Until every task has the median quality that all answers give, or all answers that it may have. Width and "
            "what the median is off as shares of what came, medians over forecasts.",
        ),
    ]  # fmt: skip
    told = {"the data folder": _of(nows, drawn=False), DRAWN: _of(nows, drawn=True)}
    for name, found in parts.items():
        needed = [each.needed.held for each in found if each.needed is not None]
        for what, share in (
            ("how good it is now", np.mean([held for *_, held in told[name]])),
            ("forecast", np.mean([each.held.mean() for each in found])),
            ("answers still needed", np.mean(needed)),
        ):
            claim = f"90 % intervals hold what comes in 85 % or more: {what}, {name}"
            report.claims.append(Claim(claim, figure(float(share), 2), bool(share >= 0.845)))
    report.notes += [
        "The errors in logits, .7 of quality and .6 of what more answers tell, are those of answers of one class; how "
        "steps become smaller beyond those seen was chosen on other drawn crowds. Nothing was set by the crowds of the "
        "data folder, which are eleven; their forecasts, with more and with fewer answers, are no further crowds.",
        "The crowd of feelings is made of ratings. Its truth has 1.0 feelings a task, its answers .7 on average: "
        "annotators miss the same ones, and quality promises far too much. No answer tells that.",
        "Drawn numbers have errors that are independent. Their quality expects shared ones, as people have them, and "
        "is too low.",
    ]
    return report


def _of(groups: dict[str, list[Found]], *, drawn: bool) -> list[Found]:
    return [each for name, found in groups.items() if name.startswith(DRAWN) == drawn for each in found]


def _now_row(found: Sequence[tuple[float, float, bool]]) -> list[str]:
    return [figure(float(value), 2) for value in np.mean(np.array(found, float), axis=0)]


def _forecast_row(found: Sequence[Outcome]) -> list[str]:
    first, last, foreseen, true, gained = np.array(
        [(each.seen[0], each.seen[-1], each.forecast.estimated[-1], each.held[-1], each.real[-1] - each.real[0])
         for each in found]
    ).T  # fmt: skip
    width = float(np.median([each.forecast.high[-1] - each.forecast.low[-1] for each in found]))
    cells = [np.mean([each.held.mean() for each in found]), true.mean(), width]
    more = [first.mean(), last.mean(), foreseen.mean(), np.abs(foreseen - last).mean(), gained.mean()]
    return [f"{len(found)}", *(figure(float(cell), 2) for cell in cells), *(figure(float(cell)) for cell in more)]


def main() -> int:
    """Run the benchmark; see the module's description."""
    parser = parser_of("benchmarks.science.kinds.forecasts", __doc__)
    parser.add_argument("--draws", type=positive, default=2, help="crowds drawn of each kind (2)")
    return carry_out(parser, "benchmarks.science.kinds.forecasts", run)


if __name__ == "__main__":
    sys.exit(main())
