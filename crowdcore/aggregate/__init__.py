"""Labels from answers, alone or with a model's probabilities or the tasks' features, in scikit-learn's shape.

>>> from crowdcore import Crowd
>>> from crowdcore.aggregate import DawidSkene
>>> crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", "cat"], ["cat", None, "dog"]])
>>> DawidSkene().fit_predict(crowd).tolist()
['cat', 'dog', 'cat']

`METHODS` lists them all by name; `run_method` runs one.
"""

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
from crowdcore.aggregate.classes.informed import InformedAggregator
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
from crowdcore.aggregate.methods import METHODS, Aggregation, Method, find_method, run_method

__all__ = [
    "CROWDLAB",
    "EBCC",
    "GLAD",
    "IBCC",
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
