"""peerannot's files about hard tasks: identification/MODEL/aum and identification/MODEL/waum_ALPHA_yang."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.files.learning.lessons import Lessons
from label_studio_crowd.files.learning.too_hard import write_too_hard

if TYPE_CHECKING:
    import pandas as pd

    from crowdcore.identify import AreaUnderMargin, WeightedAreaUnderMargin

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def write_aum(lessons: Lessons, found: AreaUnderMargin, folder: Path, alpha: float) -> list[Path]:
    """Write full_aum_records.csv, aum_values.csv and too_hard_ALPHA.txt."""
    import pandas as pd

    from crowdcore.identify import too_hard

    folder.mkdir(parents=True, exist_ok=True)
    order = _in_training_order(lessons, np.flatnonzero(found.labels >= 0))
    names = np.array(lessons.names, dtype=object)
    values = pd.DataFrame(
        {
            "sample_id": lessons.places[order],
            "filename": names[order],
            "AUM_yang": found.yang[order],
            "AUM_pleiss": found.pleiss[order],
        }
    )
    paths = [folder / "full_aum_records.csv", folder / "aum_values.csv"]
    _records(lessons, found, order).to_csv(paths[0], index=False)
    values.to_csv(paths[1], index=False)
    return [*paths, _write_too_hard(lessons, too_hard(found.area, alpha), folder, alpha)]


def write_waum(
    lessons: Lessons, found: WeightedAreaUnderMargin, folder: Path, alpha: float, labels: Path, n_iter: int
) -> list[Path]:
    """Write waum.csv, score_per_worker.json, aum_per_worker.json, too_hard_ALPHA.txt and the labels without them."""
    import pandas as pd

    from crowdcore.identify import too_hard

    folder.mkdir(parents=True, exist_ok=True)
    labels.parent.mkdir(parents=True, exist_ok=True)
    order = _in_training_order(lessons, np.flatnonzero(~np.isnan(found.area)))
    names = np.array(lessons.names, dtype=object)
    rows = {"index": lessons.places[order], "task": names[order], "waum": found.area[order]}
    paths = [folder / "waum.csv", folder / "score_per_worker.json", folder / "aum_per_worker.json"]
    pd.DataFrame(rows).to_csv(paths[0], index=False)
    for path, values in zip(paths[1:], (found.trust, found.answer_area), strict=True):
        path.write_text(json.dumps(_by_place(lessons, order, values), indent=3), encoding="utf-8")
    hard = too_hard(found.area, alpha)
    np.save(labels, labels_without(lessons, hard, n_iter))
    return [*paths, _write_too_hard(lessons, hard, folder, alpha), labels]


def labels_without(lessons: Lessons, hard: Codes, n_iter: int) -> Floats:
    """Return votes weighted by each annotator's chance of being right with that class, (N, K); 0 for hard tasks.

    The chances are Dawid-Skene's without the hard tasks, after at most n_iter steps.
    """
    from crowdcore.aggregate import WDS

    kept = np.setdiff1d(np.arange(len(lessons.crowd.tasks)), hard)
    labels = np.zeros((len(lessons.crowd.tasks), len(lessons.crowd.classes)))
    labels[kept] = WDS(n_iter=n_iter).fit(lessons.crowd.select_tasks(kept)).probas_
    labels[lessons.crowd.num_answers == 0] = 0
    return labels


def _in_training_order(lessons: Lessons, rows: Codes) -> Codes:
    return rows[np.argsort(lessons.places[rows], kind="stable")]


def _write_too_hard(lessons: Lessons, hard: Codes, folder: Path, alpha: float) -> Path:
    rows = _in_training_order(lessons, hard)
    tasks = lessons.crowd.tasks.tolist()
    return write_too_hard(folder / f"too_hard_{alpha}.txt", ((int(lessons.places[row]), tasks[row]) for row in rows))


def _by_place(lessons: Lessons, order: Codes, values: Floats) -> dict[int, dict[Any, float]]:
    """Return a value for each answer: place of the task, annotator."""
    crowd = lessons.crowd
    annotators, bounds = crowd.annotators.tolist(), crowd.indptr.tolist()
    return {
        int(lessons.places[row]): {
            annotators[crowd.annotator[answer]]: float(values[answer]) for answer in range(bounds[row], bounds[row + 1])
        }
        for row in order.tolist()
    }


def _records(lessons: Lessons, found: AreaUnderMargin, order: Codes) -> pd.DataFrame:
    """Return a row for each epoch and task: what the classifier said of its label and of the others."""
    import pandas as pd
    from scipy.special import softmax

    assert found.logits is not None, "they were asked for"
    label, names = found.labels[order], np.array(lessons.names, dtype=object)[order]
    frames = []
    for epoch, said in enumerate(found.logits):
        logits = said[order]
        of_logits, of_chances = _ranked(logits, label), _ranked(softmax(logits, axis=1), label)
        columns = {
            "index": lessons.places[order],
            "task": names,
            "label": label,
            "epoch": epoch,
            "label_logit": of_logits[0],
            "label_prob": of_chances[0],
            "other_max_logit": of_logits[1],
            "other_max_prob": of_chances[1],
            "secondlogit": of_logits[2],
            "secondprob": of_chances[2],
        }
        frames.append(pd.DataFrame(columns | {f"logits_{code}": logits[:, code] for code in range(logits.shape[1])}))
    table: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return table


def _ranked(values: Floats, label: Codes) -> tuple[Floats, Floats, Floats]:
    """Return the label's values, the largest of the others, and the second largest of all."""
    n, K = values.shape
    own, others = values[np.arange(n), label], values.copy()
    others[np.arange(n), label] = -np.inf
    return own, others.max(axis=1), np.sort(values, axis=1)[:, -min(2, K)]
