"""Label Studio in a virtual environment of its own, and a migrated, empty database to start from.

Label Studio pins many packages, so it gets ``.venv-studio`` to itself. Its first start spends half a minute
on database migrations; they are run once for each version of Label Studio, kept under ``.cache/`` and copied
into every new data directory.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.checkout import CACHE, CHECKOUT
from harness.working import working

__all__ = ["LABEL_STUDIO", "StudioError", "copy_migrated", "install", "only_one", "quiet_environment", "tail"]

USUAL = "1.23"
"""The release of Label Studio that is installed here: the one place to change it."""

RELEASE = os.environ.get("STUDIO") or USUAL
"""The one that is used; ``STUDIO=1.20`` names another for the tests."""

_MAJOR, _, _MINOR = RELEASE.partition(".")
if not (_MAJOR.isdigit() and _MINOR.isdigit()):
    raise SystemExit(f"STUDIO is {RELEASE!r}: name a release of Label Studio by two numbers, as in STUDIO=1.20.")

LABEL_STUDIO = f"label-studio>={RELEASE},<{_MAJOR}.{int(_MINOR) + 1}"

VENV = CHECKOUT / (".venv-studio" if RELEASE == USUAL else f".venv-studio-{RELEASE}")
DATABASE = "label_studio.sqlite3"

_KEPT_FROM_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")


class StudioError(RuntimeError):
    """Label Studio could not be installed, started or used; the message says why and what to do."""


def quiet_environment(data_dir: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a Label Studio that keeps to itself.

    It makes no outbound call (they hang offline), allows legacy tokens and backends on private addresses,
    and sees nothing else of this process's environment: Label Studio reads variables as common as ``HOST``,
    ``PORT`` and ``DEBUG``.

    Parameters
    ----------
    data_dir
        Its database and media.
    extra
        Variables to add or override.
    """
    environment = {name: os.environ[name] for name in _KEPT_FROM_ENVIRONMENT if name in os.environ}
    environment |= {
        "LABEL_STUDIO_BASE_DATA_DIR": str(data_dir),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_ML_BLOCK_LOCAL_IP": "false",
        "SSRF_PROTECTION_ENABLED": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "PYTHONUNBUFFERED": "1",
    }
    return environment | dict(extra or {})


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log, for an error message."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:]) or "(the log is empty)"


def install() -> Path:
    """Install Label Studio into its own virtual environment, unless it is there already.

    Returns
    -------
    Path
        The environment's Python interpreter.

    Raises
    ------
    StudioError
        If the environment cannot be made, or pip fails; pip's output is kept in a log.
    """
    python = VENV / "bin" / "python"
    stamp = VENV / "installed.txt"
    with only_one("install"):
        if stamp.exists() and stamp.read_text() == LABEL_STUDIO and python.exists():
            return python
        with working(f"installing {LABEL_STUDIO} into {VENV.name} (about 1 GB, once)") as detail:
            log = CACHE / "install-studio.log"
            log.unlink(missing_ok=True)
            _logged([sys.executable, "-m", "venv", str(VENV)], log, detail)
            pip = [str(python), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
            _logged([*pip, LABEL_STUDIO], log, detail)
            stamp.write_text(LABEL_STUDIO)
    return python


def _logged(command: list[str], log: Path, detail: Callable[[str], None]) -> None:
    """Run a step of the installation, its output going to `log` only."""
    with log.open("a") as out:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            out.write(line)
            if line.startswith(("Collecting ", "Installing ")):
                detail(" ".join(line.split()[:2]))
    if process.wait() != 0:
        errors = [line for line in log.read_text().splitlines() if line.startswith("ERROR")]
        raise StudioError(
            f"Label Studio could not be installed: {' '.join(errors) or 'see the log'}\n"
            f"The whole output is in {_shown(log)}. Label Studio needs Python 3.10 or newer with the venv "
            f"module, and a package index that has it; `rm -r {VENV.name}` starts over."
        )


def installed_version(python: Path) -> str:
    """Return the version of the Label Studio that `python` imports."""
    query = "from importlib.metadata import version; print(version('label-studio'))"
    return subprocess.run([str(python), "-c", query], check=True, capture_output=True, text=True).stdout.strip()


def copy_migrated(python: Path, data_dir: Path) -> None:
    """Fill `data_dir` with an empty database whose migrations have been run.

    The first call for a version of Label Studio runs them (half a minute) and caches the result.

    Parameters
    ----------
    python
        The interpreter that :func:`install` returned.
    data_dir
        Where to put it; made if missing.

    Raises
    ------
    StudioError
        If the migrations fail.
    """
    template = CACHE / "studio" / f"migrated-{installed_version(python)}"
    with only_one("migrate"):
        if not template.exists():
            template.parent.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(prefix="migrating-", dir=template.parent))
            try:
                _migrate(python, fresh)
                fresh.replace(template)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copytree(template, data_dir, dirs_exist_ok=True)


def _migrate(python: Path, data_dir: Path) -> None:
    """Run the migrations in `data_dir`; `label-studio version` does so and makes no user."""
    log = data_dir / "migrate.log"
    with working("preparing Label Studio's database (once)"), log.open("w") as out:
        code = subprocess.run(
            [str(python.with_name("label-studio")), "version"],
            env=quiet_environment(data_dir),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        ).returncode
    if code != 0 or not (data_dir / DATABASE).exists():
        raise StudioError(f"Label Studio's migrations failed (exit code {code}). The log ends with:\n{tail(log)}")
    log.unlink()
    (data_dir / ".env").unlink(missing_ok=True)  # holds a secret key: every instance makes its own


@contextmanager
def only_one(what: str, *, wait: bool = True) -> Iterator[None]:
    """Let one process at a time do `what` in this checkout.

    Raises
    ------
    StudioError
        If another one does, and `wait` is false.
    """
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{what}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StudioError(f"Another {what} is running in this checkout; end it first.") from None
        yield


def _shown(path: Path) -> str:
    """Return `path` as a user in the checkout would type it."""
    return str(path.relative_to(CHECKOUT)) if path.is_relative_to(CHECKOUT) else str(path)
