"""How well crowdcore's own consensus knows the annotators: credible intervals, errors and ranks of their quality."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from benchmarks.science.papers.cases import GROUPS, Case, add_case_options, all_cases, each_of
from benchmarks.science.papers.report import Claim, Report, Table, figure
from benchmarks.science.papers.scores import spearman
from crowdcore import crowdlab
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene

Floats = NDArray[np.float64]

LEVEL, NARROWER = 0.95, 0.90
LEAST_COVERED = 0.90
FEW = 10
"""Answers from which on an annotator's share of right answers says how good they are."""
SETTINGS = {True: "with a model", False: "answers alone"}


@dataclass(frozen=True)
class Knowledge:
    """What a consensus knows of one crowd's annotators.

    Attributes
    ----------
    case, has_model, num_annotators, num_judged
        Which crowd, whether it has a model, how many annotators have answers, and how many have ten or more to tasks
        whose truth is known. The
        figures are of these, but for `chance`.
    covered, covered_narrower : float
        Shares of the annotators whose share of right answers is within the 95 % and the 90 % interval.
    below, above : float
        Shares of those who are worse and better than the 95 % interval says.
    width : float
        Mean width of the 95 % interval.
    chance : float
        Share of all annotators with answers for whom it holds how often they are right in the long run; NaN where
        nobody knows.
    error, crowdlab_error : float
        Mean distance of the quality from the share of right answers.
    rank, crowdlab_rank : float
        Rank correlation of the two.
    """

    case: Case
    has_model: bool
    num_annotators: int
    num_judged: int
    covered: float
    covered_narrower: float
    below: float
    above: float
    width: float
    chance: float
    error: float
    crowdlab_error: float
    rank: float
    crowdlab_rank: float


