"""The pages and the report as people meet them: in Chromium, of a project in a real Label Studio."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from harness.local_studio import LocalStudio
from harness.project import GivenAnnotation, choice, create_project
from harness.service_process import ServiceProcess, until
from label_studio_crowd.pages.previews import preview
from label_studio_crowd.settings import Settings
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.controls import find_control

CONFIG = """<View>
  <Text name="text" value="$text"/><Image name="image" value="$image"/>
  <Choices name="label" toName="text"><Choice value="a"/><Choice value="b"/><Choice value="c"/></Choices>
</View>"""
TITLE = "A project to look at"
PAGES = ["", "/queue", "/suspects", "/annotators", "/annotators/{cyd}", "/agreement", "/runs"]
PICTURED = 27
"""The task with a picture: nobody has labelled it."""


@pytest.fixture(scope="module")
def picture(studio):
    """The path of a picture that somebody uploaded; into a project of its own, because of the other's two fields."""
    from PIL import Image

    content = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(content, "PNG")
    config = CONFIG.replace('<Text name="text" value="$text"/>', "").replace('toName="text"', 'toName="image"')
    project = create_project(studio, "pictures", config, []).id
    file = {"file": ("teal.png", content.getvalue(), "image/png")}
    assert studio.api.post(f"/api/projects/{project}/import", files=file).status_code == 201
    (task,) = studio.api.get("/api/tasks/", params={"project": project, "fields": "all"}).json()["tasks"]
    yield task["data"]["image"]
    studio.api.delete(f"/api/projects/{project}/")


@pytest.fixture(scope="module")
def shown(studio, annotators, picture, browser, tmp_path_factory):
    """A service on a project of 28 tasks that ann and bob know and cyd does not; it had a run and made a forecast."""
    folder = tmp_path_factory.mktemp("pages")
    ann, bob, cyd = annotators
    wrong = {"a": "b", "b": "c", "c": "a"}
    truth = ["abc"[task % 3] for task in range(28)]
    given = [GivenAnnotation(task, who.id, choice(truth[task]), 4.0) for task in range(24) for who in (ann, bob)]
    given += [GivenAnnotation(task, cyd.id, choice(wrong[truth[task]]), 2.0) for task in range(14)]
    given += [GivenAnnotation(task, cyd.id, choice(truth[task]), 2.0) for task in range(14, 26)]
    tasks = [{"text": f"message number {task}", "image": picture if task == PICTURED else ""} for task in range(28)]
    project = create_project(studio, TITLE, CONFIG, tasks, given)
    with ServiceProcess(
        folder, {"LABEL_STUDIO_URL": studio.url, "LABEL_STUDIO_API_KEY": studio.admin_token}
    ) as service:
        body = {"project": project.id, "url": service.url, "title": "crowd"}
        assert studio.api.post("/api/ml", json=body).status_code == 201
        until(lambda: "in random order" in service.http.get(f"/projects/{project.id}").text, patience=60)
        yield SimpleNamespace(
            url=f"{service.url}/projects/{project.id}",
            service=service,
            studio=studio,
            project=project.id,
            tasks=project.tasks,
            people=annotators,
            folder=folder,
        )
    studio.api.delete(f"/api/projects/{project.id}/")


SPAN_CONFIG = """<View><Text name="text" value="$text"/>
  <Labels name="names" toName="text"><Label value="person"/><Label value="place"/></Labels></View>"""
BOX_CONFIG = """<View><Image name="image" value="$image"/>
  <RectangleLabels name="boxes" toName="image"><Label value="cat"/><Label value="dog"/></RectangleLabels></View>"""
TALE = "\U0001f600 Mary went to Porto on Monday"
"""Label Studio counts the first letter as two."""


def span(text, label):
    start = TALE.index(text) + 1
    value = {"start": start, "end": start + len(text), "text": text, "labels": [label]}
    return {"from_name": "names", "to_name": "text", "type": "labels", "value": value}


def box(x, label):
    value = {"x": x, "y": 10.0, "width": 20.0, "height": 40.0, "rotation": 0, "rectanglelabels": [label]}
    size = {"original_width": 30, "original_height": 20}
    return {"from_name": "boxes", "to_name": "image", "type": "rectanglelabels", "value": value, **size}


@pytest.fixture(scope="module")
def of_regions(shown, picture):
    """Projects of spans and of boxes that ann and bob know and cyd does not, on the same service."""
    ann, bob, cyd = shown.people
    projects = {}
    for name, config, data, good, bad in (
        (
            "spans",
            SPAN_CONFIG,
            {"text": TALE},
            [span("Mary", "person"), span("Porto", "place")],
            [span("Monday", "place")],
        ),
        ("boxes", BOX_CONFIG, {"image": picture}, [box(10.0, "cat"), box(60.0, "dog")], [box(10.0, "dog")]),
    ):
        given = [GivenAnnotation(task, who.id, good, 3.0) for task in range(6) for who in (ann, bob)]
        given += [GivenAnnotation(task, cyd.id, bad, 2.0) for task in range(6)]
        project = create_project(shown.studio, f"A project of {name}", config, [data] * 6, given)
        body = {"project": project.id, "url": shown.service.url, "title": "crowd"}
        assert shown.studio.api.post("/api/ml", json=body).status_code == 201
        projects[name] = project
    for project in projects.values():
        address = f"/projects/{project.id}/tasks/{project.tasks[0]}"
        until(lambda page=address: "Consensus" in shown.service.http.get(page).text, patience=90)
    yield {name: (f"{shown.service.url}/projects/{project.id}", project.tasks) for name, project in projects.items()}
    for project in projects.values():
        shown.studio.api.delete(f"/api/projects/{project.id}/")


