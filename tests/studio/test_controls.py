"""Each kind of control, from Label Studio's annotations to consensus predictions that Label Studio takes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from harness.studio_install import install
from label_studio_crowd.errors import UserError
from label_studio_crowd.studio.controls import find_controls
from label_studio_crowd.studio.controls.elements import parse
from label_studio_crowd.studio.controls.labeling_config import find_all

TEXT = '<Text name="t" value="$text"/>'
NESTED = '<Choice value="A"><Choice value="A1"/><Choice value="A2"/></Choice><Choice value="B"/>'


MANY = 51
"""So many tasks are written by Label Studio's import; few are created one by one."""


@dataclass(frozen=True)
class Kind:
    """A kind of control, and what annotators say with it to a task by its number.

    Attributes
    ----------
    config
        Inside the <View>; the control is "c", and tasks have a text, another one, and options.
    tag
        The type of its results.
    said
        The value of an annotation.
    expected
        The value of the consensus, where that is written differently.
    to_name
        What annotations name as their object.
    shown
        What Label Studio's page shows of it.
    """

    config: str
    tag: str
    said: Callable[[int], dict[str, Any]]
    shown: Callable[[int], str | list[str]]
    expected: Callable[[int], dict[str, Any]] | None = None
    to_name: str = "t"


def options_of(n):
    """The options of a task: every task has others."""
    return [{"value": f"first {n}"}, {"value": f"second {n}"}]


ITEMS = [{"id": name, "title": name} for name in "abc"]

