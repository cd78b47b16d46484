"""A PostgreSQL of the tests' own, in a temporary folder."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """Where PostgreSQL's server programs are: on the path, or where Debian puts them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


@contextmanager
def running() -> Iterator[str]:
    """Run a server in a temporary folder; yield its address without a database's name."""
    found = programs()
    assert found is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = getpass.getuser()
    prefix: list[str] = []
    # not pytest's own folder: it is closed to others, and emptied by later runs
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder:
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user, prefix = "postgres", ["runuser", "-u", "postgres", "--"]
            shutil.chown(folder, "postgres")

        def run(*command: str, check: bool = True) -> None:
            subprocess.run([*prefix, *command], check=check, capture_output=True, cwd="/")

        data = f"{folder}/data"
        run(str(found / "initdb"), "--auth=trust", "--encoding=UTF8", f"--username={user}", data)
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
        run(str(found / "pg_ctl"), "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            yield f"postgresql://{user}@127.0.0.1:{port}"
        finally:
            run(str(found / "pg_ctl"), "-D", data, "-m", "immediate", "stop", check=False)
