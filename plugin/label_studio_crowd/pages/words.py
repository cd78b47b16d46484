"""Numbers and times as people read them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Final

from markupsafe import Markup

from label_studio_crowd import wording
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.wording import count, plural

__all__ = ["count", "duration", "interval", "moment", "percent", "shade", "signed"]

_NO_BREAK: Final = "\u00a0"
_PER_CENT: Final = re.compile(r"(?<=\d) %")
_UNITS: Final = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def percent(share: float, digits: int = 0) -> str:
    r"""Return a share as `wording.percent` does, in one piece.

    >>> percent(0.934, 1), percent(0.9996)
    ('93.4\xa0%', '>\xa099\xa0%')
    """
    return wording.percent(share, digits).replace(" ", _NO_BREAK)


def interval(estimate: Estimate, digits: int = 1) -> str:
    """Return an estimated share's interval, "" where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{percent(estimate.low, digits)} to {percent(estimate.high, digits)}"


def duration(seconds: float) -> str:
    r"""Return seconds in the unit that fits.

    >>> duration(0.042), duration(4.21), duration(64), duration(90 * 60)
    ('0.04\xa0s', '4.2\xa0s', '1.1\xa0min', '1.5\xa0h')
    """
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.1f}{_NO_BREAK}{unit}"
    return f"{seconds:.{2 if seconds < 1 else 1 if seconds < 10 else 0}f}{_NO_BREAK}s"


def unbroken(shown: object) -> object:
    r"""Return what a page shows, each per cent sign on the line of its number; what is no text as it is.

    >>> unbroken("right in 93 % of the tasks"), unbroken(3)
    ('right in 93\xa0% of the tasks', 3)
    """
    return _PER_CENT.sub(f"{_NO_BREAK}%", shown) if type(shown) is str else shown


def moment(at: float) -> Markup:
    """Return a Unix time as a `time` element, in UTC; the page's script writes it in the reader's own zone."""
    when = datetime.fromtimestamp(at, timezone.utc)
    return Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}">{} {:%b %Y, %H:%M} UTC</time>').format(when, when.day, when)


def signed(share: float) -> str:
    r"""Return a difference of shares in percentage points.

    >>> signed(0.052), signed(-0.011)[1:], signed(0.001)
    ('+5 points', '1 point', '0 points')
    """
    points = f"{abs(100 * share):.0f}"
    return f"{'' if points == '0' else '+' if share > 0 else chr(0x2212)}{points} {plural(float(points), 'point')}"


def shade(share: float) -> int:
    """Return which of eleven shades, 0 to 10, a cell with a share has."""
    return round(10 * min(max(share, 0.0), 1.0))
