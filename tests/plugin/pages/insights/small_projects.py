"""Projects of a few votes, or of many annotators who label in turn."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

from harness.snapshots import BEGIN, annotation, control_of, snapshot_of
from label_studio_crowd.pages import insights
from label_studio_crowd.pages.insights import People

CLASSES = ("a", "b", "c")
_, CONTROL = control_of(CLASSES)
DAY = 86400
AT = BEGIN.timestamp()


def votes(*rows, **given):
    """Return the snapshot of tasks with these votes, each {annotator: label}, given one second after another."""
    number, annotations = 0, []
    for task, row in enumerate(rows, 1):
        for who, label in row.items():
            number += 1
            annotations.append(annotation(CONTROL, number, task, who, label, skipped=label is None, seconds=3.0))
    return snapshot_of(annotations, len(rows), CLASSES, **given)


def shown(snapshot, names=(), hidden=False):
    return People(snapshot, dict(names), hidden=hidden)


def probabilities(*labels, sure=0.8):
    P = np.full((len(labels), 3), (1 - sure) / 2)
    P[np.arange(len(labels)), [CLASSES.index(label) for label in labels]] = sure
    return P


def outweighed(*labels, **given):
    """Return a project whose task 13 has labels of 7, 8 and 9 only, who are always wrong; the model never is."""
    wrong = {"a": "b", "b": "c", "c": "a"}
    rows = [{1: k, 2: k, 3: k, **dict.fromkeys((7, 8, 9), wrong[k])} for k in "abc" * 4]
    rows.append(dict(zip((7, 8, 9), labels, strict=False)))
    return votes(*rows, pred_probs=probabilities(*"abc" * 4, "c", sure=0.999), **{"max_labels": 9, **given})


@st.composite
def snapshots(draw):
    """Projects of a few tasks and annotators, with or without a classifier and known truths."""
    num_tasks = draw(st.integers(1, 12))
    cells = draw(
        st.dictionaries(st.tuples(st.integers(1, num_tasks), st.integers(1, 6)), st.sampled_from(CLASSES), max_size=40)
    )
    annotations = [
        annotation(CONTROL, number, task, who, label, seconds=2.0)
        for number, ((task, who), label) in enumerate(cells.items())
    ]
    known = draw(st.sets(st.integers(1, num_tasks), max_size=2))
    annotations += [annotation(CONTROL, 1000 + task, task, 9, "a", truth=True) for task in known]
    guessed = draw(st.none() | st.lists(st.sampled_from(CLASSES), min_size=num_tasks, max_size=num_tasks))
    return snapshot_of(
        annotations,
        num_tasks,
        CLASSES,
        pred_probs=None if guessed is None else probabilities(*guessed),
        trust_ground_truth=True,
    )


def everything(snapshot, people):
    """Return all that pages show."""
    return [
        insights.project_overview(snapshot, None, None),
        insights.next_steps(snapshot, people),
        insights.project_classes(snapshot),
        insights.queue_page(snapshot, people),
        insights.suspect_labels(snapshot, people),
        insights.overruled_majorities(snapshot, people),
        insights.model_disagreements(snapshot, people),
        insights.annotators_page(snapshot, people),
        *(insights.annotator_details(snapshot, people, row) for row in range(len(snapshot.annotators))),
        insights.project_agreement(snapshot, people, None),
    ]


def plain_values(value):
    """Yield every number and text in a view; intervals hold their numbers."""
    if isinstance(value, insights.Estimate):
        assert (value.value is None) == bool(value.reason)
        assert value.low is None or value.low <= value.value <= value.high
    if dataclasses.is_dataclass(value):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, list | tuple):
        for item in value:
            yield from plain_values(item)
    else:
        yield value


def labelled_in_turn(accuracy, num_tasks=1200, num_annotators=12, each=4):
    """Return the snapshot of a crowd in which ``accuracy(task, annotator)`` changes as tasks are labelled in turn."""
    rng = np.random.default_rng(0)
    truth, annotations = rng.integers(3, size=num_tasks), []
    for task in range(num_tasks):
        for who in rng.choice(num_annotators, each, replace=False).tolist():
            label = truth[task] if rng.random() < accuracy(task, who) else (truth[task] + rng.integers(1, 3)) % 3
            annotations.append(annotation(CONTROL, len(annotations), task + 1, who + 1, CLASSES[label]))
    return snapshot_of(annotations, num_tasks, CLASSES, max_labels=each)
