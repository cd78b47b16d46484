"""How shares, counts and lists are written, for every command, page and message."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percent(share: float, digits: int = 0) -> str:
    """Return a share as per cent, "-" for NaN; what is not quite all, or not quite nothing, is not rounded to it.

    >>> percent(0.934, 1), percent(0.9996), percent(1.0, 1), percent(0.0004)
    ('93.4 %', '> 99 %', '100 %', '< 1 %')
    """
    if math.isnan(share):
        return "-"
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    said, least = f"{100 * share:.{digits}f}", 10.0**-digits
    if share < 1 and float(said) >= 100:
        said = f"> {100 - least:.{digits}f}"
    elif share > 0 and float(said) == 0:
        said = f"< {least:.{digits}f}"
    return f"{said} %"


def count(number: float, thing: str = "", things: str = "") -> str:
    """Return a whole number, with what is counted; `things` where the plural is not with an s.

    >>> count(1204), count(1, "label"), count(3, "label"), count(2, "entry", "entries")
    ('1,204', '1 label', '3 labels', '2 entries')
    """
    return f"{number:,.0f}" + (f" {plural(number, thing, things)}" if thing else "")


def plural(number: float, thing: str, things: str = "") -> str:
    """Return what so many of a thing are called.

    >>> plural(1, "task"), plural(0, "task")
    ('task', 'tasks')
    """
    return thing if f"{number:.0f}" == "1" else things or f"{thing}s"


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