KINDS = {
    "choices": Kind(
        f'{TEXT}<Choices name="c" toName="t" choice="single-radio"><Choice value="yes"/><Choice value="no" alias="n"/>'
        "</Choices>",
        "choices",
        lambda n: {"choices": [["n", "yes"][n % 2]]},
        lambda n: ["no", "yes"][n % 2],
    ),
    "rating": Kind(
        f'{TEXT}<Rating name="c" toName="t" maxRating="4"/>',
        "rating",
        lambda n: {"rating": 1 + n % 4},
        lambda n: "★" * (1 + n % 4),
    ),
    "rating with a fraction": Kind(
        f'{TEXT}<Rating name="c" toName="t" maxRating="4.0"/>',
        "rating",
        lambda n: {"rating": float(1 + n % 4)},
        lambda n: "★" * (1 + n % 4),
        lambda n: {"rating": 1 + n % 4},
    ),
    "pairwise": Kind(
        f'<Pairwise name="c" toName="t,u"/>{TEXT}<Text name="u" value="$other"/>',
        "pairwise",
        lambda n: {"selected": ["left", "right"][n % 2]},
        lambda n: [f"text {n}", f"other {n}"][n % 2],
        to_name="c",
    ),
    "taxonomy": Kind(
        f'{TEXT}<Taxonomy name="c" toName="t">{NESTED}</Taxonomy>',
        "taxonomy",
        lambda n: {"taxonomy": [[["A", "A2"], ["B"]][n % 2]]},
        lambda n: ["A2", "B"][n % 2],
    ),
    "nested choices": Kind(
        f'{TEXT}<Choices name="c" toName="t" allowNested="true">{NESTED}</Choices>',
        "choices",
        lambda n: {"choices": [[["A", "A2"], ["B"]][n % 2]]},
        lambda n: ["A2", "B"][n % 2],
    ),
    "choices with each task": Kind(
        f'{TEXT}<Choices name="c" toName="t" value="$options"/>',
        "choices",
        lambda n: {"choices": [f"{['first', 'second'][n % 2]} {n}"]},
        lambda n: f"{['first', 'second'][n % 2]} {n}",
    ),
    "choices with each task beside fixed ones": Kind(
        f'{TEXT}<Choices name="c" toName="t"><Choice value="$other"/><Choice value="neither"/></Choices>',
        "choices",
        lambda n: {"choices": [[f"other {n}", "neither"][n % 2]]},
        lambda n: [f"other {n}", "neither"][n % 2],
    ),
    "lower case and a namespace": Kind(
        '<View xmlns="http://www.w3.org/1999/xhtml"><text name="t" value="$text"/><choices name="c" toName="t">'
        '<choice value="a"/><choice value="b"/></choices></View>',
        "choices",
        lambda n: {"choices": ["ab"[n % 2]]},
        lambda n: "ab"[n % 2],
    ),
    "several choices": Kind(
        f'{TEXT}<Choices name="c" toName="t" choice="multiple"><Choice value="a"/><Choice value="b"/></Choices>',
        "choices",
        lambda n: {"choices": [["a"], ["a", "b"]][n % 2]},
        lambda n: [["a"], ["a", "b"]][n % 2],
    ),
    "several paths of a taxonomy": Kind(
        f'{TEXT}<Taxonomy name="c" toName="t">{NESTED}</Taxonomy>',
        "taxonomy",
        lambda n: {"taxonomy": [["A", "A1"], ["B"]] if n % 2 else [["A", "A2"]]},
        lambda n: ["A1", "B"] if n % 2 else ["A2"],
    ),
    "number": Kind(
        f'{TEXT}<Number name="c" toName="t" min="0" max="100"/>',
        "number",
        lambda n: {"number": n},
        lambda n: str(n),
    ),
    "date": Kind(
        f'{TEXT}<DateTime name="c" toName="t" only="date"/>',
        "datetime",
        lambda n: {"datetime": f"2026-01-{1 + n % 28:02}"},
        lambda n: f"2026-01-{1 + n % 28:02}",
    ),
    "text": Kind(
        f'{TEXT}<TextArea name="c" toName="t"/>',
        "textarea",
        lambda n: {"text": [f"said {n}"]},
        lambda n: f"said {n}",
    ),
    "ranking": Kind(
        f'{TEXT}<List name="l" value="$items"/><Ranker name="c" toName="l"/>',
        "ranker",
        lambda n: {"ranker": {"c": ["a", "b", "c"][:: 1 if n % 2 else -1]}},
        lambda n: ["a", "b", "c"][:: 1 if n % 2 else -1],
        to_name="l",
    ),
    "ranking in buckets": Kind(
        f'{TEXT}<List name="l" value="$items"/><Ranker name="c" toName="l"><Bucket name="best"/></Ranker>',
        "ranker",
        lambda n: {"ranker": {"_": ["b", "c"][:: 1 if n % 2 else -1], "best": ["a"]}},
        lambda n: [*["b", "c"][:: 1 if n % 2 else -1], "a"],
        to_name="l",
    ),
    "of two objects, beside a repeater": Kind(
        '<Repeater on="$options" indexFlag="{{i}}"><Text name="o_{{i}}" value="$options[{{i}}].value"/>'
        '<Choices name="c_{{i}}" toName="o_{{i}}"><Choice value="x"/></Choices></Repeater>'
        f'{TEXT}<Text name="u" value="$other"/><Choices name="c" toName="t,u"><Choice value="a"/><Choice value="b"/>'
        "</Choices>",
        "choices",
        lambda n: {"choices": ["ab"[n % 2]]},
        lambda n: "ab"[n % 2],
    ),
}


CHOSEN = (
    ".ant-checkbox-wrapper-checked, .ant-radio-wrapper-checked, .ant-select-selection-item,"
    " .lsf-main-view .border-primary-border-subtle, .htx-ranker-item"
)
TYPED = ".lsf-main-view input[type=number], .lsf-main-view input[type=date]"
APART = ("pairwise", "lower case and a namespace", "of two objects, beside a repeater")
"""Kinds that need a labeling config of their own."""
GROUPS = {**{name: [name] for name in APART}, "all others": [name for name in KINDS if name not in APART]}


def numbered(config, number):
    """A labeling config whose controls and objects have numbers, so that several can be in one."""
    return re.sub(r'\b(name|toName)="([ctul](?:,[ctul])*)"', lambda found: _numbered(found, number), config)


def _numbered(found, number):
    names = ",".join(f"{name}{number}" for name in found[2].split(","))
    return f'{found[1]}="{names}"'


