"""How far annotators agree by controls that are not scored."""

from __future__ import annotations

import json
import random

import pytest

from harness.snapshots import made_up
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages.report import report_html
from label_studio_crowd.scoring.agreement_alone import agreement_alone
from label_studio_crowd.scoring.outlook import Reliability
from label_studio_crowd.store.mirror import Annotation
from label_studio_crowd.studio.controls import find_compared, find_controls, not_scored
from tests.plugin.server.serving import STUDIO, opened

CONFIG = """<View>
  <Video name="v" value="$video"/>
  <Labels name="what" toName="v"><Label value="car"/></Labels>
  <VideoRectangle name="box" toName="v"/>
  <Image name="i" valueList="$pages"/>
  <Choices name="page" toName="i" perItem="true"><Choice value="text"/><Choice value="table"/></Choices>
  <Chat name="chat" value="$chat" toName="chat"/>
  <Choices name="good" toName="v"><Choice value="yes"/><Choice value="no"/></Choices>
</View>"""


def said(number, task, who, x, kinds):
    keys = [{"frame": 1, "x": x, "y": 10, "width": 20, "height": 20, "enabled": True, "rotation": 0, "time": 0.0}]
    value = {"framesCount": 100, "duration": 4.0, "sequence": keys, "labels": ["car"]}
    rows = [{"id": "b", "from_name": "box", "to_name": "v", "type": "videorectangle", "value": value}]
    rows += [
        {"from_name": "page", "to_name": "i", "type": "choices", "item_index": at, "value": {"choices": [kind]}}
        for at, kind in enumerate(kinds)
    ]
    at = f"2026-01-01T00:00:00.{number:06}Z"
    return Annotation(number, task, who, json.dumps(rows), False, False, at, 1.0)


def crowd(noise):
    chance, number = random.Random(1), 0
    for task in range(1, 21):
        for who in (1, 2, 3):
            x = (task % 4) * 20 + noise * chance.uniform(-10, 10)
            kinds = [
                "table" if (task + at) % 2 != (chance.random() < min(noise / 2, 0.5)) else "text" for at in range(3)
            ]
            yield said(number, task, who, x, kinds)
            number += 1


def test_what_is_not_scored_is_compared_where_answers_have_a_distance():
    found = {one.name: one for one in find_compared(CONFIG)}
    assert set(found) == {"box", "page"}
    assert [control.name for control in find_controls(CONFIG)] == ["good"]
    assert set(not_scored(CONFIG)) == {
        "<Labels name='what'>",
        "<VideoRectangle name='box'>",
        "<Choices name='page'>",
        "<Chat name='chat'>",
    }


@pytest.mark.parametrize(("noise", "least", "most"), [(0, 1.0, 1.0), (0.5, 0.3, 0.9), (3, -0.3, 0.4)])
def test_alpha_falls_from_one_with_noise(noise, least, most):
    alone = agreement_alone(find_compared(CONFIG), list(crowd(noise)))
    assert [one.control for one in alone] == ["<VideoRectangle name='box'>", "<Choices name='page'>"]
    for one in alone:
        assert one.answers == 60
        assert least <= one.alpha.value <= most
        assert one.alpha.low <= one.alpha.value <= one.alpha.high


def test_broken_and_lonely_answers_are_no_pairs():
    rows = [said(task, task, 1, 10, ["text"]) for task in range(1, 4)]
    broken = [
        row._replace(annotator=2, result=row.result.replace('"frame": 1', '"frame": "soon"').replace("page", "other"))
        for row in rows
    ]
    (box, page) = agreement_alone(find_compared(CONFIG), rows + broken)
    assert (box.answers, page.answers) == (3, 3)
    assert box.alpha.value is None
    assert agreement_alone(find_compared(CONFIG), []) == ()


def test_the_page_of_agreement_lists_them(tmp_path):
    alone = agreement_alone(find_compared(CONFIG), list(crowd(0.5)))
    backend = opened(tmp_path)
    stored = backend.store.project(STUDIO, 1)
    stored.facts.write(Reliability(60, {"alpha": Estimate(0.5)}, alone=alone))
    assert stored.facts.read(Reliability).alone == alone
    html = report_html(stored, made_up(30, 4, 90, 3)[0], backend.settings, 1)
    backend.close()
    assert "&lt;VideoRectangle name=&#39;box&#39;&gt;" in html
    assert f"{alone[0].alpha.value:.2f}" in html
