"""A classifier of sets and a regressor of numbers, learned from the crowd: good ones help, useless ones are silent."""

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from crowdcore.kinds import AnswerTable, label_sets, numbers
from crowdcore.learning import OutOfFoldNumbers
from tests.crowdcore.kinds.crowds import draw_numbers, draw_sets, table


def noisy_numbers(each, seed=0, num_tasks=300):
    """Answers whose errors are as large as the truths' spread, features that tell half of the truth, the truth."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(num_tasks, 5))
    truth = 50 + 10 * (features @ [1.0, -1.0, 0.5, 0.0, 0.0] + 1.5 * rng.normal(size=num_tasks))
    rows = [
        (i, f"w{j}", truth[i] + rng.normal(0, 20))
        for i in range(num_tasks)
        for j in rng.choice(15, each, replace=False).tolist()
    ]
    return table(rows, tasks=range(num_tasks)), features, truth


def off(result, truth):
    return np.abs(result.consensus - truth).mean()


@pytest.mark.parametrize(("each", "part"), [(2, 0.9), (4, 0.96)])
def test_a_regressor_helps_where_answers_are_few(each, part):
    given, features, truth = noisy_numbers(each)
    alone, learned = numbers(given), numbers(given, features=features)
    assert off(learned, truth) < part * off(alone, truth)
    low, high = learned.interval.T
    assert ((low <= truth) & (truth <= high)).mean() > 0.85
    assert 0.2 < learned.explained < 0.8  # half of the truth is in the features, whatever the answers' errors


@pytest.mark.parametrize("each", [1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_a_regressor_that_knows_nothing_changes_nothing(each, seed):
    given, _, _ = noisy_numbers(each, seed)
    useless = np.random.default_rng(seed + 10).normal(size=(300, 5))
    alone, learned = numbers(given), numbers(given, features=useless)
    assert np.array_equal(alone.consensus, learned.consensus)
    assert np.array_equal(alone.interval, learned.interval)
    assert learned.explained == 0


def test_a_regressor_of_the_mean_does_not_foretell_the_opposite():
    given, features, _ = noisy_numbers(3)
    learned = numbers(given, features=features, regressor=DummyRegressor())
    assert learned.explained == 0
    assert np.ptp(learned.predictions) == 0


def test_tasks_without_answers_have_the_prediction_and_its_doubt():
    given, features, truth = noisy_numbers(3, num_tasks=300)
    rows = given.to_long()
    some = AnswerTable.from_long(rows[rows.task < 250], tasks=range(300))
    result = numbers(some, features=features, regressor=Ridge())
    unanswered = np.arange(300) >= 250
    assert np.corrcoef(result.consensus[unanswered], truth[unanswered])[0, 1] > 0.5
    low, high = result.interval[unanswered].T
    assert ((low <= truth[unanswered]) & (truth[unanswered] <= high)).mean() > 0.8
    assert (high - low).min() > np.median(np.diff(result.interval[:250]))


def test_tasks_without_a_prediction_are_believed_as_without_predictions():
    given, _, truth = noisy_numbers(2)
    alone, told = numbers(given), numbers(given, np.where(np.arange(300) < 150, truth, np.nan))
    assert off(told, truth) < off(alone, truth)
    later = slice(150, 300)
    assert np.abs(told.consensus - truth)[later].mean() < 1.05 * np.abs(alone.consensus - truth)[later].mean()
    assert np.median(np.ptp(told.interval[later], axis=1)) > 0.8 * np.median(np.ptp(alone.interval[later], axis=1))


def test_known_numbers_teach_the_regressor():
    _, features, truth = noisy_numbers(1)
    nobody = table([(0, "a", float(truth[0]))], tasks=range(300))
    known = np.where(np.arange(300) < 200, truth, np.nan)
    result = numbers(nobody, features=features, known=known)
    assert np.corrcoef(result.consensus[200:], truth[200:])[0, 1] > 0.5


def test_what_is_no_regressor_is_refused():
    given, features, _ = noisy_numbers(2)
    for wrong in (LogisticRegression(), object()):
        with pytest.raises(ValueError, match="it must be a scikit-learn regressor"):
            numbers(given, features=features, regressor=wrong)
    with pytest.raises(ValueError, match=r"features have shape \(2, 5\); expected \(300, d\)"):
        numbers(given, features=features[:2])


def test_no_number_has_a_say_in_its_own_prediction():
    rng = np.random.default_rng(0)
    features, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    learner = OutOfFoldNumbers(np.arange(50), features, Ridge(), np.ones(50, np.bool_))
    y = features @ [1.0, 2.0, 3.0] + 0.1 * y
    before = learner.predict(y)
    y[7] += 100
    assert learner.predict(y)[7] == pytest.approx(before[7])


def known_features(truth, classes, noise=0.7, seed=0):
    rng = np.random.default_rng(seed)
    right = np.array([[name in labels for name in classes] for labels in truth], float)
    return right + noise * rng.normal(size=right.shape), right


def f1(result, truth):
    return np.mean(
        [
            2 * len(found & true) / (len(found) + len(true)) if found or true else 1.0
            for found, true in zip(result.consensus, truth, strict=True)
        ]
    )


def test_a_classifier_of_each_class_helps():
    given, truth, classes = draw_sets(6, found=0.6, made_up=0.6, each=2)
    features, _ = known_features(truth, classes)
    alone, learned = label_sets(given, classes=classes), label_sets(given, classes=classes, features=features)
    assert f1(learned, truth) > f1(alone, truth) + 0.03
    own = label_sets(given, classes=classes, features=features, classifier=LogisticRegression())
    assert f1(own, truth) > f1(alone, truth) + 0.03


@pytest.mark.parametrize("seed", range(3))
def test_a_classifier_that_knows_nothing_changes_nothing(seed):
    given, truth, classes = draw_sets(6, each=3, seed=seed)
    useless = np.random.default_rng(seed + 10).normal(size=(len(truth), 5))
    alone, learned = label_sets(given, classes=classes), label_sets(given, classes=classes, features=useless)
    assert np.array_equal(alone.probability, learned.probability)


def test_how_common_classes_are_is_no_knowledge_of_tasks():
    rng = np.random.default_rng(0)
    rows = [
        (i, j, {name for name, share in (("a", 0.7), ("b", 0.2), ("c", 0.05)) if rng.random() < share})
        for i in range(200)
        for j in range(3)
    ]
    given = table(rows, tasks=range(200))
    alone, told = label_sets(given), label_sets(given, np.tile([0.7, 0.2, 0.05], (200, 1)))
    assert np.array_equal(alone.probability, told.probability)


def test_sets_that_nobody_gave_are_the_classifiers():
    given, truth, classes = draw_sets(6, num_tasks=300)
    features, right = known_features(truth, classes, noise=0.3)
    rows = given.to_long()
    some = AnswerTable.from_long(rows[rows.task < 250], tasks=range(300))
    for result in (
        label_sets(some, classes=classes, features=features),
        label_sets(some, right * 0.9 + 0.05, classes=classes),
    ):
        assert np.mean((result.probability[250:] > 0.5) == right[250:]) > 0.9


def test_many_classes_are_learned_too():
    given, truth, classes = draw_sets(60, num_tasks=200)
    features, right = known_features(truth, classes, noise=0.1)
    result = label_sets(given, classes=classes, features=features)
    assert f1(result, truth) >= f1(label_sets(given, classes=classes), truth)
    assert result.probability.shape == right.shape


def test_draws_are_as_without_a_learner():
    given, truth, _, _ = draw_numbers()
    assert numbers(given).predictions is None
    assert numbers(given).explained == 0
    assert off(numbers(given), truth) < 5
