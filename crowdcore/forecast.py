"""What further labels will bring: the names of `crowdcore.outlook`, where they are now.

>>> from crowdcore.forecast import forecast_accuracy
>>> forecast_accuracy.__module__
'crowdcore.outlook.forecast'
"""

from crowdcore.outlook.forecast import AccuracyForecast, forecast_accuracy

__all__ = ["AccuracyForecast", "forecast_accuracy"]
