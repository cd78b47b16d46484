"""The report: one file with what the pages show, which asks nobody for anything."""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from harness.snapshots import BEGIN, annotation, control_of, made_up, snapshot_of
from label_studio_crowd.errors import UserError
from label_studio_crowd.estimate import Estimate
from label_studio_crowd.pages.report import check_report_path, report_html, write_report
from label_studio_crowd.scoring.outlook import Curve, Forecast
from tests.plugin.pages.showing import fill
from tests.plugin.server.serving import STUDIO, opened, running

CLASSES = ("a", "b", "c")
_, CONTROL = control_of(CLASSES)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    backend = opened(tmp_path_factory.mktemp("report"))
    stored, snapshot = fill(backend)
    yield backend, stored, snapshot
    backend.close()


@pytest.fixture(scope="module")
def report(filled):
    backend, stored, snapshot = filled
    return report_html(stored, snapshot, backend.settings, 1)


@pytest.fixture(scope="module")
def hidden(filled):
    backend, stored, snapshot = filled
    return report_html(stored, snapshot, backend.settings, 1, hide_names=True)


def of(tmp_path, snapshot, **given):
    backend = opened(tmp_path)
    stored = backend.store.project(STUDIO, 1)
    try:
        return report_html(stored, snapshot, backend.settings, 1, **given)
    finally:
        backend.close()


