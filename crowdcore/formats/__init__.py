r"""Crowds from files and into files, in the field's formats.

>>> import tempfile
>>> from pathlib import Path
>>> from crowdcore.formats import read_crowd, read_truth
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "answers.csv").write_text("task,annotator,label\n7,ann,cat\n7,bob,dog\n8,bob,cat\n")
>>> _ = (folder / "truth.csv").write_text("task,truth\n7,cat\n")
>>> reading = read_crowd(folder / "answers.csv")
>>> reading.crowd
Crowd(2 tasks, 2 annotators, 2 classes, 3 answers)
>>> read_truth(folder / "truth.csv", reading.crowd).to_dict()
{7: 'cat'}
"""

from crowdcore.formats.finding import FORMATS
from crowdcore.formats.folders import Folder, label_file, read_folder, write_folder, write_simulation
from crowdcore.formats.kinds import KINDS, are_small_numbers, as_answers, guess_kind, values_of
from crowdcore.formats.long_tables import read_long, write_long
from crowdcore.formats.peer_frames import (
    from_cleanlab,
    from_crowd_kit,
    labels_series,
    probas_frame,
    to_cleanlab,
    to_crowd_kit,
)
from crowdcore.formats.reading import Reading, read_crowd, write_crowd
from crowdcore.formats.region_tables import read_regions, read_true_regions
from crowdcore.formats.task_numbers import read_features, read_probabilities
from crowdcore.formats.truth import add_classes, read_truth, truth_codes
from crowdcore.formats.wide_tables import read_matrix, read_wide, write_wide

__all__ = [
    "FORMATS",
    "KINDS",
    "Folder",
    "Reading",
    "add_classes",
    "are_small_numbers",
    "as_answers",
    "from_cleanlab",
    "from_crowd_kit",
    "guess_kind",
    "label_file",
    "labels_series",
    "probas_frame",
    "read_crowd",
    "read_features",
    "read_folder",
    "read_long",
    "read_matrix",
    "read_probabilities",
    "read_regions",
    "read_true_regions",
    "read_truth",
    "read_wide",
    "to_cleanlab",
    "to_crowd_kit",
    "truth_codes",
    "values_of",
    "write_crowd",
    "write_folder",
    "write_long",
    "write_simulation",
    "write_wide",
]
