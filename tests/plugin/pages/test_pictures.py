"""Pictures of tasks."""

import re
import threading
from collections import namedtuple
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from harness.snapshots import made_up
from label_studio_crowd.scoring.snapshot import stored_snapshot
from label_studio_crowd.service.backend import Backend
from label_studio_crowd.settings import load
from tests.plugin.server.serving import PASSWORD, USER, running

Picture = namedtuple("Picture", "status kind content")
PICTURES = {
    "/data/upload/1/cat.png": Picture(200, "image/png", b"PNG"),
    "/data/upload/1/page.html": Picture(200, "text/html", b"<script>"),
    "/data/upload/1/gone.png": Picture(404, "text/plain", b""),
    "/data/upload/1/moved.png": Picture(302, "image/png", b""),
    "/data/upload/1/huge.png": Picture(200, "image/png", b"x" * 30_000_000),
}
CONFIG = (
    '<View><Image name="image" value="$image"/><Choices name="c" toName="image"><Choice value="a"/></Choices></View>'
)


class Files(BaseHTTPRequestHandler):
    """Label Studio, as far as it serves files to who has the token."""

    def do_GET(self):
        picture = PICTURES.get(self.path)
        if self.headers.get("Authorization") != "Token k" or picture is None:
            picture = Picture(401, "text/plain", b"")
        self.send_response(picture.status)
        self.send_header("Content-Type", picture.kind)
        self.send_header("Location", "http://elsewhere/")
        self.end_headers()
        self.wfile.write(picture.content)

    def log_message(self, *_):
        pass


@contextmanager
def with_pictures(folder):
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as studio:
        threading.Thread(target=studio.serve_forever, daemon=True).start()
        password = {"basic_auth_user": USER, "basic_auth_pass": PASSWORD}
        url, store = f"http://127.0.0.1:{studio.server_port}", f"sqlite:///{folder}/mirror.sqlite"
        backend = Backend(load(url=url, store=store, api_key="k", **password))
        backend.jobs.mark(1)
        snapshot = replace(made_up(5, 3, 9, 1)[0], label_config=CONFIG, control="c", classes=("a",))
        stored = backend.store.project(backend.settings.url, 1)
        state = {"overlap": 1, "is_labeled": False, "updated_at": "2026-01-01T00:00:00.500000Z", "annotations": []}
        stored.mirror.apply(
            [{"id": at, "data": {"image": path}, **state} for at, path in enumerate([*PICTURES, "/api/users/"], 1)]
        )
        stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
        yield backend
        studio.shutdown()


@pytest.mark.parametrize("number", range(1, 7))
def test_pictures_come_from_label_studio_and_nothing_else_does(tmp_path, number):
    path = [*PICTURES, "/api/users/"][number - 1]
    with with_pictures(tmp_path) as backend, running(backend) as client:
        answer = client.get(f"/projects/1/tasks/{number}/image", params={"path": path})
        if number == 1:
            assert answer.content == b"PNG"
            assert "sandbox" in answer.headers["content-security-policy"]
        else:
            assert answer.status_code in (404, 502)
        assert client.get("/projects/1/tasks/2/image", params={"path": "/data/upload/1/cat.png"}).status_code == 404


def test_pictures_are_shown_whatever_their_names_and_where_they_are_in_the_data(tmp_path, monkeypatch):
    monkeypatch.setitem(PICTURES, "/data/local-files/?d=my%20cats/%C3%B6.png", Picture(200, "image/png", b"PNG"))
    inline = "data:image/png;base64,iVBORw0KGgo="
    with with_pictures(tmp_path) as backend, running(backend) as client:
        stored = backend.store.project(backend.settings.url, 1)
        state = {"overlap": 1, "is_labeled": False, "updated_at": "2026-01-02T00:00:00.500000Z", "annotations": []}
        addresses = ["/data/local-files/?d=my cats/ö.png", inline]
        stored.mirror.apply([{"id": at, "data": {"image": path}, **state} for at, path in enumerate(addresses, 1)])
        snapshot = replace(stored_snapshot(stored), queue=np.array([1, 2]))
        stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at + 1)
        page = unescape(client.get("/projects/1/queue").text)
        found = re.findall(r'<img class="preview" src="([^"]+)"', page)
        assert inline in found
        assert client.get(next(src for src in found if "/tasks/1/" in src)).content == b"PNG"
        assert client.get("/projects/1/tasks/2/image", params={"path": inline}).status_code == 404
