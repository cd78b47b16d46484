"""How far annotators and the classifier agree with each other, and all beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages.insights.figures import People, Person
from label_studio_crowd.scoring.agreement_alone import AgreementAlone
from label_studio_crowd.scoring.outlook import MOST_COMPARED, NOT_YET, Reliability
from label_studio_crowd.scoring.snapshot import Snapshot

MOST: Final = MOST_COMPARED


@dataclass(frozen=True)
class Cell:
    """How far two agree: the share of the shared tasks with the same label, or similarity; None without such tasks."""

    share: float | None
    shared: int


@dataclass(frozen=True)
class Agreement:
    """What the page of agreement shows.

    Attributes
    ----------
    members
        The annotators shown, in the order of their pseudonyms, then the models among them; at most 40 people, those
        with most labels.
    num_models
        How many of them are models, the last ones.
    has_model
        Whether the classifier is the last row and column of `cells`.
    cells
        One row and one column for each member, then for the classifier; None on the diagonal. Of answers that are not
        one class their similarity, on tasks that were drawn.
    left_out
        How many people with labels are not shown.
    mean_kappa
        Mean of Cohen's kappas of each two people who share tasks.
    fleiss_kappa
        Fleiss' kappa of people.
    alpha
        Krippendorff's alpha of people, with its 90 % interval.
    labels
        How many labels there were when kappas and alpha were found; None before.
    alone
        Agreement by the controls that are not scored.
    """

    members: tuple[Person, ...]
    num_models: int
    has_model: bool
    cells: tuple[tuple[Cell | None, ...], ...]
    left_out: int
    mean_kappa: Estimate
    fleiss_kappa: Estimate
    alpha: Estimate
    labels: int | None
    alone: tuple[AgreementAlone, ...] = ()


def project_agreement(
    snapshot: Snapshot, people: People, reliability: Reliability | None, missing: str = NOT_YET
) -> Agreement:
    """Return how far annotators and the classifier agree.

    Parameters
    ----------
    reliability
        As the store has it: kappas and alpha take longer than a page may, so that they are found
        after a run, when labels have grown by 2 %.
    missing
        Why they have not been found, if that is so.
    """
    active = np.flatnonzero((snapshot.annotator_labels > 0) & ~snapshot.are_models)
    models = np.flatnonzero((snapshot.annotator_labels > 0) & snapshot.are_models)
    most = active[np.argsort(-snapshot.annotator_labels[active], kind="stable")[:MOST]]
    members = np.concatenate([most[np.argsort(snapshot.pseudonym[most])], models])
    alone = reliability.alone if reliability else ()  # of controls that have no page
    reliability = reliability.of_control(snapshot.control) if reliability else None
    found = _shared(snapshot, members) if snapshot.is_class else _similar(snapshot, members, reliability)
    shared, same = found[0], np.asarray(found[1], np.float64)
    cells = tuple(
        tuple(None if i == j else Cell(float(same[i, j] / n) if n else None, n) for j, n in enumerate(row))
        for i, row in enumerate(shared.tolist())
    )
    coefficients = reliability.coefficients if reliability else {}
    later = Estimate.unknown(missing)
    return Agreement(
        members=tuple(people.everybody[row] for row in members.tolist()),
        num_models=len(models),
        has_model=len(shared) > len(members),
        cells=cells,
        left_out=len(active) - len(most),
        mean_kappa=coefficients.get("mean_kappa", later),
        fleiss_kappa=coefficients.get("fleiss_kappa", later),
        alpha=coefficients.get("alpha", later),
        labels=reliability.labels if reliability else None,
        alone=alone,
    )


def _similar(
    snapshot: Snapshot, members: NDArray[np.intp], reliability: Reliability | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many tasks each two of the members share, of those that were drawn, and the sum of similarities."""
    place = {int(snapshot.annotators[row]): at for at, row in enumerate(members.tolist())}
    shared, same = np.zeros((len(members), len(members)), np.int64), np.zeros((len(members), len(members)))
    for one, other, mean, number in reliability.similar if reliability else ():
        if one in place and other in place:
            for at in ((place[one], place[other]), (place[other], place[one])):
                shared[at] += number
                same[at] += mean * number
    return shared, same


def _shared(snapshot: Snapshot, members: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many tasks each two of the members (and the classifier) share, and on how many they agree."""
    crowd = snapshot.crowd
    place = np.full(len(snapshot.annotators), -1)
    place[members] = np.arange(len(members))
    theirs = place[crowd.annotator] >= 0
    task, who, label = crowd.task[theirs], place[crowd.annotator[theirs]], crowd.label[theirs]
    seen = np.flatnonzero((snapshot.predicted >= 0) & (len(members) > 0))
    size = len(members) + bool(len(seen))
    if len(seen):
        task, who = np.concatenate([task, seen]), np.concatenate([who, np.full(len(seen), len(members))])
        label = np.concatenate([label, snapshot.predicted[seen]])
        order = np.argsort(task, kind="stable")
        task, who, label = task[order], who[order], label[order]
    shared: NDArray[np.int64] = np.zeros(size * size, np.int64)
    same = shared
    for apart in range(1, len(task)):  # answers of a task stand side by side
        first = np.flatnonzero(task[:-apart] == task[apart:])
        if not len(first):
            break
        pair = who[first] * size + who[first + apart]
        shared = shared + np.bincount(pair, minlength=size * size)
        same = same + np.bincount(pair[label[first] == label[first + apart]], minlength=size * size)
    once = shared.reshape(size, size), same.reshape(size, size)
    return once[0] + once[0].T, once[1] + once[1].T
