"""The forecast and the coefficients of agreement, computed after a run: they take seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from label_studio_crowd.project import Project, ScoredProject
from label_studio_crowd.runs.situation import ScoredWith, look, read_project, score_project, scored_project
from label_studio_crowd.scoring.agreement_alone import agreement_alone
from label_studio_crowd.scoring.growth import without_labels
from label_studio_crowd.scoring.outlook import is_outlook_due, renew_outlook
from label_studio_crowd.scoring.probabilities import at_hand
from label_studio_crowd.scoring.scores import Scores
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.studio.controls import find_compared


def look_ahead(project: Project) -> None:
    """Compute the forecast and the coefficients of agreement of what the mirror holds, if probabilities are at hand.

    Raises
    ------
    NotConnectedError
        If the project is not connected.
    """
    found = look(project)
    _renew(found, ScoredWith.of(found.settings))


def look_ahead_if_due(project: Project, info: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Compute the forecast and the coefficients again under the settings of the last run, if they are older than it.

    Parameters
    ----------
    info
        The project's settings in Label Studio.
    snapshot
        What the last run left.
    """
    facts = project.store.facts
    scored_with = facts.read(ScoredWith) or ScoredWith({})
    if is_outlook_due(facts, int(snapshot.labels.sum()), scored_with.settings):
        settings = project.settings.model_copy(update=dict(scored_with.settings))
        _renew(scored_project(project, info, settings), scored_with)


def _renew(project: ScoredProject, scored_with: ScoredWith) -> None:
    """Find both from what the mirror holds; tasks that came since the last training have the mean probabilities."""
    answers, annotations = read_project(project)
    known = at_hand(project, answers)
    found = [each.probabilities for each in known if each is not None]
    if len(found) == len(answers):  # otherwise the next run trains, and asks again
        scores = score_project(project, answers, found)

        def without(labels: NDArray[np.int64]) -> Scores:
            return score_project(project, [without_labels(each, labels) for each in answers], found)

        alone = agreement_alone(find_compared(project.info["label_config"]), annotations)
        renew_outlook(project.store.facts, scores, scored_with.settings, without, alone)
