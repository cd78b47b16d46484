"""How far a classifier's favour for a label is ahead of that for others, and the tasks where it is not."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.ids import Codes

Floats = NDArray[np.float64]
Margin = Literal["yang", "pleiss"]
Scale = Literal["logits", "probabilities"]


def too_hard(areas: ArrayLike, alpha: float = 0.01) -> Codes:
    r"""Return the tasks whose area is at most the quantile of order alpha, in their order.

    Parameters
    ----------
    areas : array_like of shape (N,)
        As of `aum` or `waum`; NaN for tasks that are not judged, and are not returned.
    alpha : float
        About the share of tasks that is returned, in [0, 1].

    Raises
    ------
    ValueError
        If `alpha` is not in [0, 1].

    Examples
    --------
    >>> too_hard([0.5, 0.1, 0.9, np.nan, 0.3], alpha=0.34)
    array([1, 4])
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it must be in [0, 1], the share of tasks that are too hard.")
    values = np.asarray(areas, dtype=np.float64)
    judged = np.flatnonzero(~np.isnan(values))
    return judged[values[judged] <= np.quantile(values[judged], alpha)] if len(judged) else judged


def margins(values: Floats, labels: Codes, margin: Margin = "yang", topk: int = 1) -> Floats:
    """Return how far each row's label is ahead of what it is compared with, shape (n,); 0 if there is one class.

    Examples
    --------
    >>> values = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    >>> margins(values, np.array([0, 2])), margins(values, np.array([0, 2]), "pleiss")
    (array([ 0.2, -0.1]), array([ 0.2, -0.3]))
    """
    n, K = values.shape
    if K < 2:
        return np.zeros(n)
    own, others = values[np.arange(n), labels], values.copy()
    if margin == "yang":
        others.partition(K - 1 - topk, axis=1)
        ahead: Floats = own - others[:, K - 1 - topk]
    else:
        others[np.arange(n), labels] = -np.inf
        ahead = own - others.max(axis=1)
    return ahead


def check(n_classes: int, margin: str, of: str, topk: int, n_epochs: int) -> None:
    """Raise a ValueError if an option of an area under the margin is none."""
    most = max(n_classes - 1, 1)
    options = {
        "margin": (margin, margin in get_args(Margin), "'yang' or 'pleiss'"),
        "of": (of, of in get_args(Scale), "'logits' or 'probabilities'"),
        "topk": (topk, 1 <= topk <= most, f"a whole number from 1 to {most}: there are {n_classes} classes"),
        "n_epochs": (n_epochs, n_epochs >= 1, "a whole number, 1 or more"),
    }
    for name, (found, met, allowed) in options.items():
        if not met:
            raise ValueError(f"{name} is {found!r}; it must be {allowed}.")
