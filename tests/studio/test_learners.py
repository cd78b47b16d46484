"""A project whose controls are a choice, a set and a number, each learned from the same text."""

from __future__ import annotations

import random

import pytest

from label_studio_crowd.runs.rescore import How, rescore
from label_studio_crowd.scoring import models
from label_studio_crowd.scoring.snapshot import stored_snapshot

CONFIG = """<View>
  <Text name="t" value="$text"/>
  <Choices name="topic" toName="t"><Choice value="sport"/><Choice value="politics"/></Choices>
  <Choices name="tags" toName="t" choice="multiple">
    <Choice value="rude"/><Choice value="ad"/><Choice value="question"/>
  </Choices>
  <Number name="price" toName="t" min="0"/>
</View>"""
WORDS = {
    "sport": "goal team league score match", "politics": "vote party senate law election",
    "rude": "idiot stupid fool", "ad": "cheap offer buy", "question": "why what how",
}  # fmt: skip
SIZES = ("tiny", "small", "medium", "large", "huge")


def task_of(chance):
    """A task's text, and what is true of it."""
    topic, size = chance.choice(("sport", "politics")), chance.randrange(5)
    tags = [tag for tag in ("rude", "ad", "question") if chance.random() < 0.4]
    words = [chance.choice(WORDS[name].split()) for name in (topic, topic, *tags, *tags)]
    chance.shuffle(words)
    return " ".join([*words, SIZES[size], "thing"]), (topic, tags, 20.0 * (1 + size))


def said_of(truth, chance):
    topic, tags, price = truth
    if chance.random() < 0.25:
        topic = chance.choice(("sport", "politics"))
    tags = [tag for tag in ("rude", "ad", "question") if (tag in tags) != (chance.random() < 0.2)]
    values = {
        "topic": ("choices", {"choices": [topic]}),
        "price": ("number", {"number": round(price + chance.gauss(0, 15))}),
    }
    if tags:
        values["tags"] = "choices", {"choices": tags}
    return [{"from_name": name, "to_name": "t", "type": kind, "value": value} for name, (kind, value) in values.items()]


@pytest.fixture
def learned(make_project, annotators, add_annotator, plugin):
    """A project of 100 tasks, two answers each, and twenty tasks without; what is true of all; and its run."""
    people, chance = [*annotators, *(add_annotator() for _ in range(3))], random.Random(7)
    made = [task_of(chance) for _ in range(120)]
    given = [(n, who, said_of(made[n][1], chance)) for n in range(100) for who in chance.sample(people, 2)]
    project = make_project([{"text": text} for text, _ in made], CONFIG, given)
    at_work = plugin(project)
    at_work.settings = at_work.settings.model_copy(update={"classifier": "auto"})
    at_work.connect()
    return at_work, [truth for _, truth in made], at_work.sync()


def test_each_control_has_a_classifier_of_its_own(learned):
    at_work, truth, run = learned
    report = run.report()
    assert set(report.classifiers) == {"topic", "tags", "price"}
    assert all(summary.startswith("text: TF-IDF") for summary in report.classifiers.values())
    assert "logistic regression" in report.classifiers["tags"]
    assert "ridge regression" in report.classifiers["price"]
    assert all(part.hears_model for part in run.scores.controls)
    names = [at_work.store.trainings.last(name).training for name in ("topic", "tags", "price")]
    assert len(set(names)) == 3
    assert all(models.at_hand(at_work.settings.model_dir, name) is not None for name in names)

    topics, tags, prices = run.scores.controls
    asked = range(100, 120)  # which nobody has answered
    said = [topics.answers.answer(n, int(topics.result.consensus[n])) for n in asked]
    assert sum(found == truth[n][0] for n, found in zip(asked, said, strict=True)) >= 17
    sets = [set(tags.answers.written[n]) for n in asked]
    assert sum(found == set(truth[n][1]) for n, found in zip(asked, sets, strict=True)) >= 12
    off = [abs(prices.answers.written[n] - truth[n][2]) for n in asked]
    assert sum(off) / len(off) < 15

    snapshot = stored_snapshot(at_work.opened.store)
    assert [part.training for part in (snapshot, *snapshot.others)] == names
    assert "the classifier says" in next(part for part in snapshot.others if part.control == "price").told(0)
    assert not rescore(at_work.opened, How()).trained


def test_a_control_that_goes_takes_its_training_along(learned):
    at_work, _, _ = learned
    before = at_work.store.trainings.last("price").training
    at_work.settings = at_work.settings.model_copy(update={"control": "topic,tags"})
    at_work.settings.model_fields_set.add("control")
    at_work.sync(full=True)
    assert at_work.store.trainings.last("price") is None
    assert models.at_hand(at_work.settings.model_dir, before) is None
