"""Labels from answers, alone or with a model's probabilities or the tasks' features, in scikit-learn's shape.

>>> from crowdcore import Crowd
>>> from crowdcore.aggregate import DawidSkene
>>> crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", "cat"], ["cat", None, "dog"]])
>>> DawidSkene().fit_predict(crowd).tolist()
['cat', 'dog', 'cat']

`METHODS` lists them all by name; `run_method` runs one.
"""

from crowdcore.aggregate.base import Aggregator
from crowdcore.aggregate.clustered import DawidSkeneClust
from crowdcore.aggregate.dawid_skene import DawidSkene
from crowdcore.aggregate.empirical_bayes import EmpiricalBayes
from crowdcore.aggregate.fast_dawid_skene import FastDawidSkene
from crowdcore.aggregate.feature_em import FeatureEM
from crowdcore.aggregate.glad import GLAD
from crowdcore.aggregate.hierarchical_dawid_skene import HierarchicalDawidSkene
from crowdcore.aggregate.informed import InformedAggregator
from crowdcore.aggregate.iwmv import IWMV
from crowdcore.aggregate.judged_majority import ActiveLabelCleaning, Agreement, LabelQualityScore
from crowdcore.aggregate.kos import KOS
from crowdcore.aggregate.mace import MACE
from crowdcore.aggregate.majority_vote import MajorityVote
from crowdcore.aggregate.methods import METHODS, Aggregation, Method, find_method, run_method
from crowdcore.aggregate.mmsr import MMSR
from crowdcore.aggregate.model_alone import ModelAlone
from crowdcore.aggregate.naive_soft import NaiveSoft
from crowdcore.aggregate.one_coin import OneCoinDawidSkene
from crowdcore.aggregate.plantnet import PlantNet
from crowdcore.aggregate.two_third import TwoThird
from crowdcore.aggregate.wawa import Wawa
from crowdcore.aggregate.weighted import WDS
from crowdcore.aggregate.weighted_mean import CROWDLAB, SharedWeight
from crowdcore.aggregate.with_model import WithModel
from crowdcore.aggregate.zero_based_skill import ZeroBasedSkill

__all__ = [
    "CROWDLAB",
    "GLAD",
    "IWMV",
    "KOS",
    "MACE",
    "METHODS",
    "MMSR",
    "WDS",
    "ActiveLabelCleaning",
    "Aggregation",
    "Aggregator",
    "Agreement",
    "DawidSkene",
    "DawidSkeneClust",
    "EmpiricalBayes",
    "FastDawidSkene",
    "FeatureEM",
    "HierarchicalDawidSkene",
    "InformedAggregator",
    "LabelQualityScore",
    "MajorityVote",
    "Method",
    "ModelAlone",
    "NaiveSoft",
    "OneCoinDawidSkene",
    "PlantNet",
    "SharedWeight",
    "TwoThird",
    "Wawa",
    "WithModel",
    "ZeroBasedSkill",
    "find_method",
    "run_method",
]
