"""The controls of a project, from its labeling config or its results; they turn results into labels and back."""

from label_studio_crowd.studio.controls.control import ANSWERING, NO_LABEL, Control, Result
from label_studio_crowd.studio.controls.forms import (
    SeveralLabelsError,
    as_place,
    composed,
    label_field,
    put,
    regions_of,
)
from label_studio_crowd.studio.controls.labeling_config import (
    find_control,
    find_controls,
    labels_offered,
    names_of_controls,
    not_scored,
)
from label_studio_crowd.studio.controls.labels import PATH_SEPARATOR, Path
from label_studio_crowd.studio.controls.without_config import infer_control

__all__ = [
    "ANSWERING",
    "NO_LABEL",
    "PATH_SEPARATOR",
    "Control",
    "Path",
    "Result",
    "SeveralLabelsError",
    "as_place",
    "composed",
    "find_control",
    "find_controls",
    "infer_control",
    "label_field",
    "labels_offered",
    "names_of_controls",
    "not_scored",
    "put",
    "regions_of",
]
