"""Simulated crowds are what they say they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdcore.simulation import (
    STRATEGIES,
    correlated_errors,
    discrete_difficulty,
    find_strategy,
    hammer_spammer,
    imbalanced_votes,
    independent_confusion,
    student_teacher,
)

EACH = [strategy.run for strategy in STRATEGIES.values()]


def loads(made):
    return np.bincount(made.crowd.annotator, minlength=len(made.crowd.annotators))


def said(made):
    """How often each annotator gave each label to each true class, and how often they had that class."""
    M, K = made.confusions.shape[:2]
    cell = (made.crowd.annotator * K + made.truth[made.crowd.task]) * K + made.crowd.label
    counts = np.bincount(cell, minlength=M * K * K).reshape(M, K, K)
    return counts, counts.sum(axis=2, keepdims=True)


@pytest.mark.parametrize("strategy", EACH)
def test_the_same_seed_gives_the_same_crowd_and_another_seed_another(strategy):
    a, b, c = (strategy(50, 8, 3, answers_per_task=4, seed=seed) for seed in (3, 3, 4))
    assert a.to_frame().equals(b.to_frame())
    assert np.array_equal(a.confusions, b.confusions)
    assert not a.to_frame().equals(c.to_frame())


@pytest.mark.parametrize("strategy", EACH)
def test_everybody_answers_everything_unless_told_otherwise(strategy):
    made = strategy(20, 5, 3)
    if strategy is imbalanced_votes:
        assert set(made.crowd.num_answers) == {1, 2, 3, 4, 5}
    else:
        assert (made.crowd.num_answers == 5).all()


def assert_a_proper_crowd(crowd):
    """Nobody answers a task twice, and answers are in the crowd's order."""
    key = crowd.task * len(crowd.annotators) + crowd.annotator
    assert (np.diff(key) > 0).all()
    assert crowd.indptr[-1] == len(crowd.label) == len(crowd.annotator)


