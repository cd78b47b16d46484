"""ActiveLab's benchmark on Wall Robot: what to label next, and what the consensus adds to it."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from benchmarks.science.papers.datasets import MissingError
from benchmarks.science.papers.draws import GIVEN, Draw, make_draw, read_draw
from benchmarks.science.papers.report import Claim, Report, Table, beside, figure, positive, progress
from benchmarks.science.papers.rounds import Curve, run_draw
from benchmarks.science.plots import Panel, Series

Floats = NDArray[np.float64]

SHOWN = (0, 5, 10, 15, 19)
ROUNDS = 20
MADE = 1000
"""Seed of the first draw that does not come with the data."""


@dataclass(frozen=True)
class Setting:
    """One way to label: a line of a diagram."""

    rule: str
    consensus: str
    model: str = "trees"
    rounds: int = ROUNDS
    new_only: bool = False
    accuracy: float | None = None

    @property
    def name(self) -> str:
        """Return what tells it from the others of its part."""
        words = [self.rule, self.consensus, *([self.model] if self.model != "trees" else [])]
        if self.accuracy is not None:
            words.append(f"{self.accuracy:.0%} right")
        return " / ".join(words)


@dataclass(frozen=True)
class Part:
    """A diagram: draws of one kind, and settings on them.

    Draws are of annotators of some `accuracy`, unless the setting has its own; without one they are those of the main
    diagram, of which two come with the data.
    """

    title: str
    about: str
    settings: Sequence[Setting]
    start: Callable[[Draw], Draw] = lambda draw: draw
    most_draws: int = 99
    accuracy: float | None = None


BOTH = ("majority vote", "CROWDLAB")
PUBLISHED: dict[tuple[str, Setting], tuple[float | None, ...]] = {
    ("main", Setting("ActiveLab", "CROWDLAB")): (0.9055, 0.9788, 0.9862, 0.9876, 0.9879),
    ("main", Setting("uncertainty", "majority vote")): (0.906, 0.9542, 0.9638, 0.9654, 0.9698),
    ("main", Setting("entropy", "majority vote")): (0.906, 0.9407, 0.9489, 0.9517, 0.9555),
    ("main", Setting("random", "majority vote")): (0.905, 0.9293, 0.9307, 0.9406, 0.9449),
    ("main", Setting("good random", "majority vote")): (0.905, 0.9252, 0.9250, 0.9274, 0.9408),
    ("complete", Setting("ActiveLab", "CROWDLAB")): (0.9046, 0.9725, 0.9821, 0.9848, 0.9853),
    ("complete", Setting("active label cleaning", "majority vote")): (0.906, 0.9392, 0.9530, None, 0.9645),
    ("complete", Setting("good random", "majority vote")): (0.906, 0.9283, 0.9444, None, 0.9643),
    ("complete", Setting("random", "majority vote")): (0.906, 0.9233, 0.9293, None, 0.9459),
    ("mlp", Setting("ActiveLab", "CROWDLAB", "mlp")): (None, 0.9502, None, None, 0.9602),
    ("mlp", Setting("ActiveLab", "CROWDLAB", "ensemble")): (None, 0.9710, None, None, 0.9816),
}
BEFORE: dict[Setting, tuple[float | None, ...]] = {
    Setting("ActiveLab", "CROWDLAB"): (0.908, 0.9768, 0.9854, 0.9845, 0.9841),
    Setting("cleanlab's ActiveLab", "CROWDLAB"): (0.908, 0.9547, 0.9645, 0.9742, 0.9765),
    Setting("uncertainty", "majority vote"): (0.908, 0.9541, 0.9613, 0.9626, 0.9597),
    Setting("entropy", "majority vote"): (None, 0.9362, 0.9457, 0.9452, 0.9467),
    Setting("random", "majority vote"): (None, 0.9341, 0.9392, 0.9407, 0.9453),
    Setting("good random", "majority vote"): (None, 0.9235, 0.9247, 0.9308, 0.9377),
}
ACTIVELAB, UNCERTAINTY = Setting("ActiveLab", "CROWDLAB"), Setting("uncertainty", "majority vote")
OURS = Setting("least confidence", "hierarchical")
PARTS = {
    "main": Part(
        "Wall Robot, trees",
        "2,000 tasks of which 500 have labels, 100 new labels a round. 88 % of the answers are right.",
        [
            *(Setting(rule, consensus) for rule in ("random", "good random", "entropy") for consensus in BOTH),
            *(Setting(rule, consensus) for rule in ("uncertainty", "ActiveLab") for consensus in BOTH),
            Setting("ActiveLab, calibrated", "CROWDLAB, calibrated"),
            OURS,
        ],
    ),
    "complete": Part(
        "Wall Robot Complete, trees",
        "All 2,000 tasks have a label, 100 more are asked for a round. 85 % of the answers are right.",
        [
            *(Setting(rule, consensus) for rule in ("random", "good random") for consensus in BOTH),
            *(Setting(rule, consensus) for rule in ("active label cleaning", "ActiveLab") for consensus in BOTH),
            OURS,
        ],
        Draw.completely_labeled,
        2,
        0.85,
    ),
    "mlp": Part(
        "Wall Robot, a neural network and an ensemble",
        "As with trees; the ensemble is the network, trees and nearest neighbours.",
        [
            Setting("uncertainty", "majority vote", "mlp"),
            Setting("ActiveLab", "CROWDLAB", "mlp"),
            Setting("least confidence", "hierarchical", "mlp"),
            Setting("disagreement", "majority vote", "ensemble"),
            Setting("disagreement", "CROWDLAB", "ensemble"),
            Setting("ActiveLab", "CROWDLAB", "ensemble"),
            Setting("least confidence", "hierarchical", "ensemble"),
        ],
        most_draws=1,
    ),
    "single": Part(
        "One label a task, trees",
        "Every task has one label at most; a label is asked for 100 others a round. 61 % of the answers are right.",
        [
            Setting(rule, "majority vote", rounds=10, new_only=True)
            for rule in ("random", "entropy", "uncertainty", "ActiveLab")
        ],
        Draw.singly_labeled,
        accuracy=0.61,
    ),
    "unlimited": Part(
        "An unlimited pool, trees",
        "About 4,400 tasks of which 500 have labels; entropy goes on to tasks without one and asks for one label each, "
        "ActiveLab may ask again. By the share of answers that are right.",
        [
            setting
            for accuracy in (0.67, 0.86, 1.0)
            for setting in (
                Setting("entropy", "majority vote", rounds=15, new_only=True, accuracy=accuracy),
                Setting("ActiveLab", "CROWDLAB", rounds=15, accuracy=accuracy),
                Setting("least confidence", "hierarchical", rounds=15, accuracy=accuracy),
            )
        ],
        most_draws=2,
    ),
}
CLEANLAB = Setting("cleanlab's ActiveLab", "CROWDLAB")
Found = dict[tuple[str, Setting], dict[int, Curve]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    parser.add_argument("--draws", type=positive, default=5, help="the first two are given, others made (5)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="some of the diagrams only")
    parser.add_argument("--cleanlab", action="store_true", help="cleanlab's own scores beside ours (to be installed)")
    parser.add_argument("--jobs", type=positive, default=2, help="processes at once (2)")
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="at most (20)")
    parser.add_argument("--quick", action="store_true", help="the two given draws and three settings, two minutes")


def run(
    data: Path,
    draws: int = 5,
    parts: Sequence[str] = tuple(PARTS),
    cleanlab: bool = False,
    jobs: int = 2,
    rounds: int = ROUNDS,
    quick: bool = False,
) -> Report:
    """Return the curves, beside the published ones.

    Raises
    ------
    MissingError
        If cleanlab is asked for and not installed.
    """
    if cleanlab and find_spec("cleanlab") is None:
        raise MissingError("cleanlab is not installed: pip install cleanlab, or leave out --cleanlab.")
    seeds = [*GIVEN, *range(MADE, MADE + draws)][: len(GIVEN) if quick else draws]
    settings = {name: list(PARTS[name].settings) for name in (["main"] if quick else parts)}
    if quick:
        settings["main"] = [UNCERTAINTY, ACTIVELAB, OURS]
    if cleanlab and "main" in settings:
        settings["main"].append(CLEANLAB)
    work = [
        (part, setting, seed)
        for part, some in settings.items()
        for setting in some
        for seed in seeds[: PARTS[part].most_draws]
    ]
    found: Found = {}
    with (
        ProcessPoolExecutor(jobs, initializer=partial(threadpool_limits, 1)) as pool,
        Progress(console=progress, transient=True) as bar,
    ):
        going = bar.add_task(f"{len(work)} runs", total=len(work))
        runs = {
            pool.submit(one, data, part, setting, seed, rounds): (part, setting, seed) for part, setting, seed in work
        }
        for done in as_completed(runs):
            part, setting, seed = runs[done]
            found.setdefault((part, setting), {})[seed] = done.result()
            bar.advance(going)
    report = Report(
        name="activelab",
        title="ActiveLab's benchmark",
        about="Test accuracy of a classifier by rounds of new labels, on UCI's Wall Robot: 4 features, 4 classes, 30 "
        "annotators with one confusion matrix. Means over draws, ± their standard deviation; the band in the plot "
        "is the same.",
        claims=_claims(found),
        notes=NOTES,
    )
    for part, some in settings.items():
        report.tables.append(_table(part, some, found))
        report.panels.append(_panel(part, some, found))
    if "main" in settings:
        report.tables[1:1] = [
            *([_shares_table(found)] if not quick else []),
            _given_table(settings["main"], found),
        ]
    return report


def one(data: Path, part: str, setting: Setting, seed: int, rounds: int) -> Curve:
    """Return the curve of one setting on one draw."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # the published network stops after 500 steps
    accuracy = setting.accuracy or PARTS[part].accuracy
    if accuracy is None and seed in GIVEN:
        draw = read_draw(data, seed)
    else:
        draw = make_draw(data, seed, accuracy or 0.88, unlimited=part == "unlimited")
    return run_draw(
        PARTS[part].start(draw),
        setting.rule,
        setting.consensus,
        setting.model,
        rounds=min(rounds, setting.rounds),
        new_only=setting.new_only,
    )


