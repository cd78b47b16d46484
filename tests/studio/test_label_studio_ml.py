"""The backend under label-studio-ml: the published 1.0.9, and the interface of 2.x.

2.x is on no package index, only in its repository. `STAND_IN` is not it: it is a server of the same names, signatures
and routes as label_studio_ml 2.x has, as read there, so that plugin/ml_backend runs against that interface at all.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.accounts import Annotator
from harness.checkout import CACHE, CHECKOUT
from harness.local_studio import LocalStudio
from harness.ports import free_port
from harness.project import Project
from harness.service_process import until
from harness.studio_install import only_one
from label_studio_crowd.store.projects import Store

FOLDER = CHECKOUT / "plugin" / "ml_backend"
VENV = CACHE / "label-studio-ml-venv"
TASKS = [{"text": f"text {number}"} for number in range(8)]

STAND_IN = {
    "__init__.py": "",
    "model.py": """
import json, os, sqlite3

CACHE = {}


class LabelStudioMLBase:
    INITIAL_MODEL_VERSION = "0.0.1"

    def __init__(self, project_id=None, label_config=None):
        self.project_id = project_id or ""
        if not self.get("model_version"):
            self.set("model_version", self.INITIAL_MODEL_VERSION)
        self.setup()

    def setup(self): ...

    def set_extra_params(self, extra_params):
        self.set("extra_params", extra_params)

    def get(self, key):
        return CACHE.get((self.project_id, key))

    def set(self, key, value):
        if not isinstance(value, str):
            raise ValueError("Value must be a string")
        CACHE[self.project_id, key] = value

    def predict(self, tasks, context=None, **kwargs): ...

    def fit(self, event, data, **additional_params): ...
""",
    "api.py": """
from flask import Flask, Response, jsonify, request

_server = Flask(__name__)
TRAIN_EVENTS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATION_DELETED", "START_TRAINING")


def init_app(model_class, basic_auth_user=None, basic_auth_pass=None):
    global MODEL_CLASS
    MODEL_CLASS = model_class
    return _server


@_server.route("/predict", methods=["POST"])
def _predict():
    body = request.json
    model = MODEL_CLASS(project_id=str(body["project"]).split(".", 1)[0], label_config=body.get("label_config"))
    params = body.get("params", {})
    return jsonify({"results": model.predict(body["tasks"], context=params.pop("context", {}), **params)})


@_server.route("/setup", methods=["POST"])
def _setup():
    body = request.json
    model = MODEL_CLASS(project_id=body["project"].split(".", 1)[0], label_config=body.get("schema"))
    if body.get("extra_params"):
        model.set_extra_params(body["extra_params"])
    return jsonify({"model_version": model.get("model_version")})


@_server.route("/webhook", methods=["POST"])
def webhook():
    body = request.json
    event = body.pop("action")
    if event not in TRAIN_EVENTS:
        return jsonify({"status": "Unknown event"}), 200
    model = MODEL_CLASS(str(body["project"]["id"]), label_config=body["project"]["label_config"])
    return jsonify({"result": model.fit(event, body), "status": "ok"}), 201


@_server.route("/health", methods=["GET"])
def health():
    return jsonify({"status": "UP", "model_class": MODEL_CLASS.__name__})
