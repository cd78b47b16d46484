"""The forecast and the coefficients of agreement, computed after a run: they take seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from label_studio_crowd.project import Project
from label_studio_crowd.runs.situation import ScoredWith, look, read_project, score_project, stored_scores
from label_studio_crowd.scoring.outlook import is_outlook_due, renew_outlook
from label_studio_crowd.scoring.probabilities import at_hand
from label_studio_crowd.scoring.snapshot import Snapshot


def look_ahead(project: Project) -> None:
    """Compute the forecast and the coefficients of agreement of what the mirror holds, if probabilities are at hand.

    Raises
    ------
    NotConnectedError
        If the project is not connected.
    """
    found = look(project)
    answers, _ = read_project(found)
    known = at_hand(found, answers)
    if known is None:  # the next run trains, and asks again
        return
    scores = score_project(found, answers, known.probabilities)
    renew_outlook(project.store.facts, scores, ScoredWith.of(found.settings).settings)


def look_ahead_if_due(project: Project, info: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Compute the forecast and the coefficients again under the settings of the last run, if they are older than it.

    Parameters
    ----------
    info
        The project's settings in Label Studio.
    snapshot
        What the last run left.
    """
    scored_with = project.store.facts.read(ScoredWith) or ScoredWith({})
    if not is_outlook_due(project.store.facts, len(snapshot.answer_label), scored_with.settings):
        return
    scores = stored_scores(project, info)
    if scores is not None:
        renew_outlook(project.store.facts, scores, scored_with.settings)
