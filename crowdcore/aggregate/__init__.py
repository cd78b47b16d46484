"""Labels from answers alone: the aggregators, in scikit-learn's shape.

>>> from crowdcore import Crowd
>>> from crowdcore.aggregate import DawidSkene
>>> crowd = Crowd.from_wide([["cat", "cat", "dog"], ["dog", "dog", "cat"], ["cat", None, "dog"]])
>>> DawidSkene().fit_predict(crowd).tolist()
['cat', 'dog', 'cat']
"""

from crowdcore.aggregate.base import Aggregator
from crowdcore.aggregate.clustered import DawidSkeneClust
from crowdcore.aggregate.dawid_skene import DawidSkene
from crowdcore.aggregate.fast_dawid_skene import FastDawidSkene
from crowdcore.aggregate.glad import GLAD
from crowdcore.aggregate.iwmv import IWMV
from crowdcore.aggregate.kos import KOS
from crowdcore.aggregate.mace import MACE
from crowdcore.aggregate.majority_vote import MajorityVote
from crowdcore.aggregate.mmsr import MMSR
from crowdcore.aggregate.naive_soft import NaiveSoft
from crowdcore.aggregate.one_coin import OneCoinDawidSkene
from crowdcore.aggregate.plantnet import PlantNet
from crowdcore.aggregate.two_third import TwoThird
from crowdcore.aggregate.wawa import Wawa
from crowdcore.aggregate.weighted import WDS
from crowdcore.aggregate.zero_based_skill import ZeroBasedSkill

__all__ = [
    "GLAD",
    "IWMV",
    "KOS",
    "MACE",
    "MMSR",
    "WDS",
    "Aggregator",
    "DawidSkene",
    "DawidSkeneClust",
    "FastDawidSkene",
    "MajorityVote",
    "NaiveSoft",
    "OneCoinDawidSkene",
    "PlantNet",
    "TwoThird",
    "Wawa",
    "ZeroBasedSkill",
]
