"""All methods by name, and one way to run any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from crowdcore.aggregate.classes.aggregator import Aggregator, Floats
from crowdcore.aggregate.classes.clustered import DawidSkeneClust
from crowdcore.aggregate.classes.dawid_skene import DawidSkene
from crowdcore.aggregate.classes.empirical_bayes import EmpiricalBayes
from crowdcore.aggregate.classes.fast_dawid_skene import FastDawidSkene
from crowdcore.aggregate.classes.feature_em import FeatureEM
from crowdcore.aggregate.classes.glad import GLAD
from crowdcore.aggregate.classes.hierarchical_dawid_skene import HierarchicalDawidSkene
from crowdcore.aggregate.classes.informed import per_annotator
from crowdcore.aggregate.classes.iwmv import IWMV
from crowdcore.aggregate.classes.judged_majority import ActiveLabelCleaning, Agreement, LabelQualityScore
from crowdcore.aggregate.classes.kos import KOS
from crowdcore.aggregate.classes.mace import MACE
from crowdcore.aggregate.classes.majority_vote import MajorityVote
from crowdcore.aggregate.classes.mmsr import MMSR
from crowdcore.aggregate.classes.model_alone import ModelAlone
from crowdcore.aggregate.classes.naive_soft import NaiveSoft
from crowdcore.aggregate.classes.one_coin import OneCoinDawidSkene
from crowdcore.aggregate.classes.plantnet import PlantNet
from crowdcore.aggregate.classes.two_third import TwoThird
from crowdcore.aggregate.classes.wawa import Wawa
from crowdcore.aggregate.classes.weighted import WDS
from crowdcore.aggregate.classes.weighted_mean import CROWDLAB, SharedWeight
from crowdcore.aggregate.classes.with_model import WithModel
from crowdcore.aggregate.classes.zero_based_skill import ZeroBasedSkill
from crowdcore.crowd.ids import Ids
from crowdcore.crowd.table import Crowd
from crowdcore.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

WITH_MODEL = "+model"


@dataclass(frozen=True)
class Method:
    """A way to aggregate, by name.

    Attributes
    ----------
    name : str
        In lower case, with hyphens; ends in ``+model`` where the model is one more annotator (`WithModel`).
    about : str
        What it does, in a line.
    needs : frozenset of str
        What it needs beside the answers: ``"pred_probs"``, ``"features"`` or nothing.
    takes : frozenset of str
        What it can use beside that: ``"pred_probs"``, ``"features"``, ``"known_labels"`` or nothing.
    make : callable
        Gives an aggregator with these options: ``make(n_iter=20)``; ValueError for an option it does not have.
    aliases : tuple of str
        Other names that `find_method` knows: those of peerannot, of CROWDLAB's benchmark, and short ones.
    binary : bool
        Whether it is for two classes only.
    """

    name: str
    about: str
    needs: frozenset[str]
    takes: frozenset[str]
    make: Callable[..., Aggregator] = field(compare=False)
    aliases: tuple[str, ...] = ()
    binary: bool = False


@dataclass(frozen=True, eq=False)
class Aggregation:
    """What a method found.

    Attributes
    ----------
    method : Method
        The method.
    aggregator : Aggregator
        The fitted aggregator, with everything else that the method knows.
    """

    method: Method
    aggregator: Aggregator

    @property
    def labels(self) -> Ids:
        """Each task's label, None where there is none, shape (N,)."""
        return self.aggregator.labels_

    @property
    def probas(self) -> Floats:
        """Probability, or share of the votes, of each class, shape (N, K)."""
        return self.aggregator.probas_

    @property
    def quality(self) -> Floats:
        """How far the method believes its labels, NaN where there is none, shape (N,)."""
        return self.aggregator.quality_

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each task: label, quality, and the probability of each class.

        A class's column has its name; "class label" or "class quality" where that would be one of the first two.
        """
        crowd = self.aggregator.crowd_
        columns: dict[Any, Any] = {"label": self.labels, "quality": self.quality}
        for code, name in enumerate(crowd.classes.tolist()):
            columns[f"class {name}" if name in ("label", "quality") else name] = self.probas[:, code]
        return crowd.task_frame(columns)

    def annotators_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each annotator: num_answers, agreement_with_consensus, and skill.

        The skill is what the method has learned of an annotator, on the method's own scale (`skills_`); of a method
        that learns no such number, the mean of `probas` of the labels that the annotator gave. NaN where there is
        nothing to learn from. With ``+model``, the last row is the model.
        """
        fitted = self.aggregator
        crowd = fitted.crowd_
        skills = getattr(getattr(fitted, "aggregator_", fitted), "skills_", None)
        return crowd.annotator_frame(
            num_answers=np.bincount(crowd.annotator, minlength=len(crowd.annotators)),
            agreement_with_consensus=per_annotator(crowd, crowd.label == fitted.codes_[crowd.task]),
            skill=per_annotator(crowd, self.probas[crowd.task, crowd.label]) if skills is None else skills,
        )