def cells(html):
    """Return the text of a page's tables, figures and notes, as a reader sees it."""
    found = re.findall(r"<(?:td|th|figcaption|p|h2)\b[^>]*>(.*?)</(?:td|th|figcaption|p|h2)>", html, re.DOTALL)
    said = (" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in found)
    return Counter(re.sub(r"all answers to task \d+ ?", "", cell) for cell in said)


def test_tasks_on_which_crowdlab_differs_are_listed_and_no_others(filled, report):
    _, _, snapshot = filled
    differs = snapshot.tasks[snapshot.crowdlab_differs].tolist()
    listed = [int(task) for task in re.findall(r'id="crowdlab-(\d+)"', report)]
    assert differs
    assert set(listed) <= set(differs)
    assert len(listed) == min(len(differs), 25)
    share = 1 - len(differs) / (snapshot.labels > 0).sum()
    assert re.search(rf"CROWDLAB agrees on {100 * share:.1f}\s%", report)


def test_nothing_is_loaded_and_links_lead_into_label_studio_or_the_file(report, hidden):
    for html in (report, hidden):
        assert not re.search(r"<(?:script|link|img|iframe|object|embed|form|base)\b|\bsrc(?:set)?=| on\w+=", html)
        assert not re.search(r"@import|url\((?!.?data:)", html)
        links = re.findall(r'href="([^"]*)"', html)
        assert any("?task=" in link for link in links)
        ids = Counter(re.findall(r'\bid="([^"]*)"', html))
        assert set(ids.values()) == {1}
        for link in links:
            assert link[1:] in ids if link.startswith("#") else link.startswith(f"{STUDIO}/projects/1/data"), link


@pytest.mark.parametrize("page", ["", "/queue", "/agreement", "/suspects", "/annotators", "/annotators/101"])
def test_it_says_what_the_pages_say(tmp_path, page):
    backend = opened(tmp_path)
    stored, snapshot = fill(backend)
    with running(backend) as client:
        html = client.get(f"/projects/1{page}").text
        whole = cells(report_html(stored, snapshot, backend.settings, 1))
    said = cells(html.partition('<main id="content"')[2].partition("</main>")[0])
    paging = [cell for cell in said if cell in ("", "← All annotators") or re.search(r"[↑↓]|^Download:", cell)]
    missing = {cell for cell in said - whole if cell not in paging}
    assert missing == set()


def test_what_people_wrote_is_text(report):
    assert "Cats &amp; &lt;b&gt;dogs" in report
    assert "&lt;script&gt;alert" in report
    assert not re.search("<script>alert|<b>dogs|<i>text|<b>warning", report)


def test_hidden_names_are_nowhere(report, hidden, filled):
    _, _, snapshot = filled
    assert "person103@example.org" in report
    assert "@example.org" not in hidden
    assert "annotator 12" in hidden
    assert not any(re.search(rf"(?:annotator|about)-{who}\b", hidden) for who in snapshot.annotators.tolist())


def test_the_same_snapshot_gives_the_same_bytes(filled, report):
    backend, stored, snapshot = filled
    again = type(snapshot).from_bytes(snapshot.to_bytes())
    assert report_html(stored, again, backend.settings, 1) == report


def test_of_many_annotators_the_worst_are_shown_one_by_one(filled, monkeypatch):
    backend, stored, snapshot = filled
    monkeypatch.setattr("label_studio_crowd.pages.report._DETAILED", 3)
    html = report_html(stored, snapshot, backend.settings, 1)
    worst = snapshot.annotators[snapshot.annotator_quality.argsort()[:3]].tolist()
    assert re.findall(r'id="about-(\d+)"', html) == [str(who) for who in worst]
    assert "the 3 annotators with the lowest quality" in html
    assert set(re.findall(r'href="#about-(\d+)"', html)) == {str(who) for who in worst}


def test_a_project_that_says_little_says_so(tmp_path):
    nothing = of(tmp_path, snapshot_of([], 5))
    for words in (
        "Not known",
        "Nobody has labelled anything yet",
        "No label is likely to be wrong",
        "No run has ended yet",
    ):
        assert words in nothing
    alone = snapshot_of([annotation(CONTROL, task, task + 1, 7, "a", at=BEGIN) for task in range(4)], 6)
    assert "user 7" in of(tmp_path, alone)


@pytest.mark.parametrize("hide_names", [False, True])
def test_of_deleted_users_it_says_that_there_may_be_several(tmp_path, hide_names):
    given = [annotation(CONTROL, 10 * task + who, task + 1, who, "a", at=BEGIN) for task in range(4) for who in (0, 4)]
    html = of(tmp_path, snapshot_of(given, 4), hide_names=hide_names)
    assert "<h2>deleted users</h2>" in html
    assert html.count("They count as the labels of one annotator.") == 1
    assert ("user 4" in html) == (not hide_names) == ("annotator 1" not in html)


@pytest.mark.parametrize(
    ("hours_ago", "says"),
    [
        ([1, 2], "2 in the last 24 hours"),
        ([1, 60], "1 in the last 2 days"),
        ([1, 300], "1 in the last 7 days"),
        ([300, 301], "none in the last 7 days"),
    ],
)
def test_how_many_labels_were_given_lately_is_said_of_the_time_it_was_counted_in(tmp_path, hours_ago, says):
    given = [annotation(CONTROL, n, n, 7, "a", at=BEGIN - timedelta(hours=ago)) for n, ago in enumerate(hours_ago, 1)]
    said = cells(of(tmp_path, snapshot_of(given, 3, taken_at=BEGIN.timestamp())))
    assert said[f"by 1 annotator; {says}"] == 1


@pytest.mark.parametrize(
    ("hours_ago", "says"),
    [
        ([1, 2, 3, 4], ""),
        ([20, 30, 40, 70], "; about 3 days at the pace of the last 2 days"),
        ([1, 2, 3, 30], "; about 2 days at the pace of the last 24 hours"),
        ([300, 310, 320, 330], ""),
    ],
)
def test_how_long_it_takes_is_said_where_there_is_a_pace(tmp_path, hours_ago, says):
    given = [annotation(CONTROL, n, n, 7, "a", at=BEGIN - timedelta(hours=ago)) for n, ago in enumerate(hours_ago, 1)]
    curve = Curve(further_labels=(0,), mean=(0.5,), low=(0.5,), high=(0.5,))
    backend = opened(tmp_path)
    stored = backend.store.project(STUDIO, 1)
    stored.facts.write(Forecast(4, {}, needed=Estimate(5.0, 4.0, 6.0), queue=curve, random=curve, control=""))
    html = report_html(stored, snapshot_of(given, 4, taken_at=BEGIN.timestamp()), backend.settings, 1)
    backend.close()
    assert cells(html)[f"until every task is settled; 90 % interval 4 to 6{says}"] == 1


def test_consensus_that_is_nearly_sure_is_told_from_that_which_is_surer(tmp_path):
    html = of(tmp_path, made_up(2000, 60, 10_000, 10)[0])
    picture = html.partition("How sure the consensus is")[2].partition("</figure>")[0]
    rows = re.findall(r'<th scope="row">([^<]*)</th><td>([\d,]+)</td><td>([\d,]+)</td>', picture)
    assert [place for place, _, _ in rows][-3:] == ["98 to 99", "99 to 99.9", "99.9 to 100"]
    assert all(int(settled.replace(",", "")) > 50 for _, settled, _ in rows[-3:])


def test_crowdlabs_scores_are_not_called_probabilities(tmp_path):
    given = [
        annotation(CONTROL, 4 * task + who, task + 1, who, "b" if who == 4 else CLASSES[task % 3], at=BEGIN)
        for task in range(30)
        for who in range(1, 5)
    ]
    theirs = of(tmp_path, snapshot_of(given, 30, consensus="crowdlab"))
    ours = of(tmp_path, snapshot_of(given, 30))
    for words in ("Chance it is right", "Quality is the probability", "of their labels are right", "Share right by"):
        assert words in ours
        assert words not in theirs
    assert "not a probability" in theirs
    assert "Label&#39;s score" in theirs


@pytest.mark.parametrize(
    ("name", "says"),
    [("report.pdf", "ends in .html"), ("folder.html", "is a folder"), ("missing/report.html", "which is not a folder")],
)
def test_a_path_that_cannot_be_written_to_is_refused(tmp_path, name, says):
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UserError, match=says):
        check_report_path(tmp_path / name)


