"""The algorithms over parts: which passes they make, and what the last one writes.

A step takes a part, the state that the last step left of it, and what all parts have in common; it returns a new state
and what has to be summed.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.expectation import ExpectationMaximizer
from crowdcore.aggregate.classes.majority_vote import MajorityVote
from crowdcore.aggregate.classes.weighted_mean import CROWDLAB
from crowdcore.cleanlab.activelab_scores import score_tasks
from crowdcore.cleanlab.label_scores import Score
from crowdcore.cleanlab.passes import Trust, TrustedPart, find_trust
from crowdcore.crowd.frames import indexed_frame
from crowdcore.crowd.grouping import ratio
from crowdcore.crowd.ids import Ids
from crowdcore.crowd.sums import Sums
from crowdcore.crowd.table import Crowd
from crowdcore.partitioned.parts import Part, StoredPart, compact
from crowdcore.partitioned.results import write_labels, write_scores
from crowdcore.partitioned.runners import Runner, Step
from crowdcore.partitioned.storage import Folder
from crowdcore.votes.annotators import Ratings, annotator_stats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Tallied(Sums):
    """What the labels found say of the annotators.

    Attributes
    ----------
    answers, right, agreed, believed : ndarray of shape (M,)
        Of each annotator: answers; those that equal the label found; those that a vote calls right; the sum of their
        probabilities.
    """

    answers: Floats
    right: Floats
    agreed: Floats
    believed: Floats


class Passes:
    """All parts, and what the last step left of each.

    Parameters
    ----------
    runner : Runner
        Runs steps.
    parts : sequence of StoredPart
        The parts.
    universe : Universe
        What they have in common.
    """

    def __init__(self, runner: Runner, parts: Sequence[StoredPart], universe: Universe) -> None:
        self.runner, self.parts, self.universe = runner, parts, universe
        self._states: Sequence[Any] = [None] * len(parts)

    def run(self, what: str, step: Step, *common: Any) -> Any:
        """Run a step over all parts; return the sum of what it finds."""
        self._states, found = self.runner.run(what, step, self.parts, self._states, (self.universe, *common))
        return found


@dataclass(frozen=True, eq=False)
class Universe:
    """What all parts have in common.

    Attributes
    ----------
    annotators, classes : ndarray of shape (M,), (K,)
        Their ids.
    """

    annotators: Ids
    classes: Ids

    def unknown(self, part: Part) -> tuple[Crowd, Any]:
        """Return a part as a crowd without task ids, and that no label is known."""
        crowd = part.crowd(self.annotators, self.classes, named=False)
        return crowd, np.full(len(crowd.tasks), -1)

    def trusted(self, part: Part, consensus: Any, temperatures: Floats | None) -> TrustedPart:
        """Return a part as CROWDLAB's passes have it, as the last step left it."""
        crowd = part.crowd(self.annotators, self.classes)
        models = part.models(len(self.classes))
        opened = TrustedPart(crowd, models, np.full(len(crowd.tasks), -1))
        if temperatures is not None:
            opened.scale(temperatures)
        if consensus is not None:
            opened.consensus = consensus.astype(np.int64)
        return opened


def find_labels(passes: Passes, method: ExpectationMaximizer | MajorityVote, out: Folder) -> pd.DataFrame:
    """Fit a method of answers alone, write the labels, and return a frame of the annotators."""
    name = type(method).__name__
    if isinstance(method, ExpectationMaximizer):
        walk, number = method._walk, itertools.count()

        def run(step: Callable[..., Any], *knowledge: Any) -> Any:
            at = next(number)
            return passes.run(f"{name}, iteration {at}" if at else f"{name}, start", _walk, walk, step, knowledge)

        chances = method.estimate(run)
        found: Tallied = passes.run(f"{name}, labels", _finish_walk, method, chances, out)
    else:
        found = passes.run(name, _vote, method, out)
        method.skills_ = ratio(found.agreed, found.answers)
    columns = {
        "num_answers": found.answers.astype(np.int64),
        "agreement_with_consensus": ratio(found.right, found.answers),
        "skill": method.skills_ if hasattr(method, "skills_") else ratio(found.believed, found.answers),
    }
    return indexed_frame("annotator", passes.universe.annotators, columns)


