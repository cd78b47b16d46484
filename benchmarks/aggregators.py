"""crowdcore's aggregators beside crowd-kit's, on the same generated crowds, in one run.

    python benchmarks/aggregators.py [--tasks 10000 200000] [--annotators 100] [--classes 4] [--repeat 3]
                                     [--peer /path/to/python] [--only GLAD KOS] [--most 300]

crowd-kit lives in an environment of its own, whose Python is --peer (or CROWD_KIT_PYTHON); without one only
crowdcore is timed. Times are wall clock, the best of --repeat fits (crowd-kit: of one, if it takes long); frames
and crowds are made before. crowdcore's kernels are compiled before. A method that crowd-kit is expected to
need more than --most seconds for is not run there.

Each method has its defaults on both sides; ties="first" is what crowd-kit does. MACE has a second row with one
start on both sides, since crowd-kit's ten starts all have one seed and find the same.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

METHODS: dict[str, tuple[str, dict[str, Any], str | None, dict[str, Any]]] = {
    # name: ours, its options, theirs, its options
    "MajorityVote": ("MajorityVote", {}, "MajorityVote", {}),
    "Wawa": ("Wawa", {"ties": "first"}, "Wawa", {}),
    "ZeroBasedSkill": ("ZeroBasedSkill", {"ties": "first"}, "ZeroBasedSkill", {}),
    "DawidSkene": ("DawidSkene", {}, "DawidSkene", {}),
    "FastDawidSkene": ("FastDawidSkene", {}, None, {}),
    "OneCoinDawidSkene": ("OneCoinDawidSkene", {}, "OneCoinDawidSkene", {}),
    "GLAD": ("GLAD", {}, "GLAD", {}),
    "MACE": ("MACE", {}, "MACE", {}),
    "MACE, one start": ("MACE", {"n_restarts": 1}, "MACE", {"n_restarts": 1}),
    "MMSR": ("MMSR", {}, "MMSR", {}),
    "KOS (binary)": ("KOS", {}, "KOS", {}),
    "IWMV": ("IWMV", {}, None, {}),
    "TwoThird": ("TwoThird", {}, None, {}),
    "DawidSkeneClust": ("DawidSkeneClust", {}, None, {}),
    "WDS": ("WDS", {}, None, {}),
    "PlantNet": ("PlantNet", {}, None, {}),
}
SECONDS_AT_10K = {
    "GLAD": 60.0,
    "MMSR": 8.0,
    "MACE": 15.0,
    "ZeroBasedSkill": 4.0,
}  # crowd-kit's, roughly, to leave out what takes hours


def generate(tasks: int, annotators: int, classes: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw a crowd: about 5 answers a task, a random confusion matrix for each annotator."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=tasks)
    skill = rng.beta(4, 2, size=(annotators, 1, 1))
    confusion = skill * np.eye(classes) + (1 - skill) * rng.dirichlet(np.ones(classes), size=(annotators, classes))
    task = np.repeat(np.arange(tasks), 1 + rng.binomial(8, 0.5, size=tasks))
    key = np.unique(task * annotators + rng.integers(annotators, size=len(task)))
    task, annotator = np.divmod(key, annotators)
    steps = confusion.cumsum(axis=2)[annotator, truth[task]]
    label = np.minimum((rng.random((len(task), 1)) > steps).sum(axis=1), classes - 1)
    return {"task": task, "worker": annotator, "label": label, "truth": truth}


def timed(fit: Any, repeat: int, enough: float = 5.0) -> tuple[float, Any]:
    """Return the best time of some fits, and the last result."""
    best, spent, result = np.inf, 0.0, None
    for _ in range(repeat):
        start = time.perf_counter()
        result = fit()
        took = time.perf_counter() - start
        best, spent = min(best, took), spent + took
        if spent > enough:
            break
    return best, result


def run_peer(path: str, name: str, options: str, repeat: int, out: str) -> None:
    """Time one of crowd-kit's methods; runs in its environment."""
    import crowdkit.aggregation as theirs
    import pandas as pd
    from crowdkit.aggregation.classification import wawa, zero_based_skill

    # their check stops with scikit-learn from 1.6 on: AttributeError '__sklearn_tags__'
    wawa.check_is_fitted = zero_based_skill.check_is_fitted = lambda *_, **__: None
    data = np.load(path)
    frame = pd.DataFrame({what: data[what] for what in ("task", "worker", "label")})
    method = getattr(theirs, name)
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: list[Any] = []

        def fit() -> Any:
            made.append(method(**json.loads(options)))
            return made[-1].fit_predict(frame)

        seconds, labels = timed(fit, repeat)
    probas = getattr(made[-1], "probas_", None)
    tasks = labels.index.to_numpy()
    found = {"seconds": seconds, "tasks": tasks, "labels": labels.to_numpy()}
    if probas is not None:
        found["probas"] = probas.loc[tasks].sort_index(axis=1).to_numpy()
    np.savez(out, **found)


