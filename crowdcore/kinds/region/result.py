"""What the consensus of regions tells: of each task, each unit and each mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crowdcore.kinds.region.marks import NO_LABEL
from crowdcore.kinds.result import KindResult

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Units:
    """U units: groups of marks that are taken to be of the same thing, by task.

    Attributes
    ----------
    task : ndarray of shape (U,)
        Task code.
    place : ndarray of shape (U,)
        The consensus' place of each.
    label : ndarray of shape (U,)
        Code of the most probable label, -1 where nobody gave one.
    exists : ndarray of shape (U,)
        Probability that there is something.
    label_posterior : ndarray of shape (U, K)
        Probability of each label, if there is something; rows sum to 1.
    quality : ndarray of shape (U,)
        Probability that there is something and it has this label.
    exactness : ndarray of shape (U,)
        Expected similarity of the place to the true one.
    kept : ndarray of bool, shape (U,)
        Whether it is part of its task's consensus.
    """

    task: Codes
    place: NDArray[Any]
    label: Codes
    exists: Floats
    label_posterior: Floats
    quality: Floats
    exactness: Floats
    kept: Bools


@dataclass(frozen=True, eq=False)
class Members:
    """Q marks: the regions of all answers, one by label, by unit.

    Attributes
    ----------
    unit : ndarray of shape (Q,)
        Whose member each is.
    answer, region : ndarray of shape (Q,)
        Place of the answer in the table, and of the region in the answer.
    annotator, label : ndarray of shape (Q,)
        Annotator code, and label code, -1 where there is none.
    alike : ndarray of shape (Q,)
        Similarity to the unit's place.
    quality : ndarray of shape (Q,)
        Probability that there is something and it has this mark's label.
    """

    unit: Codes
    answer: Codes
    region: Codes
    annotator: Codes
    label: Codes
    alike: Floats
    quality: Floats


@dataclass(frozen=True, eq=False)
class RegionResult(KindResult):
    """A consensus of regions; `KindResult` says what holds for all kinds.

    Attributes
    ----------
    labels : tuple of str
        The K labels that codes stand for, sorted.
    units : Units
        What annotators marked, matched: what is in the consensus and what is not.
    members : Members
        Who marked which unit.
    missed : ndarray of shape (N,)
        Expected number of objects of each task that nobody marked.
    known_regions : ndarray of shape (G, 3)
        Of each region that is known to be there: task code, place among the task's known regions, unit.
    """

    labels: tuple[str, ...]
    units: Units
    members: Members
    missed: Floats
    known_regions: Codes

    def kept_units(self, task: int) -> Codes:
        """Return the units of a task's consensus, in the order of its regions."""
        first, last = np.searchsorted(self.units.task, [task, task + 1])
        kept: Codes = first + np.flatnonzero(self.units.kept[first:last])
        return kept

    def members_of(self, unit: int) -> Codes:
        """Return the places of a unit's members in `members`."""
        first, last = np.searchsorted(self.members.unit, [unit, unit + 1])
        return np.arange(first, last)

    def missed_by(self, unit: int) -> Codes:
        """Return the annotators who answered the unit's task and did not mark it."""
        task = self.units.task[unit]
        everybody = self.answers.annotator[self.answers.indptr[task] : self.answers.indptr[task + 1]]
        return np.setdiff1d(everybody, self.members.annotator[self.members_of(unit)])

    def units_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each unit.

        Its columns: task, place, label, kept, exists, quality, exactness, marked (how many marked it), answers (how
        many answered its task), labels (how many different labels they gave it).
        """
        import pandas as pd

        U, K = len(self.units.task), len(self.labels)
        said = self.members.label != NO_LABEL
        pairs = np.unique(self.members.unit[said] * max(K, 1) + self.members.label[said])
        columns = {
            "task": self.answers.tasks[self.units.task],
            "place": self.units.place,
            "label": self._named(self.units.label),
            "kept": self.units.kept,
            "exists": self.units.exists,
            "quality": self.units.quality,
            "exactness": self.units.exactness,
            "marked": np.bincount(self.members.unit, minlength=U),
            "answers": self.num_answers[self.units.task],
            "labels": np.bincount(pairs // max(K, 1), minlength=U),
        }
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def members_frame(self) -> pd.DataFrame:
        """Return a frame with a row for each mark: task, annotator, unit, region, place, label, alike, quality."""
        import pandas as pd

        answer, region = self.members.answer, self.members.region
        places: NDArray[Any] = np.empty(len(answer), dtype=object)
        for at, (row, number) in enumerate(zip(answer.tolist(), region.tolist(), strict=True)):
            places[at] = self.answers.values[row][number].place
        columns = {
            "task": self.answers.tasks[self.answers.task[answer]],
            "annotator": self.answers.annotators[self.members.annotator],
            "unit": self.members.unit,
            "region": region,
            "place": places,
            "label": self._named(self.members.label),
            "alike": self.members.alike,
            "quality": self.members.quality,
        }
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def _named(self, codes: Codes) -> NDArray[Any]:
        names: NDArray[Any] = np.array([*self.labels, None], dtype=object)
        return names[codes]
