"""Compare crowdcore with cleanlab 2.9.0 on a crowd: every output, every option.

Three things are evened out, and only here:

- cleanlab counts votes at the wrong classes as soon as an answer is missing; its counting function is
  replaced by a correct one.
- Its confidence-weighted entropy scores a certain, correct label 0 instead of 1, and stops where a
  probability is rounded to 1 + 2e-16; both are mended.
- Where a majority vote ends in a random choice, both sides take the first label left, so that no task has to
  be excluded.

Where equal numbers differ in their last bit and cleanlab decides by that, the result is left out and counted
(two labels with the same posterior), or either is accepted and counted (an annotator's worst class).
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from cleanlab import multiannotator as theirs
from cleanlab import rank
from cleanlab.internal import multiannotator_utils

from crowdcore import Crowd, crowdlab
from crowdcore import cleanlab_api as ours
from crowdcore.cleanlab.majority import vote
from crowdcore.crowd.evidence import as_ensemble
from harness.crowds import Array, Case, random_case

__all__ = ["Case", "Comparison", "compare", "multiannotator_utils", "random_case", "rank", "theirs"]


@dataclass
class Comparison:
    """Largest differences by output, and what could not be compared."""

    largest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    notes: list[str] = field(default_factory=list)

    def add(self, output: str, mine: Any, other: Any, note: str) -> None:
        """Compare two arrays; NaN equals NaN."""
        mine, other = np.asarray(mine, dtype=float), np.asarray(other, dtype=float)
        if mine.shape != other.shape or (np.isnan(mine) != np.isnan(other)).any():
            difference = np.inf
        else:
            difference = float(np.nanmax(np.abs(mine - other), initial=0.0))
        self.counts[f"compared: {output}"] += mine.size
        self.largest[output] = max(self.largest[output], difference)
        if difference > 1e-9:
            self.notes.append(f"{output}: {difference:.3g} in {note}")

    def frames(self, mine: dict[str, Any], other: dict[str, Any], note: str, labels: Array, posterior: Array) -> None:
        """Compare the results of get_label_quality_multiannotator; the posterior is the majority vote's."""
        told, said = (result["label_quality"].filter(regex="^consensus_label") for result in (mine, other))
        differ = (told.to_numpy() != said.to_numpy()).any(axis=1)
        highest = np.sort(posterior[differ], axis=1)[:, -2:]
        if differ.any() and (np.diff(highest) < 1e-12).all():
            # whatever follows from the consensus differs too
            self.counts["results left out: cleanlab's last bit decided between equal posteriors"] += 1
            return
        if list(mine) != list(other):
            self.notes.append(f"keys {list(mine)} and {list(other)} in {note}")
        for name in ("label_quality", "detailed_label_quality", "annotator_stats"):
            if name not in other:
                continue
            a, b = mine[name], other[name]
            if list(a.columns) != list(b.columns) or (a.dtypes != b.dtypes).any():
                self.notes.append(f"columns or types of {name} in {note}: {a.dtypes} {b.dtypes}")
            if name == "annotator_stats":
                self.add("annotator order", a["annotator_quality"], b["annotator_quality"], note)
                b = b.loc[a.index]
                b["worst_class"] = self.worst_class(a["worst_class"], b["worst_class"], mine, labels)
            elif not a.index.equals(b.index):
                self.notes.append(f"index of {name} in {note}")
            for column in b.columns:
                output = "detailed quality" if name == "detailed_label_quality" else column
                for method in ("_best_quality", "_majority_vote"):
                    output = output.removesuffix(method)
                self.add(output, a[column], b[column], note)
        for name in ("model_weight", "annotator_weight"):
            if name in other:
                self.add(name, mine[name], other[name], note)

    def worst_class(
        self, mine: pd.Series[Any], other: pd.Series[Any], result: dict[str, Any], labels: Array
    ) -> pd.Series[Any]:
        """Return the other's worst classes, or ours where the two are equally bad but for rounding."""
        consensus, quality = (
            result["label_quality"][name].to_numpy() for name in ("consensus_label", "consensus_quality_score")
        )
        accepted: pd.Series[Any] = other.copy()
        for annotator in mine.index[mine != other]:
            figures = []
            for label in (mine[annotator], other[annotator]):
                at = labels[:, annotator] == label
                figures.append([at.sum(), np.mean(consensus[at] == label), np.mean(quality[at])])
            if np.allclose(figures[0], figures[1], rtol=0, atol=1e-12):
                accepted[annotator] = mine[annotator]
                self.counts["worst classes decided by rounding in cleanlab"] += 1
        return accepted