def test_it_is_written_as_it_is(tmp_path, report):
    write_report(report, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == report


def test_a_large_project_fits_into_a_mail(tmp_path):
    snapshot, _ = made_up(2000, 60, 10_000, 10)
    assert len(of(tmp_path, replace(snapshot, title="large")).encode()) < 3_000_000


# ---------------------------------------------------------------------- in a browser


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 800}}])
def test_it_opens_without_a_network_and_nobody_is_kept_out(browser, tmp_path, report, options):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    file = tmp_path / "report.html"
    write_report(report, file)
    context = browser.new_context(**options)
    context.set_offline(True)
    page = context.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(file.as_uri())
    page.locator('#annotators a[href^="#about-"]').first.click()
    assert page.locator("details.folded[open]").count() == 1
    page.evaluate("for (const it of document.querySelectorAll('[open] details, #overview details')) it.open = true")
    assert page.locator("svg.chart[role=img]:visible").count() >= 2
    found = axe.Axe().run(page).response["violations"]
    assert [(row["id"], row["nodes"][0]["html"]) for row in found] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    context.close()
    assert {url.partition("#")[0] for url in asked} == {file.as_uri()}
    assert complaints == []


_BROKEN_WORDS = """cells => cells.flatMap(cell => {
  const found = [], texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (texts.nextNode())
    for (const word of texts.currentNode.data.matchAll(/(?<!\\S)[A-Za-z0-9]{2,8}(?!\\S)/g)) {
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (range.getClientRects().length > 1) found.push(word[0]);
    }
  return found;
})"""
"""Words of usual length that are on two lines."""


def test_on_paper_nothing_is_folded_or_cut(browser, tmp_path):
    snapshot, _ = made_up(300, 45, 4000, 30)
    long = "a class of so long a name that nobody would write it twice"
    snapshot = replace(snapshot, classes=(long, *(f"product{number}" for number in range(1, 30))))
    backend = opened(tmp_path)
    stored = backend.store.project(STUDIO, 1)
    stored.people.keep_names([], {who: f"somebody.{who}@company.example.org" for who in snapshot.annotators.tolist()})
    write_report(report_html(stored, snapshot, backend.settings, 1), tmp_path / "report.html")
    backend.close()
    page = browser.new_page(color_scheme="dark", viewport={"width": 703, "height": 1032})  # A4 within its margins
    page.goto((tmp_path / "report.html").as_uri())
    page.emulate_media(media="print")
    assert page.get_by_text("Mistakes to learn from").locator("visible=true").count() == 45
    assert page.locator("nav.tabs:visible, .skip:visible, summary:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )
    reach = "those => Math.max(...those.map(it => it.getBoundingClientRect().right))"
    assert page.locator("section:not(.wide) > .scrolling > table, .pictures table, .card").evaluate_all(reach) <= 703
    assert page.locator(".rows td").evaluate_all(_BROKEN_WORDS) == []
    page.set_viewport_size({"width": 1047, "height": 718})  # A4 on its side
    assert page.locator(".wide table").evaluate_all(reach) <= 1047
    printed = page.pdf(format="A4")
    sides = [(float(x), float(y)) for x, y in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)]
    assert sum(x > y for x, y in sides) == 1
    assert len(printed) < 5_000_000
    page.close()
