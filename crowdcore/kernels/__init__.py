"""The few compiled loops. Each has a plain numpy twin in the tests; importing this compiles nothing, nor numba.

Kernels are compiled by numba on first use and cached on disk. They release Python's lock, so that `in_parts`
runs them on all cores; parts depend only on the data, so results do not depend on the number of cores.
A crowd's answers come as in `Crowd`: those of task ``i`` are at ``indptr[i]:indptr[i + 1]``. Each answer's
``cell`` is ``annotator * K + label``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kernels.parts import MOST_PARTS, frozen, in_parts, part_bounds

if TYPE_CHECKING:
    from crowdcore.kernels.abilities import ability_slope, solve_arrow
    from crowdcore.kernels.annotators import rate_annotators, worst_classes
    from crowdcore.kernels.copies import compare_group, compare_pairs, draft_groups, meet_others
    from crowdcore.kernels.crowdlab import believe, best_labels, compare_with, score_tasks
    from crowdcore.kernels.forecasts import add_strengths, collect_labels, judge_tasks
    from crowdcore.kernels.gammas import digammas
    from crowdcore.kernels.hierarchical import (
        fill_rows,
        infer_tasks,
        pool_answers,
        prior_moments,
        row_evidence,
        strength,
        sum_rows,
        weigh_answers,
    )
    from crowdcore.kernels.majority import break_ties, tally_votes
    from crowdcore.kernels.messages import pass_messages
    from crowdcore.kernels.overlaps import robust_rank_one, shared_tasks
    from crowdcore.kernels.posteriors import ability_pass, confusion_pass, spike_pass
    from crowdcore.kernels.temperatures import first_improper_row, log_rows, scale_rows, temperature_losses
    from crowdcore.kernels.votes import draw_winners, weighted_votes

__all__ = [
    "CLOSE",
    "COUNT",
    "HARD",
    "MOST_PARTS",
    "ROUNDING",
    "SOFT",
    "TIED",
    "Codes",
    "Floats",
    "Numbers",
    "ability_pass",
    "ability_slope",
    "add_strengths",
    "believe",
    "best_labels",
    "break_ties",
    "collect_labels",
    "compare_group",
    "compare_pairs",
    "compare_with",
    "confusion_pass",
    "digammas",
    "draft_groups",
    "draw_winners",
    "fill_rows",
    "first_improper_row",
    "frozen",
    "in_parts",
    "infer_tasks",
    "judge_tasks",
    "log_rows",
    "meet_others",
    "part_bounds",
    "pass_messages",
    "pool_answers",
    "prior_moments",
    "rate_annotators",
    "robust_rank_one",
    "row_evidence",
    "scale_rows",
    "score_tasks",
    "shared_tasks",
    "solve_arrow",
    "spike_pass",
    "strength",
    "sum_rows",
    "tally_votes",
    "temperature_losses",
    "weigh_answers",
    "weighted_votes",
    "worst_classes",
]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Numbers = NDArray[np.uint64]

CLOSE = 1e-9
"""Votes that differ by less, relatively, are tied; the last bits depend on the order of summing."""

ROUNDING = 1e-12
"""Sums that differ by less are equal; which of them is larger depends on the order of summing."""

HARD, SOFT, COUNT = 2, 1, 0

TIED = -2
"""The code of a task whose classes are tied, as long as they are."""

_MODULES = {
    "abilities": ("ability_slope", "solve_arrow"),
    "annotators": ("rate_annotators", "worst_classes"),
    "copies": ("compare_group", "compare_pairs", "draft_groups", "meet_others"),
    "crowdlab": ("believe", "best_labels", "compare_with", "score_tasks"),
    "forecasts": ("add_strengths", "collect_labels", "judge_tasks"),
    "gammas": ("digammas",),
    "hierarchical": (
        "fill_rows",
        "infer_tasks",
        "pool_answers",
        "prior_moments",
        "row_evidence",
        "strength",
        "sum_rows",
        "weigh_answers",
    ),
    "majority": ("break_ties", "tally_votes"),
    "messages": ("pass_messages",),
    "overlaps": ("robust_rank_one", "shared_tasks"),
    "posteriors": ("ability_pass", "confusion_pass", "spike_pass"),
    "temperatures": ("first_improper_row", "log_rows", "scale_rows", "temperature_losses"),
    "votes": ("draw_winners", "weighted_votes"),
}


def __getattr__(name: str) -> Any:
    """Import a kernel, and numba, when it is first asked for."""
    for module, names in _MODULES.items():
        if name in names:
            return globals().setdefault(name, getattr(import_module(f"{__name__}.{module}"), name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
