"""What `connect` changes, `disconnect` puts back."""

from __future__ import annotations

import threading
import time

import pytest

from harness.stand_in_backend import stand_in_backend
from label_studio_crowd.connection.doctor import examine
from label_studio_crowd.connection.record import RecordError, find_record, options_in
from label_studio_crowd.errors import UserError
from label_studio_crowd.exchange.publish import PendingImport
from label_studio_crowd.settings import Settings
from label_studio_crowd.store.projects import Store

SETTINGS = ("sampling", "maximum_annotations", "show_overlap_first", "model_version", "show_collab_predictions")


@pytest.fixture
def lively(make_project, annotators, studio):
    """A project with a life of its own: three labels a task, another model's predictions, a tab, an overlap of 5."""
    ann, bob, cyd = annotators
    answers = [(task, who, "a") for task in range(4) for who in (ann, bob, cyd)]
    answers += [(task, ann, "b") for task in range(4, 8)]
    project = make_project([{"text": f"text {n}"} for n in range(12)], answers=answers)
    api = studio.api
    settings = {"maximum_annotations": 3, "sampling": "Uniform sampling", "show_overlap_first": True}
    assert api.patch(f"/api/projects/{project.id}/", json=settings).status_code == 200
    result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["c"]}}]
    items = [{"task": t, "result": result, "score": 0.4, "model_version": "theirs"} for t in project.tasks]
    assert api.post(f"/api/projects/{project.id}/import/predictions", json=items).json() == {"created": 12}
    assert api.patch(f"/api/projects/{project.id}/", json={"model_version": "theirs"}).status_code == 200
    api.patch(f"/api/tasks/{project.tasks[10]}/", json={"overlap": 5, "is_labeled": False})
    api.post("/api/dm/views/", json={"project": project.id, "data": {"title": "Mine"}})
    return project


def everything(at_work):
    info = at_work.info()
    theirs = [(row["id"], row["task"], row["score"], row["updated_at"]) for row in at_work.predictions()]
    tasks = [at_work.task(task) for task in at_work.tasks]
    return {
        "settings": {name: info[name] for name in SETTINGS},
        "predictions": theirs,
        "views": at_work.api.get("/api/dm/views/", params={"project": at_work.project}).json(),
        "tasks": [(row["id"], row["overlap"], row["is_labeled"], row["data"], row["meta"]) for row in tasks],
    }


def test_the_maximum_of_annotations_becomes_the_most_labels_and_connect_says_why(lively, plugin):
    at_work = plugin(lively)
    said = at_work.connect(dry_run=True)
    assert (
        "maximum_annotations: 3 → 1 (tasks that need more labels open again one by one, up to max_labels = 3)" in said
    )
    at_work.connect()
    assert at_work.sync().scores.max_labels == 3
    at_work.disconnect()
    at_work.settings = at_work.settings.model_copy(update={"max_labels": 4})
    at_work.connect()
    assert at_work.sync().scores.max_labels == 4


