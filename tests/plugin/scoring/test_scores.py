import numpy as np
import orjson
import pytest

from crowdcore import activelab, crowdlab
from crowdcore.hierarchical.confidence import least_confidence
from crowdcore.hierarchical.consensus import hierarchical_dawid_skene
from crowdcore.votes import overruled_tasks
from label_studio_crowd.errors import UserError
from label_studio_crowd.scoring.answers import ALONE
from label_studio_crowd.scoring.consensus import MOST_EXPONENT
from label_studio_crowd.scoring.memory import check_memory, memory_note
from label_studio_crowd.scoring.own_choices import OwnChoices
from label_studio_crowd.scoring.reading import read_answers
from label_studio_crowd.scoring.scores import score
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.studio.controls import find_control

CONFIG = '<View><Text name="t" value="$t"/>{}</View>'
CONTROL = find_control(CONFIG.format('<Choices name="c" toName="t"><Choice value="a"/><Choice value="b"/></Choices>'))
TASKS = np.array([1, 2, 3])


def annotation(number, task, annotator, label, *, skipped=False, truth=False, at=0, control=CONTROL):
    result = orjson.dumps([] if label is None else control.write(label)).decode()
    return Annotation(number, task, annotator, result, skipped, truth, f"2026-01-01T00:00:{at:02d}.000000Z", None)


def test_the_latest_of_one_annotators_annotations_counts_whatever_the_order():
    early, late = annotation(1, 1, 7, "a", at=1), annotation(2, 1, 7, "b", at=2)
    for both in ([early, late], [late, early]):
        answers = read_answers(TASKS, both, CONTROL)
        assert answers.crowd.counts.tolist() == [[0, 1], [0, 0], [0, 0]]
        assert answers.set_aside == {"superseded by the annotator's later one": 1}


def test_a_later_skip_does_not_take_an_answer_back():
    answers = read_answers(TASKS, [annotation(1, 1, 7, "a"), annotation(2, 1, 7, None, skipped=True, at=5)], CONTROL)
    assert answers.crowd.num_answers.tolist() == [1, 0, 0]


def test_contradicting_ground_truths_are_named():
    both = [annotation(1, 2, 7, "a", truth=True), annotation(2, 2, 8, "b", truth=True, at=1)]
    answers = read_answers(TASKS, both, CONTROL, trust_ground_truth=True)
    assert answers.known_labels.tolist() == [-1, 1, -1]
    assert answers.conflicting_truths == (2,)
    assert len(answers.crowd.label) == 0


def test_labels_outside_the_config_are_classes_and_named():
    both = [annotation(1, 1, 7, "z"), annotation(2, 2, 7, "a"), annotation(3, 2, 8, "z")]
    answers = read_answers(TASKS, both, CONTROL)
    assert answers.crowd.classes.tolist() == ["a", "b", "z"]
    assert answers.outside_config == ("z",)


def test_labels_of_one_persons_own_are_not_classes_of_everybody():
    tasks = np.arange(1, 1001)
    own = [annotation(number, number, 7, f"my {number}") for number in tasks.tolist()]
    deleted = [annotation(2001, 1, 0, "gone"), annotation(2002, 1, -1, "gone")]  # who knows how many they were
    true = [annotation(3001, 5, 8, "c", truth=True)]
    answers = read_answers(tasks, [*own, *deleted, *true], CONTROL, trust_ground_truth=True)
    assert answers.crowd.classes.tolist() == ["a", "b", "c"]
    assert answers.set_aside[ALONE] == 1002
    two = [annotation(10_000 + number, number, 8, f"my {number}") for number in tasks.tolist()]
    answers = read_answers(tasks, [*own, *two], CONTROL)
    assert len(answers.crowd.classes) == 102
    assert len(answers.crowd.label) + answers.set_aside[ALONE] == 2000


def test_a_crowd_that_needs_more_memory_than_there_is_is_refused():
    crowd = read_answers(np.arange(1000), [annotation(1, 1, 7, "a")], CONTROL).crowd
    check_memory(crowd)
    with pytest.raises(UserError, match=r"1,000 tasks in 2 classes need up to .* GB of memory, and there are 0\.0"):
        check_memory(crowd, there_is=1000.0)


