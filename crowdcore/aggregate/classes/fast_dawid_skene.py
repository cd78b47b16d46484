"""Fast Dawid-Skene: hard assignments."""

from __future__ import annotations

from dataclasses import dataclass

from crowdcore import kernels
from crowdcore.aggregate.classes.dawid_skene import DawidSkene


@dataclass(eq=False)
class FastDawidSkene(DawidSkene):
    r"""Dawid-Skene that gives each task wholly to its most probable class in every iteration.

    .. math:: T_{ik} = [k = \arg\max_k \rho_k \prod_{j \in A(i)} \pi_j[k, y_{ij}]]

    Ends after fewer iterations than `DawidSkene`, usually with the same labels. Classes that are equally
    probable share the task. Sinha, Rao & Balasubramanian 2018, "Fast Dawid-Skene", arXiv 1803.02781.

    Parameters and attributes are those of `DawidSkene`; `probas_` are 0 or 1, but for ties.

    Examples
    --------
    >>> from crowdcore import Crowd
    >>> crowd = Crowd.from_wide([[0, 0, 1], [1, 1, 0], [0, 0, 1], [1, -1, 0]])
    >>> FastDawidSkene().fit_predict(crowd)
    array([0, 1, 0, 1])
    """

    _mode = kernels.HARD
