"""Pages and reports of projects of every kind of answers."""

import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest

from label_studio_crowd.pages.report import report_html
from label_studio_crowd.store.people import model_id
from tests.plugin.pages.projects_of_kinds import CARELESS, MADE, TALE, Made, fill_with, item, made
from tests.plugin.pages.showing import assert_nobody_is_kept_out
from tests.plugin.pages.test_browser import looking
from tests.plugin.server.serving import STUDIO, guarded, running

PAGES = ["", "/queue", "/suspects", "/annotators", f"/annotators/{CARELESS}", "/tasks/3", "/agreement"]
HOSTILE = '<script>alert("x")</script>'
RIGHT_TO_LEFT = "\u05e9\u05dc\u05d5\u05dd \u202eabc"
LONG = "w" * 600


def words_of(html):
    """Return what a page's main part says."""
    main = html.partition('<main id="content"')[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    backend = guarded(tmp_path_factory.mktemp("kinds"))
    numbers = {name: number for number, name in enumerate(MADE, 1)}
    snapshots = {name: fill_with(backend, number, made(name), name) for name, number in numbers.items()}
    with running(backend) as client:
        yield SimpleNamespace(client=client, numbers=numbers, snapshots=snapshots, backend=backend)


@pytest.mark.parametrize("kind", MADE)
def test_every_page_shows_and_its_links_lead_somewhere(shown, kind):
    project = f"/projects/{shown.numbers[kind]}"
    links = set()
    for page in PAGES:
        answer = shown.client.get(project + page)
        assert answer.status_code == 200, page
        assert not re.search(r"<style|<script>| style=| on\w+=|>None<|\bnan\b", answer.text.partition("<main")[2]), page
        links |= {link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', answer.text)}
    for link in sorted(link for link in links if link.startswith(f"{project}/"))[:25]:
        assert shown.client.get(link).status_code == 200, link


@pytest.mark.parametrize("kind", MADE)
def test_models_are_shown_where_people_are_and_are_no_suspects(kind, tmp_path):
    backend, one = guarded(tmp_path), made(kind)
    model = model_id("gpt-5")
    rows = [(task, model if who == CARELESS else who, said) for task, who, said in one.rows]
    snapshot = fill_with(backend, 1, replace(one, rows=rows))
    backend.store.project(STUDIO, 1).people.keep_models(["gpt-5"])
    with running(backend) as client:
        for page in [*PAGES[:4], f"/annotators/{model}", "/annotators/101"]:
            assert client.get(f"/projects/1{page}").status_code == 200, page
        for task in range(1, 5):
            assert "gpt-5" in words_of(client.get(f"/projects/1/tasks/{task}").text), task
        if snapshot.regions is not None:
            assert f"annotators/{model}" not in client.get("/projects/1/suspects").text


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("spans", ["Mary", "person", "missed", "nobody else", "Harbour"]),
        ("boxes", ["circle", "missed", "boundaries", "nobody else"]),
        ("polygons", ["triangle"]),
        ("masks", ["square"]),
        ("sound", ["speech", "to", "16 s"]),
        ("dialogues", ["Ada: We meet in", "Porto"]),
        ("texts", ["words differ", "harbor", "for"]),
        ("rankings", ["pairs are in the other order", "places lower than in the consensus"]),
        ("lengths", ["90 % interval", "than the consensus"]),
        ("dates", ["90 % interval 2026-01"]),
        ("sets", ["insult", "left out"]),
        ("several", ["Other controls", "topic", "stars"]),
    ],
)
def test_a_tasks_page_says_who_said_what_over_the_consensus(shown, kind, said):
    html = [shown.client.get(f"/projects/{shown.numbers[kind]}/tasks/{task}").text for task in range(1, 17)]
    whole = " ".join(map(words_of, html)).replace("\xa0", " ")
    for words in [*said, "Consensus", "person101@example.org", f"person{CARELESS}@example.org"]:
        assert words in whole, words


def test_the_queue_says_how_many_answers_differ_and_not_all_of_them_twice(shown):
    for kind in ("spans", "boxes"):
        html = words_of(shown.client.get(f"/projects/{shown.numbers[kind]}/queue").text)
        assert re.search(r"[2-5] annotators gave [2-5] different answers\. Believed", html), kind
        assert "1 says" not in html


def test_differences_of_dates_are_in_hours_and_days(shown):
    pages = [shown.client.get(f"/projects/{shown.numbers['dates']}/tasks/{task}").text for task in range(1, 17)]
    pages.append(shown.client.get(f"/projects/{shown.numbers['dates']}/annotators/{CARELESS}").text)
    whole = " ".join(map(words_of, pages))
    assert re.search(r"\d h (more|less) than the consensus", whole)
    assert re.search(r"\d d (more|less) than the consensus", whole)
    assert re.search(r"On average \S+ [hd] too (large|small)", whole)
    assert "e+0" not in whole