def _of(found: Found, part: str, setting: Setting, what: str = "accuracy", seeds: Sequence[int] = ()) -> Floats:
    """Return a figure of each draw and round, shape (draws, rounds)."""
    curves = found[part, setting]
    return np.array([getattr(curves[seed], what) for seed in sorted(curves) if not seeds or seed in seeds])


def _claims(found: Found) -> list[Claim]:
    def given(setting: Setting, what: str = "accuracy") -> Floats:
        curves = found.get(("main", setting), {})
        whole = set(GIVEN) <= set(curves) and len(curves[GIVEN[0]].accuracy) == ROUNDS
        return _of(found, "main", setting, what, GIVEN).mean(axis=0) if whole else np.full(ROUNDS, np.nan)

    def claim(what: str, value: float, least: float, most: float = np.inf, digits: int = 4) -> Claim:
        return Claim(what, figure(value, digits), bool(least <= value <= most) if np.isfinite(value) else None)

    activelab, uncertainty, ours = (given(setting) for setting in (ACTIVELAB, UNCERTAINTY, OURS))
    claims = [
        claim("given draws: ActiveLab, round 5, .970 or more", activelab[5], 0.970),
        claim("given draws: ActiveLab, round 10, .980 or more", activelab[10], 0.980),
        claim("given draws: ActiveLab, round 19, .980 or more", activelab[19], 0.980),
        claim("given draws: ActiveLab, 700 to 900 tasks labelled", given(ACTIVELAB, "labeled")[-1], 700, 900, 0),
        claim("given draws: ActiveLab less uncertainty, round 5, .015 or more", activelab[5] - uncertainty[5], 0.015),
        claim(
            "given draws: ActiveLab less uncertainty, round 19, .015 or more", activelab[19] - uncertainty[19], 0.015
        ),
        claim("given draws: least confidence, round 5, .978 or more", ours[5], 0.978),
        claim("given draws: least confidence, all rounds, .977 or more", ours.mean(), 0.977),
    ]
    for part in ("main", "complete"):
        curves = found.get((part, OURS), {})
        if curves and len(next(iter(curves.values())).accuracy) == ROUNDS:
            mine = _of(found, part, OURS)
            theirs = _of(found, part, ACTIVELAB)
            claims.append(
                claim(f"{part}: least confidence less ActiveLab, all rounds, 0 or more", mine.mean() - theirs.mean(), 0)
            )
    return claims