@pytest.fixture(scope="module")
def report(shown):
    """The report, written by the command from the service's store."""
    file = shown.folder / "report.html"
    command = ["report", "--project", str(shown.project), "--out", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "label_studio_crowd", *command],
        env=shown.service.environment,
        cwd=shown.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return file


@contextmanager
def looking(browser, shown, **options):
    """Give a page; it must ask no other host for anything, and complain of nothing."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    own = urlsplit(shown.service.url).netloc
    page.on("request", lambda request: urlsplit(request.url).netloc == own or complaints.append(request.url))
    yield page
    context.close()
    assert complaints == []


def addresses(shown):
    return [shown.url + page.format(cyd=shown.people[2].id) for page in PAGES]


def grave(page):
    """Return what axe finds that keeps people out."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    found = axe.Axe().run(page).response["violations"]
    return [(row["id"], row["nodes"][0]["html"]) for row in found if row["impact"] in ("serious", "critical")]


def test_every_page_says_what_is_in_the_project(browser, shown):
    ann, bob, cyd = shown.people
    expected = {
        "": ["74", "3 annotators", "in random order"],
        "/queue": [f"Task {shown.tasks[PICTURED]}", f"message number {PICTURED}", "Nobody has labelled it yet"],
        "/suspects": [cyd.email, "2 say"],
        "/annotators": [ann.email, bob.email, cyd.email],
        "/annotators/{cyd}": [cyd.email, "26", "Mistakes to learn from", "message number"],
        "/agreement": ["Krippendorff's alpha", cyd.email],
        "/runs": ["Rescore now", "a change in Label Studio"],
    }
    with looking(browser, shown) as page:
        page.goto(f"{shown.service.url}/projects")
        page.get_by_role("link", name=TITLE).click()
        for address, words in zip(addresses(shown), expected.values(), strict=True):
            page.goto(address)
            for said in [TITLE, *words]:
                assert said in page.locator("body").inner_text(), (address, said)


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 800}}])
def test_nobody_is_kept_out(browser, shown, options):
    with looking(browser, shown, **options) as page:
        for address in [f"{shown.service.url}/projects", *addresses(shown)]:
            page.goto(address)
            assert grave(page) == [], address


