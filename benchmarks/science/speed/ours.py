"""crowdcore's side: what is called for each work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.science.speed.child import Trial
from benchmarks.science.speed.crowds import Answers
from crowdcore import Crowd, activelab, aggregate, crowdlab
from crowdcore.aggregate.methods import METHODS


def crowd_of(answers: Answers) -> Crowd:
    """Return the crowd; its ids are its codes."""
    return Crowd.from_codes(
        answers.task,
        answers.annotator,
        answers.label,
        tasks=range(answers.tasks),
        annotators=range(answers.annotators),
        classes=range(answers.classes),
    )


def fresh(crowd: Crowd) -> Crowd:
    """Return the crowd without what it has computed and kept."""
    return Crowd(crowd.tasks, crowd.annotators, crowd.classes, crowd.indptr, crowd.annotator, crowd.label)


def frame_of_text(answers: Answers) -> pd.DataFrame:
    """Return a frame of strings, its rows in no order."""
    order = np.random.default_rng(0).permutation(len(answers.task))
    columns = {"task": answers.task, "annotator": answers.annotator, "label": answers.label}
    names = {
        "task": [f"task-{task:08}" for task in range(answers.tasks)],
        "annotator": [f"annotator-{annotator:06}" for annotator in range(answers.annotators)],
        "label": [f"label-{label}" for label in range(answers.classes)],
    }
    return pd.DataFrame({what: np.array(names[what], dtype=object)[code[order]] for what, code in columns.items()})


def _with_model(function: Callable[..., Any], labels: Callable[[Any], np.ndarray | None]) -> Callable[..., Trial]:
    def prepare(answers: Answers) -> Trial:
        crowd, probs = crowd_of(answers), answers.pred_probs
        arrays = (probs, crowd.indptr, crowd.annotator, crowd.label)
        return Trial(
            call=lambda given: function(given, probs),
            make=lambda: fresh(crowd),
            read=lambda result: (labels(result), None),
            inputs=sum(array.nbytes for array in arrays),
        )

    return prepare


def _aggregator(make: Callable[[], aggregate.Aggregator], from_frame: bool = False) -> Callable[[Answers], Trial]:
    def prepare(answers: Answers) -> Trial:
        crowd, method = crowd_of(answers), make()
        one_start = getattr(method, "n_restarts", 1) == 1  # else the iterations are those of the best
        return Trial(
            call=method.fit,
            make=crowd.to_long if from_frame else lambda: fresh(crowd),
            read=lambda fitted: (fitted.codes_, getattr(fitted, "n_iter_", None) if one_start else None),
        )

    return prepare


def _from_long(answers: Answers) -> Trial:
    frame = frame_of_text(answers)
    return Trial(call=lambda _: Crowd.from_long(frame))


def _everything(answers: Answers) -> Trial:
    """Make a crowd from a frame, and call ActiveLab, which calls CROWDLAB, and all methods of answers alone."""
    crowd, probs = crowd_of(answers), answers.pred_probs

    def call(_: Any) -> None:
        activelab(Crowd.from_long(frame_of_text(answers)), probs)
        for method in METHODS.values():
            if not method.needs:
                method.make().fit(crowd)

    return Trial(call=call, once=True)


TRIALS: dict[str, Callable[[Answers], Trial]] = {
    "crowdlab": _with_model(crowdlab, lambda result: result.consensus),
    "activelab": _with_model(activelab, lambda result: None),
    "majority-vote": _aggregator(aggregate.MajorityVote),
    "majority-vote-frame": _aggregator(aggregate.MajorityVote, from_frame=True),
    "wawa": _aggregator(lambda: aggregate.Wawa(ties="first")),
    "zero-based-skill": _aggregator(lambda: aggregate.ZeroBasedSkill(ties="first")),
    "dawid-skene": _aggregator(aggregate.DawidSkene),
    "one-coin": _aggregator(aggregate.OneCoinDawidSkene),
    "glad": _aggregator(aggregate.GLAD),
    "mace": _aggregator(aggregate.MACE),
    "mace-one-start": _aggregator(lambda: aggregate.MACE(n_restarts=1)),
    "kos": _aggregator(aggregate.KOS),
    "mmsr": _aggregator(aggregate.MMSR),
    "iwmv": _aggregator(aggregate.IWMV),
    "dswc": _aggregator(aggregate.DawidSkeneClust),
    "from-long": _from_long,
    "compile": _everything,
}