def test_of_a_taxonomy_only_the_paths_in_use_are_classes():
    paths = "".join(f'<Choice value="p{n}"/>' for n in range(500))
    control = find_control(CONFIG.format(f'<Taxonomy name="c" toName="t">{paths}</Taxonomy>'))
    answers = read_answers(TASKS, [annotation(1, 1, 7, "p42", control=control)], control)
    assert answers.crowd.classes.tolist() == ["p42"]


def test_no_class_anywhere_is_an_error():
    control = find_control(CONFIG.format('<Choices name="c" toName="t" value="$options"/>'))
    with pytest.raises(UserError, match="offers no classes"):
        read_answers(TASKS, [], control)


def own_choices(control, options):
    return OwnChoices.read(control, {task: {"options": own} for task, own in enumerate(options, 1)})


def test_choices_that_differ_from_task_to_task_are_classes_by_their_place():
    control = find_control(
        CONFIG.format('<Choices name="c" toName="t" value="$options"><Choice value="none"/></Choices>')
    )
    own = own_choices(control, [["p", "q"], ["r", "s"], ["t", "u"]])
    said = [(1, 7, "q"), (1, 8, "q"), (2, 7, "r"), (2, 8, "gone"), (3, 7, "none")]
    given = [annotation(n, task, who, label, control=control) for n, (task, who, label) in enumerate(said)]
    answers = read_answers(TASKS, given, control, own=own)
    assert answers.crowd.classes.tolist() == ["none", "choice 1 of the task", "choice 2 of the task"]
    assert [[answers.answer(row, code) for code in range(3)] for row in range(2)] == [["none", *"pq"], ["none", *"rs"]]
    assert answers.crowd.label.tolist() == [2, 2, 1, 0]
    assert answers.set_aside == {"with a choice that their task does not offer": 1}
    assert answers.outside_config == ()


def test_choices_that_every_task_offers_are_classes_by_their_label():
    control = find_control(CONFIG.format('<Choices name="c" toName="t" value="$options"/>'))
    own = own_choices(control, [["p", "q"], ["q", "p"], ["p", "q"]])
    answers = read_answers(TASKS, [annotation(1, 2, 7, "q", control=control)], control, own=own)
    assert answers.crowd.classes.tolist() == ["p", "q"]
    assert answers.answer(1, 1) == "q"


def test_of_a_thousand_own_choices_no_agreement_is_taken_for_more_than_it_is():
    """Four choices a task, three votes each of annotators who are right in .3 to .9 of the tasks."""
    rng, tasks = np.random.default_rng(0), np.arange(1, 301)
    control = find_control(CONFIG.format('<Choices name="c" toName="t" value="$options"/>'))
    own = own_choices(control, [[f"{task} {place}" for place in range(4)] for task in tasks])
    truth, given = rng.integers(0, 4, 300), []
    for task in tasks.tolist():
        for who in rng.choice(6, 3, replace=False).tolist():
            right = rng.random() < (0.9, 0.8, 0.75, 0.7, 0.6, 0.3)[who]
            place = truth[task - 1] if right else rng.choice(np.delete(np.arange(4), truth[task - 1]))
            given.append(annotation(len(given), task, who, f"{task} {place}", control=control))
    scores = score(read_answers(tasks, given, control, own=own), None, **{**RULE, "target_quality": 0.9})
    settled = scores.settled & (scores.result.quality >= 0.9)
    assert settled.mean() > 0.2
    assert (scores.result.consensus == truth)[settled].mean() > 0.93


@pytest.mark.parametrize(
    ("given", "count_skipped", "occupied"),
    [
        ([annotation(1, 1, 7, "a"), annotation(2, 1, 8, "a")], False, 2),
        ([annotation(1, 1, 7, "a"), annotation(2, 1, 7, "b")], False, 2),  # Label Studio's locks count both
        ([annotation(1, 1, 7, "a"), annotation(2, 1, 8, None, skipped=True)], False, 1),
        ([annotation(1, 1, 7, "a"), annotation(2, 1, 8, None, skipped=True)], True, 2),
        ([annotation(1, 1, 7, "a", truth=True), annotation(2, 1, 8, "a", truth=True)], False, 2),
    ],
)
def test_what_an_overlap_must_exceed(given, count_skipped, occupied):
    assert read_answers(TASKS, given, CONTROL, count_skipped=count_skipped).occupied.tolist() == [occupied, 0, 0]


