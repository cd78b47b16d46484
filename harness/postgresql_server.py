"""A PostgreSQL of the tests' own, in a temporary folder."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from harness.ports import free_port


def programs() -> Path | None:
    """Where PostgreSQL's server programs are: on the path, or where Debian puts them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


class PostgresqlServer:
    """Runs within a ``with`` block; may be stopped and started again, and then remembers what it held.

    Attributes
    ----------
    address
        Without a database's name.
    """

    def __init__(self) -> None:
        found = programs()
        assert found is not None
        self._programs = found
        self._port = free_port()
        self._user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        # PostgreSQL refuses to run as root
        self._prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.address = f"postgresql://{self._user}@127.0.0.1:{self._port}"

    def __enter__(self) -> PostgresqlServer:
        # not pytest's own folder: it is closed to others, and emptied by later runs
        self._made = tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True)
        self._folder = self._made.name
        if self._prefix:
            shutil.chown(self._folder, self._user)
        data = f"{self._folder}/data"
        self._run("initdb", "--auth=trust", "--encoding=UTF8", f"--username={self._user}", data)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._made.cleanup()

    @property
    def of_label_studio(self) -> dict[str, str]:
        """The environment of a Label Studio that keeps its data here."""
        names = {"USER": self._user, "PASSWORD": "", "NAME": "postgres", "HOST": "127.0.0.1", "PORT": str(self._port)}
        return {"DJANGO_DB": "default", **{f"POSTGRE_{name}": value for name, value in names.items()}}

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -p {self._port} -k {self._folder} -c fsync=off"
        self._run("pg_ctl", "-D", f"{self._folder}/data", "-o", options, "-l", f"{self._folder}/log", "-w", "start")

    def stop(self) -> None:
        """Stop it at once, as a crash does."""
        self._run("pg_ctl", "-D", f"{self._folder}/data", "-m", "immediate", "stop", check=False)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [*self._prefix, str(self._programs / program), *arguments]
        subprocess.run(command, check=check, capture_output=True, cwd="/")


@contextmanager
def running() -> Iterator[str]:
    """Run a server in a temporary folder; yield its address without a database's name."""
    with PostgresqlServer() as server:
        yield server.address