FIGURES = {
    "covered": "95 % holds",
    "covered_narrower": "90 % holds",
    "below": "worse",
    "above": "better",
    "width": "width",
    "chance": "95 % holds chance",
    "error": "error",
    "crowdlab_error": "CROWDLAB's",
    "rank": "rank",
    "crowdlab_rank": "CROWDLAB's",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    add_case_options(parser)


def run(data: Path, random: int, seed: int, jobs: int, quick: bool = False) -> Report:
    """Return how well the annotators of all crowds are known."""
    found = each_of(all_cases(data, random, seed, quick), know, jobs, "crowds")
    rows = []
    for has_model, setting in SETTINGS.items():
        for group in GROUPS:
            some = [one for one in found if one.has_model == has_model and one.case.group == group]
            if some:
                people = (f"{sum(getattr(one, name) for one in some):,}" for name in ("num_annotators", "num_judged"))
                rows.append([f"{setting}: {group}", str(len(some)), *people, *_means(some)])
    return Report(
        name="coverage",
        title="How well the annotators are known",
        about="Hierarchical Dawid-Skene gives each annotator a quality, the probability that an answer of theirs is "
        "right, with a 95 % credible interval. Here is how many annotators' true share of right answers is within it, "
        "how far the quality is off, and how well it ranks them, beside CROWDLAB's.",
        claims=[_claim(found, group, quick) for group in GROUPS],
        tables=[
            Table(
                "All crowds",
                ["crowds", "number", "annotators", "judged", *FIGURES.values()],
                rows,
                about=f"Means over crowds. {ABOUT}",
            ),
            *(_every_crowd(found, has_model) for has_model in SETTINGS),
        ],
        notes=NOTES,
    )


def know(case: Case) -> Knowledge:
    """Return how well the annotators of a crowd are known."""
    known = case.read()
    crowd, M = known.crowd, len(known.crowd.annotators)
    P = known.pred_probs if known.features is None else None
    found, theirs = hierarchical_dawid_skene(crowd, P, features=known.features), crowdlab(crowd, known.pred_probs)
    who, there = crowd.annotator, known.judged[crowd.task]
    size = np.bincount(who[there], minlength=M)
    right = np.bincount(who, crowd.label == known.truth[crowd.task], M) / np.maximum(size, 1)
    some, many = np.bincount(who, minlength=M) > 0, size >= FEW
    interval, judged, share = found.quality_interval, found.quality_interval[many], right[many]
    quality, their_quality = found.annotators.quality[many], theirs.annotators.quality[many]
    return Knowledge(
        case=case,
        has_model=known.pred_probs is not None,
        num_annotators=int(some.sum()),
        num_judged=int(many.sum()),
        covered=_within(share, judged),
        covered_narrower=_within(share, narrower(quality, judged)),
        below=_mean(share < judged[:, 0]),
        above=_mean(share > judged[:, 1]),
        width=_mean(np.ptp(judged, axis=1)),
        chance=np.nan if known.chance is None else _within(known.chance[some], interval[some]),
        error=_mean(np.abs(quality - share)),
        crowdlab_error=_mean(np.abs(their_quality - share)),
        rank=_rank(quality, share),
        crowdlab_rank=_rank(their_quality, share),
    )


def narrower(quality: Floats, interval: Floats, level: float = NARROWER) -> Floats:
    """Return credible intervals of another level for those of 95 %.

    They are of the beta distribution that has this quality as its mean, but for half a success and half a failure,
    and an interval of this width.

    Parameters
    ----------
    quality : ndarray of shape (M,)
        The annotators' quality.
    interval : ndarray of shape (M, 2)
        Its 95 % interval, as in `crowdcore.hierarchical.result.HierarchicalResult`.
    level : float
        The level wanted.

    Returns
    -------
    ndarray of shape (M, 2)

    Examples
    --------
    >>> from scipy.stats import beta
    >>> ends = beta(8.5, 2.5).interval(0.95)
    >>> narrower(np.array([0.8]), np.array([ends]), 0.9).round(4), np.round(beta(8.5, 2.5).interval(0.9), 4)
    (array([[0.5475, 0.9398]]), array([0.5475, 0.9398]))
    """
    low, high = np.full(len(quality), -7.0), np.full(len(quality), 20.0)
    for _ in range(40):
        log_size = (low + high) / 2
        wider = np.ptp(_interval(quality, log_size, LEVEL), axis=1) > np.ptp(interval, axis=1)
        low, high = np.where(wider, log_size, low), np.where(wider, high, log_size)
    return _interval(quality, (low + high) / 2, level)


def _interval(quality: Floats, log_size: Floats, level: float) -> Floats:
    a, b = quality * np.exp(log_size) + 0.5, (1 - quality) * np.exp(log_size) + 0.5
    tail = (1 - level) / 2
    return np.column_stack([betaincinv(a, b, tail), betaincinv(a, b, 1 - tail)])


def _claim(found: Sequence[Knowledge], group: str, quick: bool) -> Claim:
    covered = _mean(np.array([one.covered for one in found if one.case.group == group]))
    what = f"{group}: 95 % intervals hold {LEAST_COVERED:.0%} of the annotators or more, mean over crowds"
    return Claim(what, figure(covered), None if quick else covered >= LEAST_COVERED)


def _within(values: Floats, interval: Floats) -> float:
    return _mean((values >= interval[:, 0]) & (values <= interval[:, 1]))


def _mean(values: NDArray[Any]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def _rank(quality: Floats, right: Floats) -> float:
    return spearman(quality, right) if np.isfinite(quality).sum() > 2 else np.nan


def _means(some: Sequence[Knowledge]) -> list[str]:
    return [figure(_mean(np.array([getattr(one, name) for one in some]))) for name in FIGURES]


def _every_crowd(found: Sequence[Knowledge], has_model: bool) -> Table:
    some = [one for one in found if one.has_model == has_model]
    return Table(
        f"Every crowd, {SETTINGS[has_model]}",
        ["crowd", "annotators", "judged", *FIGURES.values()],
        [[one.case.name, str(one.num_annotators), str(one.num_judged), *_means([one])] for one in some],
    )


ABOUT = (
    f"Judged are annotators with {FEW} answers or more to tasks of known truth, all figures but one are of them. "
    "95 % and 90 % hold: of how many of them the share of right answers is within the interval; worse, better: who are "
    "outside the 95 % one; chance: how often an annotator is right in the long run, known of generated crowds, of all "
    "with answers. Error: mean distance of quality and share of right answers; rank: their rank correlation."
)
NOTES = [
    "An interval is for what an annotator's next answers can be expected to be. Of few answers the share that is right "
    "differs much from that (of one it is 0 or 1), whence the bound on their number.",
    "Where annotators err together, nothing in the answers tells a shared error from the truth, and they can be worse "
    "than their intervals say. Where a consensus is lost (dominance.md says where), so are its annotators.",
    "The 90 % intervals are those of the same beta distributions. Crowds with features are among those with a model.",
    "What each generated crowd is: the last table of [dominance](dominance.md).",
]