RULE = {"target_quality": 0.8, "min_labels": 1, "max_labels": 5}


def test_without_a_classifier_one_label_settles_nothing():
    given = [annotation(n, n, who, "a") for n, who in ((1, 7), (2, 7), (2, 8))]
    answers = read_answers(TASKS, given, CONTROL)
    assert score(answers, None, target_quality=0, max_labels=5).settled_by.tolist() == ["", "quality", ""]
    pred_probs = np.array([[0.9, 0.1]] * 3)
    assert score(answers, pred_probs, target_quality=0, max_labels=5).settled_by.tolist() == ["quality", "quality", ""]


def test_what_settled_a_task_is_named():
    given = [annotation(1, 1, 7, "a", truth=True), annotation(2, 2, 7, "a"), annotation(3, 2, 8, "b")]
    given += [annotation(4, 3, 7, None, skipped=True), annotation(5, 3, 8, None, skipped=True)]
    answers = read_answers(TASKS, given, CONTROL, trust_ground_truth=True)
    assert answers.skips.tolist() == [0, 0, 2]
    found = score(answers, None, target_quality=1, max_labels=2)
    assert found.settled_by.tolist() == ["truth", "labels", "skips"]
    assert score(answers, None, target_quality=1, max_labels=3).settled_by.tolist() == ["truth", "", ""]


def test_min_labels_keeps_a_task_open_and_max_labels_closes_it():
    given = [annotation(n, 1, n, "ab"[n % 2]) for n in range(4)] + [annotation(9, 2, 1, "a")]
    answers = read_answers(TASKS, given, CONTROL)
    pred_probs = np.array([[0.5, 0.5], [0.999, 0.001], [0.999, 0.001]])
    assert score(answers, pred_probs, **{**RULE, "target_quality": 0.4}).settled.tolist() == [True, True, False]
    settled = score(answers, pred_probs, **{**RULE, "target_quality": 0.4, "min_labels": 2}).settled
    assert settled.tolist() == [True, False, False]
    assert score(answers, None, **{**RULE, "target_quality": 1, "max_labels": 4}).settled.tolist() == [
        True,
        False,
        False,
    ]


def test_the_same_input_gives_the_same_bytes():
    rng = np.random.default_rng(0)
    tasks = np.arange(200)
    given = [
        annotation(number, int(task), int(who), "ab"[rng.integers(2)])
        for number, (task, who) in enumerate({(t, w) for t, w in rng.integers(0, (200, 9), (500, 2))})
    ]
    pred_probs = rng.dirichlet([1, 1], 200)
    one = score(read_answers(tasks, given, CONTROL), pred_probs, **RULE)
    two = score(read_answers(tasks, given[::-1], CONTROL), pred_probs.copy(), **RULE)
    assert one.priority.tobytes() == two.priority.tobytes()
    assert one.result.quality.tobytes() == two.result.quality.tobytes()
    assert one.result.consensus.tobytes() == two.result.consensus.tobytes()


def test_a_settled_task_stays_settled_until_its_quality_is_clearly_lower():
    answers = read_answers(TASKS, [annotation(10 * n + who, n, who, "a") for n in (1, 2, 3) for who in (7, 8)], CONTROL)
    quality = score(answers, None, **RULE).result.quality[0]
    rule = {**RULE, "target_quality": quality + 0.01}
    assert not score(answers, None, **rule).settled.any()
    before = np.array([True, False, True])
    assert score(answers, None, **rule, settled_before=before).settled.tolist() == [True, False, True]
    rule["target_quality"] = quality + 0.03
    assert not score(answers, None, **rule, settled_before=before).settled.any()