def test_only_projects_of_classes_have_a_table_of_them(shown):
    for kind, heading in (("sets", "Classes"), ("spans", "Labels"), ("lengths", None), ("rankings", None)):
        html = shown.client.get(f"/projects/{shown.numbers[kind]}").text
        assert (f"<h2>{heading}</h2>" in html) if heading else ('id="classes"' not in html), kind


def test_pictures_have_the_regions_over_them_and_bars_their_places(shown):
    html = shown.client.get(f"/projects/{shown.numbers['boxes']}/tasks/3").text
    assert html.count("data:image/png;base64,") == 1 + int(shown.snapshots["boxes"].labels[2])
    assert html.count('<path class="tint-') >= 12
    html = shown.client.get(f"/projects/{shown.numbers['sound']}/tasks/3").text
    assert len(re.findall(r'<rect class="tint-\d consensus" x="[\d.]+" y="1" width="[\d.]+"', html)) == 3


def test_a_project_of_several_controls_has_a_switch_on_each_page(shown):
    project = f"/projects/{shown.numbers['several']}"
    for page in PAGES:
        html = shown.client.get(f"{project}{page}?control=topic").text
        switch = html.partition('aria-label="Controls of the project"')[2].partition("</nav>")[0]
        assert f'href="{project}{page}?control=stars"' in switch
        assert re.search(r'control=topic" aria-current="true"', switch)
    assert "trip" in words_of(shown.client.get(f"{project}/tasks/3?control=topic").text)


def test_suspects_of_regions_say_what_is_odd_and_who(shown):
    project = f"/projects/{shown.numbers['spans']}/suspects"
    html = shown.client.get(project).text
    table = shown.snapshots["spans"].regions
    for why, words in (("alone", "marked alone"), ("missed", "missed"), ("label", "other label")):
        only = shown.client.get(f"{project}?why={why}").text
        rows = re.findall(rf'<tr id="region-(\d+)-(\d+)-{why}">(.*?)</tr>', only, re.DOTALL)
        assert rows, why
        assert set(re.findall(r'<tr id="region-\d+-\d+-(\w+)"', only)) == {why}
        for task, place, row in rows:
            unit = table.units_of(int(task) - 1)[int(place)]
            assert table.kept[unit] == (why != "alone")
            assert words in row
            assert "annotators/" in row
    assert f"annotators/{CARELESS}" in html
    assert shown.client.get(f"{project}?why=nonsense").status_code == 422


def test_an_annotators_page_says_what_their_answers_are_like(shown):
    def page(kind, who):
        return words_of(shown.client.get(f"/projects/{shown.numbers[kind]}/annotators/{who}").text).replace("\xa0", " ")

    careless = page("spans", CARELESS)
    assert "What they miss, and what they invent" in careless
    assert "How exact their boundaries are" in careless
    assert "Regions to learn from" in careless
    assert re.search("On average \\S+ too large", page("lengths", CARELESS))
    assert "How they use each class" in page("sets", CARELESS)
    assert "harbor Harbour" in page("texts", CARELESS)
    assert "Pairs in the wrong order" in page("rankings", CARELESS)


def hostile():
    """Return a project of spans whose texts, names and labels are hostile, and some of its answers empty."""
    text = f"{HOSTILE} {RIGHT_TO_LEFT} {LONG} {TALE}"
    label = '"><img src=x onerror=alert(1)>'
    config = (
        '<View><Text name="o" value="$text"/><Labels name="c" toName="o"><Label value="a"/></Labels>'
        '<TextArea name="t" toName="o"/>'
        '<Choices name="s" toName="o" choice="multiple"><Choice value="b"/></Choices></View>'
    )
    rows = []
    for task in (1, 2, 3):
        for who in (101, 102, 103):
            items = [item("labels", {"start": 0, "end": 5 + who % 2, "text": text[: 5 + who % 2], "labels": [label]})]
            items += [item("textarea", {"text": [f"{HOSTILE} {RIGHT_TO_LEFT} {who} {LONG}"]}, "t")]
            items += [item("choices", {"choices": [HOSTILE, LONG][: who % 3]}, "s")]
            rows.append((task, who, [] if (task, who) == (2, 103) else items))
    return Made(config, [{"text": text}] * 3, rows)


