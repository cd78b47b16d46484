import numpy as np

from label_studio_crowd.store.projects import Store
from label_studio_crowd.store.trainings import Probabilities


def test_probabilities_come_back_as_they_were(store):
    project = Store(store).project("s", 1)
    assert project.trainings.last("c") is None
    trained = Probabilities(
        "c", "auto", "why", ("a", "b"), np.arange(3), np.random.default_rng(0).random((3, 2)), 7, "now"
    )
    project.trainings.keep(trained)
    found = Store(store).project("s", 1).trainings.last("c")
    np.testing.assert_array_equal(found.pred_probs, trained.pred_probs)
    np.testing.assert_array_equal(found.tasks, trained.tasks)
    assert (found.classes, found.summary, found.answers) == (("a", "b"), "why", 7)


def test_a_training_that_ended_late_does_not_replace_a_newer_one(store):
    trainings = Store(store).project("s", 1).trainings

    def trained(name):
        return Probabilities("c", "auto", "why", ("a",), np.arange(1), np.ones((1, 1)), 7, "now", name)

    trainings.keep(trained("first"))
    trainings.keep(trained("second"), instead_of="first")
    trainings.keep(trained("late"), instead_of="first")
    assert trainings.last("c").training == "second"