@given(
    n_tasks=st.integers(1, 40), n_annotators=st.integers(1, 12), imbalance=st.booleans(), seed=st.integers(0, 99),
    data=st.data(),
)  # fmt: skip
@settings(deadline=None)
def test_answers_a_task_are_kept_exactly_and_workload_is_the_most_beside_them(
    n_tasks, n_annotators, imbalance, seed, data
):
    wanted = data.draw(st.integers(1, n_annotators))
    least = -(-n_tasks * wanted // n_annotators)
    workload = data.draw(st.none() | st.integers(least, n_tasks))
    made = independent_confusion(
        n_tasks, n_annotators, answers_per_task=wanted, workload=workload, imbalance_votes=imbalance, seed=seed
    )
    assert_a_proper_crowd(made.crowd)
    if imbalance:
        assert ((made.crowd.num_answers >= 1) & (made.crowd.num_answers <= wanted)).all()
    else:
        assert (made.crowd.num_answers == wanted).all()
    if workload is not None:
        assert loads(made).max() <= workload
        assert np.ptp(loads(made)) <= 1


@given(n_tasks=st.integers(1, 40), n_annotators=st.integers(1, 12), seed=st.integers(0, 99), data=st.data())
@settings(deadline=None)
def test_workload_alone_is_kept_exactly(n_tasks, n_annotators, seed, data):
    workload = data.draw(st.integers(1, n_tasks))
    made = independent_confusion(n_tasks, n_annotators, workload=workload, seed=seed)
    assert_a_proper_crowd(made.crowd)
    assert (loads(made) == workload).all()


@pytest.mark.parametrize("wanted", [2, 5, 6])  # a few of eight annotators, half, and most of them
@pytest.mark.parametrize("workload", [None, 20_000])
def test_all_sets_of_annotators_are_equally_likely(wanted, workload):
    crowd = independent_confusion(20_000, 8, answers_per_task=wanted, workload=workload, seed=1).crowd
    there = np.zeros((20_000, 8))
    there[crowd.task, crowd.annotator] = 1
    together = there.T @ there / 20_000
    pair = wanted * (wanted - 1) / (8 * 7)
    assert np.allclose(np.diagonal(together), wanted / 8, rtol=0, atol=0.02)
    assert np.allclose(together[~np.eye(8, dtype=bool)], pair, rtol=0, atol=0.02)


def test_numbers_of_answers_are_evenly_spread_when_votes_are_imbalanced():
    sizes = imbalanced_votes(30_000, 30, answers_per_task=10, seed=0).crowd.num_answers
    assert np.allclose(np.bincount(sizes)[1:] / 30_000, 0.1, rtol=0, atol=0.01)


def test_class_shares():
    truth = independent_confusion(20_000, 3, 3, answers_per_task=1, class_shares=[6, 3, 1]).truth
    assert np.allclose(np.bincount(truth) / 20_000, [0.6, 0.3, 0.1], rtol=0, atol=0.02)


@pytest.mark.parametrize("strategy", [independent_confusion, hammer_spammer, student_teacher, correlated_errors])
def test_labels_follow_the_confusion_matrices(strategy):
    made = strategy(30_000, 6, 3, seed=5)
    counts, had = said(made)
    expected = made.confusions * had
    likely = expected > 0
    assert (counts[~likely] == 0).all()
    # each term is about a squared standard normal; 60 answers of one task may share their luck
    z = (counts - expected)[likely] ** 2 / expected[likely]
    assert z.max() < 25
    assert z.mean() < 3


def test_an_identity_matrix_is_always_right():
    eye = np.tile(np.eye(4), (5, 1, 1))
    for strategy in (independent_confusion, student_teacher, discrete_difficulty, correlated_errors):
        options = {"ratio": 0.0} if strategy is student_teacher else {}
        assert strategy(500, 5, 4, confusions=eye, **options).accuracy == 1.0


@pytest.mark.parametrize(("ratio", "annotators", "spammers"), [(0, 10, 0), (0.29, 100, 29), (0.25, 10, 2), (1, 10, 10)])
def test_hammers_are_right_and_the_share_of_spammers_guesses(ratio, annotators, spammers):
    made = hammer_spammer(2000, annotators, 4, ratio=ratio, seed=1)
    accuracy = np.diagonal(said(made)[0], axis1=1, axis2=2).sum(axis=1) / 2000
    assert (accuracy[: annotators - spammers] == 1).all()
    assert np.allclose(accuracy[annotators - spammers :], 0.25, rtol=0, atol=0.06)
    assert np.allclose(made.annotator_accuracy, [1.0] * (annotators - spammers) + [0.25] * spammers)


def test_students_have_their_teachers_matrix():
    made = student_teacher(100, 20, 3, ratio=0.6, seed=2)
    assert (made.teacher >= 0).sum() == 12
    students = np.flatnonzero(made.teacher >= 0)
    assert students.tolist() == list(range(8, 20))
    assert (made.teacher[made.teacher[students]] == -1).all()
    assert np.array_equal(made.confusions[students], made.confusions[made.teacher[students]])
    teachers = made.confusions[:8]
    assert np.allclose(teachers.sum(axis=2), 1)
    assert (np.diagonal(teachers, axis1=1, axis2=2) == teachers.max(axis=2)).all()


def test_difficulties_have_their_shares_and_their_effect():
    made = discrete_difficulty(20_000, 10, 4, ratio=0.5, ratio_diff=3, random=0.2, seed=0)
    shares = {level: (made.difficulty == level).mean() for level in ("easy", "hard", "random")}
    assert shares == pytest.approx({"easy": 0.6, "hard": 0.2, "random": 0.2}, abs=0.02)
    right = made.crowd.label == made.truth[made.crowd.task]
    level = made.difficulty[made.crowd.task]
    assert right[level == "easy"].all()
    assert right[level == "random"].mean() == pytest.approx(0.25, abs=0.02)
    hard = [right[(level == "hard") & (made.crowd.annotator == j)].mean() for j in range(10)]
    assert np.allclose(hard, np.einsum("mkk->m", made.confusions) / 4, rtol=0, atol=0.06)
    assert min(hard[:5]) > max(hard[5:])
    found = np.bincount(made.crowd.annotator, right) / 20_000
    assert np.allclose(found, made.annotator_accuracy, rtol=0, atol=0.03)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_errors_coincide_as_much_as_they_are_correlated(n_classes):
    right = 0.7
    confusion = np.full((n_classes, n_classes), (1 - right) / (n_classes - 1))
    np.fill_diagonal(confusion, right)
    shared, same = [], []
    for correlation in (0.0, 0.5, 1.0):
        made = correlated_errors(20_000, 2, n_classes, correlation=correlation, confusions=[confusion] * 2, seed=1)
        labels = made.crowd.label.reshape(-1, 2)
        wrong = labels != made.truth[:, None]
        shared.append(wrong.all(axis=1).mean())
        both = labels[wrong.all(axis=1)]
        same.append((both[:, 0] == both[:, 1]).mean())
        assert wrong.mean() == pytest.approx(0.3, abs=0.02)  # each alone is as good as ever
    # both by the task's luck on correlation ** 2 of the tasks, independent otherwise
    assert shared == pytest.approx([0.09, 0.25 * 0.3 + 0.75 * 0.09, 0.3], abs=0.02)
    assert same[2] == 1
    assert same == sorted(same)


def test_a_frame_has_the_truth_beside_each_answer():
    made = hammer_spammer(10, 2, 3, ratio=0)
    frame = made.to_frame()
    assert list(frame) == ["task", "annotator", "label", "truth"]
    assert (frame["label"] == frame["truth"]).all()
    assert len(frame) == 20


def test_strategies_are_found_by_peerannots_names_and_say_what_they_take():
    for name in ("hammer-spammer", "student-teacher", "independent-confusion", "discrete-difficulty"):
        assert find_strategy(name).name == name
    assert find_strategy("Imbalance-Votes").run is imbalanced_votes
    assert find_strategy("hammer-spammer").options["ratio"] == 0.1
    for name, strategy in STRATEGIES.items():
        assert find_strategy(strategy.run.__name__) is STRATEGIES[strategy.name] is STRATEGIES[name]


BAD = [
    (independent_confusion, {"n_tasks": 0}, "n_tasks is 0; it must be a whole number, 1 or more"),
    (independent_confusion, {"n_classes": 2.5}, "n_classes is 2.5; it must be a whole number"),
    (independent_confusion, {"n_annotators": True}, "n_annotators is True"),
    (independent_confusion, {"seed": -1}, "seed is -1; it must be a whole number, 0 or more"),
    (independent_confusion, {"answers_per_task": 21}, "answers_per_task is 21; .* from 1 to 20, the number of annot"),
    (independent_confusion, {"workload": 101}, "workload is 101; .* from 1 to 100, the number of tasks"),
    (independent_confusion, {"workload": 5, "answers_per_task": 2}, "100 tasks need 200 answers, and 20 .* give 100"),
    (independent_confusion, {"answers_per_task": 0, "imbalance_votes": True}, "answers_per_task is 0; .*from 1 to 20"),
    (independent_confusion, {"class_shares": [1]}, r"class_shares are \[1.0\]; expected 2 finite"),
    (independent_confusion, {"class_shares": [0, 0]}, "at least one above 0"),
    (independent_confusion, {"confusions": np.eye(2)}, r"shape \(2, 2\); expected \(20, 2, 2\)"),
    (independent_confusion, {"confusions": np.ones((20, 2, 2))}, "row 0 of annotator 0 is .* Divide each row"),
    (hammer_spammer, {"ratio": 1.5}, "ratio is 1.5; it must be a share, from 0 to 1"),
    (student_teacher, {"ratio": 1}, "all 20 annotators are students. Choose a smaller ratio"),
    (discrete_difficulty, {"random": -0.1}, "random is -0.1; it must be a share"),
    (discrete_difficulty, {"ratio_diff": np.inf}, "ratio_diff is inf; it must be"),
    (correlated_errors, {"correlation": "much"}, "correlation is 'much'; it must be a share"),
    (find_strategy, {"name": "oracle"}, "no strategy 'oracle'. Choose one of independent-confusion, hammer-spammer"),
    (STRATEGIES["hammer-spammer"], {"correlation": 1}, "hammer-spammer has no option 'correlation'; it has n_tasks"),
]


@pytest.mark.parametrize(("call", "options", "message"), BAD)
def test_an_error_says_what_was_found_and_what_is_allowed(call, options, message):
    with pytest.raises(ValueError, match=message):
        call(**options)
