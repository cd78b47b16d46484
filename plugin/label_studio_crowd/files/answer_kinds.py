"""Answers in files that are not one class: what is believed of them, as tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import orjson

from crowdcore import Crowd
from crowdcore.formats import as_answers, read_true_regions, values_of
from crowdcore.formats.region_tables import row_of
from crowdcore.kinds import (
    AnswerTable,
    KindResult,
    NumberResult,
    Region,
    RegionResult,
    SetResult,
    label_sets,
    numbers,
    ranking_distance,
    rankings,
    region_distance,
    regions,
    text_distance,
    texts,
)
from crowdcore.kinds.agreement import alpha, set_distance, squared_distance
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.sources import HowToRead, Source
from label_studio_crowd.files.studio_export import ExportReading
from label_studio_crowd.files.true_answers import true_answers
from label_studio_crowd.files.true_labels import read_true_labels
from label_studio_crowd.scoring.answers import Answers, plain_answers
from label_studio_crowd.scoring.kinds import KINDS, KindBelief, believe
from label_studio_crowd.scoring.regional import believe_about, with_shared_ids
from label_studio_crowd.store.people import are_models
from label_studio_crowd.studio.controls import RELATIONS
from label_studio_crowd.studio.controls.forms.numbers import length_of

if TYPE_CHECKING:
    import pandas as pd

    from crowdcore.formats import Reading
    from label_studio_crowd.studio.controls import Control

MOST_COLUMNS: Final = 50
"""Of sets of more classes, a table has no column for each."""
RESAMPLES: Final = 500
_WAYS: Final = {
    "set": "sets",
    "number": "numbers",
    "text": "texts",
    "ranking": "rankings",
    "regions": "regions",
    "per region": "answers per region",
    RELATIONS: "relations",
}
"""What our own way to a consensus of each kind is called beside others."""
_WHOLE: Final = ("text", "regions", "per region", RELATIONS)
"""Kinds whose answers are written as JSON also in cells: what people read of them is cut."""
Place = Literal["screen", "table", "json"]
"""Where an answer is written: for people, in a cell, or in JSON."""


@dataclass(frozen=True, eq=False)
class KindAnswers:
    """Answers that are not one class.

    Attributes
    ----------
    kind
        What they are.
    table
        The answers.
    known
        True answers by task.
    distance
        How far two answers are from each other.
    show
        How people read an answer; long ones are cut.
    believe
        What is believed of them; a tolerance for numbers.
    consensus
        The consensus of each task as `show` takes it, None where there is none.
    pack
        The whole answer as JSON.
    compared
        Where other answers than the table's are compared: those, and their distance.
    are_moments
        Whether numbers are dates or times, in seconds.
    """

    kind: str
    table: AnswerTable
    known: dict[Any, Any]
    distance: Callable[[Any, Any], float]
    show: Callable[[Any], str]
    believe: Callable[..., KindResult]
    consensus: Callable[[Any], list[Any]]
    pack: Callable[[Any], Any] = lambda answer: answer
    compared: Callable[[], tuple[AnswerTable, Callable[[Any, Any], float]]] | None = None
    are_moments: bool = False

    @classmethod
    def of(cls, kind: str, source: Source, reading: Reading, *, with_truth: bool) -> KindAnswers:
        """Read the cells, or the results of an export, and the truth.

        Raises
        ------
        UserError, ValueError
            If an answer is not of this kind.
        """
        if reading.values and not isinstance(reading, ExportReading):
            return cls._of_regions(reading, source.truth if with_truth else None)
        if isinstance(reading, ExportReading) and reading.values:
            return cls._of_export(kind, reading, true_answers(source, reading, kind) if with_truth else {})
        truth = read_true_labels(source, reading, kind) if with_truth else None
        labels = reading.crowd.classes.tolist()
        table = as_answers(reading.crowd, kind)
        told = [] if truth is None else truth.tolist()
        known = {} if truth is None else dict(zip(truth.index.tolist(), values_of(told, kind, labels), strict=True))
        distance, show, believe = _OF_TABLES[kind]
        return cls(kind, table, known, distance, show, believe, _consensus)

    @classmethod
    def _of_regions(cls, reading: Reading, truth: Path | None) -> KindAnswers:
        crowd = reading.crowd
        table = AnswerTable(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, crowd.label)
        table = table.with_values([reading.values[code] for code in crowd.label.tolist()])
        known: dict[Any, Any] = {} if truth is None else dict(read_true_regions(truth))
        return cls("regions", table, known, region_distance, _show_regions, regions, _consensus, _packed_regions)

    @classmethod
    def _of_export(cls, kind: str, reading: ExportReading, known: dict[Any, Any]) -> KindAnswers:
        crowd, control, values = reading.crowd.one_answer_each(), reading.control, reading.values
        if control is None:
            raise UserError("The export has no control.")
        table = AnswerTable(crowd.tasks, crowd.annotators, crowd.indptr, crowd.annotator, crowd.label)
        table = table.with_values([values[code] for code in crowd.label.tolist()])
        if control.form.about_regions:
            return cls._about_regions(kind, control, reading, table, known)
        plugged = KINDS[kind]

        def believe(table: AnswerTable, *, known: dict[Any, Any], tolerance: float | None = None) -> KindResult:
            if kind == "number":
                people = ~are_models(table.annotators)
                return numbers(table, known=known, tolerance=tolerance, people=people)
            found: KindResult = plugged.believe(control, table, [known.get(task) for task in table.tasks.tolist()])
            return found

        def as_control(found: KindResult) -> list[Any]:
            believed = zip(found.answers.tasks.tolist(), plugged.consensus(control, found), strict=True)
            return [
                known.get(task, answer) if found.known[row] else answer for row, (task, answer) in enumerate(believed)
            ]

        return cls(
            kind, table, known, plugged.distance, control.show, believe, as_control, control.form.pack,
            are_moments=control.tag == "datetime" and control.written != "year",
        )  # fmt: skip

    @classmethod
    def _about_regions(
        cls, kind: str, control: Control, reading: ExportReading, table: AnswerTable, known: dict[Any, Any]
    ) -> KindAnswers:
        """Return answers about regions, which are believed after those that mark these."""
        marking = [_marks(one.control, one) for one in reading.regions if one.control is not None]
        regions = with_shared_ids(marking, list(map(believe, marking)))

        def belief(table: AnswerTable, known: dict[Any, Any]) -> KindBelief:
            values = list(dict.fromkeys(table.values.tolist()))
            code_of = {value: code for code, value in enumerate(values)}
            codes = np.array([code_of[value] for value in table.values.tolist()], np.int64)
            names = np.array([*map(str, range(len(values)))], dtype=object)
            crowd = Crowd(table.tasks, table.annotators, names, table.indptr, table.annotator, codes)
            truths = [known.get(task) for task in table.tasks.tolist()]
            return believe_about(plain_answers(crowd, control, values, truths), regions)[1]

        def compared() -> tuple[AnswerTable, Callable[[Any, Any], float]]:
            found = belief(table, {})
            return found.compared, found.distance

        return cls(
            kind,
            table,
            known,
            _differ,
            control.show,
            lambda table, *, known: belief(table, known).found,
            lambda found: list(found.consensus.tolist()),
            control.form.pack,
            compared,
        )

    def found(self, how: HowToRead, options: dict[str, Any] | None = None) -> KindResult:
        """Return the consensus.

        Raises
        ------
        UserError, ValueError
            If an option does not fit.
        """
        given = dict(options or {})
        if how.tolerance is not None:
            if self.kind != "number":
                raise UserError(
                    f"--tolerance is for numbers, and the answers are of the kind {self.kind}: leave it out."
                )
            given["tolerance"] = how.tolerance
        known = {task: answer for task, answer in self.known.items() if task in set(self.table.tasks.tolist())}
        try:
            return self.believe(self.table, known=known, **given)
        except TypeError as error:
            raise UserError(f"--option does not fit answers of the kind {self.kind} ({error}).") from None

    @property
    def way(self) -> str:
        """What our own way to a consensus is called beside others."""
        return _WAYS[self.kind]

    def alpha(self) -> tuple[float, float, float]:
        """Return Krippendorff's alpha with its 90 % interval."""
        table, distance = (self.table, self.distance) if self.compared is None else self.compared()
        return alpha(table, distance, n_resamples=RESAMPLES)

    def spell(self, answer: Any, place: Place) -> Any:
        """Return an answer as its place takes it: nothing is cut in files."""
        if place == "screen":
            return self.show(answer)
        if self.kind == "set":
            listed = sorted(answer, key=lambda label: (type(label).__name__, label))
            return listed if place == "json" else json.dumps(listed, ensure_ascii=False)
        if self.kind in _WHOLE or (self.kind == "ranking" and place == "json"):
            whole = self.pack(answer)
            return whole if place == "json" or isinstance(whole, str) else orjson.dumps(whole).decode()
        return self.show(answer)

    def _shown_bound(self, bound: float) -> str | None:
        """Return a bound of dates or times as these are written; None where it is none of any calendar."""
        try:
            return self.show(bound)
        except (OverflowError, ValueError):
            return None

    def tasks(self, found: KindResult, *, hard: bool = False, place: Place = "screen") -> pd.DataFrame:
        """Return a row for each task: the consensus, and what is known of it."""
        frame = found.to_frame()
        if self.pack is _packed_regions and place == "table":
            return self._rows(found, hard=hard)
        answers = self.consensus(found)
        shown = [None if one is None else self.spell(one, place) for one in answers]
        moments = any(not _is_number_text(str(one)) for one in shown if one is not None)
        if not isinstance(found, NumberResult) or moments:
            frame["consensus"] = np.array([*shown, None], dtype=object)[:-1]
        elif self.consensus is not _consensus:
            frame["consensus"] = [np.nan if one is None else float(one) for one in answers]
        if hard:
            only: pd.DataFrame = frame[["consensus"]]
            return only
        if isinstance(found, NumberResult):
            for name, bounds in zip(("low", "high"), found.interval.T, strict=True):
                frame[name] = [self._shown_bound(bound) for bound in bounds.tolist()] if moments else bounds
        if isinstance(found, SetResult) and len(found.classes) <= MOST_COLUMNS:
            for name, column in zip(found.classes.tolist(), found.probability.T, strict=True):
                text = " / ".join(name) if isinstance(name, tuple) else str(name)
                frame[f"{text} (class)" if text in frame else text] = column
        return frame

    def annotators(self, found: KindResult) -> pd.DataFrame:
        """Return a row for each annotator; what is in seconds as people read it."""
        frame = found.annotators_frame()
        if self.are_moments:
            for name in ("bias", "spread"):
                frame[name] = [None if np.isnan(length) else length_of(length) for length in frame[name]]
        return frame

    def _rows(self, found: KindResult, *, hard: bool) -> pd.DataFrame:
        """Return a row for each region of the consensus, as a table of regions has it; one without a place if none."""
        import pandas as pd

        assert isinstance(found, RegionResult), "only regions have rows of their own"
        rows = []
        for task, kept in enumerate(found.consensus.tolist()):
            quality = found.units.quality[found.kept_units(task)].tolist()
            about = {"task": found.answers.tasks[task]}
            sure = {} if hard else {"task_quality": found.quality[task]}
            if kept is not None and not kept:
                rows.append({**about, **sure})
            for region, believed in zip(kept or (), quality, strict=True):
                rows.append({**about, **row_of(region), **({} if hard else {"quality": believed}), **sure})
        frame: pd.DataFrame = pd.DataFrame(rows).set_index("task").convert_dtypes()
        return frame


