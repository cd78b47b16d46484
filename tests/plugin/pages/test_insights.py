import dataclasses
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore.identify import annotator_pairs
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages import insights
from label_studio_crowd.pages.insights import People
from label_studio_crowd.scoring.outlook import Curve, Forecast, History, Moment
from label_studio_crowd.store.problems import Problem, Problems
from label_studio_crowd.store.reports import Changes, FinishedRun, RunReport
from tests.plugin.snapshots import BEGIN, annotation, control_of, made_up, snapshot_of

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


# ---------------------------------------------------------------------- what holds of every project


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_views_hold_plain_python_values_and_no_number_that_is_none(snapshot):
    for value in plain_values(everything(snapshot, shown(snapshot))):
        assert value is None or type(value) in (int, float, str, bool), repr(value)
        assert not (isinstance(value, float) and not np.isfinite(value))


@settings(max_examples=40, deadline=None)
@given(snapshots(), st.integers(1, 5))
def test_pages_put_together_are_the_whole(snapshot, size):
    people = shown(snapshot)
    for view in (
        insights.queue_page,
        insights.suspect_labels,
        insights.overruled_majorities,
        insights.annotators_page,
    ):
        whole = view(snapshot, people, 1, 1000)
        pages = [view(snapshot, people, number, size) for number in range(1, whole.total // size + 2)]
        parts = [row for page in pages[: pages[0].pages] for row in page.rows]
        assert parts == list(whole.rows)
        assert len(parts) == whole.total
        beyond = view(snapshot, people, 10_000, size)
        assert (beyond.rows, beyond.number) == (pages[beyond.pages - 1].rows, beyond.pages)


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_names_that_are_hidden_are_nowhere(snapshot):
    names = {int(who): f"Name {who} <mail{who}@example.org>" for who in snapshot.annotators}
    hidden, open_ = shown(snapshot, names, hidden=True), shown(snapshot, names)
    text = repr(everything(snapshot, hidden))
    assert "Name" not in text
    assert "mail" not in text
    for row, (person, known) in enumerate(zip(hidden.everybody, open_.everybody, strict=True)):
        assert person.name == f"annotator {row + 1}"
        assert person.key != known.key
        for people in (hidden, open_):  # a link stays good when names are switched
            assert people.row(person.key) == people.row(known.key) == row


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_the_matrix_of_agreement_is_that_of_crowdcore(snapshot):
    found = insights.project_agreement(snapshot, shown(snapshot), None)
    crowd, size = snapshot.crowd, len(snapshot.annotators)
    if found.has_model:
        crowd = crowd.with_annotator("model", snapshot.predicted)
        size += 1
    assert len(found.cells) == size
    pairs = annotator_pairs(crowd)
    share, common = pairs.matrix("agreement").to_numpy(), pairs.matrix("common").to_numpy()
    for i, row in enumerate(found.cells):
        for j, cell in enumerate(row):
            if i == j:
                assert cell is None
            else:
                assert cell.shared == common[i, j]
                assert cell.share == (None if cell.shared == 0 else pytest.approx(share[i, j]))


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_suspects_are_surely_not_the_consensus_and_the_surest_come_first(snapshot):
    rows = insights.suspect_labels(snapshot, shown(snapshot), 1, 1000).rows
    assert all(row.label != row.consensus and row.probability < 0.5 for row in rows)
    assert [row.probability for row in rows] == sorted(row.probability for row in rows)


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_an_overruled_majority_has_more_votes_than_the_consensus(snapshot):
    rows = insights.overruled_majorities(snapshot, shown(snapshot), 1, 1000).rows
    for row in rows:
        counts = {vote.label: len(vote.people) for vote in row.votes}
        assert counts[row.majority] == max(counts.values()) > counts.get(row.consensus, 0)


# ---------------------------------------------------------------------- the project


def test_a_project_without_labels_says_so_instead_of_numbers():
    found = insights.project_overview(votes({}, {}), None, None)
    assert found.numbers.accuracy.value is None
    assert found.numbers.accuracy.reason
    assert found.pace is None
    assert sum(found.histogram.settled + found.histogram.unsettled) == 0
    assert (found.forecast, bool(found.forecast_reason)) == (None, True)


def test_one_annotator_tells_nothing_of_accuracy_or_quality():
    snapshot = votes({1: "a"}, {1: "b"}, {1: "a"})
    assert insights.project_numbers(snapshot).accuracy.value is None
    (row,) = insights.annotators_page(snapshot, shown(snapshot)).rows
    assert row.quality.value is None
    assert "Nobody else" in row.quality.reason
    assert insights.annotator_details(snapshot, shown(snapshot), 0).confusion is None


@pytest.mark.parametrize("model", [False, True])
def test_where_nothing_tells_how_good_labels_are_there_is_no_number(model):
    rows = [{1: "a"}, {2: "b"}] * 20
    # a model that agrees with nobody is not heard
    snapshot = votes(*rows, pred_probs=probabilities(*(["b", "a"] * 20)) if model else None)
    overview = insights.project_overview(snapshot, None, None)
    assert overview.numbers.accuracy.reason
    assert sum(overview.histogram.settled + overview.histogram.unsettled) == 0
    queue = insights.queue_page(snapshot, shown(snapshot)).rows
    assert {(row.consensus, row.quality) for row in queue} == {("a", None), ("b", None)}
    for order_by in ("quality", "agreement"):
        for row in insights.annotators_page(snapshot, shown(snapshot), order_by=order_by).rows:
            assert (row.quality.value, row.agreement, row.worst_class) == (None, None, None)
    assert insights.annotator_details(snapshot, shown(snapshot), 0).periods == ()


def test_nobody_agrees_with_a_consensus_that_is_their_own_label():
    snapshot = votes(*[{1: "a"}] * 95, *[{1: "a", 2: "b", 3: "b"}] * 5, *[{2: label, 3: label} for label in "abc" * 10])
    rows = insights.annotators_page(snapshot, shown(snapshot)).rows
    assert {row.person.key: row.agreement for row in rows} == {"1": 0.0, "2": 1.0, "3": 1.0}


def test_who_overrules_a_suspect_label_is_not_praised_for_labels_that_nobody_else_judged():
    alone = [{3: "a"}] * 20
    snapshot = votes(*[{1: k, 2: k, 3: k} for k in "ab" * 6], {1: "a", 2: "a", 3: "b"}, *alone)
    (row,) = insights.suspect_labels(snapshot, shown(snapshot)).rows
    assert row.evidence.endswith("On 6 other tasks with consensus a, this annotator was right 6 times.")


def test_of_one_other_task_the_evidence_speaks_as_of_one():
    snapshot = votes(*[{1: k, 2: k} for k in "bc" * 6], {1: "a", 2: "a", 3: "a"}, {1: "a", 2: "a", 3: "b"})
    (row,) = insights.suspect_labels(snapshot, shown(snapshot)).rows
    assert row.evidence.endswith("On 1 other task with consensus a, this annotator was right 1 time.")


def test_a_majority_is_not_said_to_be_overruled_by_those_who_are_right_less_often():
    snapshot = votes(*[{1: "a", 2: "a", 3: "b"}, {1: "b", 2: "b", 3: "b"}] * 5)
    task = int(np.flatnonzero((snapshot.labels == 3) & (snapshot.majority == 0))[0])
    consensus, quality = snapshot.consensus.copy(), np.array([0.9, 0.9, 0.6])
    consensus[task] = 1
    for better, said in ((quality, False), (1 - quality, True)):
        overruled = dataclasses.replace(snapshot, consensus=consensus, annotator_quality=better)
        (row,) = insights.overruled_majorities(overruled, shown(overruled)).rows
        assert ("of the time" in row.evidence) == said


def test_a_classifier_alone_agrees_with_nobody():
    snapshot = votes({}, {}, pred_probs=probabilities("a", "b"))
    found = insights.project_agreement(snapshot, shown(snapshot), None)
    assert (found.members, found.has_model, found.cells) == ((), False, ())


def test_crowdlabs_quality_is_not_shown_as_a_probability():
    snapshot = votes({1: "a", 2: "a"}, {1: "b", 2: "c"}, consensus="crowdlab")
    assert "CROWDLAB" in insights.project_numbers(snapshot).accuracy.reason
    rows = insights.annotators_page(snapshot, shown(snapshot)).rows
    assert all(row.quality.value is not None and row.quality.low is None for row in rows)


def test_a_quality_that_is_no_probability_is_not_called_one():
    rows = [{1: "a", 2: "a", 3: "a"}, {1: "b", 2: "c", 3: "b"}]
    for consensus, is_probability in (("hierarchical-dawid-skene", True), ("crowdlab", False)):
        snapshot = votes(*rows, consensus=consensus, target_quality=1.0)
        sentences = [row.sentence for row in insights.queue_page(snapshot, shown(snapshot)).rows]
        assert [("probability" in sentence) for sentence in sentences] == [is_probability] * 2


def test_the_overview_counts_what_is_there():
    snapshot = votes({1: "a", 2: "a", 3: "a"}, {1: "b", 2: "c"}, {4: None}, target_quality=0.9)
    found = insights.project_overview(snapshot, None, None)
    numbers = found.numbers
    assert (numbers.tasks, numbers.labelled_tasks, numbers.labels, numbers.skips) == (3, 2, 5, 1)
    assert numbers.annotators == 3
    assert numbers.queue == 3 - numbers.settled
    assert sum(count.number for count in found.settled_by) == numbers.settled
    assert sum(found.histogram.settled + found.histogram.unsettled) == 2
    assert len(found.histogram.edges) == 1 + len(found.histogram.settled) == 1 + len(found.histogram.unsettled)


@pytest.mark.parametrize(
    ("days_ago", "labels", "days", "a_day"),
    [
        ([0.1, 0.2, 0.3], 3, 1, None),  # the first label was today
        ([0.1, 0.5, 2.0], 3, 2, 1.5),
        ([0.1, 0.5, 2.9], 2, 2, 1.0),  # of whole days
        ([0.1, 6.0, 8.0, 30.0], 2, 7, 2 / 7),
        ([30.0], 0, 7, 0.0),
    ],
)
def test_the_pace_is_that_of_the_last_week(days_ago, labels, days, a_day):
    given = [
        annotation(CONTROL, number, number, 1, "a", at=BEGIN - timedelta(days=ago))
        for number, ago in enumerate(days_ago, 1)
    ]
    found = insights.project_overview(snapshot_of(given, 5, CLASSES, taken_at=AT), None, None)
    assert found.pace == insights.Pace(labels, days, a_day)


FORECAST = Forecast(
    labels=4,
    circumstances={},
    needed=Estimate(10.0, 5.0, 20.0),
    queue=Curve(further_labels=(0, 10), mean=(0.8, 0.9), low=(0.7, 0.8), high=(0.9, 1.0)),
    random=Curve(further_labels=(0, 10), mean=(0.8, 0.85), low=(0.7, 0.8), high=(0.9, 0.9)),
)


def test_labels_given_since_the_forecast_are_not_needed_any_more():
    snapshot = votes({1: "a", 2: "b"}, {1: "b", 2: "c"}, {1: "a", 2: "c"}, taken_at=AT + DAY + 1)
    found = insights.project_overview(snapshot, None, FORECAST)
    needed = found.labels_needed
    assert (needed.value, needed.low, needed.high) == (8.0, 3.0, 18.0)
    assert found.days_needed == pytest.approx(8 / 6)
    assert found.forecast.queue.mean == (0.8, 0.9)
    assert found.forecast_reason == ""


def test_each_task_that_waits_needs_a_label_however_old_the_forecast_is():
    snapshot = votes(*[{1: "a", 2: "b", 3: "c"}] * 6)
    needed = insights.project_overview(snapshot, None, FORECAST).labels_needed
    assert (needed.value, needed.low, needed.high) == (6.0, 6.0, 6.0)


def test_a_finished_project_needs_no_labels_whatever_was_forecast():
    snapshot = votes({1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "b"}, target_quality=0.1)
    assert insights.project_overview(snapshot, None, FORECAST).labels_needed.value == 0


def test_why_there_is_no_forecast_is_passed_on():
    found = insights.project_overview(votes({1: "a"}), None, Forecast(1, {}, reason="One alone."))
    assert found.labels_needed.reason == found.forecast_reason == "One alone."


def test_the_history_is_shown_as_it_was_kept():
    found = insights.project_overview(votes({1: "a"}), History((Moment(1.5, 10, 0.8, 0.7, 0.9),)), None)
    assert found.history == (Moment(1.5, 10, 0.8, 0.7, 0.9),)


# ---------------------------------------------------------------------- the queue


def test_each_task_of_the_queue_says_why_it_is_there():
    agreed = [{1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "b"}, {1: "c", 2: "c", 3: "c"}] * 10
    weak = [{1: "a", 2: "a", 9: "b"}, {1: "b", 2: "b", 9: "c"}] * 10  # 9 is always wrong
    rows = [{}, {1: "a", 2: "b"}, {1: "a", 2: "a"}, {9: "a"}, {1: "c"}, {1: "b", 2: "b"}, {8: None}]
    guesses = ["a", "a", "b", "a", "c", "b", "c"]
    snapshot = votes(
        *rows,
        *agreed,
        *weak,
        pred_probs=np.concatenate([probabilities(*guesses, sure=0.6), probabilities(*"abc" * 10, *"ab" * 10)]),
        target_quality=1.0,
    )
    found = {row.task: row for row in insights.queue_page(snapshot, shown(snapshot), 1, 1000).rows}
    reasons = [found[task].why for task in range(1, 8)]
    assert reasons == [
        "new",
        "disagreement",
        "model disagrees",
        "weak annotator",
        "one label",
        "not sure enough",
        "new",
    ]
    assert found[1].sentence == "Nobody has labelled it yet. The classifier says a (60 %)."
    assert found[2].sentence.startswith("1 says a, 1 says b. The consensus is right with a probability of ")
    assert found[3].sentence == "2 say a. The classifier says b (60 %)."
    assert found[7].sentence.endswith("1 skipped it.")
    assert (found[1].consensus, found[1].quality) == (None, None)


def test_the_queue_is_in_the_order_in_which_it_is_served():
    snapshot = votes({1: "a", 2: "b"}, {}, {1: "a"}, {1: "b", 2: "b"})
    rows = insights.queue_page(snapshot, shown(snapshot)).rows
    assert [row.task for row in rows] == snapshot.queue.tolist()
    assert [row.place for row in rows] == list(range(1, len(rows) + 1))
    assert [row.priority for row in rows] == sorted(row.priority for row in rows)


def test_votes_name_who_said_what_the_most_frequent_first():
    snapshot = votes({1: "b", 2: "a", 3: "b"}, target_quality=1.0)
    (row,) = insights.queue_page(snapshot, shown(snapshot, {1: "Ada", 2: "Bo", 3: "Cy"})).rows
    assert [(vote.label, [person.name for person in vote.people]) for vote in row.votes] == [
        ("b", ["Ada", "Cy"]),
        ("a", ["Bo"]),
    ]


# ---------------------------------------------------------------------- suspects


def test_a_suspect_label_comes_with_its_evidence():
    rows = [{1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "b"}] * 6 + [{1: "a", 2: "a", 3: "b"}]
    guesses = "ab" * 6 + "a"
    snapshot = votes(*rows, pred_probs=probabilities(*guesses))
    (row,) = insights.suspect_labels(snapshot, shown(snapshot, {3: "Cy"})).rows
    assert (row.task, row.person.name, row.label, row.consensus) == (13, "Cy", "b", "a")
    assert row.evidence == (
        "Of the others, 2 say a. The classifier says a (80 %). "
        "On 6 other tasks with consensus a, this annotator was right 6 times."
    )


def test_against_a_known_truth_a_label_is_wrong_for_certain():
    annotations = [annotation(CONTROL, n, 1, n, "b") for n in (1, 2, 3)]
    annotations.append(annotation(CONTROL, 9, 1, 7, "a", truth=True))
    snapshot = snapshot_of(annotations, 1, CLASSES, trust_ground_truth=True)
    suspects = insights.suspect_labels(snapshot, shown(snapshot)).rows
    assert [(row.is_known, row.consensus, row.probability) for row in suspects] == [(True, "a", 0.0)] * 3
    (overruled,) = insights.overruled_majorities(snapshot, shown(snapshot)).rows
    assert (overruled.majority, overruled.consensus, overruled.is_known) == ("b", "a", True)
    assert overruled.evidence == "It is known to be a. 3 say b."


def test_the_majority_is_overruled_by_those_who_are_right_more_often():
    wrong = {"a": "b", "b": "c", "c": "a"}
    rows = [{1: k, 2: k, 3: k, 8: wrong[k], 9: wrong[wrong[k]]} for k in "abc" * 12] + [{1: "a", 8: "b", 9: "b"}]
    snapshot = votes(*rows, pred_probs=probabilities(*"abc" * 12, "a"))
    (row,) = insights.overruled_majorities(snapshot, shown(snapshot)).rows
    assert (row.task, row.consensus, row.majority) == (37, "a", "b")
    assert row.evidence.startswith("2 say b, 1 says a. The classifier says a (80 %). Those who say a are right ")


# ---------------------------------------------------------------------- annotators


def test_annotators_can_be_ordered_by_each_figure_and_the_unknown_come_last():
    snapshot, _ = made_up(300, 20, 1500, 4, seed=3)
    people = shown(snapshot)
    figures = {
        "quality": lambda row: row.quality.value,
        "agreement": lambda row: row.agreement,
        "labels": lambda row: row.labels,
        "seconds": lambda row: row.seconds,
        "trend": lambda row: row.trend and row.trend.change,
    }
    for order_by, figure in figures.items():
        for descending in (False, True):
            rows = insights.annotators_page(snapshot, people, order_by=order_by, descending=descending).rows
            values = [figure(row) for row in rows]
            known = [value for value in values if value is not None]
            assert known == sorted(known, reverse=descending), order_by
            assert values[: len(known)] == known
            assert known


def test_pseudonyms_are_ordered_as_numbers_and_names_as_words():
    snapshot = votes(*({who: "a", who + 1: "a"} for who in range(1, 12)))
    hidden = insights.annotators_page(snapshot, shown(snapshot, hidden=True), order_by="name").rows
    assert [row.person.name for row in hidden] == [f"annotator {number}" for number in range(1, 13)]
    names = {1: "beta", 2: "Alpha", 3: "gamma"}
    rows = insights.annotators_page(snapshot, shown(snapshot, names), order_by="name").rows
    assert [row.person.name for row in rows][:3] == ["Alpha", "beta", "gamma"]


def test_pseudonyms_are_the_snapshots():
    snapshot = votes({4: "a", 7: "a", 9: "b"}, pseudonym=[3, 1, 12])
    people = shown(snapshot, hidden=True)
    assert [person.name for person in people.everybody] == ["annotator 3", "annotator 1", "annotator 12"]
    assert [people.row(person.key) for person in people.everybody] == [0, 1, 2]
    assert (people.row("a2"), people.row("7")) == (None, 1)
    rows = insights.annotators_page(snapshot, people, order_by="name").rows
    assert [row.person.key for row in rows] == ["a1", "a3", "a12"]
    members = insights.project_agreement(snapshot, people, None).members
    assert [person.key for person in members] == ["a1", "a3", "a12"]


@pytest.mark.parametrize("hidden", [False, True])
def test_deleted_users_are_named_as_what_they_are(hidden):
    snapshot = votes({0: "a", 4: "a"}, {0: "b", 4: "b"})
    people = shown(snapshot, {4: "Ada"}, hidden=hidden)
    assert [person.name for person in people.everybody] == ["deleted users", "annotator 1" if hidden else "Ada"]
    for row, person in enumerate(people.everybody):
        assert people.row(person.key) == row
        assert insights.annotator_details(snapshot, people, row).are_deleted == (row == 0)


def test_figures_of_an_annotator():
    snapshot = votes(
        {1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "a"}, {1: "a", 2: "a"}, pred_probs=probabilities(*"aba")
    )
    row = insights.annotators_page(snapshot, shown(snapshot), order_by="labels").rows[0]
    assert (row.person.key, row.labels, row.agreement, row.seconds, row.worst_class) == ("3", 2, 0.5, 3.0, "a")
    assert row.share == 2 / 8
    assert row.quality.low < row.quality.value < row.quality.high
    assert row.trend is None  # too few labels


def labelled_in_turn(accuracy, num_tasks=1200, num_annotators=12, each=4):
    """Return the snapshot of a crowd in which ``accuracy(task, annotator)`` changes as tasks are labelled in turn."""
    rng = np.random.default_rng(0)
    truth, annotations = rng.integers(3, size=num_tasks), []
    for task in range(num_tasks):
        for who in rng.choice(num_annotators, each, replace=False).tolist():
            label = truth[task] if rng.random() < accuracy(task, who) else (truth[task] + rng.integers(1, 3)) % 3
            annotations.append(annotation(CONTROL, len(annotations), task + 1, who + 1, CLASSES[label]))
    return snapshot_of(annotations, num_tasks, CLASSES, max_labels=each)


def test_who_gets_worse_and_who_gets_better_is_found():
    changing = {3: (0.95, 0.6), 5: (0.6, 0.95)}

    def accuracy(task, who):
        at_first, at_last = changing.get(who, (0.85, 0.85))
        return at_first + (at_last - at_first) * task / 1200

    snapshot = labelled_in_turn(accuracy)
    rows = insights.annotators_page(snapshot, shown(snapshot), order_by="trend").rows
    assert [row.person.key for row in rows if row.trend.is_real] == ["4", "6"]
    assert rows[0].trend.change < -0.15
    assert rows[-1].trend.change > 0.15


def test_who_stays_as_good_is_left_alone():
    flagged = []
    for seed in range(4):
        snapshot, truth = made_up(2000, 40, 9000, 4, seed=seed)
        steady = truth.accuracy_at_first == truth.accuracy_at_last
        rows = insights.annotators_page(snapshot, shown(snapshot), 1, 1000).rows
        flagged += [row.trend.is_real for row in rows if row.trend and steady[int(row.person.key) - 101]]
    assert len(flagged) > 100
    assert np.mean(flagged) < 0.04


def test_tasks_that_become_harder_are_nobodys_decline():
    snapshot = labelled_in_turn(lambda task, who: 0.95 if task < 600 else 0.6)
    rows = insights.annotators_page(snapshot, shown(snapshot)).rows
    assert all(row.trend is not None and abs(row.trend.change) < 0.12 for row in rows)
    assert sum(row.trend.is_real for row in rows) == 0
    first, *_, last = insights.annotator_details(snapshot, shown(snapshot), 0).periods
    assert first.quality.value - last.quality.value > 0.15  # the tasks did become harder


@settings(max_examples=40, deadline=None)
@given(snapshots())
def test_the_worst_class_is_the_worst_column_of_the_confusion_matrix(snapshot):
    people = shown(snapshot)
    for row in range(len(snapshot.annotators)):
        details = insights.annotator_details(snapshot, people, row)
        if details.confusion is None:
            assert details.row.worst_class is None
            continue
        counts = np.array(details.confusion.counts)
        given, right = counts.sum(axis=0), counts.diagonal()
        wrong = {label: 1 - r / n for label, r, n in zip(details.confusion.classes, right, given, strict=True) if n}
        worst = details.row.worst_class
        assert (worst is None) == (max(wrong.values()) == 0)
        assert worst is None or wrong[worst] == pytest.approx(max(wrong.values()))


def test_labels_that_nobody_else_judged_do_not_hide_the_worst_class():
    both, alone = [{1: "a", 2: "b", 3: "b"}] * 4 + [{1: "c", 2: "c", 3: "c"}] * 3, [{1: "a"}] * 40
    snapshot = votes(*both, {1: "c", 2: "a", 3: "a"}, *[{2: k, 3: k} for k in "abc" * 10], *alone)
    assert insights.annotators_page(snapshot, shown(snapshot)).rows[0].worst_class == "a"


def test_a_confusion_matrix_counts_labels_by_consensus():
    rows = [{1: "a", 2: "a", 3: "a"}, {1: "b", 2: "b", 3: "b"}] * 4 + [{1: "a", 2: "a", 3: "b"}, {3: "c"}]
    snapshot = votes(*rows)
    confusion = insights.annotator_details(snapshot, shown(snapshot), 2).confusion
    assert confusion.classes == ("a", "b")  # nobody else has a say on the last task
    assert confusion.counts == ((4, 1), (0, 4))
    assert confusion.shares == ((0.8, 0.2), (0.0, 1.0))
    assert confusion.left_out == 0


def test_a_large_confusion_matrix_shows_the_classes_with_most_labels():
    classes = tuple(f"{number:02d}" for number in range(60))
    _, control = control_of(classes)
    given = [(task + 1, who, label) for task, label in enumerate(classes * 2) for who in (1, 2)]
    given += [(121, 1, "59"), (121, 2, "59")]
    annotations = [annotation(control, n, task, who, label) for n, (task, who, label) in enumerate(given)]
    snapshot = snapshot_of(annotations, 121, classes)
    confusion = insights.annotator_details(snapshot, shown(snapshot), 0).confusion
    assert len(confusion.classes) == 40
    assert confusion.left_out == 20
    assert confusion.classes[-1] == "59"


def test_periods_are_of_labels_one_after_the_other_and_their_intervals_cover():
    covered = []
    for seed in range(3):
        snapshot, truth = made_up(2000, 40, 9000, 4, seed=seed)
        for row, who in enumerate(snapshot.annotators - 101):
            periods = insights.annotator_details(snapshot, shown(snapshot), row).periods
            labels = int(snapshot.annotator_labels[row])
            assert len(periods) == (min(10, labels // 5) if labels >= 10 else 0)
            if not periods:
                continue
            assert [period.first for period in periods] == [1] + [period.last + 1 for period in periods[:-1]]
            assert periods[-1].last == labels
            if truth.accuracy_at_first[who] == truth.accuracy_at_last[who]:
                accuracy = truth.accuracy_at_first[who]
                covered += [period.quality.low <= accuracy <= period.quality.high for period in periods]
    assert 0.85 < np.mean(covered) < 0.97


def test_examples_to_teach_from_show_different_mistakes_first():
    rows = [{1: k, 2: k, 3: k} for k in "abc" * 10]
    rows += [{1: "a", 2: "a", 3: "b"}] * 3 + [{1: "b", 2: "b", 3: "c"}] * 2
    snapshot = votes(*rows, pred_probs=probabilities(*"abc" * 10, *"aaabb"))
    mistakes = insights.annotator_details(snapshot, shown(snapshot), 2).mistakes
    assert [(row.consensus, row.label) for row in mistakes[:2]] in (
        [("a", "b"), ("b", "c")],
        [("b", "c"), ("a", "b")],
    )
    assert len(mistakes) == 5
    assert {row.person.key for row in mistakes} == {"3"}


def test_speed_is_told_beside_everybodys():
    annotations = [annotation(CONTROL, n, n, 1, "a", seconds=float(n)) for n in range(1, 6)]
    annotations += [annotation(CONTROL, 10 + n, n, 2, "a", seconds=11.0) for n in range(1, 6)]
    annotations += [annotation(CONTROL, 20, 6, 3, "a")]
    snapshot = snapshot_of(annotations, 6, CLASSES)
    speed = insights.annotator_details(snapshot, shown(snapshot), 0).speed
    assert (speed.fast, speed.median, speed.slow, speed.everybody) == (2.0, 3.0, 4.0, 8.0)
    assert insights.annotator_details(snapshot, shown(snapshot), 2).speed is None


@pytest.mark.parametrize("key", ["", "a", "0", "a0", "a4", "-1", "4", "1.0", "²", "9" * 30, "a" + "9" * 30, "x"])
def test_a_key_of_nobody_is_nobodys(key):
    assert shown(votes({1: "a", 2: "a", 3: "a"})).row(key) is None


# ---------------------------------------------------------------------- agreement


def test_of_many_annotators_those_with_most_labels_are_shown():
    snapshot, _ = made_up(500, 60, 3000, 3)
    found = insights.project_agreement(snapshot, shown(snapshot), None)
    active = int((snapshot.annotator_labels > 0).sum())
    assert (len(found.members), found.left_out, len(found.cells)) == (40, active - 40, 41)
    rows = [shown(snapshot).row(person.key) for person in found.members]
    assert rows == sorted(rows)
    left = np.setdiff1d(np.arange(len(snapshot.annotators)), rows)
    assert snapshot.annotator_labels[rows].min() >= snapshot.annotator_labels[left].max()


def test_without_a_classifier_it_is_in_no_matrix():
    found = insights.project_agreement(votes({1: "a", 2: "b"}), People(votes({1: "a", 2: "b"}), {}), None)
    assert (found.has_model, len(found.cells)) == (False, 2)
    assert found.alpha.value is None
    assert found.alpha.reason


# ---------------------------------------------------------------------- runs


def test_runs_and_failures_are_told_in_one_row_the_newest_first():
    report = RunReport(
        trigger="change",
        labels=7,
        settled=2,
        estimated_accuracy=Estimate(0.9, 0.8, 0.95),
        trained=True,
        seconds={"look": 0.1, "score": 0.4},
        seconds_waited=0.2,
        changes=Changes(reopen=2, queue_create=3, queue_update=1),
        warnings=("w",),
    )
    problems = Problems((Problem(1.0, "rescore", "too old to be shown"), Problem(25.0, "train", "no memory", times=3)))
    runs = [FinishedRun(30.0, report), FinishedRun(20.0, RunReport())]
    newest, failure, oldest = insights.past_runs(runs, problems)
    assert (newest.trigger, newest.labels, newest.accuracy.value, newest.trained) == (
        "a change in Label Studio",
        7,
        0.9,
        True,
    )
    assert newest.seconds == pytest.approx(0.5)
    assert [(stage.name, stage.seconds) for stage in newest.stages] == [("look", 0.1), ("score", 0.4)]
    assert [(count.what, count.number) for count in newest.changes] == [
        ("tasks opened", 2),
        ("queue entries written", 4),
    ]
    assert (failure.trigger, failure.problem) == ("training", "no memory (3 times)")
    assert (oldest.labels, oldest.accuracy.value, oldest.seconds) == (None, None, None)  # another release's report
