"""Whether there is something: beliefs on crowds drawn from the model itself, and where annotators err alike."""

import numpy as np
import pytest
from scipy.special import expit

from crowdcore.kinds.region.presence import FIRST_FALSE, UNKNOWN, Scene, find_presence

TASKS, ANNOTATORS, OBJECTS = 100, 30, 5


def places_for(lure, share):
    """Return how many places have to invite a mark so that there are so many false marks for each right one."""
    person, ease = np.random.default_rng(0).normal(size=(2, 10_000))
    right, false = expit(1.5 + person + 1.5 * ease).mean(), expit(-2.5 + person + lure * ease).mean()
    return share * OBJECTS * right / false


def drawn(seed, answers, lure, share=FIRST_FALSE):
    """Draw who marked what; `lure` says how far places that invite a mark differ. Return the scene and what is real."""
    rng = np.random.default_rng(seed)
    sees, invents = rng.normal(1.5, 1, ANNOTATORS), rng.normal(-2.5, 1, ANNOTATORS)
    inviting = places_for(lure, share)
    looked, marks, unit_task, real = [], [], [], []
    for task in range(TASKS):
        who = rng.choice(ANNOTATORS, answers, replace=False)
        looked += [(task, one) for one in who]
        for there, rate, ability, slope in ((True, OBJECTS, sees, 1.5), (False, inviting, invents, lure)):
            ease = rng.normal(size=rng.poisson(rate))
            for marked in rng.random((len(ease), answers)) < expit(ability[who] + slope * ease[:, None]):
                marks += [(len(real), one) for one in who[marked]]
                unit_task += [task] * int(marked.any())
                real += [there] * int(marked.any())
    (task, annotator), (unit, marker) = np.array(looked).T, np.array(marks).T
    unknown, open_tasks = np.full(len(real), UNKNOWN), np.zeros(TASKS, bool)
    return Scene(
        TASKS, ANNOTATORS, 1, task, annotator, np.array(unit_task), unit, marker, np.zeros(len(unit), int),
        unknown, open_tasks,
    ), np.array(real)  # fmt: skip


def gaps(answers, lure, share=FIRST_FALSE):
    """Return belief less truth of each tenth of the units by belief, and of all; of six crowds together."""
    crowds = [drawn(seed, answers, lure, share) for seed in range(6)]
    told = [(find_presence(scene).exists, real) for scene, real in crowds]
    believed, real = (np.concatenate(column) for column in zip(*told, strict=True))
    tenth = np.minimum((believed * 10).astype(int), 9)
    return np.bincount(tenth, believed - real, minlength=10) / len(real), float((believed - real).mean())


@pytest.mark.parametrize("answers", [2, 3, 4])
def test_beliefs_come_true_on_crowds_drawn_from_the_model(answers):
    by_belief, whole = gaps(answers, lure=1.0)
    assert np.abs(by_belief).sum() <= 0.05
    assert abs(whole) <= 0.03


@pytest.mark.parametrize("answers", [2, 3, 4])
def test_where_annotators_are_led_astray_together_they_are_not_believed_too_much(answers):
    by_belief, whole = gaps(answers, lure=2.5)
    assert np.abs(by_belief).sum() <= 0.13
    assert whole <= 0.05


@pytest.mark.parametrize("lure", [1.0, 2.5])
@pytest.mark.parametrize("answers", [2, 3, 4])
def test_where_few_or_many_marks_are_false_belief_is_not_far_off(answers, lure):
    for share in (0.05, 0.3):  # the model expects .15 of them for each right one
        assert abs(gaps(answers, lure, share)[1]) <= 0.16
