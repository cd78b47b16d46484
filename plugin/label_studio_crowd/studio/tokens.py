"""Which kind of token somebody has, as far as its shape shows."""

from __future__ import annotations

import re


def kind_by_shape(token: str) -> str:
    """Return "legacy token" for 40 hexadecimal digits; "token" for what may be anything.

    Examples
    --------
    >>> kind_by_shape("0123456789abcdef0123456789abcdef01234567"), kind_by_shape("secret")
    ('legacy token', 'token')
    """
    return "legacy token" if re.fullmatch("[0-9a-f]{40}", token) else "token"
