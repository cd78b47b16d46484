"""crowdcore's own consensus beside the published ones, on all crowds at hand and on generated ones."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.science.papers.by_answers import by_answers
from benchmarks.science.papers.cases import (
    GROUPS,
    SMALL_PROJECTS,
    Case,
    add_case_options,
    all_cases,
    each_of,
    small_projects,
)
from benchmarks.science.papers.generated import Known
from benchmarks.science.papers.report import Claim, Report, Table, figure
from benchmarks.science.papers.scores import auprc, calibration_error, negative_log_likelihood
from benchmarks.science.papers.trust import TARGET, Trust, mean_trust, summed_trust, trust_of
from benchmarks.science.plots import Panel, Series
from crowdcore import crowdlab, majority_vote
from crowdcore.aggregate import run_method
from crowdcore.aggregate.methods import METHODS as AVAILABLE
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

OURS, CROWDLAB = "hierarchical", "crowdlab"
NEW = tuple(name for name in ("ebcc",) if name in AVAILABLE)
ALONE = ("majority-vote", "dawid-skene", "one-coin-dawid-skene", "glad", "mace", *NEW, CROWDLAB)
SINGLE = ALONE[:-1]
"""The methods whose best our consensus is held against where there are answers alone."""
WITH_MODEL = (
    "agreement", "dawid-skene", "glad", CROWDLAB, "model-alone", "dawid-skene+model", "glad+model"
)  # fmt: skip
METHODS = {
    OURS: "ours",
    "majority-vote": "majority",
    "agreement": "majority",
    "dawid-skene": "DS",
    "one-coin-dawid-skene": "one-coin",
    "glad": "GLAD",
    "mace": "MACE",
    "ebcc": "EBCC",
    CROWDLAB: "CROWDLAB",
    "model-alone": "model",
    "dawid-skene+model": "DS+model",
    "glad+model": "GLAD+model",
    "feature-em": "feature EM",
}
SETTINGS = {"model": "with a model", "features": "with features", "alone": "answers alone"}
LEAST, LEAST_OF_ALL = 0.005, 0.01
"""How far below the best of the others, and below the best of all single methods without a model, ours may be."""
SORTS = (*GROUPS, SMALL_PROJECTS)


@dataclass(frozen=True)
class Figures:
    """How good a method is on a crowd; AUPRC is that of its doubts about the majority's labels."""

    accuracy: float
    nll: float
    ece: float
    auprc: float


@dataclass(frozen=True)
class Outcome:
    """All methods' figures on a crowd, and how far ours keeps to what people said, with the model and without."""

    case: Case
    setting: str
    num_tasks: int
    found: dict[str, Figures]
    alone: Trust
    trust: Trust
    model_above_chance: bool = False

    @property
    def ours(self) -> Figures:
        """Those of our own consensus."""
        return self.found[OURS]

    @property
    def crowdlab(self) -> Figures:
        """Those of CROWDLAB."""
        return self.found[CROWDLAB]

    @property
    def best_other(self) -> str:
        """The most accurate of the other methods."""
        return max((method for method in self.found if method != OURS), key=lambda method: self.found[method].accuracy)

    @property
    def gap(self) -> float:
        """Our accuracy less that of the best of the others."""
        return self.ours.accuracy - self.found[self.best_other].accuracy

    @property
    def loses(self) -> bool:
        """Whether the gap is larger than may be."""
        return self.gap < -LEAST - 1e-9

    @property
    def loss_to_single(self) -> float:
        """How much more accurate the best single method is that needs no model."""
        return max(self.found[method].accuracy for method in SINGLE) - self.ours.accuracy

    @property
    def loss_by_model(self) -> float:
        """How much more accurate the better of majority vote and our own consensus without the model is."""
        return (max(self.alone.right, self.trust.chance) - self.trust.right) / self.trust.tasks


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    add_case_options(parser)