def test_links_lead_to_the_tasks_in_label_studio(browser, shown, report):
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{shown.studio.url}/user/login/")
    page.locator("input[name=email]").fill(shown.studio.admin_email)
    page.locator("input[name=password]").fill(shown.studio.admin_password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/user/login" not in url)
    places = [f"{shown.url}{page}" for page in ("/queue", "/suspects", f"/annotators/{shown.people[2].id}")]
    for place in [*places, report.as_uri()]:
        page.goto(place)
        link = page.locator("main a.outward").nth(1)
        number = shown.tasks.index(int(re.search(r"\d+", link.text_content())[0]))
        page.goto(link.get_attribute("href"))
        page.locator(".lsf-richtext").get_by_text(f"message number {number}", exact=True).wait_for()
    page.goto(shown.url)
    page.get_by_role("link", name="Open in Label Studio").click()
    page.wait_for_url(f"{shown.studio.url}/projects/{shown.project}/data**")
    page.get_by_text(TITLE).first.wait_for()
    context.close()


def test_a_tasks_page_has_spans_in_their_text_and_who_marked_them(browser, shown, of_regions):
    project, tasks = of_regions["spans"]
    cyd = shown.people[2]
    with looking(browser, shown) as page:
        page.goto(f"{project}/suspects")
        page.get_by_role("link", name=f"all answers to task {tasks[0]}").first.click()
        consensus = page.locator(".answer.believed")
        assert consensus.locator("mark").all_inner_texts() == ["Mary", "Porto"]
        assert TALE.split()[-1] in consensus.inner_text()
        theirs = page.locator(".answer", has_text=cyd.email)
        assert theirs.locator("mark.missed").all_inner_texts() == ["Mary", "Porto"]
        assert theirs.locator("mark.alone").all_inner_texts() == ["Monday"]
        assert "Misses 2 regions; marks 1 region that nobody else marked." in theirs.inner_text()
        assert grave(page) == []
        page.goto(f"{project}/annotators/{cyd.id}")
        assert "What they miss, and what they invent" in page.locator("main").inner_text()


def test_a_tasks_page_has_boxes_over_the_uploaded_picture(browser, shown, of_regions):
    project, tasks = of_regions["boxes"]
    cyd = shown.people[2]
    with looking(browser, shown) as page:
        page.goto(f"{project}/tasks/{tasks[0]}")
        picture = page.locator(".answer.believed img")
        page.wait_for_function("it => it.complete && it.naturalWidth === 30", arg=picture.element_handle())
        over = page.locator(".answer.believed svg.drawn")
        assert over.bounding_box() == picture.bounding_box()
        assert over.locator("path.consensus").count() == 2
        first = over.locator("path.consensus").first.bounding_box()
        whole = picture.bounding_box()
        assert first["width"] / whole["width"] == pytest.approx(0.2, abs=0.05)  # with its line
        assert first["height"] / whole["height"] == pytest.approx(0.4, abs=0.05)
        theirs = page.locator(".answer", has_text=cyd.email)
        assert "not cat" in theirs.inner_text()
        assert "dog missed" in theirs.inner_text()
        assert grave(page) == []


def test_an_uploaded_picture_is_shown(browser, shown):
    with looking(browser, shown) as page:
        page.goto(f"{shown.url}/queue")
        picture = page.locator(f"#task-{shown.tasks[PICTURED]} img")
        picture.scroll_into_view_if_needed()
        page.wait_for_function("it => it.complete && it.naturalWidth === 30", arg=picture.element_handle())


def test_local_files_are_found_whatever_their_names(tmp_path):
    from PIL import Image

    names = ["my cat.png", "Kätzchen.png", "cat #1+2.png", "100%.png", "50%25.png", "at 9.00\u202fAM.png"]
    folder = tmp_path / "files" / "my pictures"
    folder.mkdir(parents=True)
    for width, name in enumerate(names, 1):
        Image.new("RGB", (width, 20)).save(folder / name)
    config = CONFIG.replace('<Text name="text" value="$text"/>', "").replace('toName="text"', 'toName="image"')
    serving = {"LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true"}
    serving["LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"] = str(folder.parent)
    with LocalStudio(tmp_path / "studio", env=serving) as studio:
        raw = [f"/data/local-files/?d=my pictures/{name}" for name in names if "#" not in name and "%25" not in name]
        project = create_project(studio, "local files", config, [{"image": address} for address in raw]).id
        storage = {"project": project, "path": str(folder), "use_blob_urls": True}
        number = studio.api.post("/api/storages/localfiles", json=storage).json()["id"]
        assert studio.api.post(f"/api/storages/localfiles/{number}/sync", json={}).status_code == 200
        rows = studio.api.get("/api/tasks/", params={"project": project, "fields": "all"}).json()["tasks"]
        assert len(rows) == len(raw) + len(names)  # Label Studio wrote the addresses of the latter itself
        shown = [image for row in rows for image in preview(find_control(config), row["data"], [studio.url])]
        fetcher = Studio.of(Settings(url=studio.url, api_key=studio.admin_token))
        files = [fetcher.file(image.address, 10_000)[1] for image in shown]
    said = [" ".join(name.split()) for name in names]
    widths = [Image.open(io.BytesIO(file)).width for file in files]
    assert widths == [said.index(image.text) + 1 for image in shown]


def test_a_report_from_disk_needs_no_network(browser, shown, report):
    context = browser.new_context()
    context.set_offline(True)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    assert page.locator("svg.chart[role=img]:visible").count() >= 2  # how sure the consensus is, and the forecast
    text = page.locator("body").inner_text()
    for said in (TITLE, "in random order", f"message number {PICTURED}", *(person.email for person in shown.people)):
        assert said in text
    page.get_by_role("link", name=shown.people[2].email).first.click()
    assert page.get_by_text("Mistakes to learn from").locator("visible=true").count() == 1
    assert grave(page) == []
    context.close()
    assert {url.partition("#")[0] for url in asked} == {report.as_uri()}


def test_an_annotation_changes_the_page_by_itself(browser, shown):
    with looking(browser, shown) as page:
        page.goto(shown.url)
        card = page.locator(".card", has_text="Labels so far").locator(".figure")
        before = int(card.inner_text())
        page.evaluate("window.stays = true")
        shown.people[0].label(shown.tasks[24], choice("a"))
        page.wait_for_function(
            "([it, labels]) => it.textContent === labels", arg=[card.element_handle(), str(before + 1)]
        )
        assert page.evaluate("window.stays"), "the page was not loaded anew"
        assert "Updated at" in page.locator("#updated").inner_text()


def test_a_run_and_a_dry_run_are_a_click_away(browser, shown):
    def ended():
        return shown.service.api(f"projects/{shown.project}/runs")["items"][0]["finished_at"]

    until(lambda: shown.service.api(f"projects/{shown.project}")["state"] == "fresh")
    with looking(browser, shown) as page:
        page.goto(f"{shown.url}/runs")
        before = ended()
        page.get_by_role("button", name="Rescore now").click()
        until(lambda: ended() != before)
        page.get_by_text("a click").wait_for()
        page.get_by_role("button", name="Show what a run would change").click()
        page.get_by_text("What a run would have changed at").wait_for()
