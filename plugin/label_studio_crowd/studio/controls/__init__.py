"""The controls of a project, from its labeling config or its results; they turn results into labels and back."""

from label_studio_crowd.studio.controls.control import ANSWERING, NO_LABEL, Control, Result
from label_studio_crowd.studio.controls.forms import (
    RELATION,
    Arrow,
    PerRegionForm,
    SeveralLabelsError,
    about_region,
    as_place,
    at_the_place_of,
    composed,
    described,
    in_words,
    inner_control,
    label_field,
    name_of,
    place_name,
    put,
    regions_of,
    related,
    said_of_regions,
)
from label_studio_crowd.studio.controls.labeling_config import (
    find_control,
    find_controls,
    find_relations,
    labels_offered,
    names_of_controls,
    not_scored,
)
from label_studio_crowd.studio.controls.labels import PATH_SEPARATOR, Path
from label_studio_crowd.studio.controls.tags import RELATIONS
from label_studio_crowd.studio.controls.without_config import infer_control

__all__ = [
    "ANSWERING",
    "NO_LABEL",
    "PATH_SEPARATOR",
    "RELATION",
    "RELATIONS",
    "Arrow",
    "Control",
    "Path",
    "PerRegionForm",
    "Result",
    "SeveralLabelsError",
    "about_region",
    "as_place",
    "at_the_place_of",
    "composed",
    "described",
    "find_control",
    "find_controls",
    "find_relations",
    "in_words",
    "infer_control",
    "inner_control",
    "label_field",
    "labels_offered",
    "name_of",
    "names_of_controls",
    "not_scored",
    "place_name",
    "put",
    "regions_of",
    "related",
    "said_of_regions",
]
