"""Crowds with known truth, to try methods on.

>>> from crowdcore import majority_vote
>>> from crowdcore.simulation import hammer_spammer
>>> simulated = hammer_spammer(n_tasks=100, n_annotators=10, n_classes=3, answers_per_task=5, ratio=0.2, seed=0)
>>> simulated.crowd
Crowd(100 tasks, 10 annotators, 3 classes, 500 answers)
>>> (majority_vote(simulated.crowd) == simulated.truth).mean()
np.float64(1.0)
"""

from crowdcore.simulation.drawing import Simulation
from crowdcore.simulation.registry import STRATEGIES, Strategy, find_strategy
from crowdcore.simulation.strategies import (
    correlated_errors,
    discrete_difficulty,
    hammer_spammer,
    imbalanced_votes,
    independent_confusion,
    student_teacher,
)

__all__ = [
    "STRATEGIES",
    "Simulation",
    "Strategy",
    "correlated_errors",
    "discrete_difficulty",
    "find_strategy",
    "hammer_spammer",
    "imbalanced_votes",
    "independent_confusion",
    "student_teacher",
]
