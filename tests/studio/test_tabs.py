"""Our tabs of the Data Manager, as Label Studio and its pages take them."""

from __future__ import annotations

import pytest

CHECK, SETTLED, QUEUE = "Crowd: to check", "Crowd: settled", "Crowd: next tasks"


@pytest.fixture
def doubtful(make_project, annotators):
    """Ten tasks: ann and bob agree on eight, cyd says something else on three of these; nobody answered two."""
    ann, bob, cyd = annotators
    answers = [(task, who, "ab"[task % 2]) for task in range(8) for who in (ann, bob)]
    answers += [(task, cyd, "c" if task < 3 else "ab"[task % 2]) for task in range(8)]
    return make_project([{"text": f"text {n}", "source": "web"} for n in range(10)], answers=answers)


def tabs(at_work):
    return {view["data"].get("title"): view for view in at_work.studio.views(at_work.project)}


def listed(at_work, title):
    """The tasks that a tab lists, in its order, with all that its columns show."""
    params = {"view": tabs(at_work)[title]["id"], "project": at_work.project, "fields": "all", "page_size": 100}
    return at_work.api.get("/api/tasks/", params=params).json()["tasks"]


def ids(rows):
    return [row["id"] for row in rows]


def change_label(at_work, task, old, new):
    """Change the annotation of a task that says so."""
    (found,) = [row for row in at_work.task(task)["annotations"] if row["result"][0]["value"]["choices"] == [old]]
    result = [{**found["result"][0], "value": {"choices": [new]}}]
    assert at_work.api.patch(f"/api/annotations/{found['id']}/", json={"result": result}).is_success


class TestWhatTheyList:
    def test_the_queue_in_order_of_priority(self, doubtful, plugin):
        at_work = plugin(doubtful)
        at_work.connect()
        at_work.sync()
        rows = listed(at_work, QUEUE)
        assert ids(rows) == at_work.served_queue()
        assert len(rows) == 2

    def test_probably_wrong_labels_and_what_is_settled(self, doubtful, plugin):
        at_work = plugin(doubtful, review_tabs=True)
        at_work.connect()
        assert listed(at_work, CHECK) == []
        at_work.sync()
        assert ids(listed(at_work, CHECK)) == doubtful.tasks[:3]
        settled = listed(at_work, SETTLED)
        assert sorted(ids(settled)) == doubtful.tasks[:8]
        assert all("choices" in row["predictions_results"] for row in settled)

    def test_a_corrected_label_leaves(self, doubtful, plugin):
        at_work = plugin(doubtful, review_tabs=True)
        at_work.connect()
        at_work.sync()
        change_label(at_work, doubtful.tasks[0], "c", "a")
        at_work.sync()
        assert ids(listed(at_work, CHECK)) == doubtful.tasks[1:3]


class TestWhoTheyBelongTo:
    def test_nobody_gets_a_reviewers_tab_unasked(self, doubtful, plugin):
        at_work = plugin(doubtful)
        at_work.connect()
        at_work.sync()
        assert list(tabs(at_work)) == ["Default", QUEUE]

    def test_a_dry_run_names_them(self, doubtful, plugin):
        at_work = plugin(doubtful, review_tabs=True)
        said = at_work.connect(dry_run=True)
        assert [line for line in said if "Crowd: " in line][1:] == [
            f"Data Manager tab {CHECK!r} added",
            f"Data Manager tab {SETTLED!r} added",
        ]
        assert at_work.writes == []

    def test_disconnect_removes_them(self, doubtful, plugin):
        at_work = plugin(doubtful, review_tabs=True)
        before = at_work.studio.views(doubtful.id)
        at_work.connect()
        at_work.sync()
        assert list(tabs(at_work)) == ["Default", QUEUE, CHECK, SETTLED]
        at_work.disconnect()
        assert at_work.studio.views(doubtful.id) == before

    def test_connect_without_them_removes_them(self, doubtful, plugin):
        plugin(doubtful, review_tabs=True).connect()
        at_work = plugin(doubtful, review_tabs=False)
        assert f"Data Manager tab {CHECK!r} deleted" in at_work.connect()
        assert list(tabs(at_work)) == ["Default", QUEUE]

    def test_one_that_somebody_deleted_stays_so_until_it_is_asked_for(self, doubtful, plugin):
        at_work = plugin(doubtful, review_tabs=True)
        at_work.connect()
        at_work.sync()
        at_work.studio.delete_view(tabs(at_work)[CHECK]["id"])
        later = plugin(doubtful)
        later.sync()
        assert later.connect() == []
        assert CHECK not in tabs(at_work)
        assert at_work.connect() == [f"Data Manager tab {CHECK!r} added"]

    @pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
    def test_a_stopped_connect_goes_on_and_can_be_undone(self, doubtful, plugin, step):
        at_work = plugin(doubtful, review_tabs=True)
        before = at_work.studio.views(doubtful.id)
        at_work.break_at = lambda number, when: (number, when) == (step, "after")
        with pytest.raises(KeyboardInterrupt):
            at_work.connect()
        at_work.break_at = None
        later = plugin(doubtful)
        later.connect()
        assert {CHECK, SETTLED} <= set(tabs(later))
        later.disconnect()
        assert [view["data"] for view in at_work.studio.views(doubtful.id) if view not in before] in (
            [],
            [{"title": "Default"}],  # stopped before its id was noted
        )


