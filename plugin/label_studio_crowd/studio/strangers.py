"""What answers at LABEL_STUDIO_URL where it is not Label Studio, and what to do then."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx
import orjson

from label_studio_crowd.studio.failures import REFRESH_PATH, StudioError

_FIRST: Final = (
    (re.compile(r"/api/projects/"), "results"),
    (re.compile(r"/api/projects/\d+/"), "label_config"),
    (re.compile(r"/api/version/?"), "release"),
    (re.compile(r"/api/current-user/whoami/?"), "email"),
    (re.compile(REFRESH_PATH), "access"),
)
"""Routes that are asked first, and what Label Studio's answers to them have."""

_OF_ERRORS: Final = frozenset(("status_code", "version"))
"""What every refusal of Label Studio has."""

_PAGES: Final = frozenset(("api", "data", "organization", "people", "projects", "settings", "tasks", "user"))
"""The first steps of the paths of Label Studio's own pages."""

_SHOWN: Final = 60


def stranger(url: str, answer: httpx.Response, *, is_known: bool) -> StudioError | None:
    """Return what is wrong if something other than Label Studio answers, else None.

    Parameters
    ----------
    url
        Its address, as the user gave it.
    is_known
        Whether Label Studio has answered there before: what it says then is taken for its own as long as it is JSON.
    """
    if answer.is_redirect:
        return StudioError(_about_redirect(url, answer), answer.status_code)
    found = _found(answer, is_known=is_known)
    if found is None:
        return None
    if "https port" in _text(answer)[:2000].lower():
        return StudioError(f"{url} speaks HTTPS: write https:// instead of http:// in LABEL_STUDIO_URL.")
    asked = f"{answer.request.method} {_route(url, answer)}"
    if answer.status_code in (401, 403, 407):
        return StudioError(
            f"Something before Label Studio at {url} lets nobody through: it answered {asked} with {found}. Let "
            f"requests to /api pass there, or put an address behind it into LABEL_STUDIO_URL.",
            answer.status_code,
        )
    return StudioError(
        f"What answers at {url} is not Label Studio: it answered {asked} with {found}. {_advice(url)}",
        answer.status_code if answer.is_error else None,
    )


def _found(answer: httpx.Response, *, is_known: bool) -> str | None:
    """Return, in words, what was found that Label Studio does not answer."""
    if "json" not in answer.headers.get("content-type", ""):
        return _thing(answer) if _is_of_others(answer) else None
    if is_known or answer.status_code >= 500 or answer.request.method == "DELETE":
        return None
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return "something that calls itself JSON and is not" if answer.content else "nothing"
    path = answer.request.url.path
    if answer.status_code in (404, 405):
        is_ours = isinstance(body, Mapping) and body.keys() >= _OF_ERRORS
        return None if is_ours else f"{answer.status_code} and {_shape(body)}"
    needed = next((name for route, name in _FIRST if re.search(f"{route.pattern}$", path)), None)
    if not answer.is_success or needed is None or (isinstance(body, Mapping) and needed in body):
        return None
    return f"{_shape(body)}, which has no {needed!r}"


def _is_of_others(answer: httpx.Response) -> bool:
    """Return whether Label Studio never gives such an answer without JSON: it fails, and deletes, without."""
    if answer.request.url.path.endswith(REFRESH_PATH):
        return answer.status_code < 500
    return answer.status_code in (400, 401, 403, 404, 405, 407) or (
        answer.is_success and answer.request.method != "DELETE"
    )


def _thing(answer: httpx.Response) -> str:
    """Return what was found instead of JSON."""
    status = f"{answer.status_code} and " * answer.is_error
    if not answer.content:
        return f"{status}nothing"
    title = re.search(r"<title[^>]*>(.*?)</title", _text(answer)[:20_000], re.IGNORECASE | re.DOTALL)
    if title and (words := _one_line(html.unescape(title[1]))):
        return f"{status}the web page {words!r}"
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    return f"{status}a web page" if kind == "text/html" else f"{status}{_one_line(kind) or 'bytes of no type'}"


def _text(answer: httpx.Response) -> str:
    """Return an answer as text, also where it claims to be written in something that is no writing, such as base64."""
    try:
        return answer.text
    except (AssertionError, TypeError, ValueError):
        return answer.content.decode("utf-8", errors="replace")


def _shape(body: Any) -> str:
    """Return what JSON was found."""
    if not isinstance(body, Mapping):
        return f"JSON that is {'a list' if isinstance(body, list) else 'no object'}"
    names = ", ".join(map(repr, map(_one_line, list(body)[:4]))) + ", …" * (len(body) > 4)
    return f"JSON of another kind ({names})" if names else "empty JSON"


def _one_line(words: str) -> str:
    """Return words that somebody else wrote, short, printable and without line breaks."""
    plain = "".join(letter if letter.isprintable() else " " for letter in words)
    short = " ".join(plain.split())
    return short if len(short) <= _SHOWN else short[:_SHOWN].rstrip() + "…"


def _about_redirect(url: str, answer: httpx.Response) -> str:
    route = _route(url, answer)
    try:
        parts = urlsplit(urljoin(str(answer.request.url), answer.headers.get("location", "")))
    except ValueError:  # that is no address
        parts = urlsplit(str(answer.request.url))
    if parts.geturl() == str(answer.request.url):
        return f"What answers at {url} is not Label Studio: it redirects GET {route} nowhere else. {_advice(url)}"
    is_page = without_page(url) != url.rstrip("/")
    moved = not is_page and parts.path.rstrip("/").endswith(route.rstrip("/"))
    path = parts.path.rstrip("/").removesuffix(route.rstrip("/")) if moved else parts.path
    there = _one_line(urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", "")))
    if there == url.rstrip("/"):
        return f"{url} redirects GET {route} to itself. Look at what forwards requests to Label Studio there."
    if moved or not path.strip("/"):
        return f"{url} redirects to {there}: put that address into LABEL_STUDIO_URL."
    behind = "If people log in there, let requests to /api pass, or put an address behind it into LABEL_STUDIO_URL."
    asked = f"{answer.request.method} {route}"
    return f"{url} redirects {asked} to {there} instead of answering. {_advice(url) if is_page else behind}"


def _route(url: str, answer: httpx.Response) -> str:
    """Return the route that was asked for, without the path of the address."""
    path = answer.request.url.path
    return path.removeprefix(urlsplit(url).path.rstrip("/")) or path


def _advice(url: str) -> str:
    shorter = without_page(url)
    if shorter != url.rstrip("/"):
        return f"Put {shorter} into LABEL_STUDIO_URL: the address without the path of a page."
    return (
        "Put the address of Label Studio into LABEL_STUDIO_URL, as you open it in the browser, without a path such as "
        "/projects."
    )


def without_page(url: str) -> str:
    """Return an address without the path of one of Label Studio's pages.

    Examples
    --------
    >>> without_page("http://host:8080/projects/3/data?tab=7")
    'http://host:8080'
    >>> without_page("https://host/label-studio/user/login/"), without_page("https://host/label-studio/")
    ('https://host/label-studio', 'https://host/label-studio')
    """
    parts = urlsplit(url)
    steps = parts.path.rstrip("/").split("/")
    end = next((at for at, step in enumerate(steps) if step in _PAGES), len(steps))
    return urlunsplit((parts.scheme, parts.netloc, "/".join(steps[:end]), "", ""))