@pytest.mark.parametrize("consensus", ["hierarchical-dawid-skene", "crowdlab"])
def test_no_task_settles_on_a_label_that_nobody_gave(consensus):
    tasks = np.arange(1, 42)
    given = [
        annotation(10 * task + who, task, who, "ab"[(task + (who == 9)) % 2])
        for task in range(1, 41)
        for who in (1, 2, 9)
    ]
    given.append(annotation(999, 41, 9, "a"))  # by whom is always wrong; the model, always right, says b
    answers = read_answers(tasks, given, CONTROL)
    pred_probs = np.where((np.arange(1, 42)[:, None] % 2) == [0, 1], 0.999, 0.001)
    rule = {"target_quality": 0.0, "min_labels": 1, "consensus": consensus}
    found = score(answers, pred_probs, max_labels=5, **rule)
    assert np.flatnonzero(found.model_disagrees).tolist() == [40]
    assert found.result.consensus[40] == 1
    assert found.result.quality[40] > 0.5
    assert np.flatnonzero(~found.settled).tolist() == [40]
    closed = score(answers, pred_probs, max_labels=1, **rule)
    assert (closed.settled_by[40], closed.model_disagrees[40]) == ("labels", True)
    unheard = score(answers, pred_probs, max_labels=5, predicted=tasks < 41, **rule)
    assert not unheard.model_disagrees.any()  # the classifier has not seen the task: a mean stands in its place
    assert not unheard.settled[40]


def some_answers(num_tasks=60, num_annotators=6, seed=0):
    """Answers of a crowd of differing skill, some tasks without any, and a model's probabilities."""
    rng = np.random.default_rng(seed)
    truth, skill = rng.integers(2, size=num_tasks), np.linspace(0.6, 0.95, num_annotators)
    given = [
        annotation(number, task + 1, who, "ab"[truth[task] ^ (rng.random() > skill[who])])
        for number, (task, who) in enumerate(
            (task, who) for task in range(num_tasks - 5) for who in rng.permutation(num_annotators)[: 1 + task % 3]
        )
    ]
    sure = rng.uniform(0.4, 0.95, num_tasks)
    pred_probs = np.where(truth[:, None] == [0, 1], sure[:, None], 1 - sure[:, None])
    return read_answers(np.arange(1, num_tasks + 1), given, CONTROL), pred_probs


@pytest.mark.parametrize("model", [True, False])
def test_crowdlab_gives_the_published_methods_numbers(model):
    answers, pred_probs = some_answers()
    pred_probs = pred_probs if model else None
    found = score(answers, pred_probs, **RULE, consensus="crowdlab")
    expected = crowdlab(answers.crowd, pred_probs)
    said = ~overruled_tasks(answers.crowd, expected.consensus)
    np.testing.assert_array_equal(found.result.consensus, expected.consensus)
    np.testing.assert_array_equal(found.result.quality, expected.quality)
    np.testing.assert_array_equal(found.result.annotators.quality, expected.annotators.quality)
    np.testing.assert_array_equal(found.priority, activelab(answers.crowd, pred_probs))
    good = said & (expected.quality >= RULE["target_quality"]) & (answers.crowd.num_answers > 0)
    np.testing.assert_array_equal(found.settled_by == "quality", good)
    assert np.isnan(found.quality_interval).all()


@pytest.mark.parametrize("model", [True, False])
def test_by_default_it_is_hierarchical_dawid_skene_and_least_confidence(model):
    answers, pred_probs = some_answers()
    pred_probs = pred_probs if model else None
    found = score(answers, pred_probs, **RULE)
    expected = hierarchical_dawid_skene(answers.crowd, pred_probs, most_exponent=MOST_EXPONENT)
    np.testing.assert_array_equal(found.result.consensus, expected.consensus)
    np.testing.assert_array_equal(found.result.quality, expected.quality)
    least = least_confidence(answers.crowd, pred_probs, most_exponent=MOST_EXPONENT)
    np.testing.assert_array_equal(found.priority, least)
    low, high = found.quality_interval.T
    assert (low < found.result.annotators.quality).all()
    assert (found.result.annotators.quality < high).all()


