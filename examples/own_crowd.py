"""A crowd of one's own: one row of a CSV file for each label.

Columns ``task``, ``annotator`` and ``label``; optionally ``text`` or ``image`` (what annotators are shown; an
address or a data URI for an image) and ``truth`` (the right label, where it is known). A row without
annotator and label adds a task that nobody has labelled yet. Other columns are not used::

    task,annotator,label,text,truth
    1,ann,spam,You have won,spam
    1,bob,ham,You have won,spam
    2,,,Lunch at noon?,

As a program it writes a built-in example as such a file, for a pattern::

    python -m examples.own_crowd text messages.csv      # or digits
    python -m examples.demo --crowd messages.csv
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from examples.simulated_crowd import Answer, ExampleCrowd, choices

__all__ = ["CrowdFileError", "read_crowd", "write_crowd"]

REQUIRED = ("task", "annotator", "label")
SHOWN = ("text", "image")


class CrowdFileError(ValueError):
    """A crowd's CSV file cannot be used; the message says where and why, and what to do."""


def read_crowd(file: Path | str) -> ExampleCrowd:
    """Read a crowd from a CSV file.

    Parameters
    ----------
    file
        UTF-8, with a header, comma, semicolon or tab between columns.

    Raises
    ------
    CrowdFileError
        If the file cannot be read, a column is missing, or its rows contradict each other.
    """
    file = Path(file)
    header, rows = _rows(file)
    if missing := [column for column in REQUIRED if column not in header]:
        raise CrowdFileError(
            f"{file.name} has no column {', '.join(missing)}; found {', '.join(header) or 'no header'}. "
            "A crowd is one row for each label, with the columns task, annotator, label, and optionally "
            "text or image, and truth."
        )
    shown = next((column for column in SHOWN if column in header), None)
    tasks: dict[str, dict[str, str]] = {}
    answers: dict[tuple[str, str], str] = {}
    for number, row in rows:
        task = row["task"]
        if not task:
            raise CrowdFileError(f"{file.name}, line {number}: the task is empty; every row names its task.")
        known = tasks.setdefault(task, {})
        for column in filter(None, (shown, "truth")):
            value = row.get(column)
            if value and known.setdefault(column, value) != value:
                raise CrowdFileError(
                    f"{file.name}, line {number}: {column} of task {task} is {value!r}, but a line above has "
                    f"{known[column]!r}; give a task the same {column} in all its rows."
                )
        if bool(row["annotator"]) != bool(row["label"]):
            empty, full = ("label", "annotator") if row["annotator"] else ("annotator", "label")
            raise CrowdFileError(
                f"{file.name}, line {number}: a {full} ({row[full]!r}) without {empty}; fill in both, or "
                "neither for a task without labels."
            )
        if row["annotator"]:
            key = (task, row["annotator"])
            if key in answers:
                raise CrowdFileError(
                    f"{file.name}, line {number}: {row['annotator']} labels task {task} a second time; keep "
                    "one label for each task and annotator."
                )
            answers[key] = row["label"]
    labels = _in_order({*answers.values(), *(row["truth"] for row in tasks.values() if "truth" in row)})
    if len(labels) < 2:
        raise CrowdFileError(
            f"{file.name} has {len(answers)} labels, and {len(labels)} different; at least two different "
            "ones are needed."
        )
    if shown and (bare := [task for task, row in tasks.items() if shown not in row]):
        raise CrowdFileError(f"{file.name}: {len(bare)} tasks have no {shown}, the first is task {bare[0]}.")
    return _crowd(file.stem, shown, tasks, answers, labels, unused=sorted(set(header) - {*REQUIRED, "truth"}))


def write_crowd(crowd: ExampleCrowd, file: Path | str) -> None:
    """Write a crowd that `read_crowd` reads back; of the tasks' data, only the text or the image."""
    shown = next((column for column in SHOWN if column in crowd.tasks[0]), None)
    given: dict[int, list[Answer]] = {}
    for answer in crowd.answers:
        given.setdefault(answer.task, []).append(answer)
    with Path(file).open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow([*REQUIRED, *([shown] if shown else []), "truth"])
        for i, data in enumerate(crowd.tasks):
            known = [*([data[shown]] if shown else []), crowd.truth[i] if crowd.truth else ""]
            for answer in given.get(i, [Answer(i, "", "", 0.0)]):
                rows.writerow([i + 1, answer.annotator, answer.label, *known])


def _rows(file: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the header, and each row with its line number; names lower-case, all values stripped."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CrowdFileError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise CrowdFileError(f"{file.name} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None
    first = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(",;\t", key=first.count))
    header = [name.strip().lower() for name in next(reader, [])]
    rows = []
    for row in reader:
        if any(cell.strip() for cell in row):
            if len(row) != len(header):
                raise CrowdFileError(
                    f"{file.name}, line {reader.line_num}: {len(row)} columns, the header has {len(header)}; "
                    "put text that holds the separator in quotes."
                )
            rows.append((reader.line_num, dict(zip(header, map(str.strip, row), strict=True))))
    return header, rows


def _crowd(
    title: str,
    shown: str | None,
    tasks: dict[str, dict[str, str]],
    answers: dict[tuple[str, str], str],
    labels: list[str],
    unused: list[str],
) -> ExampleCrowd:
    """Return what was read as a crowd."""
    field = shown or "task"
    tag = "Image" if shown == "image" else "Text"
    config = f'<View>\n  <{tag} name="shown" value="${field}"/>\n  {choices(labels, "shown")}\n</View>'
    index = {task: i for i, task in enumerate(tasks)}
    truth = [row.get("truth", "") for row in tasks.values()]
    notes = []
    if unused := [column for column in unused if column != shown]:
        notes.append(f"columns not used: {', '.join(unused)}")
    if not shown:
        notes.append("no column text or image: annotators see the task's name, and no classifier is trained")
    return ExampleCrowd(
        title=f"Crowd {title}",
        label_config=config,
        to_name="shown",
        tasks=[{"task": task, **({shown: row[shown]} if shown else {})} for task, row in tasks.items()],
        answers=sorted(Answer(index[task], who, label, 0.0) for (task, who), label in answers.items()),
        truth=truth if any(truth) else [],
        notes=tuple(notes),
        classifier="auto" if shown else "none",
    )


def _in_order(labels: Iterable[str]) -> list[str]:
    """Return labels as a person would list them: 2 before 10."""

    def key(label: str) -> list[tuple[int, int, str]]:
        parts = re.findall(r"\d+|\D+", label)
        return [(0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in parts]

    return sorted(labels, key=lambda label: (key(label), label))


def main(arguments: list[str]) -> int:
    """Write a built-in example (`text` or `digits`) to a file."""
    from examples.digits import digits_crowd
    from examples.text import text_crowd

    crowds = {"text": text_crowd, "digits": digits_crowd}
    if len(arguments) != 2 or arguments[0] not in crowds:
        print(f"usage: python -m examples.own_crowd {{{','.join(crowds)}}} FILE.csv")
        return 2
    crowd = crowds[arguments[0]]()
    write_crowd(crowd, arguments[1])
    print(f"{arguments[1]}: {len(crowd.answers)} labels on {len(crowd.tasks)} tasks")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
