"""Ask crowd-kit, which lives in an environment of its own: its labels and probabilities for a crowd.

``python -m benchmarks.science.speed.crowd_kit CROWD METHOD OPTIONS OUT`` runs there; `ask_peer` starts it.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.science.speed.crowds import generate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ask_peer", "generate", "has_crowd_kit", "method_of"]

CHECKOUT = Path(__file__).resolve().parents[3]


def has_crowd_kit(peer: str | Path | None) -> bool:
    """Return whether this is a Python that has crowd-kit."""
    if not peer:
        return False
    try:
        return subprocess.run([peer, "-c", "import crowdkit"], capture_output=True).returncode == 0
    except OSError:
        return False


def ask_peer(peer: str | Path, crowd: Path, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return what crowd-kit finds: tasks, labels and, if the method has them, probas, and workers and skills.

    Parameters
    ----------
    peer : path
        A Python that has crowd-kit.
    crowd : Path
        An npz with task, worker and label.
    name : str
        One of crowd-kit's aggregators, as it is called there.
    options : dict
        What to make it with.

    Raises
    ------
    RuntimeError
        If crowd-kit stops; with the last line of its error.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out.npz")
        command = [str(peer), "-m", "benchmarks.science.speed.crowd_kit", str(crowd), name, json.dumps(options), out]
        done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1]}")
        return dict(np.load(out, allow_pickle=True))


def method_of(name: str, options: dict[str, Any]) -> Any:
    """Return one of crowd-kit's aggregators; runs in its environment."""
    import crowdkit.aggregation
    from crowdkit.aggregation.classification import wawa, zero_based_skill

    # their check stops with scikit-learn from 1.6 on: AttributeError '__sklearn_tags__'
    wawa.check_is_fitted = zero_based_skill.check_is_fitted = lambda *_, **__: None
    return getattr(crowdkit.aggregation, name)(**options)


def frame_of(task: np.ndarray, worker: np.ndarray, label: np.ndarray) -> pd.DataFrame:
    """Return the frame that crowd-kit takes."""
    import pandas as pd

    return pd.DataFrame({"task": task, "worker": worker, "label": label})


def main() -> None:
    """Answer `ask_peer`."""
    crowd, name, options, out = sys.argv[1:]
    data = np.load(crowd)
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        method = method_of(name, json.loads(options))
        labels = method.fit_predict(frame_of(data["task"], data["worker"], data["label"]))
    tasks = labels.index.to_numpy()
    found = {"tasks": tasks, "labels": labels.to_numpy()}
    probas = getattr(method, "probas_", None)
    if probas is not None:
        found["probas"] = probas.loc[tasks].sort_index(axis=1).to_numpy()
    skills = getattr(method, "skills_", None)
    if skills is not None:
        found["workers"], found["skills"] = skills.index.to_numpy(), skills.to_numpy()
    np.savez(out, **found)


if __name__ == "__main__":
    main()
