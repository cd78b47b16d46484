"""How right the consensus is, and what further labels would bring.

>>> from crowdcore import hierarchical_dawid_skene
>>> from crowdcore.outlook import estimate_accuracy, forecast_accuracy
>>> from crowdcore.simulation import independent_confusion
>>> crowd = independent_confusion(300, 20, 3, answers_per_task=3, seed=1).crowd
>>> result = hierarchical_dawid_skene(crowd)
>>> estimate = estimate_accuracy(result)
>>> round(estimate.low, 2), round(estimate.accuracy, 2), round(estimate.high, 2)
(0.43, 0.71, 0.84)
>>> forecast_accuracy(result, num_labels=300).accuracy[[0, -1]].round(2)  # now, and with 300 labels more
array([0.7 , 0.78])

For answers of other kinds, `forecast_quality` sees from the answers themselves what one more brings.
"""

from crowdcore.outlook.estimates import AccuracyEstimate, annotator_intervals, estimate_accuracy
from crowdcore.outlook.forecast import AccuracyForecast, forecast_accuracy
from crowdcore.outlook.quality import QualityForecast, forecast_quality, quality_interval

__all__ = [
    "AccuracyEstimate",
    "AccuracyForecast",
    "QualityForecast",
    "annotator_intervals",
    "estimate_accuracy",
    "forecast_accuracy",
    "forecast_quality",
    "quality_interval",
]