def test_disconnect_puts_everything_back(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    during = everything(at_work)
    assert during["settings"]["maximum_annotations"] == 1
    assert len(during["predictions"]) > 12
    at_work.disconnect()
    assert everything(at_work) == before


def test_disconnect_from_a_deleted_mirror(lively, plugin, tmp_path):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    at_work.store = Store(f"sqlite:///{tmp_path}/another.sqlite").project(at_work.settings.url, lively.id)
    at_work.disconnect()
    assert everything(at_work) == before


def test_disconnect_pulls_nothing_and_asks_for_no_counts(lively, plugin, tmp_path, monkeypatch):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    another_mirror(at_work, tmp_path)

    def nothing(*_, **__):
        raise AssertionError("it was asked for")

    for name in ("counts", "tasks"):
        monkeypatch.setattr(at_work.studio, name, nothing)
    at_work.disconnect()
    assert everything(at_work) == before


def test_a_task_that_stays_open_with_all_its_annotators_is_closed(lively, plugin):
    """As it was seen after Label Studio had been killed while it opened and closed tasks."""
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    wrong, update = lively.tasks[0], at_work.studio.update_project

    def once_killed(project, **fields):
        update(project, **fields)
        if fields.get("maximum_annotations") == 3:
            answer = at_work.api.patch(f"/api/tasks/{wrong}/", json={"overlap": 3, "is_labeled": False})
            assert not answer.json()["is_labeled"]

    at_work.studio.update_project = once_killed
    at_work.disconnect()
    assert everything(at_work) == before


def test_a_task_that_cannot_be_put_back_is_named(lively, plugin):
    at_work = plugin(lively)
    at_work.connect()
    at_work.sync()
    at_work.studio.set_task = lambda *_, **__: True
    said = [line for line in at_work.disconnect() if "could not be put back" in line]
    assert [line.split()[:2] for line in said] == [["task", str(lively.tasks[10])]]
    assert "it should have overlap 5, open" in said[0]


def test_connect_again_changes_nothing_and_keeps_the_record(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    connected = everything(at_work)
    assert at_work.connect() == []
    assert everything(at_work) == connected
    at_work.disconnect()
    assert everything(at_work) == before


def test_connect_stopped_at_each_write_can_be_undone(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    for step in (1, 2):
        stop = len(at_work.writes) + step
        at_work.break_at = lambda number, when, stop=stop: (number, when) == (stop, "after")
        with pytest.raises(KeyboardInterrupt):
            at_work.connect()
        at_work.break_at = None
        at_work.disconnect()
        assert everything(at_work) == before


def test_disconnect_without_connect_changes_nothing(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    with pytest.raises(UserError, match="not connected"):
        at_work.disconnect()
    assert everything(at_work) == before


def test_sync_before_connect_writes_nothing(lively, plugin):
    at_work = plugin(lively)
    with pytest.raises(UserError, match="crowd connect "):
        at_work.sync()
    assert at_work.writes == []


def test_a_project_that_hides_predictions_keeps_its_version(lively, plugin, studio):
    studio.api.patch(f"/api/projects/{lively.id}/", json={"show_collab_predictions": False, "model_version": "theirs"})
    at_work = plugin(lively)
    before = everything(at_work)
    assert before["settings"]["model_version"] == "theirs"
    at_work.connect()
    assert at_work.info()["model_version"] == "theirs"
    at_work.sync()
    assert at_work.info()["model_version"].startswith("crowd-queue-")
    at_work.disconnect()
    assert everything(at_work) == before


def another_mirror(at_work, tmp_path):
    at_work.store = Store(f"sqlite:///{tmp_path}/another.sqlite").project(at_work.settings.url, at_work.project)


def test_sync_goes_on_with_a_deleted_mirror(lively, plugin, tmp_path):
    at_work = plugin(lively, max_labels=7)
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    state = at_work.state()
    another_mirror(at_work, tmp_path)
    at_work.settings = plugin(lively).settings
    run = at_work.sync()
    assert options_in(find_record(at_work.opened))["max_labels"] == 7
    assert not run.plan
    assert at_work.state() == state
    at_work.disconnect()
    assert everything(at_work) == before


def test_sync_of_a_project_that_was_disconnected_elsewhere_writes_nothing(lively, plugin, tmp_path):
    at_work, elsewhere = plugin(lively), plugin(lively)
    another_mirror(elsewhere, tmp_path)
    at_work.connect()
    elsewhere.disconnect()
    before = everything(at_work)
    with pytest.raises(UserError, match="not connected"):
        at_work.sync()
    with pytest.raises(UserError, match="not connected"):
        at_work.disconnect()
    assert everything(at_work) == before
    at_work.connect()
    at_work.disconnect()
    assert everything(at_work) == before


def test_the_record_survives_what_the_pages_make_of_our_tab(lively, plugin, tmp_path):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    for view in at_work.studio.views(lively.id):  # a reviewer sorts it: the pages send the fields that they know
        kept = {name: view["data"][name] for name in ("title", "columnsWidth", "filters") if name in view["data"]}
        data = {**kept, "ordering": ["tasks:id"], "columnsDisplayType": {}, "hiddenColumns": {}}
        if view["data"]["title"] != "Mine":
            at_work.studio.update_view(lively.id, view["id"], data)
    assert at_work.connect() == []
    another_mirror(at_work, tmp_path)
    at_work.disconnect()
    assert everything(at_work) == before


def test_overlaps_that_label_studio_rewrote_in_bulk_are_recorded(lively, plugin):
    at_work = plugin(lively)
    at_work.sync(dry_run=True)
    at_work.api.patch(f"/api/projects/{lively.id}/", json={"maximum_annotations": 1})
    at_work.api.patch(f"/api/projects/{lively.id}/", json={"maximum_annotations": 4})
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    at_work.disconnect()
    assert everything(at_work) == before


def test_connect_stopped_at_the_settings_leaves_no_dead_queue(lively, plugin, add_annotator):
    at_work = plugin(lively, target_quality=1)
    at_work.sync(dry_run=True)
    at_work.break_at = lambda number, when: (at_work.writes[-1][1], when) == (f"/api/projects/{lively.id}/", "after")
    with pytest.raises(KeyboardInterrupt):
        at_work.connect()
    at_work.break_at = None
    at_work.sync()
    assert add_annotator().next(lively.id)["id"] == at_work.served_queue()[0]


def test_options_are_remembered_until_they_are_given_anew(lively, plugin):
    plugin(lively, min_labels=2, label_budget=30).connect()
    at_work = plugin(lively, max_labels=4)
    assert [line for line in at_work.connect() if "remembered" in line] == ["remembered: max_labels = 4"]
    record = find_record(at_work.opened)
    options = options_in(record)
    assert {name: options[name] for name in ("min_labels", "label_budget", "max_labels")} == {
        "min_labels": 2,
        "label_budget": 30,
        "max_labels": 4,
    }


def test_a_task_that_skips_had_finished_stays_finished(make_project, annotators, plugin):
    ann, bob, _ = annotators
    project = make_project([{"text": f"text {n}"} for n in range(3)], answers=[(0, ann, "a")])
    at_work = plugin(project)
    settings = {"maximum_annotations": 2, "skip_queue": "IGNORE_SKIPPED"}
    at_work.api.patch(f"/api/projects/{project.id}/", json=settings)
    bob.skip(project.tasks[0])
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    at_work.disconnect()
    assert everything(at_work) == before


def test_disconnect_waits_for_an_import_under_way(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    # an interrupted run wrote down this import, and sent it; Label Studio is done with it a moment later
    item = {"task": lively.tasks[0], "result": [], "score": 0.5, "model_version": "crowd-queue-1"}
    at_work.store.facts.write(PendingImport("crowd-queue-1", 1, time.time()))
    url = f"/api/projects/{lively.id}/import/predictions"
    late = threading.Timer(2, lambda: at_work.api.post(url, json=[item]))
    late.start()
    at_work.disconnect()
    late.join()
    assert everything(at_work) == before


def test_a_backend_is_removed_with_its_webhook(lively, plugin, backend):
    at_work = plugin(lively)
    at_work.api.patch(f"/api/projects/{lively.id}/", json={"model_version": ""})
    before = everything(at_work)
    # stopped right after Label Studio has the backend
    at_work.break_at = lambda _, when: (at_work.writes[-1][1], when) == ("/api/ml/", "after")
    with pytest.raises(KeyboardInterrupt):
        at_work.connect(backend=backend)
    at_work.break_at = None
    assert len(at_work.studio.backends(lively.id)) == 1
    at_work.connect(backend=backend)
    assert len(at_work.studio.backends(lively.id)) == 1
    at_work.sync()
    at_work.disconnect()
    assert at_work.studio.backends(lively.id) == []
    assert at_work.api.get("/api/webhooks/", params={"project": lively.id}).json() == []
    assert everything(at_work) == before


@pytest.fixture
def backend():
    """The address of an ML backend of somebody's own."""
    with stand_in_backend("some-model") as running:
        yield running.url


def test_the_newer_record_wins_over_a_stale_one(lively, plugin, tmp_path):
    at_work, elsewhere = plugin(lively), plugin(lively, min_labels=2)
    another_mirror(elsewhere, tmp_path)
    at_work.connect()
    elsewhere.disconnect()
    at_work.api.patch(f"/api/projects/{lively.id}/", json={"maximum_annotations": 2, "sampling": "Sequential sampling"})
    before = everything(at_work)
    elsewhere.connect()
    at_work.sync()
    record = find_record(at_work.opened)
    assert options_in(record)["min_labels"] == 2
    assert at_work.connect() == []
    at_work.disconnect()
    assert everything(at_work) == before


def tab_with(at_work, change):
    """Change the record in our tab, as anybody can who may edit tabs."""
    for view in at_work.studio.views(at_work.project):
        for name in view["data"].get("columnsWidth") or {}:
            if name.startswith("label_studio_crowd:"):
                data = {**view["data"], "columnsWidth": {change(name): 1}}
                at_work.studio.update_view(at_work.project, view["id"], data)


def test_a_tab_does_not_choose_what_code_is_run(lively, plugin, tmp_path):
    at_work = plugin(lively)
    at_work.connect()
    tab_with(
        at_work,
        lambda name: name.replace(
            '"max_labels":3,"classifier":"none"', '"max_labels":9,"classifier":"antigravity:fly"'
        ),
    )
    another_mirror(at_work, tmp_path)
    at_work.settings = Settings(url=at_work.settings.url)
    run = at_work.sync()
    options = options_in(find_record(at_work.opened))
    assert options["max_labels"] == 9
    assert "antigravity" not in run.report().classifier


def test_a_damaged_record_is_a_message_and_the_stores_own_comes_first(lively, plugin, tmp_path):
    at_work, elsewhere = plugin(lively), plugin(lively)
    before = everything(at_work)
    at_work.connect()
    another_mirror(elsewhere, tmp_path)
    for damage, words in (
        (lambda name: name.replace("Uniform sampling", "<script>"), "settings.sampling: Input should be"),
        (lambda name: name.split("{")[0] + "[" * 100_000, "it is not JSON"),
    ):
        tab_with(at_work, damage)
        at_work.sync()
        for command in (elsewhere.sync, elsewhere.disconnect, elsewhere.connect):
            with pytest.raises(UserError, match="earlier settings") as error:
                command()
            assert words in str(error.value)
    at_work.disconnect()
    assert everything(at_work) == before


def test_what_a_tab_says_of_settings_is_not_put_back_where_the_store_knows_better(lively, plugin, tmp_path):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    forged = '"settings":{"label_config":"<View/>","is_published":true,'
    tab_with(
        at_work,
        lambda name: (
            name.replace("Uniform sampling", "Sequential sampling")
            .replace('"settings":{', forged)
            .replace('"overlaps":{', '"overlaps":{"1":77,')
            .replace('"backends":[]', '"backends":["http://theirs"]')
        ),
    )
    at_work.sync()
    at_work.disconnect()
    assert everything(at_work) == before
    at_work.connect()
    tab_with(at_work, lambda name: name.replace('"settings":{', forged))
    another_mirror(at_work, tmp_path)
    changes = at_work.disconnect()
    assert "label_config" not in str(changes)
    assert everything(at_work) == before


def test_a_tab_of_any_shape_is_no_traceback(lively, plugin):
    at_work = plugin(lively)
    for data in ([], {"columnsWidth": [3]}, {"columnsWidth": "label_studio_crowd:"}, None):
        at_work.api.post("/api/dm/views/", json={"project": lively.id, "data": data})
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    at_work.disconnect()
    assert everything(at_work) == before


def test_a_deleted_tab_is_said_and_connect_mends_it(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    at_work.connect()
    at_work.sync()
    (tab,) = [view["id"] for view in at_work.studio.views(lively.id) if view["data"]["title"] == "Crowd: next tasks"]
    at_work.studio.delete_view(tab)
    with pytest.raises(RecordError, match=r"tab 'Crowd: next tasks' was deleted.*crowd connect "):
        at_work.sync()
    assert any("was deleted" in check.what for check in examine(at_work.opened))
    at_work.connect()
    at_work.sync()
    at_work.disconnect()
    assert everything(at_work) == before


def test_disconnect_stopped_at_each_write_can_be_finished(lively, plugin):
    at_work = plugin(lively)
    before = everything(at_work)
    step, stopped = 0, True
    while stopped:
        at_work.connect()
        at_work.sync()
        step += 1
        stop = len(at_work.writes) + step
        at_work.break_at = lambda number, when, stop=stop: (number, when) == (stop, "before")
        try:
            at_work.disconnect()
            stopped = False
        except KeyboardInterrupt:
            at_work.break_at = None
            at_work.disconnect()
        at_work.break_at = None
        assert everything(at_work) == before, f"stopped before write {step}"
    assert step > 5