def run(data: Path, random: int, seed: int, jobs: int, quick: bool = False) -> Report:
    """Return all methods' figures on all crowds."""
    cases = [*all_cases(data, random, seed, quick), *small_projects(seed, quick)]
    outcomes = merged(each_of(cases, measure, jobs, "crowds"))
    recorded = [case for case in cases if case.group == "data" and "features" not in case.name]
    calibration_claims, calibration = by_answers(recorded, seed, jobs, quick)
    settings = [setting for setting in SETTINGS if any(outcome.setting == setting for outcome in outcomes)]
    return Report(
        name="dominance",
        title="One consensus on all crowds",
        about="Hierarchical Dawid-Skene, crowdcore's own consensus, against majority vote, Dawid-Skene, GLAD and "
        "CROWDLAB, and where there is a model also the model alone, and Dawid-Skene and GLAD with the model as one "
        "more annotator; where there are features, from which ours learns its classifier, also feature EM; where there "
        "is neither, also one-coin Dawid-Skene and MACE. The crowds "
        f"are those with truth at hand (data), generated ones of named kinds, each twice (kinds), and {random} whose "
        "every property is drawn at random (random); then small projects as a new user has them, whose classifier is "
        "trained as the plugin does it.",
        claims=[*_claims(outcomes, quick), *calibration_claims],
        tables=[
            _summary(outcomes, settings),
            *(_methods_table(outcomes, setting) for setting in settings),
            _losses(outcomes),
            _small_projects(outcomes),
            _people(outcomes, settings),
            *calibration,
            *(_every_crowd(outcomes, setting) for setting in settings),
            Table(
                "What the generated crowds are",
                ["crowd", "tasks × annotators, classes, answers, annotators, model"],
                sorted({(outcome.case.name, outcome.case.about) for outcome in outcomes if outcome.case.about}),
            ),
        ],
        panels=[_panel(outcomes, setting) for setting in settings],
        notes=NOTES,
    )


def measure(case: Case) -> Outcome:
    """Return the methods' figures on a crowd."""
    known = case.read()
    setting = "alone" if known.pred_probs is None else "model" if known.features is None else "features"
    majority = majority_vote(known.crowd, known.pred_probs)
    there = known.judged
    truth = known.truth[there]
    found = {}
    for method, consensus in _methods(known, setting).items():
        labels, probas, doubted = (given[there] for given in consensus(majority))
        found[method] = Figures(
            accuracy=float(np.mean(labels == truth)),
            nll=negative_log_likelihood(probas, truth),
            ece=calibration_error(probas, truth),
            auprc=auprc(majority[there] != truth, doubted),
        )
    alone = trust_of(known, with_model=False)
    trust = alone if known.pred_probs is None else trust_of(known, with_model=True)
    return Outcome(case, setting, len(truth), found, alone, trust, _above_chance(known))