def _marks(control: Control, reading: ExportReading) -> Answers:
    """Return the answers to a control that marks regions."""
    codes = [] if reading.truth is None else reading.truth.tolist()
    known = [None if code < 0 else reading.values[code] for code in codes]
    return plain_answers(reading.crowd.one_answer_each(), control, reading.values, known)


def _differ(one: Any, other: Any) -> float:
    return float(one != other)


def _consensus(found: KindResult) -> list[Any]:
    return [None if isinstance(one, float) and np.isnan(one) else one for one in found.consensus.tolist()]


def _is_number_text(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _packed_regions(answer: Sequence[Region]) -> list[dict[str, Any]]:
    return [row_of(region) for region in answer]


def _show_regions(answer: Sequence[Region]) -> str:
    return "; ".join(map(_show_region, answer)) or "nothing"


def _show_region(region: Region) -> str:
    row = row_of(region)
    label = row.pop("label")
    where = " ".join(map(str, row.values()))
    return where if label is None else f"{label} {where}"


def _show_ranking(answer: Sequence[Any]) -> str:
    return " > ".join(map(str, answer))


def _show_set(answer: Sequence[Any]) -> str:
    return "; ".join(sorted(map(str, answer))) or "[]"


def _show_number(answer: float) -> str:
    return f"{answer:.6g}"


_OF_TABLES: Final[dict[str, tuple[Callable[[Any, Any], float], Callable[[Any], str], Callable[..., KindResult]]]] = {
    "set": (set_distance, _show_set, label_sets),
    "number": (squared_distance, _show_number, numbers),
    "text": (text_distance, str, texts),
    "ranking": (ranking_distance, _show_ranking, rankings),
}
"""Of each kind of cells: the distance of two answers, how people read one, and what is believed of them."""