def find_method(name: str) -> Method:
    """Return the method of a name, an alias or a class's name; case, hyphens and underscores do not matter.

    Raises
    ------
    ValueError
        If there is none. The message names the closest, and all.

    Examples
    --------
    >>> find_method("dawid_skene").name, find_method("GLAD+model").name, find_method("twothird").name
    ('dawid-skene', 'glad+model', 'two-third')
    """
    return METHODS.find(name)


def run_method(
    name: str | Method,
    crowd: Crowd,
    *,
    pred_probs: ArrayLike | None = None,
    features: Any = None,
    known_labels: ArrayLike | Mapping[Any, Any] | pd.Series[Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Aggregation:
    """Aggregate a crowd's answers by a method's name.

    Parameters
    ----------
    name : str or Method
        As for `find_method`.
    crowd : Crowd
        N tasks, K classes; or a long frame.
    pred_probs : array_like of shape (N, K) or (P, N, K), optional
        A model's class probabilities, out of sample. Methods that neither need nor take them do not see them.
    features : array_like or sparse matrix, shape (N, d), optional
        Features of the tasks. Methods that neither need nor take them do not see them.
    known_labels : array_like of int, shape (N,), or mapping or Series from task to label, optional
        Labels known to be true, for a method that takes them.
    options : mapping, optional
        The method's own options, by name; peerannot's names L and maxiter are known too.

    Returns
    -------
    Aggregation

    Raises
    ------
    ValueError
        If there is no such method or option, the method needs what is not given or cannot use what is, or
        something does not fit the crowd.

    Examples
    --------
    >>> crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", "dog"]])
    >>> run_method("majority-vote", crowd).to_frame().round(2).reset_index()
       task label  quality   cat   dog
    0     0   cat     0.67  0.67  0.33
    1     1   dog     1.00  0.00  1.00
    """
    method = name if isinstance(name, Method) else find_method(name)
    given = {"pred_probs": pred_probs, "features": features}
    for what in sorted(method.needs):
        if given[what] is None:
            raise ValueError(f"Method {method.name!r} needs {what}, which were not given. {_ADVICE[what]}")
    evidence = {what: value for what, value in given.items() if what in method.needs | method.takes}
    aggregator: Any = method.make(**(options or {}))
    return Aggregation(method, aggregator.fit(crowd, **evidence, known_labels=known_labels))


_ADVICE = {
    "pred_probs": "Pass a classifier's class probabilities of each task, out of sample, or choose a method that can do "
    "without, as hierarchical-dawid-skene.",
    "features": "Pass a matrix with a row of numbers for each task, or choose a method that can do without, as "
    "hierarchical-dawid-skene.",
}
_PEERS_OPTIONS = {"L": "n_clusters", "maxiter": "n_iter"}


def _made(kind: type[Aggregator], /, **options: Any) -> Aggregator:
    made = kind()
    known = {option.name for option in fields(made)}  # type: ignore[arg-type]
    renamed = {_PEERS_OPTIONS.get(name, name) if name not in known else name: options[name] for name in options}
    return made.set_params(**renamed)


def _made_with_model(kind: type[Aggregator], /, **options: Any) -> WithModel:
    return WithModel(_made(kind, **options))


def _methods(
    name: str,
    kind: type[Aggregator],
    about: str,
    aliases: tuple[str, ...] = (),
    binary: bool = False,
) -> list[Method]:
    """Return the method and, if it sees nothing but answers, the same with a model as one more annotator."""
    needs, takes = frozenset(kind.needs), frozenset(kind.takes).difference(kind.needs)
    alone = Method(name, about, needs, takes, partial(_made, kind), (*aliases, kind.__name__), binary)
    if takes - {"known_labels"} or needs:
        return [alone]
    return [
        alone,
        Method(
            name + WITH_MODEL,
            f"{about}; the model is one more annotator",
            frozenset({"pred_probs"}),
            takes,
            partial(_made_with_model, kind),
            tuple(other + suffix for other in (name, *alone.aliases) for suffix in (WITH_MODEL, "_with_model"))[1:],
            binary,
        ),
    ]


_ALL = [
    *_methods(
        "hierarchical-dawid-skene",
        HierarchicalDawidSkene,
        "a confusion matrix for each annotator, drawn around their skill; uses a model or features if there are any",
        ("hierarchical", "hds"),
    ),
    *_methods("majority-vote", MajorityVote, "the label with the most votes", ("majority_voting", "majority", "mv")),
    *_methods("naive-soft", NaiveSoft, "shares of the votes as probabilities", ("soft",)),
    *_methods("wawa", Wawa, "votes weighted by agreement with the majority"),
    *_methods("zero-based-skill", ZeroBasedSkill, "votes weighted by skills learned in small steps", ("zbs",)),
    *_methods("two-third", TwoThird, "the majority's label where two thirds agree, else none", ("two_thirds",)),
    *_methods("iwmv", IWMV, "votes weighted by agreement with the last vote, repeated"),
    *_methods("dawid-skene", DawidSkene, "a confusion matrix for each annotator, by EM", ("ds",)),
    *_methods("fast-dawid-skene", FastDawidSkene, "Dawid-Skene with hard assignments", ("fds",)),
    *_methods("one-coin-dawid-skene", OneCoinDawidSkene, "one accuracy for each annotator, by EM", ("one_coin",)),
    *_methods("dawid-skene-clust", DawidSkeneClust, "annotators share a few confusion matrices, by EM", ("dswc",)),
    *_methods("wds", WDS, "votes weighted by the diagonal of Dawid-Skene's confusion", ("weighted_dawid_skene",)),
    *_methods("glad", GLAD, "abilities of annotators and difficulties of tasks, by EM"),
    *_methods("mace", MACE, "annotators know or spam, by variational Bayes or EM"),
    *_methods("mmsr", MMSR, "skills from a robust factor of the agreement between annotators"),
    *_methods("kos", KOS, "messages between tasks and annotators, for two classes", binary=True),
    *_methods("plantnet", PlantNet, "votes weighted by how many classes an annotator recognises"),
    *_methods("crowdlab", CROWDLAB, "weighted mean of the model and the annotators"),
    *_methods(
        "shared-weight",
        SharedWeight,
        "CROWDLAB with one weight for all annotators",
        ("no_perannotator_weights", "no_per_annotator_weights"),
    ),
    *_methods("empirical-bayes", EmpiricalBayes, "the model as prior, Dawid-Skene's confusion as likelihood"),
    *_methods("agreement", Agreement, "the majority's label, judged by the votes"),
    *_methods("label-quality-score", LabelQualityScore, "the majority's label, judged by the model", ("lqs",)),
    *_methods("active-label-cleaning", ActiveLabelCleaning, "the majority's label, judged by both", ("alc",)),
    *_methods("model-alone", ModelAlone, "the model's most probable class", ("model",)),
    *_methods("feature-em", FeatureEM, "a classifier learned together with the annotators", ("raykar",)),
]
METHODS: Registry[Method] = Registry(
    "method",
    _ALL,
    ", ".join(method.name for method in _ALL if not method.name.endswith(WITH_MODEL))
    + f"; those of answers alone can have the model as one more annotator, as in dawid-skene{WITH_MODEL}",
)
"""All methods by name."""