class TestWhatSomebodyChanged:
    def test_columns_and_title_stay_when_the_tasks_change(self, doubtful, plugin):
        at_work = plugin(doubtful, review_tabs=True)
        at_work.connect()
        view = tabs(at_work)[CHECK]
        theirs = {"title": "Mine to check", "hiddenColumns": {"explore": [], "labeling": []}, "ordering": ["-tasks:id"]}
        widths = {**view["data"]["columnsWidth"], "tasks:id": 222}
        at_work.studio.update_view(doubtful.id, view["id"], {**view["data"], **theirs, "columnsWidth": widths})
        at_work.sync()
        found = tabs(at_work)["Mine to check"]["data"]
        assert {name: found[name] for name in theirs} == theirs
        assert found["columnsWidth"]["tasks:id"] == 222
        assert ids(listed(at_work, "Mine to check")) == doubtful.tasks[2::-1]

    def test_widths_in_the_tab_of_the_queue_stay_when_the_record_changes(self, doubtful, plugin):
        at_work = plugin(doubtful)
        at_work.connect()
        view = tabs(at_work)[QUEUE]
        widths = {**view["data"]["columnsWidth"], "tasks:id": 222}
        at_work.studio.update_view(doubtful.id, view["id"], {**view["data"], "columnsWidth": widths})
        plugin(doubtful, max_labels=9).connect()
        assert tabs(at_work)[QUEUE]["data"]["columnsWidth"]["tasks:id"] == 222

    def test_a_tab_with_other_filters_is_left_alone(self, doubtful, plugin):
        at_work = plugin(doubtful, review_tabs=True)
        at_work.connect()
        view = tabs(at_work)[CHECK]
        filters = {**view["data"]["filters"], "conjunction": "and"}
        at_work.studio.update_view(doubtful.id, view["id"], {**view["data"], "filters": filters})
        at_work.sync()
        assert tabs(at_work)[CHECK]["data"]["filters"] == filters

    def test_nothing_is_written_where_the_tasks_are_the_same(self, doubtful, plugin):
        at_work = plugin(doubtful, review_tabs=True)
        at_work.connect()
        at_work.sync()
        before = len(at_work.writes)
        at_work.sync(full=True)
        assert [path for _, path in at_work.writes[before:] if "/dm/views/" in path] == []


def open_tab(at_work, page, title):
    """Open a tab, and wait for its tasks."""
    page.goto(f"{at_work.settings.url}/projects/{at_work.project}/data?tab={tabs(at_work)[title]['id']}")
    page.get_by_text(f"Tasks: {len(listed(at_work, title))} / 10").wait_for()


def titles(page):
    """Return the titles of the columns."""
    head = page.locator("[class*=table-head]").first
    return [word for word in head.inner_text().split("\n") if word not in ("str", "")]


def hide_annotators(page):
    """Hide a column: the pages save all that they know of the tab."""
    page.get_by_role("button", name="Columns").click()
    with page.expect_response(lambda answer: "/dm/views/" in answer.url and answer.request.method == "PATCH"):
        page.get_by_text("Annotated by").last.click()


def test_the_pages_show_them_and_keep_what_makes_them_ours(doubtful, plugin, page):
    at_work = plugin(doubtful, review_tabs=True)
    before = at_work.studio.views(doubtful.id)
    broken = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    at_work.connect()
    open_tab(at_work, page, CHECK)  # empty as yet
    hide_annotators(page)
    at_work.sync()
    for title, columns in (
        (QUEUE, ["ID", "Annotated by", "Prediction score", "text", "source"]),
        (CHECK, ["ID", "Prediction results", "text", "source"]),
        (SETTLED, ["ID", "Annotated by", "Prediction results", "text", "source"]),
    ):
        open_tab(at_work, page, title)
        assert titles(page) == columns
        hide_annotators(page)
    assert broken == []
    assert ids(listed(at_work, CHECK)) == doubtful.tasks[:3]
    change_label(at_work, doubtful.tasks[0], "c", "a")
    at_work.sync()
    assert ids(listed(at_work, CHECK)) == doubtful.tasks[1:3]
    at_work.disconnect()
    assert at_work.studio.views(doubtful.id) == before
