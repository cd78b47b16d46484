"""Models whose predictions are answers: they are annotators with a quality, and their answers are no labels."""

from __future__ import annotations

import random

import pytest

from label_studio_crowd.connection.doctor import examine
from label_studio_crowd.errors import UserError
from label_studio_crowd.files.tables import tables
from label_studio_crowd.pages import insights
from label_studio_crowd.pages.report import report_html
from label_studio_crowd.runs.rescore import How, rescore
from label_studio_crowd.scoring.snapshot import stored_snapshot
from label_studio_crowd.store.people import model_id

CONFIG = """<View>
  <Text name="t" value="$text"/>
  <Choices name="topic" toName="t"><Choice value="sport"/><Choice value="politics"/><Choice value="art"/></Choices>
  <Choices name="tags" toName="t" choice="multiple">
    <Choice value="rude"/><Choice value="spam"/><Choice value="ad"/>
  </Choices>
</View>"""
TOPICS, TAGS = ("sport", "politics", "art"), ("rude", "spam", "ad")
GOOD, BAD = "gpt-5", "ann@example.com"
"""The second one is named like a person."""


def said_of(n, chance, error):
    """What somebody says of a task, who is wrong that often."""
    topic = chance.choice(TOPICS) if chance.random() < error else TOPICS[n % 3]
    tags = [tag for place, tag in enumerate(TAGS) if bool((n + 1) >> place & 1) != (chance.random() < error)]
    answers = {"topic": [topic], "tags": tags}
    return [
        {"from_name": name, "to_name": "t", "type": "choices", "value": {"choices": labels}}
        for name, labels in answers.items()
        if labels
    ]


@pytest.fixture
def project(make_project, annotators):
    """Forty tasks, of which thirty have labels of two people; two models predicted all."""
    chance = random.Random(3)
    given = [(n, who, said_of(n, chance, 0.15)) for n in range(30) for who in chance.sample(annotators, 2)]
    return make_project([{"text": f"text {n}"} for n in range(40)], CONFIG, given)


def predict(at_work, version, error, tasks, seed=5):
    chance = random.Random(seed)
    rows = [
        {"task": at_work.tasks[n], "model_version": version, "score": 0.9, "result": said_of(n, chance, error)}
        for n in tasks
    ]
    assert at_work.studio.import_predictions(at_work.project, rows) == len(rows)


def test_models_are_annotators_whose_answers_are_no_labels(project, plugin, annotators):
    without = plugin(project).sync(dry_run=True)
    at_work = plugin(project, model_annotators=f"{GOOD}, {BAD}, nowhere-1")
    predict(at_work, GOOD, 0.5, range(3), seed=1)  # superseded
    predict(at_work, GOOD, 0.05, range(40))
    predict(at_work, BAD, 0.8, range(40))
    at_work.connect()
    run = at_work.sync()
    report = run.report()
    assert (report.labels, report.annotators, report.labelled_tasks) == (60, 3, 30)
    assert report.models == {GOOD: 40, BAD: 40, "nowhere-1": 0}
    assert any("'nowhere-1'" in warning and f"'{GOOD}'" in warning for warning in run.warnings)
    assert run.scores.num_labels.tolist() == without.scores.num_labels.tolist()
    assert not run.scores.settled[30:].any(), "a model alone settles nothing"
    for part in run.scores.controls:
        quality = dict(zip(part.answers.crowd.annotators.tolist(), part.annotator_quality.tolist(), strict=True))
        assert quality[model_id(GOOD)] > 0.75 > 0.6 > quality[model_id(BAD)]
    assert {row["task"] for row in at_work.predictions() if row["model_version"] == "crowd-consensus"} <= set(
        project.tasks[:30]
    ), "what only models said gets no consensus"

    snapshot = stored_snapshot(at_work.store)
    people = insights.People(snapshot, {**at_work.store.people.names(), **{who.id: who.email for who in annotators}})
    names = [one.name for one in people.everybody]
    assert names == [*(who.email for who in annotators), *sorted([f"{GOOD} (model)", f"{BAD} (model)"], key=_by_id)]
    found = tables(snapshot, at_work.store.people.names())
    assert found.tasks["num_labels"].tolist() == [2] * 30 + [0] * 10
    assert found.tasks["num_model_answers"].tolist() == [2] * 40
    of_models = found.annotators[found.annotators["is_model"]]
    assert set(of_models["name"]) == {f"{GOOD} (model)", f"{BAD} (model)"}
    page = report_html(at_work.store, snapshot, at_work.settings, at_work.project, hide_names=True)
    assert f'{GOOD}</a> <span class="state model">model</span>' in page
    assert f"{GOOD} (40 tasks)" in page

    checks = {check.what: check.level for check in examine(at_work.opened)}
    assert checks[f"the model '{GOOD}' is an annotator: 43 predictions"] == "ok"
    assert any("'nowhere-1'" in what and level == "note" for what, level in checks.items())


