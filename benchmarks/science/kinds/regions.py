"""The consensus of regions beside token tags, quorums, fused boxes and STAPLE, on crowds whose truth is known.

    python -m benchmarks.science.kinds.regions [--data FOLDER] [--draws N] [--out FOLDER]

The crowds are in --data (by default the folder shared/data beside the checkout); those of masks are drawn.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.science.kinds.region_crowds import (
    RegionCrowd,
    alike,
    annotators_f1,
    at_most,
    calibration_error,
    micro_f1,
    read_regions,
    real_units,
    some_answers,
)
from benchmarks.science.kinds.region_peers import (
    box_quorum,
    nothing_as_a_class,
    pixel_majority,
    span_quorum,
    staple,
    token_dawid_skene,
    token_majority,
    weighted_boxes_fusion,
)
from benchmarks.science.papers.report import Claim, Report, Table, figure, positive, progress, since
from benchmarks.science.papers.running import carry_out, parser_of
from crowdcore.kinds import AnswerTable, RegionResult, TextFeatures, regions
from crowdcore.kinds.region import Region
from harness.region_crowds import draw_regions

SPANS, BOXES = "ner-mturk-val", "boxes-people"
OURS, WITH_TEXT = "**regions**", "**regions, features of the text**"
LEVELS = {SPANS: (1.0, 0.5), BOXES: (0.5, 0.75)}
FEW = (1, 2, 3, 4)
LEAST_OBJECTS = 30
"""Objects in the tasks of an annotator whose quality is compared with their F1."""
FIRST, MORE, STEPS = 2, 0.5, 4
"""Answers a task when the queue begins, those asked for besides, for each task, and in how many steps."""
SPEED = (1000, 5, 10)
Way = Callable[[RegionCrowd], Sequence[Any]]


def ours(crowd: RegionCrowd) -> Sequence[Any]:
    """Our consensus."""
    return regions(crowd.table).consensus


def with_text(crowd: RegionCrowd) -> Sequence[Any]:
    """Our consensus, with features of the text."""
    return regions(crowd.table, features=_features(crowd)).consensus


def _features(crowd: RegionCrowd) -> TextFeatures:
    tokens = [one["tokens"] for one in crowd.data]
    return TextFeatures(dict(zip(crowd.table.tasks.tolist(), tokens, strict=True)))


WAYS: dict[str, dict[str, Way]] = {
    SPANS: {
        "majority of each token": token_majority,
        "Dawid-Skene of each token": token_dawid_skene,
        "spans by more than half": span_quorum,
        'hierarchical Dawid-Skene, "nothing" as a class': nothing_as_a_class,
        OURS: ours,
        WITH_TEXT: with_text,
    },
    BOXES: {
        "weighted boxes fusion, IoU .5, score > .5": weighted_boxes_fusion,
        "weighted boxes fusion, IoU .5, score > .3": partial(weighted_boxes_fusion, score=0.3),
        "boxes by more than half, mean": box_quorum,
        "boxes by more than .3, mean": partial(box_quorum, share=0.3),
        OURS: ours,
    },
}


def compare(report: Report, name: str, crowd: RegionCrowd) -> dict[str, list[float]]:
    """Add the table of a crowd; return the F1 of each way at both levels."""
    found, rows = {}, []
    for way, consensus in WAYS[name].items():
        progress.print(f"{name}: {way}", markup=False)
        start = time.process_time()
        answers = consensus(crowd)
        seconds = since(start)
        found[way] = [micro_f1(answers, crowd.truth, level) for level in LEVELS[name]]
        rows.append([way, *map(figure, found[way]), figure(seconds, 1)])
    head = ["exactly" if level == 1 else f"IoU {figure(level, 2)}" for level in LEVELS[name]]
    about = (
        f"F1 of {len(crowd.truth)} tasks, {len(crowd.table.values):,} answers, {sum(map(len, crowd.truth)):,} objects."
    )
    report.tables.append(Table(name, ("consensus", *head, "CPU seconds"), rows, about))
    return found


def calibrate(report: Report, crowds: dict[str, RegionCrowd], draws: int) -> dict[str, list[float]]:
    """Add how well existence is believed with few answers a task; return the errors of each crowd."""
    errors: dict[str, list[float]] = {name: [] for name in crowds}
    rows = []
    for name, crowd in crowds.items():
        for most in (*FEW, None):
            progress.print(f"{name}: calibration with {most or 'all'} answers")
            told = []
            for seed in range(draws if most else 1):
                table = crowd.table if most is None else at_most(crowd.table, most, np.random.default_rng(seed))
                result = regions(table)
                real = real_units(result, crowd.truth)
                exists = result.units.exists
                told.append(
                    (
                        calibration_error(exists, real), exists.mean(), real.mean(), result.missed.sum(),
                        sum(map(len, crowd.truth)) - real.sum(), result.quality.mean(),
                        micro_f1(result.consensus, crowd.truth, LEVELS[name][0]),
                    )
                )  # fmt: skip
            mean = np.mean(told, axis=0)
            if most:
                errors[name].append(float(mean[0]))
            cells = [figure(mean[at], 3) for at in (0, 1, 2)] + [f"{mean[3]:.0f}", f"{mean[4]:.0f}"]
            rows.append([f"{name}, {most or 'all'}", *cells, *(figure(mean[at], 3) for at in (5, 6))])
    head = (
        "crowd, answers a task", "calibration error", "exist, believed", "true", "unmarked, believed", "true",
        "expected F1", f"F1 ({LEVELS[SPANS][0]:.0f}, {figure(LEVELS[BOXES][0], 1)})",
    )  # fmt: skip
    report.tables.append(Table("Whether there is something", head, rows))
    return errors


def annotators(report: Report, crowds: dict[str, RegionCrowd]) -> dict[str, float]:
    """Add how far annotators' qualities are in the order of their true F1; return it for those of enough objects."""
    found, rows = {}, []
    for name, crowd in crowds.items():
        quality = regions(crowd.table).annotators.quality
        true, objects = annotators_f1(crowd, LEVELS[name][0])
        told = [np.isfinite(true), objects >= LEAST_OBJECTS]
        ranks = [float(spearmanr(quality[some], true[some])[0]) for some in told]
        found[name] = ranks[1]
        counts = [f"{figure(rank)} ({some.sum()})" for rank, some in zip(ranks, told, strict=True)]
        rows.append([name, *counts, figure(quality[told[1]].mean(), 2), figure(true[told[1]].mean(), 2)])
    head = ("crowd", "all", f"of {LEAST_OBJECTS} objects or more", "quality of these, mean", "true F1")
    about = "Spearman's correlation of annotators' quality with their true F1."
    report.tables.append(Table("Annotators", head, rows, about))
    return found


