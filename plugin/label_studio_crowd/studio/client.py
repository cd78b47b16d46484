"""Everything that talks to Label Studio, and nothing else does.

Written on httpx rather than on label-studio-sdk: the SDK takes 1.7 s to import, and repeats a POST that
failed with a 5xx, which duplicates predictions because Label Studio's import is not idempotent.
Here reads and idempotent writes are repeated when the connection breaks; a POST never is.
"""

from __future__ import annotations

import base64
import json
import math
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx
import orjson
import stamina

from label_studio_crowd.errors import UserError
from label_studio_crowd.feedback import Progress, silent
from label_studio_crowd.settings import Settings

PAGE_SIZE: Final = 2500
_ANNOTATION_FIELDS: Final = (
    "id",
    "completed_by",
    "result",
    "updated_at",
    "was_cancelled",
    "ground_truth",
    "lead_time",
)
_TASK_FIELDS: Final = ",".join(
    [
        "id",
        "data",
        "updated_at",
        "overlap",
        "is_labeled",
        *(f"annotations.{name}" for name in _ANNOTATION_FIELDS),
    ]
)
_TOKEN_LIFETIME: Final = 240.0
"""Seconds an access token is used; Label Studio lets it live for 300."""
_NOT_NOW: Final = (429, 502, 503, 504)
"""What is answered for a Label Studio that has too much to do, is starting or is away."""


class StudioError(UserError):
    """Label Studio could not be reached, or refused a request."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NoAnswerError(StudioError):
    """Label Studio does not answer, or says that it cannot now: asked later, it may."""


class NoSuchProjectError(StudioError):
    """There is no such project, or this token's user may not see it."""


