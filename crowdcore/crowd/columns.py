"""Which column is which: the names that data sets and platforms give to task, annotator, label, truth and time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

ROLES: Final = ("task", "annotator", "label")

KNOWN: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "task": (
        (
            *("task", "task_id", "question", "question_id", "item", "item_id", "example", "example_id", "unit"),
            *("unit_id", "hit_id", "assignment:task_id", "task_hash"),
        ),
        ("subject_id", "subject_ids", "input_hash"),
        ("id",),
        ("url", "image_url", "image", "file", "filename", "document", "document_id", "text", "sentence"),
    ),
    "annotator": (
        (
            *("annotator", "annotator_id", "worker", "worker_id", "rater", "rater_id", "labeler", "labeller"),
            *("performer", "performer_id", "coder", "assignment:worker_id", "completed_by"),
        ),
        ("session_id", "user_name", "user"),
        ("user_id",),
    ),
    "label": (
        ("accept",),
        ("label", "answer", "response", "vote", "class", "category", "rating", "judgment", "judgement"),
        ("annotations",),
        ("stars", "score"),
    ),
    "truth": (
        ("truth",),
        ("true_label",),
        ("ground_truth",),
        ("gold",),
        ("gold_label",),
        ("consensus",),
        ("label",),
        ("answer",),
        ("class",),
    ),
    "time": (
        ("updated_at", "submit_time", "submitted_at", "assignment:submitted"),
        ("created_at", "timestamp", "completed_at"),
    ),
}
"""Names of columns by role; earlier groups go before later ones. Neither case nor punctuation matters.

Those of MTurk, CrowdFlower (Figure Eight, Appen), Toloka, Zooniverse, Prodigy and Label Studio are among them.
"""

PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "task": ("input:", "input."),
    "label": ("output:", "answer."),
    "truth": ("golden:",),
}
"""How the names begin that MTurk and Toloka give to a role's columns, whatever follows."""

WITHIN: Final = 5
"""How many groups of names of the truth are no names of labels."""


def find_column(columns: Iterable[str], role: str, given: str | None, where: str, option: str = "_column=") -> str:
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
    option : str
        What follows the role in the name of the argument that chooses a column.

    Raises
    ------
    ValueError
        If there is no such column, or several fit.

    Examples
    --------
    >>> find_column(["Question", "worker", "answer"], "task", None, "answers.csv")
    'Question'
    >>> find_column(["HITId", "WorkerId", "Answer.sentiment"], "label", None, "batch.csv")
    'Answer.sentiment'
    """
    listed = list(columns)
    if given is not None:
        if given not in listed:
            raise ValueError(
                f"{where} has no column {given!r}; its columns are {some(listed)}: correct {role}{option}."
            )
        return given
    found = fitting(listed, role)
    if len(found) == 1:
        return found[0]
    fault = f"several columns that may be the {role} ({some(found)})" if found else f"no column for the {role}"
    raise ValueError(
        f"{where} has {fault}; its columns are {some(listed)}. Known names are {_known(role)}: choose one "
        f"with {role}{option}."
    )


def find_columns(
    columns: Iterable[str], given: Mapping[str, str | None], where: str, option: str = "_column="
) -> dict[str, str]:
    """Return the columns of task, annotator and label, each another one.

    A table that has columns of just these names means them, whatever else there is. Of exactly three columns of which
    two are known by their names, the third is the task.

    Raises
    ------
    ValueError
        If one of them is not found, or two roles have the same column.
    """
    listed = list(columns)
    names: dict[str, str | None] = {role: given[role] for role in ROLES}
    if set(ROLES) <= set(listed):  # they are called just so: what else may fit is something else
        names = {role: name or role for role, name in names.items()}
    if names["task"] is None and not fitting(listed, "task"):
        others = {role: names[role] or next(iter(fitting(listed, role)), None) for role in ("annotator", "label")}
        left = [name for name in listed if name not in others.values()]
        if len(listed) == len(ROLES) and len(left) == 1 and None not in others.values():
            names["task"] = left[0]
    found = {role: find_column(listed, role, name, where, option) for role, name in names.items()}
    doubled = [name for name in found.values() if listed.count(name) > 1]
    if doubled:
        raise ValueError(f"{where} has several columns {doubled[0]!r}: rename or drop all but one of them.")
    if len(set(found.values())) < len(ROLES):
        raise ValueError(f"{where}: task, annotator and label must be three different columns; found {found}.")
    return found


def fitting(columns: Sequence[str], role: str, groups: int | None = None) -> list[str]:
    """Return the columns whose names fit a role, by its first groups of names; exactly one if the choice is clear."""
    names = {column: _plain(column) for column in columns}
    for group in KNOWN[role][:groups]:
        known = {_plain(name) for name in group}
        if found := [column for column, name in names.items() if name in known]:
            return found
    begins = PREFIXES.get(role, ()) if groups is None else ()
    found = [column for column in columns if begins and str(column).lower().startswith(begins)]
    if role == "label" and groups is None and not found:  # CrowdFlower's question has its gold beside it
        return [column for column, name in names.items() if f"{name}gold" in names.values()]
    return found


def truth_within(columns: Sequence[str], label: str | None) -> str | None:
    """Return the column with the truth in a table of answers, None if no name says so.

    Examples
    --------
    >>> truth_within(["unit", "worker", "colour", "colour_gold"], "colour")
    'colour_gold'
    """
    for group in KNOWN["truth"][:WITHIN]:
        found = [column for column in columns if _plain(column) == _plain(group[0])]
        if found:
            return found[0] if len(found) == 1 else None
    ending = {} if label is None else {_plain(f"{label}_gold"), _plain(f"{label}_truth")}
    found = [column for column in columns if _plain(column) in ending or str(column).lower().startswith("golden:")]
    return found[0] if len(found) == 1 else None


def is_shown(column: str) -> bool:
    """Return whether a column's name says that it has what annotators saw, such as a text or a picture."""
    return _plain(column) in map(_plain, KNOWN["task"][-1])


def some(names: Sequence[str]) -> str:
    """Return the first of many names, as a message shows them."""
    shown = ", ".join(map(repr, names[:12]))
    return f"{shown}, ... ({len(names)} in total)" if len(names) > 12 else shown


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, str(name))).lower()


def _known(role: str) -> str:
    first = next(group for group in KNOWN[role] if len(group) > 1 or role == "truth")
    names = [group[0] for group in KNOWN[role]] if role == "truth" else first
    return f"{', '.join(names[:9])}, and those of MTurk, CrowdFlower, Toloka, Zooniverse, Prodigy"
