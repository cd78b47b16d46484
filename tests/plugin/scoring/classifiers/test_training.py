"""Training."""

import re
import subprocess
import sys

import numpy as np
import pytest

from crowdcore import Crowd
from label_studio_crowd.scoring.classifiers import build, train
from label_studio_crowd.wording import percent
from tests.plugin.scoring.classifiers.topical_texts import (
    assert_probabilities,
    noisy_crowd,
    tasks_of,
    topical,
)


def test_training_settles_and_tells_its_story():
    tasks, truth = topical(300, topical_words=5)
    heard = []
    trained = train(
        build("auto", tasks, n_classes=3),
        noisy_crowd(truth, 3, skill=0.8),
        rounds=6,
        progress=lambda *step: heard.append(step),
    )
    assert_probabilities(trained.pred_probs, 300, 3)
    assert trained.settled
    assert trained.rounds == len(trained.changed) == len(trained.log_loss) < 6
    assert trained.informative
    assert trained.agreement > 0.9
    assert f"Out of sample it agrees with {percent(trained.agreement, 1)}" in trained.summary
    assert heard[0] == ("training, round 1 of at most 6: reading text", 0, 1)
    assert all(0 <= done <= total for _, done, total in heard)
    assert heard[-1][1] == heard[-1][2]


def test_training_stops_after_the_rounds_allowed():
    tasks, truth = topical(200)
    trained = train(build("text", tasks, n_classes=3), noisy_crowd(truth, 3, skill=0.5), rounds=1)
    assert trained.rounds == 1
    assert re.search(r"\n1 round changed [\d.]+ % of the consensus labels\. After the last", trained.summary)
    assert not trained.settled
    with pytest.raises(ValueError, match="rounds is 0"):
        train(build("text", tasks, n_classes=3), noisy_crowd(truth, 3), rounds=0)


def test_tasks_without_answers_are_predicted_and_never_learned_from():
    tasks, truth = topical(200)
    crowd = noisy_crowd(truth[:120], 3)
    longer = Crowd.from_codes(
        crowd.task, crowd.annotator, crowd.label, tasks=range(200), annotators=range(12), classes=range(3)
    )
    trained = train(build("text", tasks, n_classes=3), longer)
    assert (trained.labels[120:] == -1).all()
    assert (trained.pred_probs.argmax(axis=1) == truth)[120:].mean() > 0.8


@pytest.mark.parametrize("rounds", [1, 3])
def test_known_labels_are_learned_from_whatever_the_crowd_says(rounds):
    tasks, truth = topical(200)
    wrong = noisy_crowd((truth + 1) % 3, 3, skill=1.0, answers=2)
    known = np.where(np.arange(200) < 150, truth, -1)
    trained = train(build("text", tasks, n_classes=3), wrong, known_labels=known, rounds=rounds)
    assert (trained.labels[:150] == truth[:150]).all()
    assert (trained.pred_probs.argmax(axis=1) == truth)[:150].mean() > 0.8


def test_a_classifier_that_knows_nothing_is_reported():
    rng = np.random.default_rng(0)
    data = [{"x": float(v)} for v in rng.normal(size=200)]
    trained = train(build("auto", tasks_of(data), n_classes=2), noisy_crowd(rng.integers(0, 2, 200), 2, answers=3))
    assert not trained.informative
    assert "no better than the class shares" in trained.summary


def test_a_crowd_without_answers():
    tasks, _ = topical(10)
    crowd = Crowd.from_codes([], [], [], tasks=range(10), annotators=[], classes=range(3))
    trained = train(build("text", tasks, n_classes=3), crowd)
    np.testing.assert_allclose(trained.pred_probs, 1 / 3)
    assert "nothing to learn from" in trained.summary


def test_importing_is_cheap():
    code = (
        "import sys, label_studio_crowd.scoring.classifiers; print(*{'sklearn', 'pandas', 'scipy'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