@contextlib.contextmanager
def evened_out() -> Iterator[None]:
    """Make cleanlab count votes where they belong, and both sides choose the first when it is random."""

    def count(x: Array, *, num_classes: int) -> Array:
        return np.bincount(np.asarray(x).astype(int), minlength=num_classes)

    def equal_lots(crowd: Crowd, tied: Array, seed: int) -> tuple[Array, Array]:
        of_task, of_annotator = (np.zeros(len(ids), dtype=np.uint64) for ids in (crowd.tasks, crowd.annotators))
        return of_task, of_annotator

    entropy_score = rank.get_confidence_weighted_entropy_for_each_label

    def mended(labels: Array, pred_probs: Array) -> Array:
        P = np.clip(pred_probs, 0, 1)
        p = P[np.arange(len(P)), labels]
        e = rank.get_normalized_entropy(P) / np.maximum(p, 1e-6)
        return np.where(e < 1e-6, p, entropy_score(labels, P))

    with (
        patch.object(rank, "get_confidence_weighted_entropy_for_each_label", mended),
        patch.object(theirs, "value_counts", count),
        patch.object(multiannotator_utils, "value_counts", count),
        patch.object(np.random, "choice", lambda labels: labels[0]),
        patch("crowdcore.votes.majority.draw_lots", equal_lots),
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


SCORES = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def compare(case: Case, found: Comparison, name: str = "case") -> None:
    """Run both over all options on one crowd."""
    labels, models, unlabeled = case.labels, case.models, case.unlabeled
    P = models[0]

    def both(call: Callable[[Any, Array], Any]) -> tuple[Any, Any]:
        # cleanlab overwrites its arguments, so each call has copies
        return call(ours, models.copy()), call(theirs, models.copy())

    def posterior(probabilities: Array, options: dict[str, Any]) -> Array:
        given = {key: options[key] for key in ("calibrate_probs", "quality_method") if key in options}
        return crowdlab(crowd, probabilities, consensus_method="majority_vote", **given).posterior

    def quality(note: str, **options: Any) -> None:
        options = {"return_weights": True, "verbose": False, **options}
        mine, other = both(lambda api, m: api.get_label_quality_multiannotator(labels, m[0], **options))
        found.frames(mine, other, f"{name}, {note}", labels, posterior(P, options))

    def ensemble_quality(api: Any, m: Array, **options: Any) -> Any:
        options = {"return_weights": True, "verbose": False, **options}
        return api.get_label_quality_multiannotator_ensemble(labels, m, **options)

    with evened_out():
        found.counts["crowds"] += 1
        crowd = Crowd.from_wide(labels, classes=range(P.shape[1]))
        for probabilities, which in ((P, "with"), (None, "without")):
            picked = int(vote(crowd, as_ensemble(crowd, probabilities), 0)[1].sum())
            found.counts[f"tasks whose majority is a random choice, {which} a model"] += picked
        # cleanlab's annotator statistics take most of the time, so not every call asks for them
        for score, stats in zip(SCORES, (True, False, True), strict=True):
            quality(score, label_quality_score_kwargs={"method": score}, return_annotator_stats=stats)
        for score, stats in zip(SCORES[:2], (False, True), strict=True):
            options = {"method": score, "adjust_pred_probs": True}
            quality(f"{score}, adjusted", label_quality_score_kwargs=options, return_annotator_stats=stats)
        methods = ["majority_vote", "best_quality"]
        quality("majority vote", consensus_method="majority_vote")
        quality("calibrated", calibrate_probs=True, return_annotator_stats=False)
        brief = {"return_weights": False, "return_annotator_stats": False}
        quality("both methods", consensus_method=methods, **brief)
        quality("brief", return_detailed_quality=False, **brief)
        quality("agreement", quality_method="agreement", return_weights=False)
        quality("agreement, both methods", quality_method="agreement", consensus_method=methods, **brief)
        for calibrate in (False, True):
            mine, other = both(partial(ensemble_quality, calibrate_probs=calibrate))
            p = posterior(models, {"calibrate_probs": calibrate})
            found.frames(mine, other, f"{name}, ensemble, calibrated={calibrate}", labels, p)
        found.add("majority vote", *both(lambda api, m: api.get_majority_vote_label(labels, m[0])), f"{name}, model")
        mine = ours.get_majority_vote_label(labels)
        with contextlib.suppress(IndexError):  # cleanlab stops, without a label left, when all tasks are tied
            found.add("majority vote", mine, theirs.get_majority_vote_label(labels), f"{name}, votes")
        for kind, given in (("", labels), (", one label each", case.single)):
            for pools in ("both", "labeled", "unlabeled"):
                _scores(found, f"{name}, {pools}{kind}", given, models, unlabeled, pools)


def _scores(found: Comparison, note: str, labels: Array | None, models: Array, unlabeled: Array, pools: str) -> None:
    if pools == "unlabeled":
        labels = None
    for ensemble in (False, True):
        if ensemble and len(models) == 1 and pools != "labeled":
            continue  # cleanlab stops
        function = "get_active_learning_scores" + "_ensemble" * ensemble
        results = []
        for api in (ours, theirs):
            m, u = (models.copy(), unlabeled.copy()) if ensemble else (models[0].copy(), unlabeled[0].copy())
            m, u = (None if pools == "unlabeled" else m), (None if pools == "labeled" else u)
            results.append(getattr(api, function)(labels, m, u))
        (mine, mine_unlabeled), (other, other_unlabeled) = results
        found.add("ActiveLab, labeled", mine, other, f"{note}, ensemble={ensemble}")
        found.add("ActiveLab, unlabeled", mine_unlabeled, other_unlabeled, f"{note}, ensemble={ensemble}")
