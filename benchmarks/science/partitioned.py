"""A crowd larger than memory: how long the algorithms take over Parquet files, and how much memory.

    python -m benchmarks.science.partitioned [--answers 20000000] [--annotators 20000] [--classes 5] [--iterations 10]
                                     [--folder FOLDER] [--dask [WORKERS]] [--part-size 4000000]

Makes answers (five for each task, each in another file) and a model's probabilities, as Parquet files in a folder that
is removed afterwards unless it is given; then runs everything over them and prints seconds, the largest resident
memory so far, and the share of the labels that are right. Making the files is not counted. 200 million answers, of 40
million tasks, need some 10 GB of disk.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crowdcore.aggregate import DawidSkene, OneCoinDawidSkene
from crowdcore.partitioned import PartitionedCrowd, PartitionedResult

EACH = 5
"""Answers of a task."""
BLOCK = 400_000
"""Tasks that are made at a time."""


def truth_of(tasks: np.ndarray, classes: int) -> np.ndarray:
    """Return the true class of each task, which looks random."""
    mixed = tasks.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(40)) % np.uint64(classes)).astype(np.int64)


def make(folder: Path, answers: int, annotators: int, classes: int) -> None:
    """Write the answers and the probabilities."""
    skill = np.random.default_rng(0).beta(5, 2, size=annotators)
    for name in ("answers", "probabilities"):
        (folder / name).mkdir(parents=True)
    for block, first in enumerate(range(0, answers // EACH, BLOCK)):
        rng = np.random.default_rng([1, block])
        tasks = np.arange(first, min(first + BLOCK, answers // EACH))
        truth = truth_of(tasks, classes)
        start = rng.integers(annotators, size=len(tasks))
        for each in range(EACH):
            annotator = (start + each * (annotators // EACH)) % annotators
            right = rng.random(len(tasks)) < skill[annotator]
            label = np.where(right, truth, (truth + rng.integers(1, classes, size=len(tasks))) % classes)
            order = rng.permutation(len(tasks))
            table = pa.table({"task": tasks[order], "annotator": annotator[order], "label": label[order]})
            pq.write_table(table, folder / "answers" / f"{each}-{block:05d}.parquet")
        P = rng.dirichlet(np.full(classes, 0.7), size=len(tasks)).astype(np.float32)
        P[np.arange(len(tasks)), truth] += 0.5
        P /= P.sum(axis=1, keepdims=True)
        columns = {"task": tasks} | {str(k): P[:, k] for k in range(classes)}
        pq.write_table(pa.table(columns), folder / "probabilities" / f"{block:05d}.parquet")


def right(result: PartitionedResult, classes: int) -> float:
    """Return the share of labels that are true."""
    hits = total = 0
    for frame in result.frames():
        hits += int((frame["label"].to_numpy() == truth_of(frame.index.to_numpy(), classes)).sum())
        total += len(frame)
    return hits / total


@contextlib.contextmanager
def cluster(workers: int | None) -> Iterator[Any]:
    """Give a client of a local cluster, or None."""
    if workers is None:
        yield None
        return
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as made, Client(made) as client:
        yield client


def peak(client: Any = None) -> float:
    """Return the largest resident memory so far, in GB, of this process and of the workers."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return own if client is None else own + sum(client.run(peak).values())


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("answers", 20_000_000), ("annotators", 20_000), ("classes", 5), ("iterations", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--part-size", type=int, default=4_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--dask", type=int, nargs="?", const=2)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="crowdcore-benchmark-"))
    try:
        if not (folder / "answers").exists():
            print(f"Making {given.answers:,} answers in {folder}", flush=True)
            process = multiprocessing.get_context("spawn").Process(
                target=make, args=(folder, given.answers, given.annotators, given.classes)
            )
            process.start()
            process.join()
        with cluster(given.dask) as client:
            run(folder, given, client)
    finally:
        if given.folder is None:
            shutil.rmtree(folder)


def run(folder: Path, given: argparse.Namespace, client: Any) -> None:
    """Time everything."""
    print(f"{'work':<40} {'seconds':>8} {'peak GB':>8} {'right':>7}", flush=True)

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        found = work()
        seconds = time.perf_counter() - began
        share = f"{right(found, given.classes):7.4f}" if hasattr(found, "frames") and "Active" not in name else ""
        print(f"{name:<40} {seconds:8.1f} {peak(client):8.2f} {share:>7}", flush=True)
        return found

    def read() -> PartitionedCrowd:
        return PartitionedCrowd.from_parquet(
            folder / "answers", client=client, scratch=folder, part_size=given.part_size
        )

    probabilities, n = folder / "probabilities", given.iterations
    with timed("from Parquet into parts", read) as crowd:
        print(crowd)
        timed("majority vote", lambda: crowd.aggregate("majority-vote"))
        timed(f"Dawid-Skene, {n} iterations", lambda: crowd.aggregate(DawidSkene(n_iter=n, tol=-np.inf)))
        timed(f"one-coin, {n} iterations", lambda: crowd.aggregate(OneCoinDawidSkene(n_iter=n, tol=-np.inf)))
        timed("CROWDLAB, with reading probabilities", lambda: crowd.aggregate("crowdlab", pred_probs=probabilities))
        timed("ActiveLab", lambda: crowd.activelab(probabilities))


if __name__ == "__main__":
    main()
