"""Templates to HTML; the same templates make the server's pages and the report."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined

from label_studio_crowd import __version__
from label_studio_crowd.pages import pictures, words
from label_studio_crowd.studio.controls.tags import SCORED

_STATIC: Final = {
    "pico.css": "vendored/pico-2.1.1.min.css",
    "idiomorph.js": "vendored/idiomorph-0.8.0.min.js",
    "crowd.css": "crowd.css",
    "live.js": "live.js",
    "icon.svg": "icon.svg",
}


class Links(Protocol):
    """Where a page's links lead; "" means no link: only the words are shown."""

    def section(self, name: str) -> str:
        """Return the address of a page of the project: "" is the first, others are named as in `SECTIONS`."""

    def annotator(self, key: str) -> str:
        """Return the address of an annotator's page."""

    def task(self, task: int) -> str:
        """Return a task's address in Label Studio."""

    def whole(self, task: int) -> str:
        """Return the address of a task's own page, or of where the report shows it."""

    def image(self, task: int, path: str) -> str:
        """Return the address of a task's picture that Label Studio has at a path, or that is in its data."""


def page_html(template: str, **values: Any) -> str:
    """Return a template filled in; a value that is missing is an error, and text is escaped."""
    return _environment().get_template(template).render(**values)


def static_names() -> tuple[str, ...]:
    """Return the names of the files that pages ask for."""
    return tuple(_STATIC)


@cache
def static_file(name: str) -> bytes:
    """Return a file that pages ask for.

    Raises
    ------
    KeyError
        If it is none of `static_names`.
    """
    return files(__package__).joinpath("static", *_STATIC[name].split("/")).read_bytes()


@cache
def static_version(name: str) -> str:
    """Return what changes when a file does."""
    return hashlib.sha256(static_file(name)).hexdigest()[:10]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=words.unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (
        words.percent,
        words.interval,
        words.count,
        words.duration,
        words.moment,
        words.signed,
        words.shade,
    ):
        environment.filters[function.__name__] = function
    environment.globals.update(
        release=__version__,
        static=lambda name: f"/static/{name}?{static_version(name)}",
        pictures=pictures,
        scored_tags=SCORED,
    )
    return environment