def _table(part: str, settings: Sequence[Setting], found: Found) -> Table:
    rows = []
    for setting in settings:
        accuracy = _of(found, part, setting)
        published = PUBLISHED.get((part, setting), (None,) * len(SHOWN))
        overall = accuracy.mean(axis=1)
        rows.append(
            [
                setting.name,
                *(
                    beside(accuracy[:, at].mean(), theirs, 4) if at < accuracy.shape[1] else ""
                    for at, theirs in zip(SHOWN, published, strict=True)
                ),
                figure(overall.mean(), 4) + (f" ± {figure(overall.std(), 4)}" if len(overall) > 1 else ""),
                figure(_of(found, part, setting, "labeled")[:, -1].mean(), 0),
                figure(_of(found, part, setting, "consensus")[:, -1].mean(), 4),
            ]
        )
    draws = max(len(found[part, setting]) for setting in settings)
    return Table(
        PARTS[part].title,
        ["rule / consensus", *(f"r{at}" for at in SHOWN), "all rounds", "labelled", "their consensus"],
        rows,
        about=f"{PARTS[part].about} {draws} draw{'s' if draws > 1 else ''}; in brackets as published (mean of five "
        "runs on one draw). Labelled: tasks with a label in the end; their consensus: how many of those are right.",
    )


