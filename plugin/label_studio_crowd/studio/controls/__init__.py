"""The controls of a project, from its labeling config or its results; they turn results into labels and back."""

from label_studio_crowd.studio.controls.control import PATH_SEPARATOR, Control, Result, SeveralLabelsError
from label_studio_crowd.studio.controls.labeling_config import find_control
from label_studio_crowd.studio.controls.without_config import infer_control

__all__ = ["PATH_SEPARATOR", "Control", "Result", "SeveralLabelsError", "find_control", "infer_control"]
