"""All methods of this package by name, each giving a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.dawid_skene import DawidSkene
from crowdcore.aggregate.classes.glad import GLAD
from crowdcore.crowd.evidence import as_crowd, as_known
from crowdcore.crowd.frames import indexed_frame
from crowdcore.crowd.table import Crowd
from crowdcore.identify.abilities import GladScores, glad_scores
from crowdcore.identify.areas import aum, waum
from crowdcore.identify.copies import copied_answers
from crowdcore.identify.credible import CredibleConfusions, credible_confusions
from crowdcore.identify.expertise import spam_score, trace_confusion
from crowdcore.identify.honeypots import honeypot_scores
from crowdcore.identify.pairs import annotator_agreement, annotator_pairs
from crowdcore.identify.reliability import Level, fleiss_kappa, krippendorff_alpha
from crowdcore.identify.votes import feedback_effort, gini, vote_entropy, workload
from crowdcore.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

Subject = Literal["task", "annotator", "project", "pair", "group"]
Known = ArrayLike | Mapping[Any, Any] | None

RESAMPLES = 1000


@dataclass(frozen=True)
class Identification:
    """A way to look at tasks or annotators, by name.

    Attributes
    ----------
    name : str
        In lower case, with hyphens.
    about : str
        What it says, in a line.
    subject : {"task", "annotator", "project", "pair", "group"}
        What a row of its frame is about. The index has the ids of tasks or annotators, or the measures of a project
        (columns value, low, high: the value and its 90 % interval); pairs, and groups of annotators, are columns.
    run : callable
        ``run(crowd, pred_probs=None, known_labels=None, seed=0, features=None)`` gives the frame, in the crowd's order;
        it takes no notice of what it has no use for.
    needs_truth, needs_features : bool
        Whether it needs `known_labels`, or features of the tasks; `run` raises a ValueError without them.
    aliases : tuple of str
        Other names, peerannot's among them.
    """

    name: str
    about: str
    subject: Subject
    run: Callable[..., pd.DataFrame]
    needs_truth: bool = False
    needs_features: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Given:
    crowd: Crowd
    pred_probs: ArrayLike | None
    known_labels: Known
    seed: int
    features: Any


def find_method(name: str) -> Identification:
    """Return a method by its name or an alias, such as peerannot's; case, hyphens and underscores do not matter.

    Raises
    ------
    ValueError
        If there is none of that name. The message names the closest one, and all.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["a", "a"], ["b", "b"], ["a", "b"]])
    >>> find_method("entropy").run(crowd)["entropy"].round(2).tolist()
    [0.0, 0.0, 0.69]
    >>> find_method("krippendorffAlpha").name
    'krippendorff-alpha'
    """
    return METHODS.find(name)


def _method(
    name: str,
    about: str,
    subject: Subject,
    compute: Callable[[_Given], pd.DataFrame],
    *aliases: str,
    needs_truth: bool = False,
    needs_features: bool = False,
) -> Identification:
    def run(
        crowd: Crowd | pd.DataFrame,
        pred_probs: ArrayLike | None = None,
        known_labels: Known = None,
        seed: int = 0,
        features: Any = None,
    ) -> pd.DataFrame:
        if needs_truth and known_labels is None:
            raise ValueError(f"{name} needs known_labels: the truth of some tasks, which annotators have answered.")
        if needs_features and features is None:
            raise ValueError(f"{name} needs features: numbers for each task, from which a classifier learns.")
        return compute(_Given(as_crowd(crowd), pred_probs, known_labels, seed, features))

    return Identification(name, about, subject, run, needs_truth, needs_features, aliases)


def _entropy(given: _Given) -> pd.DataFrame:
    crowd = given.crowd
    return crowd.task_frame(entropy=vote_entropy(crowd), normalized=vote_entropy(crowd, normalize=True))


def _workload(given: _Given) -> pd.DataFrame:
    load = workload(given.crowd)
    return given.crowd.annotator_frame(num_answers=load, share=load / load.sum() if load.any() else np.nan)


def _size(given: _Given) -> pd.DataFrame:
    crowd = given.crowd
    efforts, loads = feedback_effort(crowd), workload(crowd)
    measures = {
        "tasks": len(efforts),
        "tasks_answered": (efforts > 0).sum(),
        "annotators": len(loads),
        "annotators_active": (loads > 0).sum(),
        "classes": len(crowd.classes),
        "answers": loads.sum(),
        "answers_per_task": efforts.mean() if len(efforts) else np.nan,
        "answers_per_annotator": loads.mean() if len(loads) else np.nan,
        "workload_gini": gini(loads),
    }
    columns = {"value": np.array(list(measures.values()), dtype=np.float64), "low": np.nan, "high": np.nan}
    return indexed_frame("measure", list(measures), columns)


def _alpha(given: _Given) -> pd.DataFrame:
    """Ordinal alpha needs an order, interval alpha numbers."""
    import pandas as pd

    levels = {"nominal": True, "ordinal": given.crowd.ordered, "interval": given.crowd.classes.dtype.kind in "iuf"}
    frames = [
        krippendorff_alpha(given.crowd, level, n_resamples=RESAMPLES, seed=given.seed).to_frame()
        for level in get_args(Level)
        if levels[level]
    ]
    return pd.concat(frames)


def _fleiss(given: _Given) -> pd.DataFrame:
    return fleiss_kappa(given.crowd, n_resamples=RESAMPLES, seed=given.seed).to_frame()


def _mean_pairs(given: _Given) -> pd.DataFrame:
    pairs = annotator_pairs(given.crowd)
    columns = {"value": [pairs.mean_kappa, pairs.mean_agreement], "low": np.nan, "high": np.nan}
    return indexed_frame("measure", ["mean_cohen_kappa", "mean_pairwise_agreement"], columns)


def _credible(given: _Given) -> CredibleConfusions:
    K = len(given.crowd.classes)
    return credible_confusions(
        given.crowd, DawidSkene(confusion_prior=np.eye(K) + 1 / K).fit(given.crowd, given.known_labels)
    )


def _trace(given: _Given) -> pd.DataFrame:
    trace = trace_confusion(given.crowd, _fitted(given))
    return given.crowd.annotator_frame(trace=trace, share=trace / len(given.crowd.classes))


def _glad(given: _Given) -> GladScores:
    return glad_scores(GLAD().fit(given.crowd, given.known_labels))


def _aum(given: _Given) -> pd.DataFrame:
    labels = np.where(given.crowd.num_answers > 0, _fitted(given).codes_, as_known(given.crowd, given.known_labels))
    return aum(given.crowd, given.features, labels, seed=given.seed).to_frame()


def _waum(given: _Given, *, per_annotator: bool = False) -> pd.DataFrame:
    fitted = _fitted(given)
    return waum(given.crowd, given.features, fitted, per_annotator=per_annotator, seed=given.seed).to_frame()


def _fitted(given: _Given) -> DawidSkene:
    return DawidSkene().fit(given.crowd, given.known_labels)


METHODS: Registry[Identification] = Registry(
    "method",
    (
        _method("entropy", "how far the votes for a task differ", "task", _entropy, "entropies", "vote-entropy"),
        _method(
            "glad-difficulty",
            "how difficult tasks are, by GLAD",
            "task",
            lambda given: _glad(given).to_frame(),
            "difficulty",
            "difficulties",
            "glad",
        ),
        _method(
            "feedback-effort",
            "how many annotators answered a task",
            "task",
            lambda given: given.crowd.task_frame(num_answers=feedback_effort(given.crowd)),
            "feedback",
        ),
        _method(
            "aum",
            "how early a classifier learns a task's label, Dawid-Skene's: low where it is hard, or wrong",
            "task",
            _aum,
            "area-under-margin",
            needs_features=True,
        ),
        _method(
            "waum",
            "how early a classifier learns a task's answers, weighted by trust: low where it is hard",
            "task",
            _waum,
            "weighted-area-under-margin",
            needs_features=True,
        ),
        _method(
            "waum-perworker",
            "the same with a classifier for each annotator",
            "task",
            lambda given: _waum(given, per_annotator=True),
            "waum-per-annotator",
            needs_features=True,
        ),
        _method("workload", "how many tasks an annotator answered", "annotator", _workload, "working-load"),
        _method(
            "agreement",
            "how far an annotator agrees with the others, and with the majority",
            "annotator",
            lambda given: annotator_agreement(given.crowd, seed=given.seed).to_frame(),
            "consensus-agreement",
            "annotator-agreement",
        ),
        _method(
            "spam-score",
            "0 if an annotator's labels do not depend on the truth, 1 if they reveal it",
            "annotator",
            lambda given: given.crowd.annotator_frame(spam_score=spam_score(given.crowd, _fitted(given))),
            "spam",
            "spammer-score",
        ),
        _method(
            "trace-confusion",
            "trace of an annotator's confusion matrix by Dawid-Skene, and its share of the largest possible trace",
            "annotator",
            _trace,
            "traces-confusion",
            "trace",
        ),
        _method(
            "glad-ability",
            "how able annotators are, by GLAD",
            "annotator",
            lambda given: _glad(given).annotators_frame(),
            "ability",
            "abilities",
        ),
        _method(
            "accuracy",
            "how often an annotator is right, with a 90 % interval; the truth is Dawid-Skene's where it is not known",
            "annotator",
            lambda given: _credible(given).to_frame(),
            "credible-accuracy",
        ),
        _method(
            "confusion",
            "annotators' confusion matrices with 90 % intervals; the truth is Dawid-Skene's where it is not known",
            "annotator",
            lambda given: _credible(given).confusions_frame(),
            "confusions",
            "confusion-matrices",
        ),
        _method(
            "honeypots",
            "how annotators did on tasks whose truth is known",
            "annotator",
            lambda given: honeypot_scores(given.crowd, given.known_labels).to_frame(),  # type: ignore[arg-type]
            "honeypot",
            "honeypot-score",
            needs_truth=True,
        ),
        _method(
            "pairwise-agreement",
            "how far each two annotators, and the model, agree, and Cohen's kappa",
            "pair",
            lambda given: annotator_pairs(given.crowd, pred_probs=given.pred_probs).to_frame(),
            "cohen-kappa",
            "pairs",
        ),
        _method(
            "copies",
            "who gives the same answers, also where everybody else says otherwise: copies, or one and the same person",
            "group",
            lambda given: copied_answers(given.crowd).to_frame(),
            "collusion",
            "colluders",
            "duplicates",
        ),
        _method("size", "how many tasks, annotators and answers there are", "project", _size),
        _method(
            "krippendorff-alpha",
            "agreement beyond chance",
            "project",
            _alpha,
            "krippendorffalpha",
            "alpha",
        ),
        _method("fleiss-kappa", "agreement beyond chance", "project", _fleiss),
        _method("mean-agreement", "means over all pairs of annotators", "project", _mean_pairs, "mean-kappa"),
    ),
)
