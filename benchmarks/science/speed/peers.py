"""The peers' side: what is called for each work. Runs in their environment."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.science.speed.child import Trial
from benchmarks.science.speed.crowds import Answers
from harness.crowd_kit import frame_of, method_of


def _cleanlab(call: Callable[[Any, pd.DataFrame, np.ndarray], Any], labels: bool) -> Callable[[Answers], Trial]:
    def prepare(answers: Answers) -> Trial:
        from cleanlab import multiannotator

        wide = np.full((answers.tasks, answers.annotators), np.nan)
        wide[answers.task, answers.annotator] = answers.label
        frame = pd.DataFrame(wide, copy=False)
        return Trial(
            call=lambda _: call(multiannotator, frame, answers.pred_probs),
            read=lambda found: (found["label_quality"]["consensus_label"].to_numpy() if labels else None, None),
            inputs=wide.nbytes + answers.pred_probs.nbytes,
        )

    return prepare


def _crowd_kit(name: str, **options: Any) -> Callable[[Answers], Trial]:
    def prepare(answers: Answers) -> Trial:
        frame = frame_of(answers.task, answers.annotator, answers.label)

        def call(method: Any) -> tuple[Any, Any]:
            return method, method.fit_predict(frame)

        def read(found: tuple[Any, Any]) -> tuple[np.ndarray, int | None]:
            history = getattr(found[0], "loss_history_", None)
            return found[1].sort_index().to_numpy(), None if history is None else len(history)

        return Trial(call=call, make=lambda: method_of(name, options), read=read)

    return prepare


def _peerannot(module: str, name: str) -> Callable[[Answers], Trial]:
    def prepare(answers: Answers) -> Trial:
        kind = getattr(_peerannot_module(module), name)
        told: dict[int, dict[int, int]] = {task: {} for task in range(answers.tasks)}
        columns = (answers.task.tolist(), answers.annotator.tolist(), answers.label.tolist())
        for task, annotator, label in zip(*columns, strict=True):
            told[task][annotator] = label
        folder = tempfile.TemporaryDirectory()  # GLAD writes what it finds

        def call(_: Any) -> Any:
            method = kind(told, n_classes=answers.classes, n_workers=answers.annotators, dataset=Path(folder.name))
            method.run()
            return method

        return Trial(call=call, read=lambda method: (np.asarray(method.get_answers()).astype(int), None))

    return prepare


def _peerannot_module(name: str) -> Any:
    """Import one of its modules of aggregators without its deep part, which would need torch."""
    if "peerannot.models" not in sys.modules:
        spec = importlib.util.find_spec("peerannot.models")
        if spec is None:
            raise ImportError("peerannot is not installed here: python -m benchmarks.science.speed install")
        sys.modules["peerannot.models"] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f"peerannot.models.aggregation.{name}")


TRIALS: dict[str, Callable[[Answers], Trial]] = {
    "cleanlab crowdlab": _cleanlab(
        lambda api, frame, probs: api.get_label_quality_multiannotator(
            frame, probs, verbose=False, return_weights=True
        ),
        labels=True,
    ),
    "cleanlab activelab": _cleanlab(
        lambda api, frame, probs: api.get_active_learning_scores(frame, probs), labels=False
    ),
    "crowd-kit majority-vote": _crowd_kit("MajorityVote"),
    "crowd-kit majority-vote-frame": _crowd_kit("MajorityVote"),
    "crowd-kit wawa": _crowd_kit("Wawa"),
    "crowd-kit zero-based-skill": _crowd_kit("ZeroBasedSkill"),
    "crowd-kit dawid-skene": _crowd_kit("DawidSkene"),
    "crowd-kit one-coin": _crowd_kit("OneCoinDawidSkene"),
    "crowd-kit glad": _crowd_kit("GLAD"),
    "crowd-kit mace": _crowd_kit("MACE"),
    "crowd-kit mace-one-start": _crowd_kit("MACE", n_restarts=1),
    "crowd-kit kos": _crowd_kit("KOS"),
    "crowd-kit mmsr": _crowd_kit("MMSR"),
    "peerannot glad": _peerannot("glad", "GLAD"),
    "peerannot iwmv": _peerannot("iwmv", "IWMV"),
    "peerannot dswc": _peerannot("dawid_skene_clust", "DawidSkeneClust"),
}
