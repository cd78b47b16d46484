"""label-studio-sdk over our own HTTP client.

Of the SDK only `LabelStudioBase` is imported, which loads each resource with its first use. `LabelStudio` imports
pandas and more for its converters, and takes five times the CPU time.
"""

from __future__ import annotations

from typing import Any, Final

from label_studio_sdk.base_client import LabelStudioBase
from label_studio_sdk.core.api_error import ApiError

from label_studio_crowd.studio.failures import read_json, refused_personal_token
from label_studio_crowd.studio.http_client import HttpClient
from label_studio_crowd.studio.tokens import kind_by_shape

_TOKEN_KINDS: Final = {"refresh": "personal access token", "access": "access token"}


class Sdk(LabelStudioBase):
    """Label Studio's own client, with the requests that it has no method for.

    Raises
    ------
    StudioError
        If the token says itself that its time is over.
    """

    def __init__(self, url: str, api_key: str, http: HttpClient) -> None:
        try:
            # the SDK finds where to exchange a token relative to the address: without "/" it would lose a path in it
            super().__init__(base_url=f"{url}/", api_key=api_key, httpx_client=http, max_retries=0)
        except ApiError as error:
            raise refused_personal_token(error.body["detail"]) from None
        self._tokens_in_use = self._client_wrapper._tokens_client
        self.token_kind = _TOKEN_KINDS.get(self._tokens_in_use.jwt_token_type(api_key) or "", kind_by_shape(api_key))
        if self.token_kind == "access token":
            self._tokens_in_use._set_access_token(api_key)  # the SDK would exchange it, as if it were a refresh token
        elif self.token_kind == "personal access token":
            http.renew = self._renew
        http.token_kind = self.token_kind

    def _renew(self) -> str:
        token: str = self._tokens_in_use.refresh().access
        self._tokens_in_use._set_access_token(token)
        return token

    def ask(self, method: str, path: str, *, params: dict[str, Any] | None = None, json: Any = None) -> Any:
        """Send a request that the SDK has no method for, or whose models cost too much; return the JSON, or None."""
        answer = self._client_wrapper.httpx_client.request(path, method=method, params=params, json=json)
        return read_json(path, answer) if answer.content else None

    def file(self, path: str) -> Any:
        """Return a context manager that streams a file of Label Studio itself."""
        return self._client_wrapper.httpx_client.stream(path, method="GET")