def _by_id(name):
    return model_id(name.removesuffix(" (model)"))


def test_a_prediction_that_is_changed_deleted_or_made_leads_to_a_rescore(project, plugin):
    at_work = plugin(project, model_annotators=GOOD)
    predict(at_work, GOOD, 0.05, range(20))
    at_work.connect()
    at_work.sync()

    def answer(task):
        crowd = at_work.sync(dry_run=True).scores.answers.crowd
        row = project.tasks.index(task)
        answers = range(crowd.indptr[row], crowd.indptr[row + 1])
        said = {int(crowd.annotators[crowd.annotator[at]]): str(crowd.classes[crowd.label[at]]) for at in answers}
        return said.get(model_id(GOOD))

    row = next(row for row in at_work.predictions() if row["model_version"] == GOOD)
    other = next(topic for topic in TOPICS if topic != answer(row["task"]))
    changed = [{"from_name": "topic", "to_name": "t", "type": "choices", "value": {"choices": [other]}}]
    calm(at_work)
    assert at_work.studio.update_prediction(row["id"], result=changed)
    assert news(at_work) is not None
    assert answer(row["task"]) == other
    calm(at_work)
    at_work.studio.delete_prediction(row["id"])
    assert news(at_work) is not None
    assert answer(row["task"]) is None
    calm(at_work)
    predict(at_work, GOOD, 0.05, [25])
    assert news(at_work) is not None
    assert answer(project.tasks[25]) is not None
    calm(at_work)
    at_work.studio.delete_version(at_work.project, GOOD)
    assert news(at_work) is not None
    assert answer(project.tasks[25]) is None


def news(at_work):
    """What a check for changes finds; None where nothing is new."""
    return rescore(at_work.opened, How(trigger="poll", only_news=True))


def calm(at_work):
    """Run until nothing is new: what we write moves the tasks' times, too."""
    assert any(news(at_work) is None for _ in range(4))


def test_what_a_person_accepts_is_theirs_and_what_cannot_be_read_is_told(project, plugin, annotators):
    at_work = plugin(project, model_annotators=GOOD)
    predict(at_work, GOOD, 0.0, range(40))
    odd = [{"from_name": "topic", "to_name": "t", "type": "choices", "value": {"choices": ["weather"]}}]
    at_work.api.post(
        "/api/predictions/", json={"task": project.tasks[39], "model_version": GOOD, "result": odd}
    ).raise_for_status()
    shown = next(row for row in at_work.predictions() if row["task"] == project.tasks[35])
    body = {"result": shown["result"], "lead_time": 3.0, "parent_prediction": shown["id"]}
    annotators[0].api.post(f"/api/tasks/{project.tasks[35]}/annotations/", json=body).raise_for_status()
    run = at_work.sync(dry_run=True)
    assert run.scores.num_labels[35] == 1
    assert run.report().labels == 61
    assert any("Predictions of the model 'gpt-5' that are no answers: 1 with a label" in one for one in run.warnings)


@pytest.mark.parametrize(
    ("named", "classifier", "told"),
    [
        ("crowd-consensus", "none", "our own predictions"),
        ("crowd-consensus-2", "none", "our own predictions"),
        (GOOD, f"predictions:{GOOD}", "is the classifier"),
    ],
)
def test_a_model_that_would_confirm_itself_is_refused(project, plugin, named, classifier, told):
    at_work = plugin(project, model_annotators=named)
    at_work.settings = at_work.settings.model_copy(update={"classifier": classifier})
    with pytest.raises(UserError, match=told):
        at_work.connect()
    assert not at_work.writes
