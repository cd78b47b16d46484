"""Answers that are not one class, as files of a user's have them."""

import json

import numpy as np
import pandas as pd

CLASSES = ["cat", "dog", "fish"]
PEOPLE = ("ann", "bob", "cho")


def sets(num_tasks=60, seed=0):
    """Answers of three who find most classes of each task, and one who does not, and the truth."""
    rng = np.random.default_rng(seed)
    truth = [sorted(label for label in CLASSES if rng.random() < 0.4) for _ in range(num_tasks)]
    rows = []
    for task, labels in enumerate(truth):
        for who in ("ann", "bob", "cho", "dan"):
            wrong = 0.5 if who == "dan" else 0.08
            rows.append((task, who, sorted(label for label in CLASSES if (label in labels) != (rng.random() < wrong))))
    return pd.DataFrame(rows, columns=["task", "annotator", "label"]), truth


def lengths(num_tasks=60, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 100, num_tasks).round(1)
    rows = [(i, who, round(truth[i] + bias + rng.normal(0, 3), 1))
            for i in range(num_tasks) for who, bias in (("ann", 0), ("bob", 0), ("cho", 10))]  # fmt: skip
    return pd.DataFrame(rows, columns=["task", "annotator", "label"]), truth


def written(frame, path, how):
    if how == "semicolons":
        frame = frame.assign(label=[";".join(labels) or "[]" for labels in frame["label"]])
    if how == "studio":  # as Label Studio's CSV has several choices
        frame = frame.assign(label=[json.dumps({"choices": labels}) for labels in frame["label"]])
    if how in ("json", "parquet"):
        path = path.with_suffix(f".{how}")
        frame.to_json(path, orient="records") if how == "json" else frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path
