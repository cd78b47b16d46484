"""A run over several controls: each has a training, probabilities and a model of its own."""

import numpy as np
import pytest

from label_studio_crowd.connection.record import QUEUE_SETTINGS
from label_studio_crowd.errors import UserError
from label_studio_crowd.exchange.publish import Published
from label_studio_crowd.exchange.pull import Pulled
from label_studio_crowd.pages.insights.project import scored_with
from label_studio_crowd.project import Project, ScoredProject
from label_studio_crowd.runs import rescore as rescoring
from label_studio_crowd.runs.rescore import How
from label_studio_crowd.scoring import models
from label_studio_crowd.scoring.classifiers import TaskData
from label_studio_crowd.scoring.snapshot import Snapshot
from label_studio_crowd.service.backend import said_by_model
from label_studio_crowd.settings import load
from label_studio_crowd.store.projects import Store
from label_studio_crowd.store.tables import probabilities
from label_studio_crowd.studio.controls import find_controls
from tests.plugin.own_modules import own_modules

CONFIG = """<View><Text name="t" value="$text"/>
  <Choices name="animal" toName="t"><Choice value="cat"/><Choice value="dog"/></Choices>
  <Choices name="size" toName="t"><Choice value="small"/><Choice value="big"/></Choices>
  <Choices name="tags" toName="t" choice="multiple"><Choice value="fast"/><Choice value="old"/></Choices>
  <Number name="age" toName="t"/>
</View>"""
NAMES = ("animal", "size", "tags", "age")
MODULE = """
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

def of_classes():
    return make_pipeline(make_column_transformer((CountVectorizer(), "text")), LogisticRegression())

def of_numbers():
    return make_pipeline(make_column_transformer((CountVectorizer(), "text")), Ridge())

def of_nothing():
    return object()
"""


def task_with(number, chance, annotators=(1, 2, 3)):
    """A task whose text tells all four answers, which annotators mostly give."""
    cat, big, fast, old = (chance.random(4) < 0.5).tolist()
    words = [
        "miaow" if cat else "woof",
        "huge" if big else "tiny",
        "runs" if fast else "lies",
        "grey" if old else "new",
    ]

    def result():
        said = [said != (chance.random() < 0.15) for said in (cat, big, fast, old)]
        tags = [tag for tag, is_so in zip(("fast", "old"), said[2:], strict=True) if is_so]
        values = {
            "animal": ("choices", {"choices": ["cat" if said[0] else "dog"]}),
            "size": ("choices", {"choices": ["big" if said[1] else "small"]}),
            "age": ("number", {"number": 5 + 10 * old + round(chance.normal(0, 2))}),
        }
        if tags:
            values["tags"] = "choices", {"choices": tags}
        return [
            {"from_name": name, "to_name": "t", "type": kind, "value": value} for name, (kind, value) in values.items()
        ]

    rows = [
        {
            "id": 100 * number + who, "completed_by": who, "result": result(), "was_cancelled": False,
            "updated_at": f"2026-01-01T00:{number % 60:02d}:{who:02d}Z", "ground_truth": False, "lead_time": 2.0,
        }
        for who in annotators
    ]  # fmt: skip
    return {
        "id": number, "data": {"text": " ".join(words)}, "overlap": 1, "is_labeled": False,
        "updated_at": "2026-01-01T01:00:00Z", "annotations": rows,
    }  # fmt: skip


class NoStudio:
    """A Label Studio that is asked for nothing."""

    def seconds_waited(self):
        return 0.0


