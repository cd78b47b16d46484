"""What a place may be made of, checked where it is made."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdcore.crowd.arguments import is_number, is_whole


def are_finite(*values: Any) -> bool:
    """Return whether all values are finite numbers.

    Examples
    --------
    >>> are_finite(1, 2.5), are_finite("1"), are_finite(float("inf"))
    (True, False, False)
    """
    return all(is_number(value) and math.isfinite(value) for value in values)


def as_pairs(given: Any) -> tuple[tuple[Any, Any], ...] | None:
    """Return pairs of finite numbers, in whatever sequences they are, as tuples; None if they are anything else.

    Examples
    --------
    >>> as_pairs([[0, 1], [2, 3]]), as_pairs([(0, 1, 2)]), as_pairs(5)
    (((0, 1), (2, 3)), None, None)
    """
    listed = given.tolist() if isinstance(given, np.ndarray) else given
    try:
        pairs = tuple(tuple(pair) for pair in listed)
    except TypeError:
        return None
    fits = all(len(pair) == 2 and are_finite(*pair) for pair in pairs)
    return pairs if fits else None


def check_layer(place: Any, layer: Any) -> None:
    """Raise a ValueError if something is no layer: a text, a whole number or None."""
    if not (layer is None or isinstance(layer, str) or is_whole(layer)):
        raise ValueError(f"{place!r}: the layer is {layer!r}; it must be a text, a whole number or None.")


def as_runs(given: ArrayLike, height: Any, width: Any) -> NDArray[np.int64]:
    """Return the runs of a mask as an array of shape (R, 2).

    Raises
    ------
    ValueError
        If they are none, or outside the picture; or if its size is none.
    """
    if not all(is_whole(side) and side >= 0 for side in (height, width)):
        raise ValueError(f"A mask's picture is {height!r} x {width!r}; both must be whole numbers, 0 or more.")
    try:
        runs = np.asarray(given)
    except ValueError:  # rows of different lengths
        runs = np.empty(0, dtype=object)
    empty = runs.size == 0 and runs.dtype != object
    flat = runs.ravel()
    pairs = empty or (runs.dtype.kind in "iu" and runs.ndim == 2 and runs.shape[1] == 2)
    if not pairs or np.any(flat[1:] <= flat[:-1]):
        raise ValueError(
            "The runs of a mask must be pairs of whole numbers, ascending and not touching each other; Mask.of makes "
            "them of pixels."
        )
    size = int(height) * int(width)
    if len(flat) and (flat[0] < 0 or flat[-1] > size):
        raise ValueError(
            f"The runs of a mask go from {flat[0]} to {flat[-1]}; the picture has {size} pixels ({height} x {width})."
        )
    return runs.astype(np.int64).reshape(-1, 2)


def check_label(label: Any) -> None:
    """Raise a ValueError if something is no label of a region: a text, a tuple of texts, or None."""
    texts: Iterable[Any] = label if isinstance(label, tuple) else (label,)
    if label is not None and not all(isinstance(text, str) for text in texts):
        raise ValueError(
            f"A region's label is {label!r}, of type {type(label).__name__}; it must be a text, a tuple of texts for "
            "several, or None if it is not said."
        )
