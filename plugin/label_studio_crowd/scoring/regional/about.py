"""What is believed of answers about regions, by what is believed of the regions."""

from __future__ import annotations

from collections.abc import Sequence

from label_studio_crowd.scoring.answers import Answers
from label_studio_crowd.scoring.kinds import KindBelief
from label_studio_crowd.scoring.regional.marked import Believed, MarkedRegions
from label_studio_crowd.scoring.regional.messages import believe_messages
from label_studio_crowd.scoring.regional.per_region import believe_per_region
from label_studio_crowd.scoring.regional.relations import believe_related
from label_studio_crowd.studio.controls import PerRegionForm


def believe_about(answers: Answers, regions: Sequence[tuple[Answers, KindBelief]]) -> tuple[Answers, KindBelief]:
    """Return the answers, with the consensus among their values, and what is believed of them.

    Parameters
    ----------
    answers
        About regions.
    regions
        What is believed of the controls that mark them; none where they are the messages of a chat.
    """
    marked = MarkedRegions([Believed.of(*one) for one in regions])
    if not isinstance(answers.control.form, PerRegionForm):
        return believe_related(answers, marked)
    return believe_per_region(answers, marked) if regions else believe_messages(answers)