def replay(
    crowd: RegionCrowd, level: float, seed: int, asked: Callable[[RegionResult, np.ndarray], np.ndarray]
) -> float:
    """Return the F1 after answers were asked for; `asked` gives each task's turn, low first."""
    table, rng = crowd.table, np.random.default_rng(seed)
    order = np.lexsort([rng.random(len(table.values)), table.task])
    shown = np.minimum(FIRST, table.num_answers)
    for _ in range(STEPS):
        result = regions(_shown(table, order, shown))
        more = np.flatnonzero(shown < table.num_answers)
        turn = more[np.argsort(asked(result, rng.random(len(shown)))[more], kind="stable")]
        shown[turn[: int(len(shown) * MORE / STEPS)]] += 1
    return micro_f1(regions(_shown(table, order, shown)).consensus, crowd.truth, level)


def _shown(table: AnswerTable, order: np.ndarray, shown: np.ndarray) -> AnswerTable:
    number = np.arange(len(order)) - np.repeat(table.indptr[:-1], table.num_answers)
    return some_answers(table, np.sort(order[number < np.repeat(shown, table.num_answers)]))


def queue(report: Report, crowds: dict[str, RegionCrowd], draws: int) -> dict[str, np.ndarray]:
    """Add what the order of the queue gains over a random one; return the differences of F1."""
    gains, rows = {}, []
    for name, crowd in crowds.items():
        progress.print(f"{name}: queue")
        level = LEVELS[name][0]
        by_quality = np.array(
            [replay(crowd, level, seed, lambda result, _: result.confidence) for seed in range(draws)]
        )
        by_chance = np.array([replay(crowd, level, seed, lambda _, chance: chance) for seed in range(draws)])
        gains[name] = by_quality - by_chance
        error = gains[name].std(ddof=1) / np.sqrt(draws) if draws > 1 else float("nan")
        cells = [figure(by_quality.mean()), figure(by_chance.mean()), f"{gains[name].mean():+.4f} ± {error:.4f}"]
        rows.append([name, *cells, f"{(gains[name] > 0).sum()} of {draws}"])
    about = f"F1 after {MORE} more answers a task, in {STEPS} steps, where each had {FIRST}; {draws} draws."
    report.tables.append(Table("Who is asked next", ("crowd", "our order", "random", "gain", "better"), rows, about))
    return gains


