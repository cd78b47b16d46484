"""A real Label Studio for the tests in this directory, booted once a session."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from harness.accounts import Annotator
from harness.local_studio import LocalStudio
from harness.postgresql_server import PostgresqlServer
from harness.project import TEXT_CONFIG, GivenAnnotation, Project, create_project
from harness.service_process import ServiceProcess
from label_studio_crowd.connection.connect import connect
from label_studio_crowd.connection.disconnect import disconnect
from label_studio_crowd.project import Project as OpenProject
from label_studio_crowd.runs.rescore import How, rescore
from label_studio_crowd.runs.run import Run
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.projects import ProjectStore, Store
from label_studio_crowd.studio.client import Studio

HERE = Path(__file__).parent
DATABASE = os.environ.get("STUDIO_DATABASE") or "sqlite"
"""What Label Studio keeps its data in: sqlite or postgresql."""
_PATIENCE = 60.0
_PATIENT = dict.fromkeys(("ML_CONNECTION_TIMEOUT", "ML_TIMEOUT_HEALTH", "ML_TIMEOUT_SETUP", "WEBHOOK_TIMEOUT"), "60")
"""Label Studio gives up on a backend after a second: too soon on a machine where several tests run at once."""

Given = tuple[int, Annotator, "str | list[dict[str, Any]]"]
MakeProject = Callable[..., Project]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.studio)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStudio]:
    """One Label Studio for all tests: keep to a project of your own (`make_project`)."""
    folder = tmp_path_factory.mktemp("label-studio")
    with PostgresqlServer() if DATABASE == "postgresql" else nullcontext() as server:
        env = {**_PATIENT, **(server.of_label_studio if server else {})}
        with LocalStudio(folder, env=env) as running:
            yield running


@pytest.fixture(scope="session")
def annotators(studio: LocalStudio) -> list[Annotator]:
    """Three people with accounts."""
    return [studio.add_annotator(f"{name}@example.com") for name in ("ann", "bob", "cyd")]


@pytest.fixture
def add_annotator(studio: LocalStudio) -> Callable[[], Annotator]:
    """Sign up one more person, of a name nobody has."""
    return lambda: studio.add_annotator(f"extra-{secrets.token_hex(4)}@example.com")


@pytest.fixture(scope="module")
def page(studio, browser):
    """A page of Label Studio for somebody who is logged in."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{studio.url}/user/login/")
    page.locator("input[name=email]").fill(studio.admin_email)
    page.locator("input[name=password]").fill(studio.admin_password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/user/login" not in url)
    yield page
    context.close()


@pytest.fixture
def run(studio, tmp_path):
    """Run a command; `run(words, token=..., url=...)` returns the finished process."""

    def run(words, *, token=None, url=None, **environment):
        return subprocess.run(
            [sys.executable, "-m", "label_studio_crowd", *map(str, words)],
            env={
                "PATH": "/usr/bin:/bin",
                "LABEL_STUDIO_URL": url or studio.url,
                "LABEL_STUDIO_API_KEY": studio.admin_token if token is None else token,
                "LABEL_STUDIO_CROWD_STORE": f"sqlite:///{tmp_path}/mirror.sqlite",
                **environment,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture
def serve(studio, tmp_path):
    """Start a service: `serve(**environment)`; with the folder of an earlier one it goes on from there."""
    running = []

    def start(*command, server=studio, port=None, **environment):
        settings = {"LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.admin_token, **environment}
        service = ServiceProcess(tmp_path, settings, *command, port=port)
        running.append(service)
        service.start()
        return service

    yield start
    for service in running:
        service.stop()


@pytest.fixture
def make_project(studio: LocalStudio, request: pytest.FixtureRequest) -> Iterator[MakeProject]:
    """Make a project: `make_project(tasks, label_config, answers)`; it is deleted after the test.

    `tasks` are the tasks' data. `answers` are (index of the task, annotator, answer); an answer is the label
    for the config's first <Choices>, or a whole result.
    """
    made: list[int] = []

    def make(
        tasks: Sequence[Mapping[str, Any]], label_config: str = TEXT_CONFIG, answers: Sequence[Given] = ()
    ) -> Project:
        given = [
            GivenAnnotation(task, who.id, _result(label_config, answer) if isinstance(answer, str) else answer)
            for task, who, answer in answers
        ]
        project = create_project(studio, f"test {request.node.name}", label_config, tasks, given)
        made.append(project.id)
        return project

    yield make
    for project in made:
        studio.api.delete(f"/api/projects/{project}/")


def _result(label_config: str, label: str) -> list[dict[str, Any]]:
    control = ElementTree.fromstring(label_config).find(".//Choices")
    assert control is not None, "answers given as a label need a <Choices>"
    names = {"from_name": control.get("name"), "to_name": control.get("toName"), "type": "choices"}
    return [{**names, "value": {"choices": [label]}}]


class Plugin:
    """The plugin at work on one project, with what a test looks at besides."""

    def __init__(self, studio: LocalStudio, project: Project, store: str, **options: Any) -> None:
        self.api = studio.api
        self.project = project.id
        self.tasks = project.tasks
        self.requests: list[tuple[str, str]] = []
        self.break_at: Callable[[int, str], bool] | None = None
        self.settings = Settings(url=studio.url, classifier="none", **options)
        self.studio = Studio(studio.url, studio.admin_token, transport=_Watched(self))
        self.store: ProjectStore = Store(store).project(studio.url, project.id)

    @property
    def opened(self) -> OpenProject:
        return OpenProject(number=self.project, studio=self.studio, store=self.store, settings=self.settings)

    def connect(self, **how: Any) -> list[str]:
        with self._alone():
            return connect(self.opened, **how)

    def disconnect(self) -> list[str]:
        with self._alone():
            return disconnect(self.opened)

    def sync(self, **how: Any) -> Run:
        run = self.look(only_news=False, **how)
        assert run is not None
        return run

    def look(self, *, only_news: bool = True, **how: Any) -> Run | None:
        """Run as a service does that looks whether there is news; None if there is none."""
        with self._alone():
            return rescore(self.opened, How(only_news=only_news, **how))

    def _alone(self) -> AbstractContextManager[None]:
        """Wait for a service's run, and keep it out meanwhile, as the commands do."""
        return self.store.exclusive(_PATIENCE)

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests so far that change something in Label Studio."""
        return [(method, path) for method, path in self.requests if method != "GET"]

    def info(self) -> dict[str, Any]:
        return dict(self.api.get(f"/api/projects/{self.project}/").json())

    def predictions(self) -> list[dict[str, Any]]:
        return list(self.api.get("/api/predictions/", params={"project": self.project}).json())

    def task(self, task: int) -> dict[str, Any]:
        return dict(self.api.get(f"/api/tasks/{task}/").json())

    def served_queue(self) -> list[int]:
        """The tasks of the project's model version, in the order in which Label Studio serves them."""
        version = self.info()["model_version"]
        rows = [row for row in self.predictions() if row["model_version"] == version]
        return [row["task"] for row in sorted(rows, key=lambda row: row["score"])]

    def state(self) -> dict[str, Any]:
        """What Label Studio holds of the project, without numbers of versions and ids of predictions."""
        info = self.info()
        consensus = [row for row in self.predictions() if row["model_version"] == "crowd-consensus"]
        queue = [row for row in self.predictions() if row["model_version"] == info["model_version"]]
        return {
            "settings": {name: info[name] for name in ("sampling", "maximum_annotations", "show_overlap_first")},
            "versions": sorted(row["model_version"].rstrip("0123456789") for row in self.predictions()),
            "queue": [(row["task"], row["score"], row["result"]) for row in sorted(queue, key=lambda r: r["score"])],
            "consensus": sorted((row["task"], row["score"], row["result"][0]["value"]) for row in consensus),
            "open": {task: [self.task(task)[name] for name in ("overlap", "is_labeled")] for task in self.tasks},
        }


class _Watched(httpx.HTTPTransport):
    """Notes every request, and breaks off (Ctrl-C) before or after the one that the test names."""

    def __init__(self, plugin: Plugin) -> None:
        super().__init__()
        self._plugin = plugin

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        write = request.method != "GET"
        self._plugin.requests.append((request.method, request.url.path))
        number = len(self._plugin.writes)
        if write and self._plugin.break_at and self._plugin.break_at(number, "before"):
            raise KeyboardInterrupt
        response = super().handle_request(request)
        if write and self._plugin.break_at and self._plugin.break_at(number, "after"):
            response.read()
            raise KeyboardInterrupt
        return response


@pytest.fixture
def plugin(studio: LocalStudio, tmp_path: Path) -> Callable[..., Plugin]:
    """Set the plugin to work on a project: `plugin(project, **settings)`."""

    def work(project: Project, *, server: LocalStudio = studio, **options: Any) -> Plugin:
        return Plugin(server, project, f"sqlite:///{tmp_path}/mirror.sqlite", **options)

    return work
