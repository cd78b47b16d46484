"""The true labels by task, from wherever the user has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from label_studio_crowd.errors import UserError
from label_studio_crowd.files.sources import Source
from label_studio_crowd.files.user_errors import as_options

if TYPE_CHECKING:
    import pandas as pd

    from crowdcore.formats import Reading


def read_true_labels(source: Source, reading: Reading, kind: str = "choice") -> pd.Series[Any]:
    """Return the true labels by task: of a file, or, without one, what came with the answers.

    Parameters
    ----------
    kind
        What the answers are, as `crowdcore.formats.read_truth` takes it.

    Raises
    ------
    UserError
        If there are none.
    ValueError, OSError
        If the file cannot be read.
    """
    import pandas as pd

    from crowdcore.formats import read_truth

    crowd, how = reading.crowd, source.how
    if source.truth is not None:
        from label_studio_crowd.files.export_truths import exported_tasks, true_classes_of_export

        tasks = exported_tasks(source.truth)
        if tasks is not None:
            return true_classes_of_export(source.truth, tasks, reading)
        columns = {"task_column": how.truth_task_column, "truth_column": how.truth_column}
        try:
            return read_truth(source.truth, crowd, **columns, like=reading.task_column, kind=kind)
        except ValueError as error:
            raise UserError(as_options(str(error).replace("task_column=", "truth_task_column="))) from None
    if reading.true_labels is not None:
        return reading.true_labels
    if reading.truth is None:
        raise UserError(
            "The answers come without the truth: give --truth FILE, with the columns task and truth, or "
            "--truth-column, if a column of the answers has it."
        )
    known = reading.truth >= 0
    labels: pd.Series[Any] = pd.Series(crowd.classes[reading.truth[known]], index=crowd.tasks[known], name="truth")
    return labels