def merged(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes, those of draws of one sort as one, their mean."""
    sorts: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        sorts.setdefault(outcome.case.draws_of or outcome.case.name, []).append(outcome)
    return [_merged(name, some) if some[0].case.draws_of else some[0] for name, some in sorts.items()]


def _merged(name: str, some: Sequence[Outcome]) -> Outcome:
    first = some[0]
    found = {
        method: Figures(*np.nanmean([astuple(outcome.found[method]) for outcome in some], axis=0).tolist())
        for method in first.found
    }
    return replace(
        first,
        case=replace(first.case, name=name, about=f"{first.case.about}; mean of {len(some)} draws"),
        found=found,
        alone=mean_trust([outcome.alone for outcome in some]),
        trust=mean_trust([outcome.trust for outcome in some]),
    )


def _above_chance(known: Known) -> bool:
    """Whether there is a model that is right more often than who always says the commonest class."""
    if known.pred_probs is None:
        return False
    there = known.judged
    right = np.mean(known.pred_probs[there].argmax(axis=1) == known.truth[there])
    return bool(right > np.bincount(known.truth[there]).max() / there.sum())


Consensus = Callable[[Codes], tuple[Codes, Floats, Floats]]
"""From the majority's labels to a method's own, its probabilities, and how far it believes the majority's."""


def _methods(known: Known, setting: str) -> dict[str, Consensus]:
    names = [*(ALONE if setting == "alone" else WITH_MODEL), *(["feature-em"] if setting == "features" else [])]
    others = {name: partial(_crowdlab if name == CROWDLAB else _other, known, name) for name in names}
    return {OURS: partial(_ours, known), **others}


def _ours(known: Known, majority: Codes) -> tuple[Codes, Floats, Floats]:
    P = known.pred_probs if known.features is None else None
    found = hierarchical_dawid_skene(known.crowd, P, features=known.features)
    return found.consensus, found.posterior, _believed(found.posterior, majority)


def _crowdlab(known: Known, name: str, majority: Codes) -> tuple[Codes, Floats, Floats]:
    found = crowdlab(known.crowd, known.pred_probs)
    judged = crowdlab(known.crowd, known.pred_probs, consensus_method="majority_vote")
    return found.consensus, found.posterior, judged.quality


def _other(known: Known, name: str, majority: Codes) -> tuple[Codes, Floats, Floats]:
    found = run_method(name, known.crowd, pred_probs=known.pred_probs, features=known.features).aggregator
    return found.codes_, found.probas_, _believed(found.probas_, majority)


def _believed(probas: Floats, labels: Codes) -> Floats:
    return probas[np.arange(len(labels)), labels]


def _of(outcomes: Sequence[Outcome], setting: str, group: str | None = None) -> list[Outcome]:
    return [
        outcome for outcome in outcomes if outcome.setting == setting and (group is None or outcome.case.group == group)
    ]


def _summary(outcomes: Sequence[Outcome], settings: Sequence[str]) -> Table:
    rows = []
    for setting in settings:
        for group in SORTS:
            some = _of(outcomes, setting, group)
            if not some:
                continue
            gaps = [outcome.gap for outcome in some]
            ratios = [outcome.ours.nll / outcome.crowdlab.nll for outcome in some]
            errors = [outcome.ours.ece - outcome.crowdlab.ece for outcome in some]
            finds = [outcome.ours.auprc - outcome.crowdlab.auprc for outcome in some]
            rows.append(
                [
                    f"{SETTINGS[setting]}: {group}",
                    str(len(some)),
                    _signed(np.mean(gaps)),
                    str(sum(outcome.loses for outcome in some)),
                    _signed(min(gaps)),
                    f"× {figure(float(np.exp(np.mean(np.log(ratios)))), 2)}",
                    str(sum(ratio > 1 for ratio in ratios)),
                    _signed(np.mean(errors)),
                    str(sum(error > 0 for error in errors)),
                    _signed(np.nanmean(finds)),
                ]
            )
    return Table(
        "Against the best of the others, and against CROWDLAB",
        [
            "crowds", "number", "gap, mean", f"below -{figure(LEAST)}", "worst",
            "NLL", "above", "ECE", "above", "AUPRC",
        ],
        rows,
        about="Gap: our accuracy less that of the best of the others on the same crowd, of whatever method that is. "
        "NLL, as a ratio (geometric mean), ECE and AUPRC, as differences: ours against CROWDLAB's; above: on how many "
        "crowds ours is the worse.",
    )  # fmt: skip


def _methods_table(outcomes: Sequence[Outcome], setting: str) -> Table:
    some = _of(outcomes, setting)
    rows = []
    for method in (method for method in METHODS if method in some[0].found):
        behind = [_behind(outcome, method) for outcome in some]
        own = [outcome.found[method] for outcome in some]
        rows.append(
            [
                METHODS[method],
                figure(float(np.mean([row.accuracy for row in own])), 4),
                _signed(np.mean(behind)),
                f"{sum(value >= -LEAST - 1e-9 for value in behind)} of {len(some)}",
                _signed(min(behind)),
                figure(float(np.mean([row.nll for row in own]))),
                figure(float(np.mean([row.ece for row in own]))),
                figure(float(np.nanmean([row.auprc for row in own]))),
            ]
        )
    return Table(
        f"If one method had to be chosen, {SETTINGS[setting]}",
        ["method", "accuracy", "behind the best", f"within {figure(LEAST)}", "at worst", "NLL", "ECE", "AUPRC"],
        rows,
        about="Means over the crowds. Behind the best: of all methods here on the same crowd, ours included.",
    )


def _losses(outcomes: Sequence[Outcome]) -> Table:
    rows = []
    for outcome in sorted(outcomes, key=lambda outcome: outcome.gap):
        if outcome.loses:
            best = outcome.found[outcome.best_other]
            rows.append(
                [
                    outcome.case.name,
                    SETTINGS[outcome.setting],
                    figure(outcome.ours.accuracy, 4),
                    f"{figure(best.accuracy, 4)} {METHODS[outcome.best_other]}",
                    _signed(outcome.gap),
                    f"{-outcome.gap * outcome.num_tasks:.0f} of {outcome.num_tasks:,}",
                    outcome.case.about,
                ]
            )
    return Table(
        "Where it loses",
        ["crowd", "has", "ours", "best of the others", "gap", "tasks", "what it is"],
        rows,
        about=f"All crowds with a gap below -{figure(LEAST)}, worst first.",
    )


def _small_projects(outcomes: Sequence[Outcome]) -> Table:
    rows = []
    for outcome in outcomes:
        if outcome.case.group == SMALL_PROJECTS and outcome.setting != "alone":
            trust, alone, tasks = outcome.trust, outcome.alone, outcome.trust.tasks
            shares = trust.chance, alone.right, alone.claimed, trust.right, trust.claimed
            counts = trust.unanimous, trust.overruled, trust.overruled_wrong, trust.unsaid, trust.settled_unsaid
            rows.append(
                [
                    outcome.case.name,
                    *(figure(share / tasks) for share in shares),
                    *(figure(count, 1) for count in counts),
                    *(figure(count, 1) for count in (alone.overruled, alone.unsaid)),
                ]
            )
    return Table(
        "Small projects",
        [
            "project", "majority, ties by chance", "right without classifier", "claimed", "right with it", "claimed",
            "unanimous tasks", "overruled", "wrongly", "nobody's label", "settled on one",
            "overruled without it", "nobody's label without it",
        ],
        rows,
        about="Means over draws, of what the plugin believes. Claimed: mean quality. Unanimous: two labels or more, "
        "all alike; overruled: another consensus, and how often the people were right. Settled: by quality, with the "
        f"target {figure(TARGET, 1)}.",
    )  # fmt: skip


def _people(outcomes: Sequence[Outcome], settings: Sequence[str]) -> Table:
    rows = []
    for setting in settings:
        for group in SORTS:
            if some := _of(outcomes, setting, group):
                trust = summed_trust([outcome.trust for outcome in some])
                rows.append([f"{SETTINGS[setting]}: {group}", f"{trust.tasks:,.0f}", *_kept(trust)])
    rows += [
        [outcome.case.name, f"{outcome.trust.tasks:,.0f}", *_kept(outcome.trust)]
        for outcome in outcomes
        if outcome.case.group == "data"
    ]
    return Table(
        "Where the consensus is not what people said",
        [
            "crowds", "tasks", "unanimous", "overruled", "consensus right", "people right", "nobody's label", "right",
            "settled", "right", "settled against all", "settled on nobody's label", "right",
        ],
        rows,
        about="Tasks, added up, by what the plugin believes; right: shares. Unanimous: two labels or more, all alike; "
        "overruled: another consensus. Settled by quality.",
    )  # fmt: skip


def _kept(trust: Trust) -> list[str]:
    return [
        f"{trust.unanimous:,.0f}",
        f"{trust.overruled:,.0f}",
        _share(trust.overruled_right, trust.overruled),
        _share(trust.overruled_wrong, trust.overruled),
        f"{trust.unsaid:,.0f}",
        _share(trust.unsaid_right, trust.unsaid),
        f"{trust.settled:,.0f}",
        _share(trust.settled_right, trust.settled),
        f"{trust.settled_overruled:,.0f}",
        f"{trust.settled_unsaid:,.0f}",
        _share(trust.settled_unsaid_right, trust.settled_unsaid),
    ]


def _share(part: float, whole: float) -> str:
    return figure(part / whole) if whole else ""


def _every_crowd(outcomes: Sequence[Outcome], setting: str) -> Table:
    some = _of(outcomes, setting)
    methods = [method for method in METHODS if method in some[0].found]
    rows = [
        [
            outcome.case.name,
            *(figure(outcome.found[method].accuracy) for method in methods),
            _signed(outcome.gap),
            *(figure(row.nll) for row in (outcome.ours, outcome.crowdlab)),
            *(figure(row.ece) for row in (outcome.ours, outcome.crowdlab)),
            *(figure(row.auprc) for row in (outcome.ours, outcome.crowdlab)),
        ]
        for outcome in some
    ]
    pairs = [f"{what}, {whose}" for what in ("NLL", "ECE", "AUPRC") for whose in ("ours", "CROWDLAB")]
    return Table(
        f"Every crowd, {SETTINGS[setting]}",
        ["crowd", *(METHODS[method] for method in methods), "gap", *pairs],
        rows,
        about="Accuracy of each method, ours less the best of the others, and the probabilities' figures.",
    )


def _panel(outcomes: Sequence[Outcome], setting: str) -> Panel:
    """Return the gaps of every method to the best of all, sorted: how often each is how far behind."""
    some = _of(outcomes, setting)
    places = np.linspace(0, 100, len(some)).tolist() if len(some) > 1 else [100.0]
    series: list[Series] = []
    for color, method in enumerate(METHODS):
        if method in some[0].found:
            behind: list[float | None] = []
            behind += sorted(_behind(outcome, method) for outcome in some)
            series.append({"name": METHODS[method], "x": places, "y": behind, "color": color, "dotted": method != OURS})
    return {
        "title": f"{SETTINGS[setting]}: how far behind the best",
        "xlabel": "share of the crowds, %",
        "ylabel": "accuracy less the best's",
        "series": series,
    }


def _behind(outcome: Outcome, method: str) -> float:
    """Return a method's accuracy less that of the best of all on this crowd."""
    return outcome.found[method].accuracy - max(row.accuracy for row in outcome.found.values())


def _claims(outcomes: Sequence[Outcome], quick: bool) -> list[Claim]:
    by_name = {outcome.case.name: outcome for outcome in outcomes}
    toy, learned, hard = (by_name[name] for name in ("toy", "LabelMe, features", "cifar10h-hard"))

    def claim(what: str, found: str, met: bool) -> Claim:
        return Claim(what, found, None if quick else bool(met))

    def least(what: str, value: float, bound: float) -> Claim:
        return claim(f"{what} {figure(bound, 2)} or more", figure(value, 4), value >= bound)

    def nowhere(what: str, bad: Sequence[Outcome], some: Sequence[Outcome]) -> Claim:
        return claim(what, f"{len(bad)} of {len(some)} crowds", not bad)

    informed = [outcome for outcome in outcomes if outcome.setting != "alone"]
    alone = _of(outcomes, "alone")
    designed = [outcome for outcome in outcomes if outcome.model_above_chance and outcome.case.group != "data"]
    ratio = hard.ours.nll / hard.crowdlab.nll
    return [
        nowhere(
            f"with a model or features: more than {figure(LEAST)} below the best nowhere",
            [one for one in informed if one.loses],
            informed,
        ),
        nowhere(
            f"a model above chance, generated: more than {figure(LEAST)} below majority or ours without it nowhere",
            [one for one in designed if one.loss_by_model > LEAST + 1e-9],
            designed,
        ),
        nowhere(
            f"answers alone: more than {figure(LEAST)} below majority vote nowhere",
            [one for one in alone if one.found["majority-vote"].accuracy > one.ours.accuracy + LEAST + 1e-9],
            alone,
        ),
        nowhere(
            f"answers alone: more than {figure(LEAST_OF_ALL, 2)} below the best single method nowhere",
            [one for one in alone if one.loss_to_single > LEAST_OF_ALL + 1e-9],
            alone,
        ),
        *(_mean_claim(group, _of(alone, "alone", group), claim) for group in SORTS if _of(alone, "alone", group)),
        claim(
            "settled on a label that nobody gave, or against all, nowhere",
            f"{sum(one.trust.settled_unsaid for one in outcomes):,.0f} tasks",
            not any(one.trust.settled_unsaid for one in outcomes),
        ),
        least("toy: accuracy", toy.ours.accuracy, 0.99),
        least("LabelMe, features: accuracy", learned.ours.accuracy, 0.87),
        least("LabelMe, features: AUPRC", learned.ours.auprc, 0.78),
        claim("cifar10h-hard: accuracy .968 or more", figure(hard.ours.accuracy, 4), hard.ours.accuracy >= 0.968),
        least("cifar10h-hard: AUPRC", hard.ours.auprc, 0.82),
        claim("cifar10h-hard: ECE .01 or less", figure(hard.ours.ece, 4), hard.ours.ece <= 0.01),
        claim("cifar10h-hard: NLL half of CROWDLAB's or less", f"× {figure(ratio)}", ratio <= 0.5),
        nowhere("NLL above CROWDLAB's nowhere", [one for one in outcomes if one.ours.nll > one.crowdlab.nll], outcomes),
        nowhere("ECE above CROWDLAB's nowhere", [one for one in outcomes if one.ours.ece > one.crowdlab.ece], outcomes),
    ]


def _mean_claim(group: str, some: Sequence[Outcome], claim: Callable[[str, str, bool], Claim]) -> Claim:
    """Return whether our mean accuracy is that of the best single method, if one had to be chosen for all."""
    means = {method: float(np.mean([one.found[method].accuracy for one in some])) for method in (OURS, *SINGLE)}
    best = max(SINGLE, key=lambda method: means[method])
    return claim(
        f"answers alone, {group}: mean accuracy not below that of the best single method",
        f"{figure(means[OURS], 4)}, {METHODS[best]} {figure(means[best], 4)}",
        means[OURS] >= means[best] - 1e-9,
    )


def _signed(value: float | np.floating) -> str:
    """Return a difference with its sign.

    Examples
    --------
    >>> _signed(0.0123), _signed(-0.5)
    ('+.012', '-.500')
    """
    return f"{'+' if value >= 0 else ''}{figure(float(value))}"


NOTES = [
    "The best of so many others is a high bar on a small crowd: of methods of equal worth the luckiest is ahead of "
    "each single one, and nobody knows beforehand which that will be. What each gives if it is chosen for all crowds "
    "is in the tables of one method.",
    "Every method has its defaults, and what ours chooses it chooses by the answers. It was developed with the crowds "
    "of data, and with generated ones of such kinds, at hand; a seed that nobody has tried is the fairest test.",
    "NLL is minus the natural logarithm of the truth's probability, at most 13.8 a task; ECE has 15 bins of equal "
    "width. AUPRC: how well a method's doubts find the wrong ones among the majority's labels, the same labels for "
    "all; none where the majority is always right.",
    "With a model the majority's ties are broken by it. Without one CROWDLAB's probabilities are those of the votes "
    "and of annotators' agreement.",
    "With another `--seed` all generated crowds are others: `benchmarks/science/papers/generated.py` makes them.",
]