def _shares_table(found: Found) -> Table:
    rows = []
    for rule in ("random", "good random", "entropy", "uncertainty", "ActiveLab"):
        settings = [Setting(rule, consensus) for consensus in BOTH]
        if all(("main", setting) in found for setting in settings):
            votes, crowdlab = (_of(found, "main", setting).mean() for setting in settings)
            rows.append([rule, figure(votes, 4), figure(crowdlab, 4), figure(crowdlab - votes, 4)])
    return Table(
        "What the selection gives, and what the consensus",
        ["rule", "majority vote", "CROWDLAB", "gain by the consensus"],
        rows,
        about="Mean over rounds and draws. Down a column the selection differs, along a row the consensus.",
    )


def _given_table(settings: Sequence[Setting], found: Found) -> Table:
    rows = []
    for setting in settings:
        accuracy = _of(found, "main", setting, seeds=GIVEN).mean(axis=0)
        before = BEFORE.get(setting, (None,) * len(SHOWN))
        shown = [
            beside(accuracy[at], theirs, 4) if at < len(accuracy) else ""
            for at, theirs in zip(SHOWN, before, strict=True)
        ]
        labeled = _of(found, "main", setting, "labeled", GIVEN).mean(axis=0)[-1]
        rows.append([setting.name, *shown, figure(accuracy.mean(), 4), figure(labeled, 0)])
    return Table(
        "The two given draws",
        ["rule / consensus", *(f"r{at}" for at in SHOWN), "all rounds", "labelled"],
        rows,
        about="In brackets what was found before on these draws with cleanlab and scikit-learn, other random states.",
    )


def _panel(part: str, settings: Sequence[Setting], found: Found) -> Panel:
    """Return curves: a colour for each rule, dotted with majority vote, and the published figures as marks."""
    kinds = list(dict.fromkeys((setting.rule, setting.model, setting.accuracy) for setting in settings))
    series: list[Series] = []
    for setting in settings:
        color = kinds.index((setting.rule, setting.model, setting.accuracy))
        accuracy = _of(found, part, setting)
        mean, spread = accuracy.mean(axis=0), accuracy.std(axis=0)
        line: Series = {
            "name": setting.name,
            "x": list(range(len(mean))),
            "y": mean.tolist(),
            "dotted": setting.consensus == "majority vote",
            "color": color,
        }
        if not line["dotted"] and len(accuracy) > 1:
            line |= {"low": (mean - spread).tolist(), "high": (mean + spread).tolist()}
        series.append(line)
        if (part, setting) in PUBLISHED:
            published = list(PUBLISHED[part, setting])
            series.append({"name": "", "x": list(SHOWN), "y": published, "marks": True, "color": color})
    return {
        "title": f"{PARTS[part].title} (× published)",
        "xlabel": "round",
        "ylabel": "test accuracy",
        "series": series,
    }


NOTES = [
    "Least confidence is crowdcore's own rule, with its own consensus (`least_confidence`, "
    "`hierarchical_dawid_skene` with `most_exponent=1`): not in the paper.",
    "ActiveLab here has temperature 1 (`activelab(..., calibrate_probs=False)`); calibrated is crowdcore's default, "
    "the published search for the temperature on rightly counted votes.",
    "The published curves are of one draw and five runs, whose data are not public any more; ours are of other draws "
    "by the same protocol.",
    "In the code of the published runs the annotators' weights in a labelled task's score are those of the task whose "
    "number is the round's, the same for all tasks, and the softmax of the temperature search is over the whole "
    "matrix; the paper's formulas, which crowdcore and cleanlab follow, have the task's own annotators and rows.",
]
