"""What the tests of commands that learn share: how many tasks are drawn, and what is written of them."""

from __future__ import annotations

import json

N_TASKS, N_TEST, N_VAL = 40, 20, 10
LEARNED = ("train", "aggregate-deep")


def read_results(folder, name):
    """Return the figures that a command wrote into peerannot's folder."""
    return json.loads((folder / "results" / f"{name}.json").read_text())
