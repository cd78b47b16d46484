"""What people look at, as plain values: pure functions of a snapshot, made for one page at a time.

Nothing here knows HTML, HTTP or the store. Where the data cannot say, a value is None, or an `Estimate` with a reason.
"""

from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages.insights.advice import NextSteps, next_steps
from label_studio_crowd.pages.insights.agreement import Agreement, Cell, project_agreement
from label_studio_crowd.pages.insights.classes import Classes, ClassRow, MixedUp, project_classes, unheard_classes
from label_studio_crowd.pages.insights.copying import SameLabels, copying_groups, same_labels
from label_studio_crowd.pages.insights.figures import Guess, Page, People, Person, Vote
from label_studio_crowd.pages.insights.individual import (
    AnnotatorDetails,
    Confusion,
    Period,
    Speed,
    annotator_details,
)
from label_studio_crowd.pages.insights.kinds import LabelRow, labels_of
from label_studio_crowd.pages.insights.mistakes import (
    ModelDisagreement,
    OverruledMajority,
    SecondOpinion,
    SuspectLabel,
    model_disagreements,
    overruled_majorities,
    second_opinions,
    suspect_labels,
)
from label_studio_crowd.pages.insights.odd_regions import OddNumber, OddRegion, odd_numbers, odd_regions
from label_studio_crowd.pages.insights.open_tasks import QueuedTask, queue_page
from label_studio_crowd.pages.insights.past_runs import PastRun, Stage, changes_made, past_runs
from label_studio_crowd.pages.insights.project import (
    Count,
    Histogram,
    Numbers,
    Overview,
    Pace,
    labels_needed,
    project_numbers,
    project_overview,
    scored_with,
)
from label_studio_crowd.pages.insights.team import AnnotatorRow, OrderBy, Trend, annotators_page
from label_studio_crowd.pages.insights.whole_task import Member, WholeTask, whole_task
from label_studio_crowd.scoring.region_table import ODDITIES, Oddity

__all__ = [
    "ODDITIES",
    "Agreement",
    "AnnotatorDetails",
    "AnnotatorRow",
    "Cell",
    "ClassRow",
    "Classes",
    "Confusion",
    "Count",
    "Estimate",
    "Guess",
    "Histogram",
    "LabelRow",
    "Member",
    "MixedUp",
    "ModelDisagreement",
    "NextSteps",
    "Numbers",
    "OddNumber",
    "OddRegion",
    "Oddity",
    "OrderBy",
    "OverruledMajority",
    "Overview",
    "Pace",
    "Page",
    "PastRun",
    "People",
    "Period",
    "Person",
    "QueuedTask",
    "SameLabels",
    "SecondOpinion",
    "Speed",
    "Stage",
    "SuspectLabel",
    "Trend",
    "Vote",
    "WholeTask",
    "annotator_details",
    "annotators_page",
    "changes_made",
    "copying_groups",
    "labels_needed",
    "labels_of",
    "model_disagreements",
    "next_steps",
    "odd_numbers",
    "odd_regions",
    "overruled_majorities",
    "past_runs",
    "project_agreement",
    "project_classes",
    "project_numbers",
    "project_overview",
    "queue_page",
    "same_labels",
    "scored_with",
    "second_opinions",
    "suspect_labels",
    "unheard_classes",
    "whole_task",
]
