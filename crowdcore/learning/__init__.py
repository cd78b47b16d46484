"""Classifiers and regressors learned from a crowd's answers, which leave each task's label in doubt.

>>> import numpy as np
>>> from crowdcore.learning import SoftLogisticRegression
>>> features, shares_of_votes = np.array([[0.0], [1.0], [2.0]]), np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
>>> SoftLogisticRegression(C=10).fit(features, shares_of_votes).predict_proba([[1.5]]).round(2)
array([[0.26, 0.74]])
"""

from crowdcore.learning.discriminant import SoftLinearDiscriminant
from crowdcore.learning.embedding import embedding_mlp
from crowdcore.learning.numbers import OutOfFoldNumbers
from crowdcore.learning.out_of_fold import OutOfFold
from crowdcore.learning.soft_labels import SoftLinear, SoftLogisticRegression

__all__ = [
    "OutOfFold",
    "OutOfFoldNumbers",
    "SoftLinear",
    "SoftLinearDiscriminant",
    "SoftLogisticRegression",
    "embedding_mlp",
]
