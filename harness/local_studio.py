"""Boot a real Label Studio on SQLite and loopback, use it, and leave nothing behind.

>>> with LocalStudio(data_dir) as studio:                              # doctest: +SKIP
...     ana = studio.add_annotator("ana@example.com")
...     task = ana.next(project)
...     ana.label(task["id"], result)

Run as a program it keeps an empty Label Studio running until Ctrl-C::

    python -m harness.local_studio            # in a new data directory
    python -m harness.local_studio install    # only install it
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import httpx
from rich.markup import escape

from harness.accounts import Annotator, checked, client, make_pat, sign_up
from harness.ports import free_port, is_taken
from harness.studio_install import DATABASE, StudioError, copy_migrated, install, quiet_environment, tail
from harness.working import console, working

_SERVER = """
import os, signal, sys, threading

def end_with_parent():
    os.read(0, 1)  # returns when whoever holds the other end of this pipe is gone, however it went
    os.killpg(0, signal.SIGKILL)

threading.Thread(target=end_with_parent, daemon=True).start()
from label_studio.server import main
sys.exit(main())
"""


class LocalStudio:
    """A Label Studio server of its own process group, running inside a ``with`` block.

    Parameters
    ----------
    data_dir
        Where its database, media and log live. An empty or missing directory gets an empty, migrated
        database; a directory used before is continued, with the same administrator.
    port
        The port on 127.0.0.1; a free one by default.
    env
        Environment variables for the server, over those of
        :func:`harness.studio_install.quiet_environment`. Nothing else of this process's environment
        reaches it.
    admin_password, admin_token
        The administrator's password and legacy token; random by default.

    Attributes
    ----------
    url : str
        Where it listens, without a trailing slash.
    admin_email, admin_password, admin_token : str
        The administrator's login and legacy token.
    api : httpx.Client
        A client for its API, as administrator.

    Raises
    ------
    StudioError
        On entering the block: if the port is busy, or the server does not come up.
    """

    def __init__(
        self,
        data_dir: Path | str,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        *,
        admin_password: str | None = None,
        admin_token: str | None = None,
    ) -> None:
        self.data_dir = Path(data_dir).resolve()
        self.log = self.data_dir / "label-studio.log"
        self.url = ""
        self._port = port
        self._env = dict(env or {})
        self._invite: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        remembered = self._remembered()
        self.admin_email = "admin@example.com"
        self.admin_password = admin_password or remembered.get("password") or secrets.token_urlsafe(9)
        self.admin_token = admin_token or remembered.get("token") or secrets.token_hex(20)
        self._pat = remembered.get("pat")
        self.api = httpx.Client()

    def __enter__(self) -> LocalStudio:
        python = install()
        if not (self.data_dir / DATABASE).exists():
            copy_migrated(python, self.data_dir)
        self._remember()
        try:
            with working("starting Label Studio"):
                self._start(python)
                self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and everything it started; does nothing when it is not running."""
        self.api.close()
        process, self._process = self._process, None
        if process is None:
            return
        for signum, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
            try:
                os.killpg(process.pid, signum)
            except ProcessLookupError:
                break
            try:
                process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                continue
        if process.stdin is not None:
            process.stdin.close()

    def check_alive(self) -> None:
        """Raise StudioError, with the log's last lines, if the server has ended."""
        code = self._process.poll() if self._process else -1
        if code is not None:
            raise StudioError(
                f"Label Studio ended unexpectedly (exit code {code}). Its log, {self.log.name} in the data "
                f"directory, ends with:\n{tail(self.log)}"
            )

    def wait(self) -> None:
        """Return never: keep running until an exception, KeyboardInterrupt for one, or the server's end."""
        while True:
            self.check_alive()
            time.sleep(1.0)

    def admin_pat(self) -> str:
        """Return the administrator's personal access token, made at the first call."""
        if self._pat is None:
            self._pat = make_pat(self.url, self.admin_email, self.admin_password)
            self._remember()
        return self._pat

    def add_annotator(self, email: str, password: str | None = None) -> Annotator:
        """Sign up a person through the organisation's invitation link, as the person would.

        Parameters
        ----------
        email
            Their login; must be new to this Label Studio.
        password
            Random by default; Label Studio asks for at least eight characters.

        Raises
        ------
        StudioError
            If Label Studio refuses, with its reason.
        """
        password = password or secrets.token_urlsafe(9)
        if self._invite is None:
            self._invite = str(checked(self.api.get("/api/invite")).json()["invite_url"])
        return sign_up(self.url, self._invite, email, password)

    def _start(self, python: Path) -> None:
        if self._port is not None and is_taken(self._port):
            raise StudioError(
                f"Port {self._port} is in use, and Label Studio would silently take the next one. "
                "End what listens there, name another port, or leave the port out to get a free one."
            )
        port = self._port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = quiet_environment(
            self.data_dir,
            {
                "LABEL_STUDIO_HOST": self.url,
                "LABEL_STUDIO_USERNAME": self.admin_email,
                "LABEL_STUDIO_PASSWORD": self.admin_password,
                "LABEL_STUDIO_USER_TOKEN": self.admin_token,
                **self._env,
            },
        )
        options = ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(python), "-c", _SERVER, *options],
                env=environment,
                cwd=self.data_dir,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.api = client(self.url, self.admin_token)

    def _wait_until_ready(self, patience: float = 180.0) -> None:
        """Wait until the server answers, and make sure that it is ours."""
        until = time.monotonic() + patience
        while not self._healthy():
            self.check_alive()
            if "Trying to start at" in self.log.read_text(errors="replace"):
                raise StudioError(f"Port {self.url.rsplit(':')[-1]} was taken while Label Studio started; try again.")
            if time.monotonic() > until:
                waited = f"Label Studio did not answer within {patience:.0f} s."
                raise StudioError(f"{waited} Its log ends with:\n{tail(self.log)}")
            time.sleep(0.1)
        whoami = self.api.get("/api/current-user/whoami")
        if whoami.status_code != 200 or whoami.json()["email"] != self.admin_email:
            raise StudioError(
                f"What answers at {self.url} does not know this administrator's token (status "
                f"{whoami.status_code}): another server took the port, or the data directory was made with "
                "other credentials. Start again, with an empty data directory if it persists."
            )

    def _healthy(self) -> bool:
        try:
            return self.api.get("/health", timeout=2.0).status_code == 200
        except httpx.TransportError:
            return False

    def _remembered(self) -> dict[str, str]:
        file = self.data_dir / "admin.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def _remember(self) -> None:
        """Keep the administrator's credentials, so that the data directory can be used again."""
        file = self.data_dir / "admin.json"
        admin = {"password": self.admin_password, "token": self.admin_token, "pat": self._pat}
        file.touch(mode=0o600)
        file.write_text(json.dumps(admin))


def main(arguments: list[str]) -> int:
    """Install Label Studio (`install`), or keep an empty one running until Ctrl-C."""
    if arguments not in ([], ["install"]):
        console.print(f"unknown arguments {arguments}: give none, or `install`")
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if arguments:
            install()
            return 0
        with tempfile.TemporaryDirectory() as data_dir, LocalStudio(data_dir) as studio:
            console.print(f"{studio.url}   log in as {studio.admin_email} / {studio.admin_password}")
            console.print(f"LABEL_STUDIO_API_KEY={studio.admin_pat()}", soft_wrap=True)
            console.print("Ctrl-C ends it and removes its data")
            studio.wait()
    except StudioError as error:
        console.print(f"[red]error[/red] {escape(str(error))}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