def masks(report: Report, draws: int) -> None:
    """Add the mean IoU of drawn masks, with one object a task that all marked."""
    found: dict[str, list[float]] = {"majority of pixels": [], "STAPLE": [], OURS: []}
    for seed in range(draws):
        drawn = draw_regions("masks", 40, 5, 1, seed=seed, size=300)
        result = regions(drawn.table)
        for unit in np.flatnonzero(result.units.kept).tolist():
            place = result.units.place[unit]
            members = result.members_of(unit)
            marked = [
                drawn.table.values[answer][region].place
                for answer, region in zip(result.members.answer[members], result.members.region[members], strict=True)
            ]
            truth = drawn.truth[result.units.task[unit]]
            for name, mask in (
                (OURS, place),
                ("majority of pixels", pixel_majority(marked)),
                ("STAPLE", staple(marked)),
            ):
                found[name].append(float(alike([Region(mask)], truth, labels=False).max(initial=0.0)))
    rows = [[name, figure(float(np.mean(values)))] for name, values in found.items()]
    report.tables.append(Table("Drawn masks", ("place", "mean IoU with the truth"), rows))


def speed(report: Report) -> float:
    """Add the seconds of large crowds; return the most of spans and boxes."""
    N, answers, objects = SPEED
    rows, seconds = [], []
    for shape in ("spans", "boxes", "turned boxes", "polygons"):
        table = draw_regions(shape, N, answers, objects, size=40).table
        marks = sum(map(len, table.values))
        start = time.process_time()
        regions(table)
        seconds.append(since(start))
        rows.append([f"{shape}, {N:,} tasks, {answers} answers each, {marks:,} regions", figure(seconds[-1], 1)])
    crowded = draw_regions("boxes", 5, 5, 300, size=30).table
    start = time.process_time()
    regions(crowded)
    rows.append([f"boxes, 5 tasks, 5 answers each, {sum(map(len, crowded.values)):,} regions", figure(since(start), 1)])
    report.tables.append(Table("CPU seconds", ("what", "seconds"), rows))
    return max(seconds[:2])


def run(data: Path, draws: int) -> Report:
    """Return the report."""
    crowds = {name: read_regions(data, name) for name in (SPANS, BOXES)}
    report = Report(
        "regions", "Regions", "What is there, what it is and where, believed from several annotators' marks."
    )
    spans, boxes = (compare(report, name, crowd) for name, crowd in crowds.items())
    errors = calibrate(report, crowds, min(draws, 4))
    ranks = annotators(report, crowds)
    gains = queue(report, crowds, draws)
    masks(report, min(draws, 4))
    seconds = speed(report)
    best_quorum = max(scores[0] for way, scores in boxes.items() if way != OURS)
    report.claims += [
        _least("Spans, exactly", spans[OURS][0], 0.77),
        Claim("More with features", figure(spans[WITH_TEXT][0]), spans[WITH_TEXT][0] > spans[OURS][0]),
        _least("Boxes at .5", boxes[OURS][0], 0.795),
        _least("Boxes at .75", boxes[OURS][1], 0.58),
        Claim(
            "Boxes: above the best other",
            f"{figure(boxes[OURS][0])}, {figure(best_quorum)}",
            boxes[OURS][0] > best_quorum,
        ),
        *(
            Claim(
                f"{name}: calibration error at most .07 with 1 to 4 answers",
                ", ".join(map(figure, found)),
                max(found) <= 0.07,
            )
            for name, found in errors.items()
        ),
        *(_least(f"{name}: annotators in their order", rank, 0.8) for name, rank in ranks.items()),
        *(
            Claim(f"{name}: the queue not below random", f"{gain.mean():+.4f}", gain.mean() >= 0)
            for name, gain in gains.items()
        ),
        Claim("Spans and boxes in less than 10 seconds", figure(seconds, 1), seconds < 10),
    ]
    report.notes += [
        "A unit is real if its place is that of an object, whatever its label: IoU .2 for spans, .35 for boxes.",
        "Peers are written for this comparison from their papers. Quorums of boxes match as we do.",
        "What is expected before anything is known (false marks, abilities, how far what annotators call nothing is "
        "drawn together, the doubt) was set with both crowds in sight.",
        "The truth of the boxes has people whom nobody marked.",
        "Boxes that few marked are believed too little: few answers do not tell what is hard to see from what is "
        "invented.",
    ]
    return report


def _least(what: str, found: float, least: float) -> Claim:
    return Claim(f"{what}: at least {figure(least)}", figure(found), found >= least)


def main() -> int:
    """Run the benchmark; see the module's description."""
    parser = parser_of("benchmarks.science.kinds.regions", __doc__)
    parser.add_argument("--draws", type=positive, default=20, help="draws of answers (20)")
    return carry_out(parser, "benchmarks.science.kinds.regions", run)


if __name__ == "__main__":
    sys.exit(main())
