"""The peers live in an environment of their own, since they pin and pull in much: ``.venv-peers``.

``python -m benchmarks.science.speed install`` makes it (1 GB). PEERS_PYTHON names another Python that has them.
"""

from __future__ import annotations

import os
import subprocess
import sys

from harness.checkout import CHECKOUT

VENV = CHECKOUT / ".venv-peers"
PEERS = ("cleanlab==2.9.0", "crowd-kit==1.4.2", "matplotlib>=3.8")
PEERANNOT = "peerannot==0.0.1.post43"
PEERANNOT_NEEDS = ("pydantic>=2.10.6", "sparse==0.15.5", "tqdm")  # torch and the rest are for its deep part


def peers_python() -> str | None:
    """Return the Python that has the peers: PEERS_PYTHON, else that of ``.venv-peers``, else None."""
    python = VENV / "bin" / "python"
    return os.environ.get("PEERS_PYTHON") or (str(python) if python.exists() else None)


def install() -> str:
    """Make ``.venv-peers``, or bring it up to date, and return its Python.

    Raises
    ------
    subprocess.CalledProcessError
        If the environment cannot be made or pip fails; pip has said why.
    """
    python = str(VENV / "bin" / "python")
    if not VENV.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *PEERS, *PEERANNOT_NEEDS], check=True)
    subprocess.run([*pip, "--no-deps", PEERANNOT], check=True)
    return python
