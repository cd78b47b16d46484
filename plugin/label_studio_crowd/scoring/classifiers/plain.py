"""Models as JSON and numbers, without code, for estimators that can be kept so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from label_studio_crowd.scoring.classifiers.estimator import FittedEstimator, Forgiving
from label_studio_crowd.scoring.classifiers.fitted import FittedModel
from label_studio_crowd.scoring.classifiers.frames import FrameFeatures
from label_studio_crowd.scoring.classifiers.own_estimators import load
from label_studio_crowd.scoring.classifiers.tasks import Model


def packed(model: Model) -> tuple[dict[str, Any], bytes]:
    """Return what goes into the header of a model's file, and its numbers; nothing for a model that needs a pickle.

    An estimator can be kept so if it has `to_bytes`, and `from_bytes`, which makes a new one what the other was.
    """
    forgiving = getattr(model, "fitted", None)
    if not isinstance(model, FittedModel) or not isinstance(forgiving, Forgiving):
        return {}, b""
    fitted = forgiving.inner
    if not isinstance(model.features, FrameFeatures) or not hasattr(fitted.estimator, "to_bytes"):
        return {}, b""
    about = {
        "path": fitted.path,
        "columns": list(model.features.columns),
        "numeric": sorted(model.features.numeric),
        "shares": model.shares.tolist(),
        "present": model.present.tolist(),
    }
    return {"plain": about}, fitted.estimator.to_bytes()


def unpacked(about: Mapping[str, Any], content: bytes) -> Model:
    """Return the model that `packed` took apart."""
    present = np.array(about["present"], dtype=np.int64)
    estimator = load(about["path"])().from_bytes(content)
    fitted = Forgiving(FittedEstimator(about["path"], estimator, present))
    features = FrameFeatures(tuple(about["columns"]), set(about["numeric"]))
    return FittedModel(np.array(about["shares"]), present, features, fitted)
