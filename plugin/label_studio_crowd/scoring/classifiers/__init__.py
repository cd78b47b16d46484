"""Out-of-sample class probabilities from task data: what class a task seems to be, its label unseen.

`choose` (or `build`) turns the user's word for a classifier, or ``auto``, into one; `train` alternates it
with the crowd's consensus. Each kind of classifier is a file: `text`, `tabular`, `embedding`, `predictions`,
`estimator`; `sets` and `numbers` learn these from the same features. `fields` says what a project's data
fields hold, `out_of_sample` does the cross-validation, `fitted` the model of all labels that predicts new tasks.
"""

from label_studio_crowd.scoring.classifiers.choose import (
    AS_REQUESTED,
    Choice,
    NumberChoice,
    SetChoice,
    build,
    choose,
    choose_for_numbers,
    choose_for_sets,
    learns_from_fields,
    predictions_named,
    refuse_unfit,
    refuse_unknown,
)
from label_studio_crowd.scoring.classifiers.tasks import Classifier, Model, Progress, TaskData
from label_studio_crowd.scoring.classifiers.training import Trained, in_round, train

__all__ = [
    "AS_REQUESTED",
    "Choice",
    "Classifier",
    "Model",
    "NumberChoice",
    "Progress",
    "SetChoice",
    "TaskData",
    "Trained",
    "build",
    "choose",
    "choose_for_numbers",
    "choose_for_sets",
    "in_round",
    "learns_from_fields",
    "predictions_named",
    "refuse_unfit",
    "refuse_unknown",
    "train",
]
