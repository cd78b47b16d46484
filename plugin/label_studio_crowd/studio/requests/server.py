"""The server itself: how it is reached, with which token, and what it is."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx

from label_studio_crowd.errors import UserError
from label_studio_crowd.settings import Settings
from label_studio_crowd.studio.failures import StudioError, read_json
from label_studio_crowd.studio.http_client import HttpClient
from label_studio_crowd.studio.tokens import kind_by_shape

if TYPE_CHECKING:
    from typing_extensions import Self

    from label_studio_crowd.studio.sdk import Sdk


class Server:
    """A Label Studio server.

    Parameters
    ----------
    url
        Its address.
    api_key
        A personal access token or a legacy token.
    transport
        What carries the requests; a test's way to make a connection fail.
    patience
        Seconds to wait for an answer.
    """

    def __init__(
        self, url: str, api_key: str, *, transport: httpx.BaseTransport | None = None, patience: float = 300
    ) -> None:
        self.url = url.rstrip("/")
        self._api_key = api_key
        self._http = HttpClient(self.url, patience=patience, transport=transport)
        self._is_legacy = api_key.count(".") != 2  # a personal access token has three parts
        if self._is_legacy:
            self._http.token_kind = kind_by_shape(api_key)

    @classmethod
    def of(cls, settings: Settings, *, patience: float = 300) -> Self:
        """Return the server that the settings name.

        Raises
        ------
        UserError
            If they have no token.
        """
        api_key = _bare(settings.api_key.get_secret_value()) if settings.api_key else ""
        if not api_key:
            raise UserError(
                "No token: create a personal access token in Label Studio (Account & Settings → Personal Access "
                "Token) and put it into LABEL_STUDIO_API_KEY."
            )
        if odd := next((letter for letter in api_key if not "!" <= letter <= "~"), None):
            raise UserError(
                f"The token has the character {odd!r}, which no token has: copy it again from Label Studio (Account & "
                "Settings) into LABEL_STUDIO_API_KEY, whole and alone."
            )
        return cls(settings.url, api_key, patience=patience)

    @cached_property
    def _sdk(self) -> Sdk:
        from label_studio_crowd.studio.sdk import Sdk

        return Sdk(self.url, self._api_key, self._http)

    def _read(self, path: str, **params: Any) -> Any:
        """Return what a route answers, as Label Studio wrote it: a project is known by the text of its times."""
        if not self._is_legacy:
            return self._sdk.ask("GET", path, params=params)
        answer = self._http.get(path, params=params, headers={"Authorization": f"Token {self._api_key}"})
        return read_json(path, answer)

    @property
    def token_kind(self) -> str:
        """Return which kind of token is in use."""
        return self._sdk.token_kind

    def seconds_waited(self) -> float:
        """Return how long this thread has waited for Label Studio's answers so far."""
        return self._http.waited.seconds

    def time(self) -> str | None:
        """Return the server's time (ISO, UTC), or None if a proxy removes its Date header."""
        date = self._sdk.versions.with_raw_response.get().headers.get("date")
        return parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%S.000000Z") if date else None

    def version(self) -> str:
        """Return Label Studio's version."""
        return str(self._sdk.versions.get().release)

    def file(self, path: str, most: int) -> tuple[str, bytes]:
        """Return the content type and the bytes of a file that Label Studio itself serves.

        Raises
        ------
        StudioError
            If it does not, leads to another server for it, or it has more than `most` bytes.
        """
        content = bytearray()
        with self._http.answering(f"GET {path}"), self._sdk.file(path) as response:
            if not response.is_success:
                where = " and leads elsewhere" * response.is_redirect
                raise StudioError(f"it answers {response.status_code}{where}.", response.status_code)
            for part in response.iter_bytes():
                content += part
                if len(content) > most:
                    raise StudioError(f"it has more than {most / 1e6:g} MB.")
        return response.headers.get("content-type", ""), bytes(content)


def _bare(token: str) -> str:
    """Return a token without what people copy with it: blanks, quotes, and the word that goes before it in a header.

    Examples
    --------
    >>> _bare(' "Token abc" '), _bare("Authorization: Bearer a.b.c")
    ('abc', 'a.b.c')
    """
    around = " \t\r\n\"'`,;\u201c\u201d\u2018\u2019"
    bare = re.sub(r"^(authorization\s*:)?\s*(token|bearer)\s*[:=]?\s+", "", token.strip(around), flags=re.IGNORECASE)
    return bare.strip(around)
