"""A class by chance, that is by numbers which follow from ids and a seed."""

from __future__ import annotations

import numpy as np

from crowdcore.kernels import Codes, Numbers
from crowdcore.kernels.compiling import compiled


@compiled
def _mixed(number: np.uint64) -> np.uint64:
    """Return another number, each bit of which depends on all of this one's (SplitMix64's last step)."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


@compiled
def draw(among: Codes, numbers: Numbers, number: np.uint64) -> int:
    """Return one of those `among` the classes, each as likely as the others; -1 if there are none.

    Parameters
    ----------
    among : ndarray of shape (K,)
        1 for the classes to draw from, 0 for all others.
    numbers : ndarray of shape (K,)
        Of each class, the sum of the numbers of those who chose it: so it does not matter how classes are numbered.
    number
        The task's.
    """
    drawn = -1
    highest = np.uint64(0)
    for k in range(len(among)):
        if among[k]:
            lot = _mixed(numbers[k] + number)
            if drawn < 0 or lot > highest:
                drawn, highest = k, lot
    return drawn