def many():
    """Return a project of a text of 2,000 words with 300 regions, and one with an empty text."""
    words = [f"word{number}" for number in range(2000)]
    text = " ".join(words)
    at = np.cumsum([0] + [len(word) + 1 for word in words]).tolist()
    rows = []
    for who in (101, 102, 103):
        some = range(0, 1500 + 5 * (who - 101) * 50, 5)
        items = [
            item("labels", {"start": at[n], "end": at[n + 1] - 1, "text": words[n], "labels": ["a"]}) for n in some
        ]
        rows += [(1, who, [*items, item("textarea", {"text": [text[who:]]}, "t")]), (2, who, [])]
    config = (
        '<View><Text name="o" value="$text"/><Labels name="c" toName="o"><Label value="a"/></Labels>'
        '<TextArea name="t" toName="o"/></View>'
    )
    return Made(config, [{"text": text}, {"text": ""}], rows)


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    backend = guarded(tmp_path_factory.mktemp("strange"))
    names = {101: HOSTILE, 102: RIGHT_TO_LEFT, 103: LONG}
    fill_with(backend, 1, hostile(), HOSTILE, names)
    fill_with(backend, 2, many(), LONG, names)
    with running(backend) as client:
        yield SimpleNamespace(client=client, backend=backend)


STRANGE = [
    f"/projects/{project}{page}?control={control}"
    for project, controls in ((1, "cts"), (2, "ct"))
    for control in controls
    for page in ("", "/queue", "/suspects", "/annotators/101", "/tasks/1", "/tasks/2", "/agreement")
]


def test_what_people_wrote_is_text_and_nothing_is_too_much(strange):
    for address in STRANGE:
        answer = strange.client.get(address)
        assert answer.status_code == 200, address
        main = answer.text.partition("<main")[2]
        assert "<script" not in main, address
        assert "<img src=x" not in main, address
        assert len(answer.content) < 1_500_000, address
    for project in (1, 2):
        stored = strange.backend.store.project(STUDIO, project)
        whole = strange.backend.snapshot(stored)
        html = report_html(stored, whole, strange.backend.settings, project)
        assert not re.search("<script|<img", html)


def test_what_is_left_out_is_said(strange):
    html = words_of(strange.client.get("/projects/2/tasks/1?control=c").text)
    assert "more are not shown: of each answer the first 300 are." in html
    assert "\u2026" in html


ALIKE = ("polygons", "ellipses", "points", "masks", "dialogues", "dates")
"""Whose pages are like those of another kind, but for a task's and an annotator's."""


@pytest.mark.parametrize("kind", MADE)
def test_nobody_is_kept_out(browser, shown, kind):
    with looking(browser, shown.client) as page:
        for address in ("/tasks/3", f"/annotators/{CARELESS}") if kind in ALIKE else PAGES:
            page.goto(f"/projects/{shown.numbers[kind]}{address}")
            assert_nobody_is_kept_out(page)


@pytest.mark.parametrize("address", STRANGE)
def test_whatever_people_write_nobody_is_kept_out(browser, strange, address):
    with looking(browser, strange.client) as page:
        page.goto(address)
        assert_nobody_is_kept_out(page)


@pytest.mark.parametrize("kind", ["spans", "boxes", "texts", "several"])
def test_the_report_has_the_tasks_and_their_answers(shown, kind):
    stored = shown.backend.store.project(STUDIO, shown.numbers[kind])
    html = report_html(stored, shown.snapshots[kind], shown.backend.settings, shown.numbers[kind])
    assert not re.search(r"<(?:script|link|img|iframe)\b|\bsrc=", html)
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    whole = re.findall(r'href="#(whole-\d+)"', html)
    assert set(whole) <= set(ids)
    assert 10 < len({one for one in ids if one.startswith("whole-")}) <= 30
    assert "at most 30" in html


def test_hidden_names_are_nowhere(shown):
    hidden = {"Cookie": "names=hidden"}
    for kind in ("spans", "boxes", "rankings"):
        for page in ("/tasks/3", "/suspects", "/annotators/a5"):
            html = shown.client.get(f"/projects/{shown.numbers[kind]}{page}", headers=hidden).text
            assert "@example.org" not in html
            assert "annotator 5" in html


def test_what_an_earlier_release_stored_is_shown_as_words(shown):
    snapshot = replace(shown.snapshots["spans"], details={})
    stored = shown.backend.store.project(STUDIO, 99)
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    shown.backend.jobs.mark(99)
    for page in PAGES:
        assert shown.client.get(f"/projects/99{page}").status_code == 200, page
    assert "person “Mary”" in words_of(shown.client.get("/projects/99/tasks/3").text)