def find_consensus(passes: Passes, options: CROWDLAB, out: Folder, scores_only: bool) -> tuple[pd.DataFrame, Floats]:
    """Do what CROWDLAB does; write labels, or ActiveLab's scores; return a frame of annotators, and models' weights."""
    universe, num_models = passes.universe, passes.parts[0].num_models
    name = "ActiveLab" if scores_only else "CROWDLAB"
    temperatures: Floats | None = None

    def run(step: Callable[..., Any], *knowledge: Any) -> Any:
        nonlocal temperatures
        if step is TrustedPart.scale:  # parts are scaled when they are read
            (temperatures,) = knowledge
            return None
        return passes.run(f"{name}, {_DOING[step]}", _trust, temperatures, step, knowledge)

    tally, trust = find_trust(
        run,
        num_models,
        consensus_method=options.consensus_method,
        quality_method=options.quality_method,
        calibrate_probs=options.calibrate_probs,
        seed=options.seed,
    )
    score = options.label_quality_score
    found: Ratings = passes.run(f"{name}, results", _believe, temperatures, trust, score, scores_only, out)
    stats = annotator_stats(found, len(universe.classes), trust.model_share(tally))
    return stats.to_frame(universe.annotators, universe.classes, trust.annotators), trust.models


def _walk(part: Part, _: Any, common: tuple[Universe, type[Any], Callable[..., Any], tuple[Any, ...]]) -> Any:
    """Walk over a part with parameters."""
    universe, walk, step, knowledge = common
    return None, step(walk(*universe.unknown(part), started=False), *knowledge)


def _finish_walk(part: Part, _: Any, common: tuple[Universe, ExpectationMaximizer, tuple[Any, ...], Folder]) -> Any:
    """Walk over a part for the last time, and write what it finds."""
    universe, method, chances, out = common
    crowd, known = universe.unknown(part)
    walk = method._walk(crowd, known, started=False)
    walk.walk(*chances)
    walk.finish(method.prior_)
    settled = Aggregator()
    settled._settle(crowd, walk.probas, known)
    return None, _write(part, universe, crowd, settled, out)


def _vote(part: Part, _: Any, common: tuple[Universe, MajorityVote, Folder]) -> Any:
    """Vote on the tasks of a part, and write what was chosen."""
    universe, method, out = common
    crowd = part.crowd(universe.annotators, universe.classes)  # ties are broken by the tasks' ids
    settled = copy.copy(method)
    settled._fit(crowd, np.full(len(crowd.tasks), -1))
    found = _write(part, universe, crowd, settled, out)
    return None, replace(found, agreed=np.nan_to_num(settled.skills_) * found.answers)


def _trust(part: Part, state: Any, common: tuple[Universe, Floats | None, Callable[..., Any], tuple[Any, ...]]) -> Any:
    """Do a step of CROWDLAB's passes; the state is the consensus."""
    universe, temperatures, step, knowledge = common
    opened = universe.trusted(part, state, temperatures)
    found = step(opened, *knowledge)
    return compact(opened.consensus, max(2, len(universe.classes))), found  # -2 is a tie


def _believe(part: Part, state: Any, common: tuple[Universe, Floats | None, Trust, Score, bool, Folder]) -> Any:
    """Combine answers and models, and write what to believe, or ActiveLab's scores."""
    universe, temperatures, trust, score, scores_only, out = common
    opened = universe.trusted(part, state, temperatures)
    belief = opened.believe(trust, score)
    if scores_only:
        write_scores(out, part, score_tasks(opened.crowd, belief.quality, trust.annotators, float(trust.models.sum())))
    else:
        write_labels(out, part, universe.classes, opened.consensus, belief.quality, belief.posterior)
    return None, opened.rate(belief)


def _write(part: Part, universe: Universe, crowd: Crowd, settled: Aggregator, out: Folder) -> Tallied:
    write_labels(out, part, universe.classes, settled.codes_, settled.quality_, settled.probas_)
    right = (crowd.label == settled.codes_[crowd.task]).astype(np.float64)
    figures = np.ones_like(right), right, np.zeros_like(right), settled.probas_[crowd.task, crowd.label]
    M = len(universe.annotators)
    return Tallied(*(np.bincount(crowd.annotator, figure, M).astype(np.float64) for figure in figures))


_DOING = {
    TrustedPart.tally: "counting answers",
    TrustedPart.losses: "trying temperatures",
    TrustedPart.vote: "majority",
    TrustedPart.choose: "consensus",
}
