"""Compare crowdcore with cleanlab 2.9.0 on random crowds: every output, every option; then the time.

    python -m benchmarks.science.parity [--crowds 300] [--seed 0] [--no-timing]

What is evened out between the two is said in harness/cleanlab_parity.py.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from cleanlab import multiannotator as theirs

from crowdcore import Crowd, activelab, crowdlab
from crowdcore import cleanlab_api as ours
from harness.cleanlab_parity import Comparison, compare
from harness.crowds import random_case


def timing(N: int = 10_000, M: int = 100, K: int = 10, answers: int = 30_000) -> None:
    """Print CPU seconds of both, side by side."""
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=N)
    task = np.concatenate([np.arange(N), rng.integers(N, size=answers - N)])
    annotator = rng.integers(M, size=answers)
    label = np.where(rng.random(answers) < 0.7, truth[task], rng.integers(K, size=answers))
    wide = np.full((N, M), np.nan)
    wide[task, annotator] = label
    P = rng.dirichlet(np.ones(K), size=N)
    P[np.arange(N), truth] += 1
    P /= P.sum(axis=1, keepdims=True)
    frame = pd.DataFrame(wide)
    crowd = Crowd.from_wide(frame, classes=range(K))

    def seconds(call: Callable[[], object], repeat: int) -> float:
        best = np.inf
        for _ in range(repeat):
            start = time.process_time()
            call()
            best = min(best, time.process_time() - start)
        return best

    print(f"\n{len(crowd.label)} answers, {N} tasks x {M} annotators, {K} classes; CPU seconds, best of several")
    print(f"{'':32}{'cleanlab':>10}{'crowdcore':>11}{'ratio':>8}{'cleanlab_api':>14}{'ratio':>8}")
    rows = {
        "CROWDLAB": (
            lambda api: api.get_label_quality_multiannotator(frame, P, verbose=False),
            lambda: crowdlab(crowd, P),
        ),
        "ActiveLab": (
            lambda api: api.get_active_learning_scores(frame, P),
            lambda: activelab(crowd, P),
        ),
    }
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = {
            name: (seconds(partial(call, theirs), 2), seconds(core, 10), seconds(partial(call, ours), 5))
            for name, (call, core) in rows.items()
        }
    for name, (slow, fast, api) in times.items():
        print(f"{name:32}{slow:10.3f}{fast:11.4f}{slow / fast:8.0f}{api:14.4f}{slow / api:8.0f}")


def main() -> int:
    """Compare, print, and fail if anything differs by more than 1e-9."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--crowds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-timing", action="store_true")
    arguments = parser.parse_args()
    found = Comparison()
    for number in range(arguments.crowds):
        print(f"\rcrowd {number + 1} of {arguments.crowds}", end="", file=sys.stderr, flush=True)
        compare(random_case(np.random.default_rng([arguments.seed, number])), found, f"crowd {number}")
    print(file=sys.stderr)
    for what, count in found.counts.items():
        if not what.startswith("compared: "):
            print(f"{count:8} {what}")
    print(f"\n{'output':28}{'values':>10}  largest difference")
    for output, largest in sorted(found.largest.items()):
        print(f"{output:28}{found.counts['compared: ' + output]:10}  {largest:.2e}")
    for note in found.notes[:20]:
        print(note)
    if not arguments.no_timing:
        timing()
    return 1 if found.notes else 0


if __name__ == "__main__":
    sys.exit(main())