def ask_peer(peer: str, crowd: Path, name: str, options: dict[str, Any], repeat: int = 3) -> dict[str, Any]:
    """Return what crowd-kit finds: seconds, tasks, labels and, if the method has them, probas.

    Parameters
    ----------
    peer : str
        A Python that has crowd-kit.
    crowd : Path
        An npz with task, worker and label.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out.npz")
        command = [peer, __file__, "--as-peer", str(crowd), name, json.dumps(options), str(repeat), out]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1]}")
        return dict(np.load(out, allow_pickle=True))


def has_crowd_kit(peer: str | None) -> bool:
    """Return whether this is a Python that has crowd-kit."""
    if not peer:
        return False
    try:
        return subprocess.run([peer, "-c", "import crowdkit"], capture_output=True).returncode == 0
    except OSError:
        return False


def compare(tasks: int, annotators: int, classes: int, options: argparse.Namespace) -> None:
    """Print a row for each method."""
    from crowdcore import Crowd, aggregate

    for kind in (classes, 2):
        data = generate(tasks, annotators, kind)
        crowd = Crowd.from_codes(
            data["task"], data["worker"], data["label"],
            tasks=range(tasks), annotators=range(annotators), classes=range(kind),
        )  # fmt: skip
        small = crowd.select_tasks(range(50))
        methods = {name: row for name, row in METHODS.items() if ("binary" in name) == (kind == 2 != classes)}
        if options.only:
            methods = {name: row for name, row in methods.items() if row[0] in options.only}
        if not methods:
            continue
        print(f"\n{tasks:,} tasks, {annotators:,} annotators, {kind} classes, {len(crowd.label):,} answers")
        head = f"{'method':<20}{'ours, s':>10}{'iterations':>12}{'accuracy':>10}"
        print(f"{head}{'theirs, s':>12}{'accuracy':>10}{'ratio':>9}")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "crowd.npz"
            np.savez(path, **data)
            for name, (ours, given, theirs, their_options) in methods.items():
                method = getattr(aggregate, ours)
                method(**given).fit(small)  # compiled, if it was not
                seconds, result = timed(partial(_fit, method(**given), crowd), options.repeat)
                row = f"{name:<20}{seconds:>10.4f}{getattr(result, 'n_iter_', 1):>12}"
                row += f"{np.mean(result.codes_ == data['truth']):>10.4f}"
                expected = SECONDS_AT_10K.get(ours, 1.0) * tasks / 10_000
                if theirs and options.peer and expected <= options.most:
                    try:
                        found = ask_peer(options.peer, path, theirs, their_options, options.repeat)
                    except RuntimeError as error:
                        print(f"{row}   {error}")
                        continue
                    right = np.mean(found["labels"] == data["truth"][found["tasks"]])
                    took = float(found["seconds"])
                    row += f"{took:>12.3f}{right:>10.4f}{took / seconds:>8.0f}×"
                print(row, flush=True)


def _fit(method: Any, crowd: Any) -> Any:
    """Fit the method to the crowd, without what the crowd has computed and kept."""
    arrays = (crowd.tasks, crowd.annotators, crowd.classes, crowd.indptr, crowd.annotator, crowd.label)
    return method.fit(type(crowd)(*arrays))


def main() -> None:
    """Read the options and print the tables."""
    if sys.argv[1:2] == ["--as-peer"]:
        path, name, options, repeat, out = sys.argv[2:]
        run_peer(path, name, options, int(repeat), out)
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[10_000])
    parser.add_argument("--annotators", type=int, default=100)
    parser.add_argument("--classes", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer", default=os.environ.get("CROWD_KIT_PYTHON"))
    parser.add_argument("--only", nargs="+", help="names of methods")
    parser.add_argument("--most", type=float, default=300.0, help="seconds for crowd-kit")
    options = parser.parse_args()
    if options.peer and not has_crowd_kit(options.peer):
        parser.error(f"{options.peer} cannot import crowdkit; make an environment: pip install crowd-kit")
    for tasks in options.tasks:
        compare(tasks, options.annotators, options.classes, options)


if __name__ == "__main__":
    main()