@pytest.mark.parametrize("model", [True, False])
def test_crowdlab_and_activelab_give_a_second_opinion(model):
    answers, pred_probs = some_answers()
    pred_probs = pred_probs if model else None
    found = score(answers, pred_probs, **RULE)
    expected = crowdlab(answers.crowd, pred_probs)
    np.testing.assert_array_equal(found.second_opinion.result.consensus, expected.consensus)
    np.testing.assert_array_equal(found.second_opinion.score, activelab(answers.crowd, pred_probs))
    differs = (expected.consensus != found.result.consensus) & (answers.crowd.num_answers > 0)
    np.testing.assert_array_equal(found.crowdlab_differs, differs)
    assert score(answers, pred_probs, **RULE, consensus="crowdlab").second_opinion is None


def test_nobody_doubts_a_known_truth():
    answers = read_answers(
        np.arange(1, 4),
        [annotation(n, 1, n, "a") for n in range(2, 6)] + [annotation(9, 1, 9, "b", truth=True)],
        CONTROL,
        trust_ground_truth=True,
    )
    found = score(answers, None, **RULE)
    assert not found.crowdlab_differs.any()


def test_agreement_is_of_tasks_on_whose_consensus_more_than_one_has_a_say():
    tasks = np.arange(1, 41)
    alone = [annotation(n, n, 7, "ab"[n % 2]) for n in range(1, 41)]
    answers = read_answers(tasks, [*alone, annotation(50, 1, 8, "b"), annotation(51, 1, 9, "a")], CONTROL)
    says_the_same = np.where(tasks[:, None] % 2 == [0, 1], 0.9, 0.1)

    def judged(pred_probs, **given):
        return score(answers, pred_probs, **RULE, **given).judged.tolist()

    only_the_first = [True] + [False] * 39
    assert judged(None) == only_the_first
    assert judged(says_the_same) == [True] * 40
    assert judged(1 - says_the_same) == only_the_first  # a model that agrees with nobody is not heard
    assert judged(says_the_same, predicted=tasks > 38) == [True] + [False] * 37 + [True] * 2
    assert judged(says_the_same, consensus="crowdlab") == [True] * 40
    found = score(answers, None, **RULE)
    assert "ab"[found.result.consensus[0]] == "b"
    assert found.agreement.tolist() == [1, 1, 0]
    known = read_answers(tasks, [*alone, annotation(50, 2, 8, "b", truth=True)], CONTROL, trust_ground_truth=True)
    found = score(known, None, **RULE)
    assert found.agreement.tolist() == [0]
    assert np.isnan(score(read_answers(tasks, alone, CONTROL), None, **RULE).agreement).all()


@pytest.mark.parametrize("model", [True, False])
def test_quality_settles_nothing_where_annotators_cannot_be_compared(model):
    tasks = np.arange(1, 41)
    alone = [annotation(n, n, n % 3, "ab"[n % 2]) for n in range(1, 41)]
    pred_probs = np.where(tasks[:, None] % 2 == [0, 1], 0.95, 0.05) if model else None
    rule = {**RULE, "target_quality": 0.5}
    found = score(read_answers(tasks, alone, CONTROL), pred_probs, **rule)
    assert (found.result.quality > 0.5).all()
    assert not found.settled.any()
    # annotators 1 and 2 meet on task 2; nobody has met annotator 0
    together = [*alone, annotation(100, 2, 1, "a")]
    found = score(read_answers(tasks, together, CONTROL), pred_probs, **rule)
    assert (found.result.quality > 0.5).all()
    assert found.settled.tolist() == (tasks % 3 > 0).tolist()
    # who labelled a task of known truth can be judged by it
    checked = [*alone, annotation(100, 3, 9, "b", truth=True)]
    found = score(read_answers(tasks, checked, CONTROL, trust_ground_truth=True), pred_probs, **rule)
    assert found.settled.tolist() == (tasks % 3 == 0).tolist()


def test_it_is_said_where_thousands_of_classes_need_much_memory():
    assert memory_note(tasks=10_000, labels=50_000, annotators=300, classes=10) is None
    assert memory_note(tasks=4000, labels=12_000, annotators=30, classes=100) is None
    found, mend = memory_note(tasks=4000, labels=12_000, annotators=30, classes=3000)
    assert found.startswith("12,000 labels of 4,000 tasks in 3,000 classes: each run needs up to 3.7 GB")
    assert "--control" in mend
    assert "--classifier none" in mend
