"""Labels that are probably wrong."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.scoring.snapshot import Snapshot

_PROBABLY: Final = 0.5


def suspects(snapshot: Snapshot) -> NDArray[np.intp]:
    """Return the labels that are not the consensus and more likely wrong than right, the surest first."""
    found = improbable(snapshot)
    return found[snapshot.is_label[found]]


def improbable(snapshot: Snapshot) -> NDArray[np.intp]:
    """Return what `suspects` does, with the answers of models: nobody can correct these."""
    crowd = snapshot.crowd
    consensus = snapshot.consensus[crowd.task]
    # of other kinds few answers are quite right, so that one is suspect beside what its task's consensus is worth
    most = _PROBABLY if snapshot.is_class else _PROBABLY * snapshot.quality[crowd.task]
    found = np.flatnonzero((consensus >= 0) & (crowd.label != consensus) & (snapshot.answer_quality < most))
    quality = snapshot.quality[crowd.task[found]]
    order = np.lexsort((-quality, snapshot.answer_quality[found]))
    return np.asarray(found[order])


def doubtful_tasks(snapshot: Snapshot) -> list[int]:
    """Return the ids of the tasks with such labels by people, to whatever control, the surest first."""
    surest: dict[int, float] = {}
    for part in (snapshot, *snapshot.others):
        found = suspects(part)
        tasks = part.tasks[part.crowd.task[found]].tolist()
        for task, quality in zip(tasks, part.answer_quality[found].tolist(), strict=True):
            surest[task] = min(quality, surest.get(task, quality))
    return sorted(surest, key=lambda task: (surest[task], task))
