"""The controls of a project, from its labeling config or its results; they turn results into labels and back."""

from label_studio_crowd.studio.controls.control import ANSWERING, Control, Result, SeveralLabelsError
from label_studio_crowd.studio.controls.labeling_config import find_control, names_of_controls
from label_studio_crowd.studio.controls.labels import PATH_SEPARATOR, Path
from label_studio_crowd.studio.controls.without_config import infer_control

__all__ = [
    "ANSWERING",
    "PATH_SEPARATOR",
    "Control",
    "Path",
    "Result",
    "SeveralLabelsError",
    "find_control",
    "infer_control",
    "names_of_controls",
]