def shown_by(page, url):
    """What a person who opens a task sees of the consensus: texts that are chosen or typed, and the number of stars."""
    page.goto(url)
    page.locator(".lsf-annotation-button").filter(has_text="crowd-consensus").click()
    page.locator(".lsf-annotation-button_selected").filter(has_text="crowd-consensus").wait_for()
    page.locator(f"{CHOSEN}, .ant-rate-star-full, {TYPED}").first.wait_for()
    chosen = [text.partition("[")[0].strip().partition("\n")[0] for text in page.locator(CHOSEN).all_inner_texts()]
    typed = [field.input_value() for field in page.locator(TYPED).all()]
    return [*chosen, *typed], page.locator(".ant-rate-star-full").count()


@pytest.mark.parametrize("group", GROUPS)
def test_the_consensus_of_every_kind_of_control_arrives_and_shows(
    group, make_project, annotators, plugin, page, studio
):
    kinds = [KINDS[name] for name in GROUPS[group]]
    data = [{"text": f"text {n}", "other": f"other {n}", "options": options_of(n), "items": ITEMS} for n in range(MANY)]
    answers = [
        (n, who, [said(kind, at, n) for at, kind in enumerate(kinds)]) for n in range(MANY) for who in annotators
    ]
    inside = "".join(numbered(kind.config, at) for at, kind in enumerate(kinds))
    at_work = plugin(make_project(data, inside if inside.startswith("<View") else f"<View>{inside}</View>", answers))
    at_work.connect()
    run = at_work.sync()
    found = {(part.answers.control.name, part.answers.control.tag) for part in run.scores.controls}
    assert found == {(f"c{at}", kind.tag) for at, kind in enumerate(kinds)}
    assert run.report().set_aside == {}
    consensus = {
        (row["task"], item["from_name"]): item["value"]
        for row in at_work.predictions()
        if row["model_version"] == "crowd-consensus"
        for item in row["result"]
    }
    for at, kind in enumerate(kinds):
        expected = kind.expected or kind.said
        given = {task: consensus[task, f"c{at}"] for task in at_work.tasks}
        assert given == {task: expected(n) for n, task in enumerate(at_work.tasks)}
    assert not at_work.sync().plan
    assert_shown(page, f"{studio.url}/projects/{at_work.project}/data?task={at_work.tasks[1]}", kinds, 1)


def assert_shown(page, url, kinds, n):
    """Label Studio's page of a task shows the consensus of these kinds of controls, which is that of task n."""
    texts, stars = shown_by(page, url)
    shown = [kind.shown(n) for kind in kinds]
    assert stars == sum(one.count("★") for one in shown if isinstance(one, str))
    for kind, one in zip(kinds, shown, strict=True):
        if kind.tag == "textarea":
            page.locator(".lsf-main-view").get_by_text(one).first.wait_for()
        elif kind.tag != "rating":
            assert set([one] if isinstance(one, str) else one) <= set(texts)


def said(kind, number, n):
    """What annotators say to task n with the control of a number."""
    return {"from_name": f"c{number}", "to_name": f"{kind.to_name}{number}", "type": kind.tag, "value": kind.said(n)}


def shipped_configs() -> list[str]:
    """The labeling configs of the templates that Label Studio offers for a new project."""
    environment = install().parents[1]
    files = environment.glob("lib/python3*/site-packages/label_studio/annotation_templates/**/*.yml")
    found = [yaml.safe_load(file.read_text()) for file in files]
    return [row["config"] for row in found if isinstance(row, dict) and row.get("config")]


def test_of_every_template_what_can_be_scored_is_and_a_message_names_the_rest():
    configs = shipped_configs()
    assert len(configs) > 60
    found = [control for config in configs for control in find_all(parse(config))]
    reasons = Counter(control.why_not() for control in found)
    assert reasons.pop(None) >= 0.95 * len(found)
    assert set(reasons) == {
        "a kind of answer that is not scored",
        "the labels of <VideoRectangle>, which is not scored",
    }
    assert {control.element.tag for control in found if control.why_not()} == {"chat", "videorectangle", "labels"}
    scored = [control for config in configs if not is_refused(config) for control in find_controls(config)]
    assert len(scored) >= 0.95 * len(found)
    print(f"{len(scored)} of {len(found)} controls of {len(configs)} templates are scored")
    for control in scored:
        if control.is_class:
            assert [control.read(control.write(label)) for label in control.classes] == list(control.classes)


def is_refused(config: str) -> bool:
    try:
        find_controls(config)
    except UserError:
        return True
    return False
