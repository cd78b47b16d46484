"""Each kind of control, from Label Studio's annotations to consensus predictions that Label Studio takes."""

from __future__ import annotations

import pytest
import yaml

from harness.studio_install import install
from label_studio_crowd.errors import UserError
from label_studio_crowd.studio.controls import Control, find_control

CONFIGS = {
    "choices": (
        '<View><Text name="t" value="$text"/><Choices name="c" toName="t" choice="single-radio">'
        '<Choice value="yes"/><Choice value="no" alias="n"/></Choices></View>',
        "t",
        {"choices": ["n"]},
        {"choices": ["yes"]},
    ),
    "rating": (
        '<View><Text name="t" value="$text"/><Rating name="c" toName="t" maxRating="4"/></View>',
        "t",
        {"rating": 4},
        {"rating": 1},
    ),
    "pairwise": (
        '<View><Pairwise name="c" toName="t,u"/><Text name="t" value="$text"/><Text name="u" value="$other"/></View>',
        "t",
        {"selected": "right"},
        {"selected": "left"},
    ),
    "taxonomy": (
        '<View><Text name="t" value="$text"/><Taxonomy name="c" toName="t"><Choice value="animal">'
        '<Choice value="cat"/><Choice value="dog"/></Choice><Choice value="plant"/></Taxonomy></View>',
        "t",
        {"taxonomy": [["animal", "dog"]]},
        {"taxonomy": [["plant"]]},
    ),
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_consensus_of(kind, make_project, annotators, plugin):
    config, to_name, most, few = CONFIGS[kind]

    def result(value):
        return [{"from_name": "c", "to_name": to_name, "type": kind, "value": value}]

    answers = [(task, who, result(most)) for task in range(5) for who in annotators]
    answers += [(5, who, result(value)) for who, value in zip(annotators, (few, few, most), strict=True)]
    data = [{"text": f"text {n}", "other": f"other {n}"} for n in range(7)]
    at_work = plugin(make_project(data, config, answers))
    at_work.connect()
    run = at_work.sync()
    assert run.project.control.tag == kind
    consensus = {
        row["task"]: row["result"][0]["value"]
        for row in at_work.predictions()
        if row["model_version"] == "crowd-consensus"
    }
    assert consensus == {**dict.fromkeys(at_work.tasks[:5], most), at_work.tasks[5]: few}
    assert at_work.sync().plan.counts().consensus_update == 0


def shipped_configs() -> list[str]:
    """The labeling configs of the templates that Label Studio offers for a new project."""
    environment = install().parents[1]
    files = environment.glob("lib/python3*/site-packages/label_studio/annotation_templates/**/*.yml")
    found = [yaml.safe_load(file.read_text()) for file in files]
    return [row["config"] for row in found if isinstance(row, dict) and row.get("config")]


def control_in(config: str) -> Control | None:
    try:
        return find_control(config)
    except UserError:
        return None


def test_every_template_has_a_control_that_reads_what_it_writes_or_a_message_says_why_not():
    configs = shipped_configs()
    assert len(configs) > 60
    controls = [control for control in map(control_in, configs) if control]
    assert {control.tag for control in controls} == set(CONFIGS)
    for control in controls:
        assert [control.read(control.write(label)) for label in control.classes] == list(control.classes)
