"""All requests to Label Studio, one method each. Nothing else in the plugin sends it requests.

The requests are label-studio-sdk's; how they are carried, repeated and refused is `http_client`. The SDK is imported
with the first request that needs it, for many commands make none. What `status` reads is JSON, and needs no SDK with a
legacy token; a personal access token is exchanged by the SDK.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from label_studio_crowd.errors import UserError
from label_studio_crowd.feedback import Progress, silent
from label_studio_crowd.settings import Settings
from label_studio_crowd.studio.failures import NoSuchProjectError, StudioError, read_json
from label_studio_crowd.studio.http_client import HttpClient
from label_studio_crowd.studio.own_annotations import own_id
from label_studio_crowd.studio.records import Counts, Prediction, VersionState
from label_studio_crowd.studio.task_pages import (
    NUMBERS,
    PAGE_SIZE,
    STATES,
    STATES_AND_TIMES,
    WITH_ANNOTATIONS,
    WITH_PREDICTIONS,
    CarefulReader,
    TaskPage,
    newest_first,
    page_after,
    read_ahead,
)

if TYPE_CHECKING:
    from label_studio_sdk.core.unchecked_base_model import UncheckedBaseModel
    from label_studio_sdk.types.webhook import Webhook

    from label_studio_crowd.studio.sdk import Sdk

BACKEND_TITLE: Final = "label-studio-crowd"
"""The title of a backend that `connect` adds."""


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
        self._api_key = api_key
        self._http = HttpClient(self.url, patience=patience, transport=transport)
        self._is_legacy = api_key.count(".") != 2  # a personal access token has three parts
        if self._is_legacy:
            self._http.token_kind = "legacy token"

    @classmethod
    def of(cls, settings: Settings, *, patience: float = 300) -> Studio:
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

    # ------------------------------------------------------------------ the project and its people

    def time(self) -> str | None:
        """Return the server's time (ISO, UTC), or None if a proxy removes its Date header."""
        date = self._sdk.versions.with_raw_response.get().headers.get("date")
        return parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%S.000000Z") if date else None

    def version(self) -> str:
        """Return Label Studio's version."""
        return str(self._sdk.versions.get().release)

    def user(self) -> dict[str, Any]:
        """Return the token's user."""
        return _row(self._sdk.users.whoami())

    def user_with(self, email: str) -> int | None:
        """Return the id of the organisation's user with an e-mail address, None if there is none."""
        return next((int(user.id) for user in self._sdk.users.list() if user.email == email), None)

    def create_user(self, email: str, first_name: str, last_name: str) -> int:
        """Make a user of the organisation, who has no password, and return the id."""
        made = self._sdk.users.create(email=email, username=email[:30], first_name=first_name, last_name=last_name)
        return int(made.id)

    def annotator_names(self) -> dict[int, str]:
        """Return what Label Studio calls every user of the organisation: first and last name, else the e-mail address.

        Where several have the same name, the address stands beside it.
        """
        users = list(self._sdk.users.list())
        called = {user.id: " ".join(filter(None, (user.first_name, user.last_name))).strip() for user in users}
        several = {name for name, number in Counter(called.values()).items() if number > 1}
        known = {user.id: user.email or user.username or "" for user in users}
        return {
            user: (f"{name} ({known[user]})" if name in several else name) if name else known[user]
            for user, name in called.items()
        }

    def projects(self) -> Iterator[dict[str, Any]]:
        """Yield the projects that the token's user sees, the newest first."""
        for page in itertools.count(1):  # the SDK's pager asks for a page behind the last, which is refused
            found = self._read("/api/projects/", page=page, page_size=100)
            yield from found["results"]
            if not found["next"]:
                return

    def project(self, project: int) -> dict[str, Any]:
        """Return a project's settings.

        Raises
        ------
        StudioError
            If there is no such project; the message names those that exist.
        """
        try:
            return dict(self._read(f"/api/projects/{project}/"))
        except StudioError as error:
            if error.status != 404:
                raise
        found = itertools.islice(self.projects(), 20)
        there = ", ".join(f"{row['id']} ({row['title']})" for row in found) or "none"
        raise NoSuchProjectError(
            f"Project {project} does not exist at {self.url}, or this token's user may not see it. Projects that the "
            f"user sees: {there}.",
            404,
        )

    def update_project(self, project: int, **fields: Any) -> None:
        """Change some of a project's settings."""
        self._sdk.projects.update(project, **fields)

    def counts(self, project: int) -> Counts:
        """Return how many tasks, annotations and skips there are, and how many tasks are finished."""
        (row,) = self._read("/api/projects/counts/", ids=project)["results"]
        names = ("task_number", "total_annotations_number", "skipped_annotations_number", "finished_task_number")
        return Counts(*(row[name] for name in names))

    # ------------------------------------------------------------------ backends and their webhooks

    def backends(self, project: int) -> list[dict[str, Any]]:
        """Return the ML backends connected to a project.

        Label Studio sets up every backend of its list of backends at each look; beside the model versions it lists them
        without. So whoever is set up knows that somebody else asked for it.
        """
        asked = {"extended": "true", "include_live_models": "true"}
        return list(self._read(f"/api/projects/{project}/model-versions/", **asked)["live"])

    def add_backend(self, project: int, url: str, user: str = "", password: str = "") -> None:
        """Connect an ML backend, whose health Label Studio checks at once; if it is refused, leave nothing."""
        access: dict[str, Any] = {}
        if user:
            access = {"auth_method": "BASIC_AUTH", "basic_auth_user": user, "basic_auth_pass": password}
        try:
            self._sdk.ml.create(project=project, url=url, title=BACKEND_TITLE, **access)
        except StudioError as error:
            self.remove_backend(project, url)
            if error.status != 400:
                raise
            raise _refused_backend(url, error) from None

    def remove_backend(self, project: int, url: str) -> None:
        """Remove an ML backend and its webhook, which Label Studio made and would leave behind."""
        for row in self.backends(project):
            if row["url"].rstrip("/") == url.rstrip("/"):
                _unless_gone(partial(self._sdk.ml.delete, row["id"]))
        for hook in self._sdk.webhooks.list(project=str(project)):
            if hook.url.startswith(url.rstrip("/") + "/"):
                _unless_gone(partial(self._sdk.webhooks.delete, hook.id))

    def webhook_headers(self, project: int, backend: str) -> dict[str, str] | None:
        """Return the headers of a backend's webhook, or None if it has no webhook; every annotator can read them."""
        found = self._webhooks(project, backend)
        return dict(found[0].headers or {}) if found else None

    def header_values(self, header: str) -> list[str]:
        """Return the value of a header in each webhook of all projects that has it."""
        found = (dict(hook.headers or {}) for hook in self._sdk.webhooks.list())
        return [str(headers[header]) for headers in found if header in headers]

    def secure_webhook(self, project: int, backend: str, headers: Mapping[str, str]) -> None:
        """Give a backend's webhook these headers, which Label Studio forgets; create the webhook if there is none."""
        found = self._webhooks(project, backend)
        for hook in found:
            wanted = {**(hook.headers or {}), **headers}
            if hook.headers != wanted:
                # a change that does not name the actions would empty them
                self._sdk.webhooks.update(hook.id, headers=wanted, actions=hook.actions)
        if not found:
            self._sdk.webhooks.create(
                project=project,
                url=_webhook_url(backend),
                headers=dict(headers),
                send_payload=True,
                send_for_all_actions=True,
            )

    def remove_left_webhooks(self, project: int, host: str) -> None:
        """Remove the webhooks of removed backends at a host: Label Studio leaves them behind."""
        there = {_webhook_url(row["url"]) for row in self.backends(project)}
        for hook in self._sdk.webhooks.list(project=str(project)):
            parts = urlsplit(hook.url)
            if parts.netloc == host and parts.path.endswith("/webhook") and hook.url not in there:
                _unless_gone(partial(self._sdk.webhooks.delete, hook.id))

    def _webhooks(self, project: int, backend: str) -> list[Webhook]:
        hooks = self._sdk.webhooks.list(project=str(project))
        return [hook for hook in hooks if hook.url == _webhook_url(backend)]

    # ------------------------------------------------------------------ tasks

    def tasks(
        self,
        project: int,
        *,
        since: str | None = None,
        without: Collection[int] = (),
        predictions: bool = False,
        progress: Progress = silent,
    ) -> Iterator[TaskPage]:
        """Yield the tasks with their annotations, a page at a time, by increasing id.

        Parameters
        ----------
        since
            Only those changed after this time (ISO, with a fraction of a second).
        without
            Tasks that are known to be unreadable, to look for no others that keep a page from being read.
        predictions
            With their predictions, too.
        """
        fields = WITH_PREDICTIONS if predictions else WITH_ANNOTATIONS

        def ask(after: int, page_size: int) -> Any:
            wanted = page_after(project, fields, after, since=since, page_size=page_size, without=without)
            return self._sdk.ask("GET", "/api/tasks/", params=wanted)

        def ask_states(after: int) -> Any:
            wanted = page_after(project, NUMBERS, after, since=since, page_size=1, without=without)
            return self._sdk.ask("GET", "/api/tasks/", params=wanted)

        return read_ahead(CarefulReader(ask, ask_states, self._http.at_once, PAGE_SIZE), self._http.waited, progress)

    def task(self, project: int, task: int, *, predictions: bool = False) -> TaskPage:
        """Return one task as `tasks` does; nothing if it is gone."""
        fields = WITH_PREDICTIONS if predictions else WITH_ANNOTATIONS
        found = page_after(project, fields, task - 1, since=None, page_size=1)
        numbers = page_after(project, NUMBERS, task - 1, since=None, page_size=1)

        def ask(wanted: Mapping[str, Any]) -> Any:
            return self._sdk.ask("GET", "/api/tasks/", params=dict(wanted))

        page = CarefulReader(lambda *_: ask(found), lambda _: ask(numbers), self._http.at_once, 2)(0)
        is_it = len(page) == 1 and page.last == task
        return page if is_it else TaskPage([], 0)

    def newest_change(self, project: int) -> str | None:
        """Return the newest `updated_at` of the tasks (ISO), or None without tasks."""
        rows = self._sdk.ask("GET", "/api/tasks/", params=newest_first(project))["tasks"]
        return str(rows[0]["updated_at"]) if rows else None

    def task_states(
        self, project: int, progress: Progress = silent, *, with_times: bool = False
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield id, overlap and is_labeled of every task: Label Studio changes them without a trace.

        Parameters
        ----------
        with_times
            With each task's annotations, their id, updated_at and completed_by.
        """
        return self._rows(project, STATES_AND_TIMES if with_times else STATES, progress)

    def task_numbers(self, project: int, progress: Progress = silent) -> Iterator[list[dict[str, Any]]]:
        """Yield the same, and total_annotations (no skips among them), cancelled_annotations, and annotators' ids."""
        return self._rows(project, NUMBERS, progress)

    def _rows(self, project: int, include: str, progress: Progress) -> Iterator[list[dict[str, Any]]]:
        def read(after: int) -> TaskPage:
            wanted = page_after(project, include, after, since=None, page_size=4 * PAGE_SIZE)
            answer = self._sdk.ask("GET", "/api/tasks/", params=wanted)
            return TaskPage(answer["tasks"], answer["total"])

        return (list(page.tasks) for page in read_ahead(read, self._http.waited, progress))

    def set_task(self, task: int, *, overlap: int, is_labeled: bool) -> bool:
        """Open or close a task for one more annotator; return False if it is gone."""
        return _unless_gone(partial(self._sdk.tasks.update, str(task), overlap=overlap, is_labeled=is_labeled))

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

    # ------------------------------------------------------------------ predictions

    def model_versions(self, project: int) -> dict[str, VersionState]:
        """Return every model version that has predictions."""
        # the SDK has no method for this route, nor for deleting one
        found = self._read(f"/api/projects/{project}/model-versions/", extended="true")
        return {row["model_version"]: VersionState(row["count"], row["latest"]) for row in found["static"]}

    def predictions(self, project: int) -> list[Prediction]:
        """Return every prediction of a project, of all model versions."""
        # as JSON: ten thousand cost .1 s of CPU so, and 2 s as the SDK's models
        return [
            Prediction(row["id"], row["task"], row["model_version"], row["score"], row["result"])
            for row in self.prediction_rows(project)
        ]

    def prediction_rows(self, project: int) -> list[dict[str, Any]]:
        """Return every prediction of a project as Label Studio gives it, with its times."""
        return list(self._sdk.ask("GET", "/api/predictions/", params={"project": project}))

    def import_predictions(self, project: int, items: Sequence[dict[str, Any]]) -> int:
        """Import predictions in one request; return how many Label Studio created.

        Label Studio leaves out, without a word, those it finds invalid: compare.
        """
        return int(self._sdk.projects.import_predictions(project, request=items).created)

    def create_prediction(self, item: dict[str, Any]) -> int | None:
        """Create one prediction and return its id, or None if its task is gone."""
        try:
            return int(self._sdk.predictions.create(**item).id)
        except StudioError as error:
            if error.status in (400, 404) and "task" in str(error).lower():
                return None
            raise

    def update_prediction(self, prediction: int, **fields: Any) -> bool:
        """Change a prediction; return False if it is gone."""
        return _unless_gone(partial(self._sdk.predictions.update, prediction, **fields))

    def delete_prediction(self, prediction: int) -> bool:
        """Delete a prediction; return False if it was gone already."""
        return _unless_gone(partial(self._sdk.predictions.delete, prediction))

    def delete_version(self, project: int, model_version: str) -> None:
        """Delete all predictions of a version, in one transaction: for versions of a few hundred."""
        which = {"model_version": model_version}
        self._sdk.ask("DELETE", f"/api/projects/{project}/model-versions/", json=which)

    # ------------------------------------------------------------------ annotations

    def create_annotation(
        self, task: int, result: list[dict[str, Any]], *, completed_by: int | None, ground_truth: bool
    ) -> int | None:
        """Create an annotation that exports tell to be ours, and return its id, or None if its task is gone."""
        body = {"result": result, "completed_by": completed_by, "ground_truth": ground_truth, "unique_id": own_id()}
        try:
            return int(self._sdk.ask("POST", f"/api/tasks/{task}/annotations/", json=body)["id"])
        except StudioError as error:
            if error.status == 404:
                return None
            raise

    def update_annotation(self, annotation: int, **fields: Any) -> bool:
        """Change an annotation; return False if it is gone."""
        return _unless_gone(partial(self._sdk.ask, "PATCH", f"/api/annotations/{annotation}/", json=fields))

    def delete_annotation(self, annotation: int) -> bool:
        """Delete an annotation; return False if it was gone already."""
        return _unless_gone(partial(self._sdk.annotations.delete, annotation))

    # ------------------------------------------------------------------ Data Manager tabs

    def views(self, project: int) -> list[dict[str, Any]]:
        """Return the Data Manager's tabs."""
        return list(self._read("/api/dm/views/", project=project))

    def columns(self, project: int) -> list[dict[str, Any]]:
        """Return the Data Manager's columns, in Label Studio's order."""
        return list(self._read("/api/dm/columns/", project=project)["columns"])

    def create_view(self, project: int, data: dict[str, Any]) -> int:
        """Create a tab and return its id."""
        return int(self._sdk.views.create(project=project, data=data).id)

    def update_view(self, project: int, view: int, data: dict[str, Any]) -> None:
        """Change a tab."""
        self._sdk.views.update(str(view), project=project, data=data)

    def delete_view(self, view: int) -> bool:
        """Delete a tab; return False if it was gone already."""
        return _unless_gone(partial(self._sdk.views.delete, str(view)))


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


def _row(model: UncheckedBaseModel) -> dict[str, Any]:
    """Return what Label Studio answered, with times as text: a project or a backend is recognised by them."""
    row: dict[str, Any] = orjson.loads(model.json())
    return row


def _unless_gone(change: Callable[[], object]) -> bool:
    try:
        change()
    except StudioError as error:
        if error.status == 404:
            return False
        raise
    return True


def _webhook_url(backend: str) -> str:
    return f"{backend.rstrip('/')}/webhook"


def _refused_backend(url: str, error: StudioError) -> StudioError:
    if "401" in str(error) or "authentication" in str(error):
        return StudioError(
            f"The backend at {url} asks for a password: set BASIC_AUTH_USER and BASIC_AUTH_PASS here to the "
            "same values as there.",
            400,
        )
    return StudioError(
        f"Label Studio cannot use {url} as a backend: check that `label-studio-crowd serve` runs there and "
        f"that Label Studio can reach it. {error}",
        400,
    )