class _BrokenError(Exception):
    """A request that may succeed when it is repeated."""

    def __init__(self, error: StudioError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class Prediction:
    """A prediction as Label Studio holds it."""

    id: int
    task: int
    model_version: str
    score: float | None
    result: list[dict[str, Any]]


class Counts(NamedTuple):
    """A project's numbers; skipped annotations are not among the annotations."""

    tasks: int
    annotations: int
    skipped: int
    finished: int


@dataclass(frozen=True)
class VersionState:
    """How many predictions a model version has, and when the newest was created."""

    count: int
    latest: str


class _Token(httpx.Auth):
    """A legacy token as it is; a personal access token exchanged for a bearer token every few minutes."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url
        self._refresh_url = f"{url}/api/token/refresh"
        self._api_key = api_key
        self.kind = _token_kind(api_key)
        self._bearer = api_key if self.kind == "access token" else ""
        self._fetched = -math.inf

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign a request, with a fresh bearer token where one is due, or where the last is not taken."""
        if self.kind == "legacy token":
            request.headers["Authorization"] = f"Token {self._api_key}"
            yield request
            return
        if self.kind == "personal access token" and time.monotonic() - self._fetched > _TOKEN_LIFETIME:
            yield from self._refresh()
        request.headers["Authorization"] = f"Bearer {self._bearer}"
        response = yield request
        if response.status_code == 401 and self.kind == "personal access token":
            yield from self._refresh()  # a machine that slept, or a clock that differs
            request.headers["Authorization"] = f"Bearer {self._bearer}"
            yield request

    def _refresh(self) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield httpx.Request("POST", self._refresh_url, json={"refresh": self._api_key})
        response.read()
        if response.is_redirect or (response.status_code < 500 and not _is_json(response)):
            raise _stranger(self._url, response)
        if response.status_code in (400, 401, 403):
            raise StudioError(
                f"Label Studio refuses the personal access token ({_detail(response)}): create a new one "
                "under Account & Settings → Personal Access Token and put it into LABEL_STUDIO_API_KEY.",
                401,
            )
        if response.status_code != 200:
            reason = f"Label Studio answered {response.status_code} to a request for a bearer token"
            raise _BrokenError(_answered_badly(f"{reason}: {_detail(response)}", response.status_code))
        self._bearer, self._fetched = response.json()["access"], time.monotonic()


def _token_kind(api_key: str) -> str:
    parts = api_key.split(".")
    if len(parts) != 3:
        return "legacy token"
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return "legacy token"
    if not isinstance(claims, dict):
        return "legacy token"
    return "access token" if claims.get("token_type") == "access" else "personal access token"


def _detail(response: httpx.Response) -> str:
    """Return what Label Studio says of a refusal, in one line."""
    try:
        body = response.json()
    except ValueError:
        return f"status {response.status_code}"
    if not isinstance(body, dict):
        return str(body)[:300]
    found = body.get("validation_errors") or body.get("detail") or f"status {response.status_code}"
    return str(found)[:300]


class Studio:
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
        self._token = _Token(self.url, api_key)
        self._http = httpx.Client(
            base_url=self.url,
            auth=self._token,
            timeout=httpx.Timeout(patience, connect=min(patience, 5)),
            transport=transport,
        )
        self._answered = False
        self._waited = threading.local()

    @classmethod
    def of(cls, settings: Settings, *, patience: float = 300) -> Studio:
        """Return the server that the settings name.

        Raises
        ------
        UserError
            If they have no token.
        """
        api_key = settings.api_key.get_secret_value().strip() if settings.api_key else ""
        if not api_key:
            raise UserError(
                "No token: create a personal access token in Label Studio (Account & Settings → Personal Access "
                "Token) and put it into LABEL_STUDIO_API_KEY."
            )
        return cls(settings.url, api_key, patience=patience)

    @property
    def token_kind(self) -> str:
        """Return which kind of token is in use."""
        return self._token.kind

    # ------------------------------------------------------------------ the project and its people

    def time(self) -> str | None:
        """Return the server's time (ISO, UTC), or None if something before it takes its Date header away."""
        date = self._request("GET", "/api/version").headers.get("date")
        return parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%S.000000Z") if date else None

    def version(self) -> str:
        """Return Label Studio's version."""
        return str(self._get("/api/version")["release"])

    def user(self) -> dict[str, Any]:
        """Return the token's user."""
        return self._dict("/api/current-user/whoami")

    def annotator_names(self) -> dict[int, str]:
        """Return a name of every user of the organisation: their e-mail address, mostly."""
        return {user["id"]: user.get("email") or user.get("username") or "" for user in self._get("/api/users/")}

    def project(self, project: int) -> dict[str, Any]:
        """Return a project's settings.

        Raises
        ------
        StudioError
            If there is no such project; the message names those there are.
        """
        try:
            return self._dict(f"/api/projects/{project}/")
        except StudioError as error:
            if error.status != 404:
                raise
        found = self._get("/api/projects/", page_size=20)["results"]
        there = ", ".join(f"{row['id']} ({row['title']})" for row in found) or "none"
        raise NoSuchProjectError(
            f"Project {project} does not exist at {self.url}, or this token's user may not see it. There: {there}.",
            404,
        )

    def update_project(self, project: int, **fields: Any) -> None:
        """Change some of a project's settings."""
        self._request("PATCH", f"/api/projects/{project}/", json=fields)

    def counts(self, project: int) -> Counts:
        """Return how many tasks, annotations and skips there are, and how many tasks are finished."""
        row = self._get("/api/projects/counts/", ids=project)["results"][0]
        names = ("task_number", "total_annotations_number", "skipped_annotations_number", "finished_task_number")
        return Counts(*(row[name] for name in names))

    def backends(self, project: int) -> list[dict[str, Any]]:
        """Return the ML backends connected to a project."""
        return list(self._get("/api/ml/", project=project))

    def add_backend(self, project: int, url: str, user: str = "", password: str = "") -> None:
        """Connect an ML backend, which Label Studio asks for its health at once; on a refusal leave nothing."""
        backend = {"project": project, "url": url, "title": "label-studio-crowd"}
        if user:
            backend |= {"auth_method": "BASIC_AUTH", "basic_auth_user": user, "basic_auth_pass": password}
        try:
            self._request("POST", "/api/ml", json=backend)
        except StudioError as error:
            self.remove_backend(project, url)
            if error.status != 400:
                raise
            if "401" in str(error) or "authentication" in str(error):
                raise StudioError(
                    f"The backend at {url} asks for a password: set BASIC_AUTH_USER and BASIC_AUTH_PASS here to what "
                    "the server has.",
                    400,
                ) from None
            raise StudioError(
                f"Label Studio cannot use {url} as a backend: is `label-studio-crowd serve` running there, and can "
                f"Label Studio reach it? {error}",
                400,
            ) from None

    def remove_backend(self, project: int, url: str) -> None:
        """Remove an ML backend, and the webhook that Label Studio made for it and would leave behind."""
        for row in self.backends(project):
            if row["url"].rstrip("/") == url.rstrip("/"):
                self._unless_gone("DELETE", f"/api/ml/{row['id']}")
        for row in self._get("/api/webhooks/", project=project):
            if row["url"].startswith(url.rstrip("/") + "/"):
                self._unless_gone("DELETE", f"/api/webhooks/{row['id']}/")

    def webhook_headers(self, project: int, backend: str) -> dict[str, str] | None:
        """Return what a backend's webhook carries, or None if it has no webhook; every annotator can read it."""
        found = self._webhooks(project, backend)
        return dict(found[0]["headers"]) if found else None

    def secure_webhook(self, project: int, backend: str, headers: Mapping[str, str]) -> None:
        """Let the webhook of a backend carry these headers, which Label Studio forgets; make it where there is none."""
        found = self._webhooks(project, backend)
        for row in found:
            if row["headers"] != {**row["headers"], **headers}:
                # a change that does not name the actions would empty them
                wanted = {"headers": {**row["headers"], **headers}, "actions": row["actions"]}
                self._request("PATCH", f"/api/webhooks/{row['id']}/", json=wanted)
        if not found:
            hook = {"project": project, "url": _webhook_url(backend), "headers": dict(headers), "send_payload": True}
            self._request("POST", "/api/webhooks/", json={**hook, "send_for_all_actions": True})

    def remove_left_webhooks(self, project: int, host: str) -> None:
        """Remove the webhooks of backends at a host that are gone: Label Studio leaves them behind."""
        there = {_webhook_url(row["url"]) for row in self.backends(project)}
        for row in self._get("/api/webhooks/", project=project):
            parts = urlsplit(row["url"])
            if parts.netloc == host and parts.path.endswith("/webhook") and row["url"] not in there:
                self._unless_gone("DELETE", f"/api/webhooks/{row['id']}/")

    def _webhooks(self, project: int, backend: str) -> list[dict[str, Any]]:
        rows = self._get("/api/webhooks/", project=project)
        return [row for row in rows if row["url"] == _webhook_url(backend)]

    # ------------------------------------------------------------------ tasks

    def tasks(
        self, project: int, *, since: str | None = None, progress: Progress = silent
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the tasks with their annotations, a page at a time, by increasing id.

        Parameters
        ----------
        since
            Only those changed after this time (ISO, with a fraction of a second).
        """
        yield from self._pages(project, _TASK_FIELDS, since=since, progress=progress)

    def task_states(self, project: int, progress: Progress = silent) -> Iterator[list[dict[str, Any]]]:
        """Yield id, overlap and is_labeled of every task: what Label Studio changes without a trace."""
        yield from self._pages(project, "id,overlap,is_labeled", progress=progress, page_size=4 * PAGE_SIZE)

    def _pages(
        self,
        project: int,
        include: str,
        *,
        since: str | None = None,
        progress: Progress = silent,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield pages by increasing id; the next one is read while the caller works on the last."""

        def read(after: int) -> dict[str, Any]:
            # Paging by the last id seen is stable while people label; paging by offset is not.
            items = [_filter("id", "greater", "Number", after)]
            if since is not None:
                items.append(_filter("updated_at", "greater", "Datetime", since))
            query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
            params = {
                "project": project,
                "page_size": page_size,
                "fields": "all",
                "include": include,
                "expand": "annotations",
                "query": json.dumps(query),
            }
            page: dict[str, Any] = self._get("/api/tasks/", **params)
            return page

        done, total = 0, 0
        with ThreadPoolExecutor(1) as reader:
            coming: Future[dict[str, Any]] | None = reader.submit(read, 0)
            while coming is not None:
                with self._waiting():
                    page = coming.result()
                tasks: list[dict[str, Any]] = page["tasks"]
                # `total` counts from this page on; a server may cap the size of pages below what was asked for
                coming = reader.submit(read, tasks[-1]["id"]) if 0 < len(tasks) < page["total"] else None
                done += len(tasks)
                total = max(total, done, page["total"])
                progress("reading tasks", done, total)
                if tasks:
                    yield tasks

    def set_task(self, task: int, *, overlap: int, is_labeled: bool) -> bool:
        """Open or close a task for one more annotator; return False if it is gone."""
        return self._unless_gone("PATCH", f"/api/tasks/{task}/", json={"overlap": overlap, "is_labeled": is_labeled})

    def file(self, path: str, most: int) -> tuple[str, bytes]:
        """Return the content type and the bytes of a file that Label Studio itself serves.

        Raises
        ------
        StudioError
            If it does not, leads to another server for it, or it has more than `most` bytes.
        """
        content = bytearray()
        try:
            with self._waiting(), self._http.stream("GET", path) as response:
                if not response.is_success:
                    where = " and leads elsewhere" * response.is_redirect
                    raise StudioError(f"it answers {response.status_code}{where}.", response.status_code)
                for part in response.iter_bytes():
                    content += part
                    if len(content) > most:
                        raise StudioError(f"it has more than {most / 1e6:g} MB.")
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self._unreachable(str(error) or type(error).__name__) from None
        except _BrokenError as broken:
            raise broken.error from None
        return response.headers.get("content-type", ""), bytes(content)

    # ------------------------------------------------------------------ predictions

    def model_versions(self, project: int) -> dict[str, VersionState]:
        """Return every model version that has predictions."""
        rows = self._get(f"/api/projects/{project}/model-versions/", extended="true")["static"]
        return {row["model_version"]: VersionState(row["count"], row["latest"]) for row in rows}

    def predictions(self, project: int) -> list[Prediction]:
        """Return every prediction of a project, of all model versions."""
        return [
            Prediction(row["id"], row["task"], row["model_version"], row["score"], row["result"])
            for row in self._get("/api/predictions/", project=project)
        ]

    def import_predictions(self, project: int, items: Sequence[dict[str, Any]]) -> int:
        """Import predictions in one request; return how many Label Studio created.

        Label Studio leaves out, without a word, those it finds invalid: compare.
        """
        response = self._request("POST", f"/api/projects/{project}/import/predictions", json=list(items))
        return int(response.json()["created"])

    def create_prediction(self, item: dict[str, Any]) -> int | None:
        """Create one prediction and return its id, or None if its task is gone."""
        try:
            return int(self._request("POST", "/api/predictions/", json=item).json()["id"])
        except StudioError as error:
            if error.status in (400, 404) and "task" in str(error).lower():
                return None
            raise

    def update_prediction(self, prediction: int, **fields: Any) -> bool:
        """Change a prediction; return False if it is gone."""
        return self._unless_gone("PATCH", f"/api/predictions/{prediction}/", json=fields)

    def delete_prediction(self, prediction: int) -> bool:
        """Delete a prediction; return False if it was gone already."""
        return self._unless_gone("DELETE", f"/api/predictions/{prediction}/")

    def delete_version(self, project: int, model_version: str) -> None:
        """Delete all predictions of a version, in one transaction: for versions of a few hundred."""
        self._request("DELETE", f"/api/projects/{project}/model-versions/", json={"model_version": model_version})

    # ------------------------------------------------------------------ Data Manager tabs

    def views(self, project: int) -> list[dict[str, Any]]:
        """Return the Data Manager's tabs."""
        return list(self._get("/api/dm/views/", project=project))

    def create_view(self, project: int, data: dict[str, Any]) -> int:
        """Create a tab and return its id."""
        return int(self._request("POST", "/api/dm/views/", json={"project": project, "data": data}).json()["id"])

    def update_view(self, project: int, view: int, data: dict[str, Any]) -> None:
        """Change a tab."""
        self._request("PATCH", f"/api/dm/views/{view}/", json={"project": project, "data": data})

    def delete_view(self, view: int) -> bool:
        """Delete a tab; return False if it was gone already."""
        return self._unless_gone("DELETE", f"/api/dm/views/{view}/")

    # ------------------------------------------------------------------ requests

    def seconds_waited(self) -> float:
        """Return how long this thread has waited for Label Studio's answers so far."""
        return float(getattr(self._waited, "seconds", 0.0))

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._waited.seconds = self.seconds_waited() + time.perf_counter() - start

    def _get(self, path: str, **params: Any) -> Any:
        return orjson.loads(self._request("GET", path, params=params).content)

    def _dict(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._get(path)
        return found

    def _unless_gone(self, method: str, path: str, **kwargs: Any) -> bool:
        try:
            self._request(method, path, **kwargs)
        except StudioError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Send a request; repeat it, unless it is a POST, when the connection breaks."""
        if method == "POST" or not self._answered:
            try:
                return self._once(method, path, **kwargs)
            except _BrokenError as broken:
                raise broken.error from None
        try:
            for attempt in stamina.retry_context(on=_BrokenError, attempts=5, timeout=60, wait_initial=0.5):
                with attempt:
                    return self._once(method, path, **kwargs)
        except _BrokenError as broken:
            raise broken.error from None
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        try:
            with self._waiting():
                response = self._http.request(method, path, **kwargs)
        except httpx.TimeoutException as error:
            raise _BrokenError(self._unreachable(f"{type(error).__name__} in {method} {path}")) from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _BrokenError(self._unreachable(str(error) or type(error).__name__)) from None
        self._answered = True
        if response.is_success:
            if method in ("GET", "POST") and not _is_json(response):
                raise _stranger(self.url, response)
            return response
        refusal = self._refusal(method, path, response)
        raise _BrokenError(refusal) if response.status_code in (429, 500, 502, 503, 504) else refusal

    def _unreachable(self, reason: str) -> NoAnswerError:
        return NoAnswerError(
            f"Label Studio does not answer at {self.url} ({reason}): start it, or correct LABEL_STUDIO_URL."
        )

    def _refusal(self, method: str, path: str, response: httpx.Response) -> StudioError:
        detail, status = _detail(response), response.status_code
        if response.is_redirect or (status == 404 and not _is_json(response)):
            return _stranger(self.url, response)
        if status == 401:
            message = (
                f"Label Studio refuses the {self.token_kind} ({detail}): take a personal access token from "
                "Account & Settings → Personal Access Token (legacy tokens are off by default) and put it into "
                "LABEL_STUDIO_API_KEY."
            )
        elif status == 403 and "reserved network address" in detail:
            message = (
                f"Label Studio refuses a private address ({detail}): start Label Studio with both "
                "LABEL_STUDIO_ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false, or use a public address."
            )
        elif status == 403:
            message = f"This token's user may not do {method} {path} ({detail}): ask for the rights, or use another."
        else:
            message = f"Label Studio answered {status} to {method} {path}: {detail}"
        return _answered_badly(message, status)


def _is_json(response: httpx.Response) -> bool:
    return "json" in response.headers.get("content-type", "")


def _answered_badly(message: str, status: int) -> StudioError:
    return (NoAnswerError if status in _NOT_NOW else StudioError)(message, status)


def _stranger(url: str, response: httpx.Response) -> StudioError:
    """Return the error for an address at which something else than Label Studio answers."""
    if response.is_redirect:
        target = response.headers.get("location", "elsewhere")
        return StudioError(f"{url} redirects to {target}: put the address it leads to into LABEL_STUDIO_URL.")
    path = response.request.url.path
    return StudioError(
        f"{url} answers, but not as Label Studio does ({path} gave no JSON): correct LABEL_STUDIO_URL, which is the "
        "address without any path to a project."
    )


def _webhook_url(backend: str) -> str:
    return f"{backend.rstrip('/')}/webhook"


def _filter(column: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
