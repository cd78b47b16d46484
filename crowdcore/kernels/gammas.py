"""The gamma function's logarithm and its slope, together and faster than one by one."""

from __future__ import annotations

from math import log

from crowdcore.kernels import Floats
from crowdcore.kernels.compiling import compiled

FAR = 8.0
"""From here on the asymptotic series are as exact as a float."""
HALF_LOG_TWO_PI = 0.9189385332046727


@compiled
def digammas(values: Floats, slopes: Floats) -> float:
    """Fill the slopes, digamma, of ln gamma at some values; return the sum of ln gamma there.

    The series of Abramowitz & Stegun 1964, 6.1.41 and 6.3.18, after as many steps up as it takes (6.1.16, 6.3.6).

    Parameters
    ----------
    values : ndarray of shape (S,)
        Numbers above 0.
    slopes : ndarray of shape (S,)
        Filled.
    """
    total = 0.0
    for i in range(len(values)):
        x = values[i]
        product = 1.0
        slope = 0.0  # of the product of all steps
        while x < FAR:
            slope = slope * x + product
            product *= x
            x += 1.0
        log_x = log(x)
        y = 1.0 / x
        z = y * y
        tail = y * (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z * (1 / 1188 - z * 691 / 360360)))))
        drop = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * 691 / 32760)))))
        slopes[i] = log_x - y / 2 - drop - slope / product
        total += (x - 0.5) * log_x - x + HALF_LOG_TWO_PI + tail - log(product)
    return total