@pytest.fixture
def stored(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/mirror.sqlite")
    yield store.project("http://studio", 1)
    store.close()


@pytest.fixture
def run(stored, tmp_path, monkeypatch):
    """Return what rescores a project of four controls, without a Label Studio."""
    told = []

    def look(project, *, connected=True):
        controls = find_controls(CONFIG, project.settings.names("control"))
        info = {**QUEUE_SETTINGS, "title": "animals", "label_config": CONFIG, "skip_queue": "", "model_version": ""}
        return ScoredProject.of(project, project.settings, info, controls)

    monkeypatch.setattr(rescoring, "look", look)
    monkeypatch.setattr(rescoring, "update_mirror", lambda *_, **__: Pulled(1, 0, False))
    monkeypatch.setattr(rescoring, "observe", lambda *_, **__: [])
    monkeypatch.setattr(rescoring, "carry_out", lambda *_, **__: Published([], 0))

    def rescore(tasks, *, classifier="auto", control=None, **how):
        stored.mirror.apply(tasks)
        settings = load(classifier=classifier, control=control, model_dir=tmp_path / "models")
        project = Project(
            number=1, studio=NoStudio(), store=stored, settings=settings, progress=lambda what, *_: told.append(what)
        )
        return rescoring.rescore(project, How(**how))

    rescore.told = told
    rescore.models = tmp_path / "models"
    return rescore


@pytest.fixture
def tasks():
    chance = np.random.default_rng(0)
    return [task_with(n, chance) for n in range(1, 61)] + [task_with(n, chance, ()) for n in range(61, 71)]


def test_each_control_has_a_training_of_its_own(run, stored, tasks):
    first = run(tasks)
    assert first.trained
    assert [part.hears_model for part in first.scores.controls] == [True] * 4
    trainings = [stored.trainings.last(name) for name in NAMES]
    assert [known.classes for known in trainings] == [("cat", "dog"), ("small", "big"), ("fast", "old"), ("number",)]
    assert len({known.training for known in trainings}) == 4
    assert {told.partition(":")[0] for told in run.told} == set(NAMES)
    assert set(first.report().classifiers) == set(NAMES)
    assert first.report().classifier.startswith("animal: text: TF-IDF")
    snapshot = Snapshot.from_bytes(stored.runs.snapshot())
    assert [part.training for part in (snapshot, *snapshot.others)] == [known.training for known in trainings]
    age = snapshot.of_control("age")
    words = dict(scored_with(age, first.report()))
    assert "ridge regression" in words["Classifier"]
    assert "no influence at present" not in words["Classifier"]
    assert not run([]).trained


def test_the_first_control_is_believed_as_if_it_were_alone(run, stored, tasks):
    alone = run(tasks, control="animal", full=True)
    together = run([], full=True)
    assert np.array_equal(alone.scores.result.posterior, together.scores.result.posterior)
    assert np.array_equal(alone.judged.probabilities[0].pred_probs, together.judged.probabilities[0].pred_probs)


def test_new_tasks_are_predicted_by_the_model_of_each_control(run, stored, tasks):
    run(tasks)
    before = {name: stored.trainings.last(name) for name in NAMES}
    chance = np.random.default_rng(1)
    later = run(
        [{**task_with(n, chance, ()), "updated_at": "2026-01-02T00:00:00Z"} for n in (71, 72)], trains="missing"
    )
    assert not later.trained
    for name in NAMES:
        known = stored.trainings.last(name)
        assert known.training == before[name].training
        assert {71, 72} <= set(known.tasks.tolist())
        assert np.isfinite(known.pred_probs).all()


def test_a_task_that_no_run_has_seen_has_an_answer_to_each_control(run, stored, tasks):
    run(tasks)
    snapshot = Snapshot.from_bytes(stored.runs.snapshot())
    data = TaskData([1], [{"text": "miaow huge runs grey"}], [("text", "text")])
    found = {}
    for part in (snapshot, *snapshot.others):
        control = part.scored_control()
        P = models.at_hand(run.models, part.training).predict(data)
        ((found[part.control], sure),) = said_by_model(part, control, P)
        assert 0 <= sure <= 1
    assert (found["animal"], found["size"], found["tags"]) == ("cat", "big", frozenset({"fast", "old"}))
    assert found["age"] == pytest.approx(15, abs=3)


def test_only_the_control_whose_classes_changed_is_trained_anew(run, stored, tasks):
    run(tasks)
    before = {name: stored.trainings.last(name).training for name in NAMES}
    with stored.trainings._database.writing() as connection:
        connection.execute(probabilities.delete().where(probabilities.c.control == "size"))
    assert run([]).trained
    after = {name: stored.trainings.last(name).training for name in NAMES}
    assert {name for name in NAMES if after[name] != before[name]} == {"size"}


def test_what_was_trained_for_a_control_that_is_scored_no_more_goes(run, stored, tasks):
    run(tasks)
    gone = stored.trainings.last("age").training
    run([], control="animal", full=True)
    assert [stored.trainings.last(name) is None for name in NAMES] == [False, True, True, True]
    assert models.at_hand(run.models, gone) is None
    assert len(list(run.models.iterdir())) == 1


def test_a_training_of_the_release_before_stays_that_of_its_control(run, stored, tasks):
    run(tasks)
    before = stored.trainings.last("animal").training
    with stored.trainings._database.writing() as connection:
        connection.execute(probabilities.delete().where(probabilities.c.control != "animal"))
        connection.execute(probabilities.update().values(control=""))
    run([])
    assert stored.trainings.last("animal").training == before
    assert all(stored.trainings.last(name).control == name for name in NAMES)


@pytest.fixture
def own_module(tmp_path):
    with own_modules(tmp_path, own_several=MODULE):
        yield


def test_controls_that_an_estimator_does_not_fit_do_without(run, stored, tasks, own_module):
    said = run(tasks, classifier="own_several:of_classes").report().classifiers
    assert all(said[name].startswith("estimator: Pipeline") for name in ("animal", "size", "tags"))
    assert said["age"].startswith(
        "none: own_several:of_classes returned Pipeline, which has classes instead of numbers"
    )
    assert not len(stored.trainings.last("age").tasks)
    said = run([], classifier="own_several:of_numbers").report().classifiers
    assert said["age"].startswith("estimator: Pipeline")
    assert "which has no predict_proba" in said["tags"]


def test_an_estimator_that_fits_no_control_is_an_error(run, tasks, own_module):
    with pytest.raises(UserError, match="returned object, which has no fit"):
        run(tasks, classifier="own_several:of_nothing")
    with pytest.raises(UserError, match="classes instead of numbers"):
        run([], classifier="own_several:of_classes", control="age")
