"""The harness itself: what the other tests here stand on."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from harness.checkout import CHECKOUT
from harness.local_studio import LocalStudio
from harness.ports import is_taken
from harness.project import create_project
from harness.service_process import until
from harness.studio_install import StudioError


def test_a_task_is_imported_served_and_labelled(studio, annotators, make_project):
    ann, bob, _ = annotators
    project = make_project([{"text": "one"}, {"text": "two"}], answers=[(0, ann, "a")])

    served = bob.next(project.id)

    assert served is not None
    assert served["id"] == project.tasks[1]  # the first is complete with one answer
    bob.label(served["id"], [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["b"]}}])
    given = studio.api.get(f"/api/tasks/{project.tasks[1]}/annotations/").json()
    assert [(a["completed_by"], a["ground_truth"]) for a in given] == [(bob.id, False)]
    imported = studio.api.get(f"/api/tasks/{project.tasks[0]}/annotations/").json()
    assert [(a["completed_by"], a["ground_truth"]) for a in imported] == [(ann.id, False)]
    assert bob.next(project.id) is None


def test_both_kinds_of_token_work(studio):
    assert studio.api.get("/api/current-user/whoami").json()["email"] == studio.admin_email
    refreshed = studio.api.post("/api/token/refresh", json={"refresh": studio.admin_pat()})
    assert refreshed.status_code == 200
    assert studio.admin_pat() == studio.admin_pat()


def test_a_refusal_says_why(studio, annotators):
    with pytest.raises(StudioError, match=r"refused ann@example.com: User with this email already exists"):
        studio.add_annotator(annotators[0].email)
    with pytest.raises(StudioError, match="refused the project"):
        create_project(studio, "broken", "<View><Choices/></View>", [])


def test_a_busy_port_is_refused(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StudioError, match=f"Port {port} is in use"), LocalStudio(tmp_path, port=port):
            pass


def test_a_server_that_dies_shows_its_log(tmp_path):
    with pytest.raises(StudioError, match=r"ended unexpectedly(.|\n)*nonsense"):
        LocalStudio(tmp_path, env={"DJANGO_DB": "nonsense"}).__enter__()


def _as_in_a_terminal():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it, and so do their children


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_no_process_is_left_behind(signum, tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-m", "harness.local_studio"],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_as_in_a_terminal,
    )
    assert program.stdout is not None
    url = next(line.split()[0] for line in program.stdout if line.startswith("http"))
    port = int(url.rsplit(":")[-1])
    assert is_taken(port)

    os.kill(program.pid, signum)
    program.wait(90)
    until(lambda: not is_taken(port))


def test_a_data_directory_can_be_continued(tmp_path):
    with LocalStudio(tmp_path) as first:
        pat = first.admin_pat()
        create_project(first, "kept", "<View></View>", [])
    with LocalStudio(tmp_path) as again:
        assert again.admin_pat() == pat
        assert [project["title"] for project in again.api.get("/api/projects/").json()["results"]] == ["kept"]
