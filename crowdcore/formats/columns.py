"""Which column is which: the names that the field's data sets give to task, annotator, label and truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "task": ("task", "task_id", "question", "question_id", "item", "item_id", "example", "example_id", "unit"),
    "annotator": ("annotator", "annotator_id", "worker", "worker_id", "rater", "labeler", "labeller", "performer"),
    "label": ("label", "answer", "response", "vote", "class", "category"),
    "truth": ("truth", "true_label", "ground_truth", "gold", "gold_label", "label", "answer", "class"),
}
"""Names of columns, in lower case and with underscores; of the truth the earlier ones go before the later."""

LAST_RESORT: Final[Mapping[str, str]] = {"task": "id"}
"""Names that are taken when there is no better one, as in Label Studio's CSV export."""


def find_column(columns: Iterable[str], role: str, given: str | None, where: str) -> str:
    """Return the column that holds a role.

    Parameters
    ----------
    columns : iterable of str
        The names there are.
    role : {"task", "annotator", "label", "truth"}
        What is looked for.
    given : str or None
        The name that the caller says it has.
    where : str
        Begins the message: the file.

    Raises
    ------
    ValueError
        If there is no such column, or several fit.

    Examples
    --------
    >>> find_column(["Question", "worker", "answer"], "task", None, "answers.csv")
    'Question'
    """
    listed = list(columns)
    if given is not None:
        if given not in listed:
            raise ValueError(
                f"{where} has no column {given!r}; its columns are {_some(listed)}: correct {role}_column=."
            )
        return given
    found = fitting(listed, role)
    if len(found) == 1:
        return found[0]
    fault = f"several columns that may be the {role} ({_some(found)})" if found else f"no column for the {role}"
    raise ValueError(
        f"{where} has {fault}; its columns are {_some(listed)}. Known names are {', '.join(SYNONYMS[role])}: choose "
        f"one with {role}_column=."
    )


def fitting(columns: Sequence[str], role: str) -> list[str]:
    """Return the columns whose names fit a role; exactly one if the choice is clear."""
    names = {column: column.strip().lower().replace(" ", "_").replace("-", "_") for column in columns}
    if role == "truth":  # a table of labels and truth is asked for its truth
        ranked = [[column for column, name in names.items() if name == known] for known in SYNONYMS[role]]
        return next((found for found in ranked if found), [])
    found = [column for column, name in names.items() if name in SYNONYMS[role]]
    return found or [column for column, name in names.items() if name == LAST_RESORT.get(role)]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:12]))
    return f"{shown}, ... ({len(names)} in total)" if len(names) > 12 else shown
