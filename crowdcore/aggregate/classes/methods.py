"""The methods for class labels, by name: what each one does, needs and takes, and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

from crowdcore.aggregate.classes.aggregator import Aggregator
from crowdcore.aggregate.classes.clustered import DawidSkeneClust
from crowdcore.aggregate.classes.dawid_skene import DawidSkene
from crowdcore.aggregate.classes.ebcc import EBCC
from crowdcore.aggregate.classes.empirical_bayes import EmpiricalBayes
from crowdcore.aggregate.classes.fast_dawid_skene import FastDawidSkene
from crowdcore.aggregate.classes.feature_em import FeatureEM
from crowdcore.aggregate.classes.glad import GLAD
from crowdcore.aggregate.classes.hierarchical_dawid_skene import HierarchicalDawidSkene
from crowdcore.aggregate.classes.ibcc import IBCC
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
    """Return the method and, if it uses only answers, the same method with a model as one more annotator."""
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


CLASS_METHODS = [
    *_methods(
        "hierarchical-dawid-skene",
        HierarchicalDawidSkene,
        "a confusion matrix for each annotator, close to what their skill suggests; uses a model or features if given",
        ("hierarchical", "hds"),
    ),
    *_methods("majority-vote", MajorityVote, "the label with the most votes", ("majority_voting", "majority", "mv")),
    *_methods("naive-soft", NaiveSoft, "shares of the votes as probabilities", ("soft",)),
    *_methods("wawa", Wawa, "votes weighted by agreement with the majority"),
    *_methods("zero-based-skill", ZeroBasedSkill, "votes weighted by skills learned in small steps", ("zbs",)),
    *_methods("two-third", TwoThird, "the majority's label if two thirds agree, otherwise none", ("two_thirds",)),
    *_methods("iwmv", IWMV, "votes weighted by agreement with the last vote, repeated"),
    *_methods("dawid-skene", DawidSkene, "a confusion matrix for each annotator, by EM", ("ds",)),
    *_methods("fast-dawid-skene", FastDawidSkene, "Dawid-Skene with hard assignments", ("fds",)),
    *_methods("one-coin-dawid-skene", OneCoinDawidSkene, "one accuracy for each annotator, by EM", ("one_coin",)),
    *_methods(
        "ibcc", IBCC, "Dawid-Skene with distributions of its matrices, by variational Bayes", ("bcc", "independent_bcc")
    ),
    *_methods("ebcc", EBCC, "the same, with subtypes of classes that annotators mistake together", ("enhanced_bcc",)),
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
