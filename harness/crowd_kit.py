"""Ask crowd-kit, which lives in an environment of its own: its labels and probabilities for a crowd.

``python -m harness.crowd_kit CROWD METHOD OPTIONS OUT`` runs there; `ask_peer` starts it. `KeptAnswers` remembers
what it said.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.checkout import CHECKOUT

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KeptAnswers", "ask_peer", "frame_of", "method_of"]

Answers = Mapping[str, NDArray[Any]]
"""`task`, `worker` and `label` of each answer, as codes."""


class KeptAnswers:
    """What crowd-kit said, kept in a file by what it was asked.

    Parameters
    ----------
    path : Path
        An npz.
    peer : path, optional
        A Python that has crowd-kit; it is then asked anew each time.
    """

    def __init__(self, path: Path, peer: str | Path | None = None) -> None:
        self._path, self._peer = path, peer
        self._new: dict[str, NDArray[Any]] = {}
        self._kept: dict[str, NDArray[Any]] = {} if peer else dict(np.load(path))

    def ask(self, answers: Answers, name: str, options: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Return what `ask_peer` returns.

        Raises
        ------
        LookupError
            If there is no answer to this in the file, and nobody to ask.
        """
        question = _question(answers, name, options)
        if self._peer:
            found = ask_peer(self._peer, answers, name, options)
            self._new |= {f"{question}/{key}": values for key, values in found.items()}
            return found
        found = {key.rpartition("/")[2]: kept for key, kept in self._kept.items() if key.startswith(f"{question}/")}
        if not found:
            raise LookupError(
                f"{self._path.name} does not hold what crowd-kit says of {name} with {dict(options)} on this crowd. "
                "Run the tests with CROWD_KIT_PYTHON, a Python that has crowd-kit, to renew it."
            )
        return found

    def save(self) -> None:
        """Write what was asked anew into the file, in place of what it held."""
        if self._new:
            np.savez_compressed(self._path, **self._new)  # type: ignore[arg-type]  # numpy's own flag among them


def _question(answers: Answers, name: str, options: Mapping[str, Any]) -> str:
    """Return a name for what is asked: the method, and a hash of its options and the crowd."""
    asked = hashlib.sha256(json.dumps(dict(options), sort_keys=True).encode())
    for column in ("task", "worker", "label"):
        asked.update(np.asarray(answers[column], "<i8").tobytes())
    return f"{name}-{asked.hexdigest()[:16]}"


def ask_peer(peer: str | Path, answers: Answers, name: str, options: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return what crowd-kit finds: tasks, labels and, if the method has them, probas, and workers and skills.

    Parameters
    ----------
    peer : path
        A Python that has crowd-kit.
    answers : mapping
        The crowd.
    name : str
        One of crowd-kit's aggregators, as it is called there.
    options : mapping
        What to make it with.

    Raises
    ------
    RuntimeError
        If crowd-kit stops; with the last line of its error.
    """
    with tempfile.TemporaryDirectory() as folder:
        crowd, out = Path(folder) / "crowd.npz", Path(folder) / "out.npz"
        np.savez(crowd, **answers)  # type: ignore[arg-type]  # numpy's own flag among them
        command = [peer, "-m", "harness.crowd_kit", crowd, name, json.dumps(dict(options)), out]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=CHECKOUT)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1]}")
        return dict(np.load(out))


def method_of(name: str, options: Mapping[str, Any]) -> Any:
    """Return one of crowd-kit's aggregators; runs in its environment."""
    import crowdkit.aggregation
    from crowdkit.aggregation.classification import wawa, zero_based_skill

    # their check stops with scikit-learn from 1.6 on: AttributeError '__sklearn_tags__'
    wawa.check_is_fitted = zero_based_skill.check_is_fitted = lambda *_, **__: None
    return getattr(crowdkit.aggregation, name)(**options)


def frame_of(task: NDArray[Any], worker: NDArray[Any], label: NDArray[Any]) -> pd.DataFrame:
    """Return the frame that crowd-kit takes."""
    import pandas as pd

    frame: pd.DataFrame = pd.DataFrame({"task": task, "worker": worker, "label": label})
    return frame


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
