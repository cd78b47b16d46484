"""How right the consensus is: the names of `crowdcore.outlook`, where they are now.

>>> from crowdcore.estimates import estimate_accuracy
>>> estimate_accuracy.__module__
'crowdcore.outlook.estimates'
"""

from crowdcore.outlook.estimates import AccuracyEstimate, AccuracySpread, annotator_intervals, estimate_accuracy

__all__ = ["AccuracyEstimate", "AccuracySpread", "annotator_intervals", "estimate_accuracy"]