""",
}


@pytest.fixture(scope="session")
def environment() -> Path:
    """label-studio-ml 1.0.9 and the plugin in an environment of their own: it pins packages that others need newer."""
    wanted = hashlib.sha256((CHECKOUT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / "installed.txt"
    with only_one("label-studio-ml"):
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
            pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
            done = subprocess.run([*pip, "install", "-q", "-e", f"{CHECKOUT}[label-studio-ml]"], **CAPTURED)
            if done.returncode:
                assert "ResolutionImpossible" not in done.stderr, done.stderr
                pytest.skip(f"label-studio-ml cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
            stamp.write_text(wanted)
    return VENV


CAPTURED: dict[str, Any] = {"capture_output": True, "text": True}


def test_everything_that_both_need_goes_together(environment: Path) -> None:
    checked = subprocess.run([str(environment / "bin" / "pip"), "check"], **CAPTURED)
    assert checked.returncode == 0, checked.stdout


@pytest.fixture(params=["1.0.9", "2.x stand-in"])
def start(request: pytest.FixtureRequest, environment: Path, studio: LocalStudio, tmp_path: Path) -> Callable[..., Any]:
    """Start the backend: ``with start(**environment_variables) as url:``."""

    @contextmanager
    def running(*flags: str, **variables: str) -> Iterator[str]:
        port = free_port()
        given = {
            "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "LABEL_STUDIO_URL": studio.url,
            "LABEL_STUDIO_API_KEY": studio.admin_token,
            "LABEL_STUDIO_CROWD_STORE": store_in(tmp_path),
            "LABEL_STUDIO_CROWD_QUIET_SECONDS": "0.1",
            "LABEL_STUDIO_CROWD_POLL_SECONDS": "3600",  # what changes is known from webhooks alone
            "MODEL_DIR": str(tmp_path / "models"),
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        command = ["label-studio-ml", "start", str(FOLDER)]
        if request.param != "1.0.9":
            package = tmp_path / "stand-in" / "label_studio_ml"
            package.mkdir(parents=True, exist_ok=True)
            for name, source in STAND_IN.items():
                (package / name).write_text(source)
            given["PYTHONPATH"] = str(package.parent)
            command = ["python", str(FOLDER / "_wsgi.py")]
        log = tmp_path / "backend.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [
                    str(environment / "bin" / command[0]),
                    *command[1:],
                    "--port",
                    str(port),
                    "--host",
                    "127.0.0.1",
                    *flags,
                ],
                cwd=tmp_path,
                env=given,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: process.poll() is not None or answers(url))
            assert process.poll() is None, log.read_text()
            yield url
        except BaseException:
            print(log.read_text())
            raise
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(90)

    return running


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2.0).status_code in (200, 401)
    except httpx.TransportError:
        return False


def add_backend(studio: LocalStudio, project: int, url: str, **more: Any) -> dict[str, Any]:
    body = {"project": project, "url": url, "title": "crowd", "extra_params": {"classifier": "none"}, **more}
    response = studio.api.post("/api/ml", json=body)
    assert response.status_code == 201, response.text
    return dict(response.json())


def predictions(studio: LocalStudio, project: int, version: str) -> list[dict[str, Any]]:
    rows = studio.api.get("/api/predictions/", params={"project": project}).json()
    return [row for row in rows if re.fullmatch(version, row["model_version"])]


def queue(studio: LocalStudio, project: int) -> list[int]:
    rows = predictions(studio, project, str(studio.api.get(f"/api/projects/{project}/").json()["model_version"]))
    return [row["task"] for row in sorted(rows, key=lambda row: row["score"])]


def wait_for_run(studio: LocalStudio, project: int, folder: Path) -> None:
    """Wait until the service has connected and scored a project, and is done with it."""
    store = Store(store_in(folder))
    try:
        stored = store.project(studio.url, project)
        until(stored.runs.last)
        with stored.exclusive(patience=90.0):
            pass
    finally:
        store.close()


def store_in(folder: Path) -> str:
    return f"sqlite:///{folder}/mirror.sqlite"


def retrieve_predictions(studio: LocalStudio, project: int) -> None:
    body = {"selectedItems": {"all": True, "excluded": []}}
    action = {"id": "retrieve_tasks_predictions", "project": project}
    response = studio.api.post("/api/dm/actions", params=action, json=body)
    assert response.status_code == 200, response.text


@pytest.fixture
def project(make_project: Callable[..., Project], annotators: list[Annotator]) -> Project:
    ann, bob, _ = annotators
    return make_project(TASKS, answers=[(0, ann, "a"), (0, bob, "a"), (1, ann, "a"), (1, bob, "b"), (2, ann, "c")])


def test_predictions_that_are_retrieved_twice_are_there_once(
    start: Callable[..., Any], studio: LocalStudio, project: Project, tmp_path: Path
) -> None:
    with start() as url:
        added = add_backend(studio, project.id, url)
        assert (added["readable_state"], added["model_version"]) == ("Connected", "crowd-consensus")
        wait_for_run(studio, project.id, tmp_path)
        retrieve_predictions(studio, project.id)
        first = predictions(studio, project.id, "crowd-consensus")
        assert sorted(row["task"] for row in first) == sorted(project.tasks)
        retrieve_predictions(studio, project.id)
        again = predictions(studio, project.id, "crowd-consensus")
        assert sorted(row["id"] for row in again) == sorted(row["id"] for row in first)


def test_an_annotation_changes_the_order_of_the_queue(
    start: Callable[..., Any], studio: LocalStudio, project: Project, annotators: list[Annotator], tmp_path: Path
) -> None:
    with start() as url:
        add_backend(studio, project.id, url)
        wait_for_run(studio, project.id, tmp_path)
        before = queue(studio, project.id)
        cyd = annotators[2]
        task = cyd.next(project.id)
        assert task is not None
        assert task["id"] == before[0]
        result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["a"]}}]
        cyd.label(task["id"], result)
        until(lambda: queue(studio, project.id) not in ([], before))


def test_predictions_are_given_before_label_studio_has_set_a_restarted_backend_up(
    start: Callable[..., Any], project: Project
) -> None:
    tasks = [{"id": task, "project": project.id, "data": {}} for task in project.tasks]
    with start() as url:
        body = {"tasks": tasks, "project": f"{project.id}.1795211437", "label_config": "<View/>", "params": {}}
        found = httpx.post(f"{url}/predict", json=body).json()["results"]
    assert [row["model_version"] for row in found] == ["crowd-consensus"] * len(tasks)


def test_a_password_keeps_others_out_and_webhooks_may_bring_the_secret(
    start: Callable[..., Any], studio: LocalStudio, project: Project, tmp_path: Path
) -> None:
    password, secret = secrets.token_hex(8), secrets.token_hex(8)
    basic = {"auth_method": "BASIC_AUTH", "basic_auth_user": "crowd", "basic_auth_pass": password}
    with start(BASIC_AUTH_USER="crowd", BASIC_AUTH_PASS=password, LABEL_STUDIO_CROWD_WEBHOOK_SECRET=secret) as url:
        event = {"action": "START_TRAINING", "project": {"id": project.id, "label_config": "<View/>"}}
        assert httpx.post(f"{url}/setup", json={"project": f"{project.id}.1"}).status_code == 401
        assert httpx.post(f"{url}/webhook", json=event).status_code == 401
        assert httpx.post(f"{url}/webhook", json=event, headers={"X-Webhook-Secret": secret}).status_code == 201
        assert add_backend(studio, project.id, url, **basic)["readable_state"] == "Connected"
        wait_for_run(studio, project.id, tmp_path)


def test_it_takes_the_flags_of_label_studio_ml(start: Callable[..., Any], tmp_path: Path) -> None:
    password = secrets.token_hex(8)
    flags = ["--basic-auth-user", "crowd", "--basic-auth-pass", password, "--debug", "--check"]
    flags += ["--model-dir", str(tmp_path / "own"), "--with", "classifier=none", "target_quality=0.8"]
    with start(*flags) as url:
        body = {"tasks": [], "project": "1.1", "label_config": "<View/>", "params": {}}
        assert httpx.post(f"{url}/predict", json=body).status_code == 401
        assert httpx.post(f"{url}/predict", json=body, auth=("crowd", password)).status_code == 200


def test_a_webhook_without_the_project_is_no_failure(start: Callable[..., Any], project: Project) -> None:
    with start() as url:
        for body in ({"action": "PROJECT_DELETED", "project": {"id": project.id}}, {"action": "ANNOTATION_CREATED"}):
            assert httpx.post(f"{url}/webhook", json=body).status_code == 201
        assert answers(url)


def test_an_event_that_label_studio_would_not_send_harms_nothing(start: Callable[..., Any], project: Project) -> None:
    with start() as url:
        malformed = {
            "action": "ANNOTATION_CREATED",
            "annotation": {},
            "project": {"id": project.id, "label_config": ""},
        }
        assert httpx.post(f"{url}/webhook", json=malformed).status_code == 201
        assert answers(url)
