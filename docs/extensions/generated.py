"""Fills pages with what the code says: a line that ends in ``<!-- generated: NAME -->`` becomes what NAME makes.

What stands before it in the line is for those who read the file where nothing fills it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docs.extensions import command_line, json_api, settings_table

if TYPE_CHECKING:
    from sphinx.application import Sphinx

GENERATORS = {
    "commands": command_line.commands,
    "settings": settings_table.settings,
    "api": json_api.routes,
}
_LINE = re.compile(r"^.*<!-- generated: (\w+) -->$", re.MULTILINE)


def fill(text: str) -> str:
    """Return a page with everything filled in.

    Raises
    ------
    KeyError
        If no generator has the name.
    """
    return _LINE.sub(lambda found: GENERATORS[found[1]](), text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Fill every page as it is read."""

    def read(app: Sphinx, page: str, source: list[str]) -> None:
        source[0] = fill(source[0])

    app.connect("source-read", read)
    return {"parallel_read_safe": True}
