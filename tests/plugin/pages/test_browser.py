"""Pages in a browser."""

import re
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from harness.service_process import ServiceProcess
from label_studio_crowd.scoring.outlook import History, Moment
from label_studio_crowd.server.live import page_versions
from tests.plugin.pages.showing import PAGES, TITLE, assert_nobody_is_kept_out, begun, fill
from tests.plugin.server.serving import PASSWORD, STUDIO, USER, opened


@contextmanager
def looking(browser, client, **options):
    """Give a page that knows the password; it must ask no other host for anything, and complain of nothing."""
    context = browser.new_context(
        base_url=str(client.base_url), http_credentials={"username": USER, "password": PASSWORD}, **options
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            urlsplit(request.url).netloc == client.base_url.netloc.decode() or complaints.append(request.url)
        ),
    )
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("address", ["/projects", *[f"/projects/1{page}" for page in PAGES], "/projects/7"])
def test_nobody_is_kept_out(browser, shown, address):
    with looking(browser, shown.client) as page:
        page.goto(address)
        assert_nobody_is_kept_out(page)


def test_a_page_follows_and_keeps_what_is_open(browser, served):
    from playwright.sync_api import expect

    with looking(browser, served.client) as page:
        page.goto("/projects/1")
        table = page.locator("figure details").first
        table.locator("summary").click()
        newer = replace(served.snapshot, taken_at=served.snapshot.taken_at + 1, title="Another title")
        served.stored.runs.keep_snapshot(newer.to_bytes(), newer.taken_at)
        expect(page.locator("h1")).to_have_text("Another title")
        assert table.evaluate("it => it.open")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        expect(page.locator("#updated")).to_contain_text("Updated at")


def test_charts_and_lists_are_in_the_readers_time_zone(browser, served):
    from playwright.sync_api import expect

    moments = tuple(Moment(at, 500, 0.9, 0.8, 0.95) for at in (1_800_014_400.0, 1_800_018_000.0))
    served.stored.facts.write(History(moments))
    with looking(browser, served.client, timezone_id="Europe/Berlin") as page:
        page.goto("/projects/1")
        expect(page.get_by_text("Accuracy by time (Europe/Berlin).")).to_be_visible()
        expect(page.locator("svg.chart text", has_text="13:00")).to_be_visible()


def test_a_page_that_could_not_be_fetched_is_fetched_again(browser, served):
    from playwright.sync_api import expect

    with looking(browser, served.client) as page:
        page.add_init_script(
            "const ask = fetch; window.asked = 0; window.fetch = (...what) => "
            "window.asked++ ? ask(...what) : Promise.resolve(new Response('', { status: 503 }));"
        )
        page.goto("/projects/1")
        newer = replace(served.snapshot, taken_at=served.snapshot.taken_at + 1, title="Another title")
        served.stored.runs.keep_snapshot(newer.to_bytes(), newer.taken_at)
        expect(page.locator("h1")).to_have_text("Another title", timeout=15_000)
        assert page.evaluate("asked") == 2


def test_a_page_that_was_made_while_something_passed_is_made_anew(browser, served):
    from playwright.sync_api import expect

    asked = []

    def while_something_passes(route):
        asked.append(route.request.resource_type)
        answer = route.fetch()
        text = re.sub('data-version="[^"]*"', 'data-version="passing"', answer.text())
        route.fulfill(response=answer, body=text.replace("Scoring", "Passing"))

    with looking(browser, served.client) as page:
        page.goto("/projects/1")
        page.route("**/projects/1", while_something_passes, times=1)
        begun(served.backend.jobs)
        expect(page.locator("progress[aria-label=Passing]")).to_be_visible()
        expect(page.locator("progress[aria-label=Scoring]")).to_be_visible()
        assert asked == ["fetch"]
        version = page.locator("#live").get_attribute("data-version")
        assert version == page_versions(served.backend)[1]


def test_a_page_of_a_project_that_is_served_no_longer_says_so_and_asks_no_more(browser, served):
    from playwright.sync_api import expect

    context = browser.new_context(
        base_url=str(served.client.base_url), http_credentials={"username": USER, "password": PASSWORD}
    )
    page = context.new_page()
    page.goto("/projects/1")
    served.backend.jobs.drop(1)
    expect(page.locator("main")).to_contain_text("Project 1 is not served", timeout=15_000)
    expect(page).to_have_title(re.compile("Not found"))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    served.backend.jobs.mark(1)
    page.wait_for_timeout(3000)
    assert asked == []
    context.close()


def test_a_page_whose_password_has_changed_asks_to_be_loaded_anew(browser, tmp_path):
    from playwright.sync_api import expect

    backend = opened(tmp_path)
    fill(backend)
    backend.close()
    studio = {"LABEL_STUDIO_URL": STUDIO, "LABEL_STUDIO_API_KEY": "k", "BASIC_AUTH_USER": USER}
    with ServiceProcess(tmp_path, {**studio, "BASIC_AUTH_PASS": "before"}) as service:
        context = browser.new_context(base_url=service.url, http_credentials={"username": USER, "password": "before"})
        page = context.new_page()
        with page.expect_response("**/events"):
            page.goto("/projects/1")
        service.stop()
        service.environment["BASIC_AUTH_PASS"] = "after"
        service.http.auth = (USER, "after")
        service.start()
        expect(page.locator("#updated")).to_contain_text("reload it", timeout=30_000)
        expect(page.locator("h1")).to_have_text(TITLE)
        context.close()


def test_a_keyboard_is_enough(browser, shown):
    with looking(browser, shown.client) as page:
        page.goto("/projects/1/annotators")
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.locator(":focus").get_attribute("id") == "content"
        seen = set()
        for _ in range(100):
            page.keyboard.press("Tab")
            address, outline = page.evaluate(
                "(it => [it.getAttribute('href'), getComputedStyle(it).outlineStyle])(document.activeElement)"
            )
            if address is None and seen:  # at the end
                break
            seen.add(address)
            assert outline == "solid"
        people = {f"/projects/1/annotators/{who}" for who in shown.snapshot.annotators.tolist()}
        assert people <= seen


def test_one_switch_hides_names_and_a_button_rescores(browser, served):
    with looking(browser, served.client) as page:
        page.goto("/projects/1/annotators/101")
        page.get_by_role("button", name="Hide names").click()
        page.wait_for_url("**/annotators/a1")
        assert "@example.org" not in page.content()
        page.get_by_role("button", name="Show names").click()
        page.wait_for_url("**/annotators/101")
        page.goto("/projects/1/runs")
        page.get_by_role("button", name="Rescore now").click()
        page.wait_for_url("**/runs")
    assert [job.kind for job in served.backend.jobs.claim_due()] == ["rescore"]


def test_pages_work_without_script(browser, shown):
    with looking(browser, shown.client, java_script_enabled=False) as page:
        page.goto("/projects")
        page.get_by_role("link", name=TITLE).click()
        page.get_by_role("link", name="Queue").click()
        assert page.get_by_role("row").count() == 1 + min(len(shown.snapshot.queue), 25)
