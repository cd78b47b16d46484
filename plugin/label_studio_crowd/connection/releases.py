"""The releases of Label Studio that the exchange works with."""

from __future__ import annotations

import re
from typing import Final

from label_studio_crowd.errors import UserError

OLDEST: Final = "1.16"
"""It has /api/projects/counts/, by which a pull knows that it has seen all."""
TESTED: Final = ("1.20", "1.23")
"""Those that the tests of the exchange were run with."""


def is_too_old(version: str) -> bool:
    """Return whether a release is older than the oldest that can work; one of an unknown form is not.

    Examples
    --------
    >>> [is_too_old(version) for version in ("1.15.0", "1.16.0", "1.9.2", "2.0.0dev", "main")]
    [True, False, True, False, False]
    """
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < tuple(map(int, OLDEST.split(".")))


def is_tested(version: str) -> bool:
    """Return whether the exchange was tested with a release."""
    return version.startswith(tuple(f"{tested}." for tested in TESTED))


def too_old(version: str) -> str:
    """Return what is wrong with an old release, in words."""
    return (
        f"Label Studio {version} is too old: the oldest that works is {OLDEST} (tested: {', '.join(TESTED)}). "
        "Upgrade Label Studio first. Nothing was changed."
    )


def refuse_old(version: str) -> None:
    """Do nothing with a release that can work.

    Raises
    ------
    UserError
        If it is older.
    """
    if is_too_old(version):
        raise UserError(too_old(version))
