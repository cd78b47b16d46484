"""A project of several controls: from annotations to one prediction a task, the queue and the pages."""

from __future__ import annotations

import json
import random

from label_studio_crowd.connection.doctor import examine
from label_studio_crowd.files.tables import tables
from label_studio_crowd.runs.look_ahead import look_ahead
from label_studio_crowd.scoring.outlook import Forecast
from label_studio_crowd.scoring.snapshot import stored_snapshot

CONFIG = """<View>
  <Text name="t" value="$text"/>
  <Choices name="topic" toName="t"><Choice value="sport"/><Choice value="politics"/><Choice value="art"/></Choices>
  <Choices name="tags" toName="t" choice="multiple">
    <Choice value="rude"/><Choice value="spam"/><Choice value="ad"/>
  </Choices>
  <Rating name="stars" toName="t" maxRating="5"/>
  <Number name="words" toName="t" min="0"/>
  <Choices name="why" toName="t" visibleWhen="choice-selected" whenTagName="tags" whenChoiceValue="rude">
    <Choice value="insult"/><Choice value="threat"/>
  </Choices>
  <TextArea name="note" toName="t"/>
  <Choices name="part" toName="t" perRegion="true"><Choice value="x"/></Choices>
</View>"""
TOPICS, TAGS = ("sport", "politics", "art"), ("rude", "spam", "ad")


def truth_of(n):
    """What is true of a task: topic, tags, stars, words, why."""
    tags = [tag for place, tag in enumerate(TAGS) if n >> place & 1]
    return (
        TOPICS[n % 3],
        tags,
        1 + n % 5,
        10 * (1 + n % 7),
        ("insult" if n % 2 else "threat") if "rude" in tags else None,
    )


def said_of(n, chance):
    """What somebody says of a task, mostly the truth."""
    topic, tags, stars, words, why = truth_of(n)
    if chance.random() < 0.15:
        topic = chance.choice(TOPICS)
    tags = [tag for tag in TAGS if (tag in tags) != (chance.random() < 0.08)]
    stars = min(max(stars + chance.choice((0, 0, 0, 1, -1)), 1), 5)
    answers = {
        "topic": ("choices", {"choices": [topic]}),
        "tags": ("choices", {"choices": tags}),
        "stars": ("rating", {"rating": stars}),
        "words": ("number", {"number": words + chance.choice((-1, 0, 0, 0, 1))}),
    }
    if "rude" in tags and why:
        answers["why"] = "choices", {"choices": [why]}
    if not tags:
        del answers["tags"]
    return [
        {"from_name": name, "to_name": "t", "type": kind, "value": value} for name, (kind, value) in answers.items()
    ]


def test_all_controls_of_a_project_are_scored_together(make_project, annotators, add_annotator, plugin):
    people, chance = [*annotators, *(add_annotator() for _ in range(3))], random.Random(1)
    given = [(n, who, said_of(n, chance)) for n in range(60) for who in chance.sample(people, 3)]
    project = make_project([{"text": f"text {n}"} for n in range(66)], CONFIG, given)
    at_work = plugin(project)
    before = at_work.info()
    at_work.connect()
    run = at_work.sync()
    assert run.report().control == "topic, tags, stars, words, why"
    assert any("'part'" in warning and "not scored" in warning for warning in run.warnings)
    assert any("'note'" in warning and "Nobody has answered" in warning for warning in run.warnings)
    rows = {row["task"]: row for row in at_work.predictions() if row["model_version"] == "crowd-consensus"}
    right = dict.fromkeys(("topic", "tags", "stars", "words", "why"), 0)
    for n, task in enumerate(project.tasks[:60]):
        found = {item["from_name"]: item["value"] for item in rows[task]["result"]}
        topic, tags, stars, words, why = truth_of(n)
        right["topic"] += found["topic"] == {"choices": [topic]}
        right["tags"] += found.get("tags", {"choices": []})["choices"] == tags
        right["stars"] += abs(found["stars"]["rating"] - stars) <= 1
        right["words"] += abs(found["words"]["number"] - words) <= 1
        right["why"] += found.get("why") == ({"choices": [why]} if why else None)
    assert all(number >= 50 for number in right.values()), right
    assert at_work.served_queue() == list(run.plan.queue)
    assert set(project.tasks[60:]) <= set(run.plan.queue)
    look_ahead(at_work.opened)
    forecast = at_work.opened.store.facts.read(Forecast)
    assert [each.control for each in (forecast, *forecast.others)] == ["topic", "tags", "stars", "words", "why"]
    assert forecast.needed.low >= 2 * 6  # of the tasks without labels alone
    checks = {check.what for check in examine(at_work.opened)}
    assert "scores the control 'tags' (choices, sets of 3 classes)" in checks
    exported = tables(stored_snapshot(at_work.opened.store), {}).tasks
    assert json.loads(exported["consensus_json:tags"][3]) == sorted(truth_of(3)[1])
    assert not at_work.sync().plan
    at_work.disconnect()
    assert all(at_work.info()[name] == before[name] for name in ("sampling", "maximum_annotations", "model_version"))
    assert not at_work.predictions()
