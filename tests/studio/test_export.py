"""The consensus taken home: from one project of a real Label Studio into a new one, and to what trains a model."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from label_studio_crowd.files.agreed import agreed
from label_studio_crowd.files.label_studio import write_import
from label_studio_crowd.scoring.snapshot import stored_snapshot
from tests.studio.test_controls import GROUPS, ITEMS, KINDS, assert_shown, numbered, options_of, said
from tests.studio.test_regions import DATA, DRAWINGS

FEW = 4


@pytest.fixture
def looked_at(plugin):
    """Score a project without changing it, and return what `export` takes: `looked_at(project)`."""

    def look(project, **options):
        at_work = plugin(project, **options)
        at_work.sync(dry_run=True, keeps=True)
        return stored_snapshot(at_work.store), at_work.store.mirror.data()

    return look


def config_of(kinds):
    inside = "".join(numbered(kind.config, at) for at, kind in enumerate(kinds))
    return inside if inside.startswith("<View") else f"<View>{inside}</View>"


def regions_config():
    inside = "".join(
        drawing.config.replace("name='c'", f"name='c{at}'").replace("'o'", f"'o{at}'")
        for at, drawing in enumerate(DRAWINGS.values())
    )
    return f"<View>{inside}</View>"


def regions_said(off):
    return [
        {"from_name": f"c{at}", "to_name": f"o{at}", "id": f"r{at}", "type": one.tag, "value": one.value(off)}
        | one.beside
        for at, one in enumerate(DRAWINGS.values())
    ]


@pytest.fixture
def every_kind(make_project, annotators):
    """Make a project of three people's answers to all controls of a group."""

    def make(group):
        if group == "regions":
            answers = [(n, who, regions_said(who is annotators[2])) for n in range(FEW) for who in annotators]
            return make_project([DATA] * FEW, regions_config(), answers), regions_config()
        kinds = [KINDS[name] for name in GROUPS[group]]
        data = [
            {"text": f"text {n}", "other": f"other {n}", "options": options_of(n), "items": ITEMS} for n in range(FEW)
        ]
        answers = [
            (n, who, [said(kind, at, n) for at, kind in enumerate(kinds)]) for n in range(FEW) for who in annotators
        ]
        return make_project(data, config_of(kinds), answers), config_of(kinds)

    return make


def expected(group, n):
    """What everybody says of task n, by the control."""
    if group == "regions":
        return {f"c{at}": one.value(0) for at, one in enumerate(DRAWINGS.values())}
    kinds = [KINDS[name] for name in GROUPS[group]]
    return {f"c{at}": (kind.expected or kind.said)(n) for at, kind in enumerate(kinds)}


def imported(studio, make_project, config, path):
    """Import a file into a new project as a person does, and return its tasks with all that they have."""
    project = make_project([], config).id
    with path.open("rb") as file:
        answer = studio.api.post(f"/api/projects/{project}/import", files={"file": ("tasks.json", file)})
    assert answer.status_code == 201, answer.text
    return studio.api.get(
        f"/api/projects/{project}/export", params={"exportType": "JSON", "download_all_tasks": "true"}
    ).json()


@pytest.mark.parametrize("group", [*GROUPS, "regions"])
def test_the_consensus_of_every_kind_is_the_same_in_a_new_project(
    group, every_kind, looked_at, studio, make_project, page, tmp_path
):
    project, config = every_kind(group)
    found = agreed(*looked_at(project))
    assert [task.task for task in found.tasks] == project.tasks
    for n, task in enumerate(found.tasks):
        assert {item["from_name"]: item["value"] for item in task.result} == expected(group, n)
    for what in ("predictions", "annotations", "ground truth"):
        tasks = imported(studio, make_project, config, write_import(found.tasks, tmp_path / "tasks.json", what))
        assert [task["data"] for task in tasks] == [task.data for task in found.tasks]
        for task, there in zip(found.tasks, tasks, strict=True):
            (one,) = there["predictions" if what == "predictions" else "annotations"]
            if not isinstance(one, dict):
                one = studio.api.get(f"/api/predictions/{one}/").json()
            assert [item["value"] for item in one["result"]] == [item["value"] for item in task.result]
            assert [item["id"] for item in one["result"]] == [item["id"] for item in task.result]
            assert one.get("ground_truth", False) == (what == "ground truth")
        if what == "predictions" and group != "regions":
            url = f"{studio.url}/projects/{tasks[1]['project']}/data?task={tasks[1]['id']}"
            assert_shown(page, url, [KINDS[name] for name in GROUPS[group]], 1)


BOXES = """<View><Image name="i" value="$image"/>
  <RectangleLabels name="what" toName="i"><Label value="cat"/><Label value="dog"/></RectangleLabels></View>"""


def test_uploaded_pictures_and_their_boxes_become_data_to_train_with(studio, make_project, annotators, run, tmp_path):
    project = make_project([], BOXES).id
    stream = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(stream, "PNG")
    files = {"file": ("red one.png", stream.getvalue())}
    assert studio.api.post(f"/api/projects/{project}/import", files=files).status_code == 201
    (task,) = studio.api.get("/api/tasks/", params={"project": project}).json()["tasks"]
    box = {"x": 10.0, "y": 20.0, "width": 50.0, "height": 40.0, "rotation": 0, "rectanglelabels": ["dog"]}
    size = {"original_width": 40, "original_height": 20, "image_rotation": 0}
    result = [{"from_name": "what", "to_name": "i", "type": "rectanglelabels", "value": box, **size}]
    for who in annotators:
        body = {"result": result, "completed_by": who.id}
        assert studio.api.post(f"/api/tasks/{task['id']}/annotations/", json=body).status_code == 201

    def command(*words):
        done = run([*words, project])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    command("look")
    said = command("export", "--format", "yolo", "--out", "yolo", "--with-images")
    assert "1 task" in said
    (picture,) = (tmp_path / "yolo/images").iterdir()
    assert picture.read_bytes() == stream.getvalue()
    (line,) = (tmp_path / "yolo/labels" / f"{picture.stem}.txt").read_text().splitlines()
    assert [float(number) for number in line.split()] == pytest.approx([1, 0.35, 0.4, 0.5, 0.4], abs=1e-6)
    command("export", "--format", "coco", "--out", "coco", "--with-images", "--control", "what")
    found = json.loads((tmp_path / "coco/result.json").read_text())
    assert found["images"] == [{"id": 0, "file_name": f"images/{picture.name}", "width": 40, "height": 20}]
    assert found["annotations"][0]["bbox"] == pytest.approx([4, 4, 20, 8], abs=1e-6)
    done = run(["export", "--project", project, "--format", "conll", "--out", "a.conll"])
    assert done.returncode == 2
    assert "'what' (rectanglelabels)" in done.stderr
    assert not (tmp_path / "a.conll").exists()


@pytest.fixture
def labelled(make_project, annotators):
    ann, bob, _ = annotators
    answers = [(n, who, "ab"[n % 2]) for n in range(6) for who in (ann, bob)]
    return make_project([{"text": f"text {n}"} for n in range(8)], answers=answers)


def everybody(at_work):
    """What everybody says: each task's annotations as (author's id, label, flag)."""
    found = {}
    for task in at_work.tasks:
        rows = at_work.api.get(f"/api/tasks/{task}/annotations/").json()
        found[task] = sorted(
            (row["completed_by"], row["result"][0]["value"]["choices"][0], row["ground_truth"]) for row in rows
        )
    return found


def test_the_consensus_becomes_annotations_of_its_own_user_and_is_taken_back(labelled, plugin, run, annotators):
    at_work = plugin(labelled)
    at_work.connect()
    at_work.sync()
    before, people = everybody(at_work), {who.id for who in annotators}

    def command(*words):
        done = run(["write-annotations", labelled.id, *words])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "6 annotations of the consensus created" in command("--dry-run")
    assert everybody(at_work) == before
    refused = run(["write-annotations", labelled.id])
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert everybody(at_work) == before
    assert "2 without a consensus" in command("--yes")
    after = everybody(at_work)
    written = {task: sorted(set(after[task]) - set(before[task])) for task in labelled.tasks}
    (author,) = {rows[0][0] for rows in written.values() if rows}
    assert author not in people
    assert studio_name(at_work, author) == "Consensus (label-studio-crowd)"
    labels = [rows[0][1] if rows else None for rows in written.values()]
    assert labels == ["a", "b", "a", "b", "a", "b", None, None]
    assert "Nothing to change" in command("--yes")
    # the runs that follow take them for nobody's answers, and come to rest
    run_ = at_work.sync()
    assert run_.report().labels == 12
    assert author not in run_.scores.answers.crowd.annotators
    assert run_.report().set_aside == {"made from our own consensus": 6}
    assert not at_work.sync().plan
    assert "6 annotations of the consensus changed, as the ground truth" in command("--yes", "--ground-truth")
    run_ = at_work.sync(full=True)
    assert (run_.report().ground_truth_annotations, run_.report().labels) == (0, 12)
    assert "6 annotations of the consensus stay" in run(["disconnect", labelled.id, "--dry-run"]).stdout
    # what somebody has changed since is theirs
    rows = at_work.api.get(f"/api/tasks/{labelled.tasks[0]}/annotations/").json()
    (mine,) = (row for row in rows if row["completed_by"] == author)
    other = [{**mine["result"][0], "value": {"choices": ["c"]}}]
    assert at_work.api.patch(f"/api/annotations/{mine['id']}/", json={"result": other}).status_code == 200
    said = command("--undo", "--yes")
    assert "5 annotations of the consensus deleted" in said
    assert "1 annotation of the consensus stays" in said
    left = everybody(at_work)
    assert left.pop(labelled.tasks[0]) == sorted([*before.pop(labelled.tasks[0]), (author, "c", True)])
    assert left == before


def studio_name(at_work, user):
    return at_work.studio.annotator_names()[user]


def test_another_machine_knows_whose_annotations_they_are(labelled, plugin, studio, tmp_path, run):
    assert run(["look", labelled.id]).returncode == 0
    assert run(["write-annotations", labelled.id, "--yes"]).returncode == 0
    elsewhere = {"LABEL_STUDIO_CROWD_STORE": f"sqlite:///{tmp_path}/other.sqlite"}
    done = run(["look", labelled.id], **elsewhere)
    assert done.returncode == 0, done.stderr
    assert "12 labels by 2 annotators" in done.stdout
    assert "6 made from our own consensus" in " ".join(done.stdout.split())
    given = studio.api.get(f"/api/projects/{labelled.id}/export", params={"exportType": "JSON"})
    (tmp_path / "export.json").write_bytes(given.content)
    done = run(["look", "export.json"])
    assert "12 labels by 2 annotators" in done.stdout, done.stderr
    done = run(["write-annotations", labelled.id, "--undo", "--yes"], **elsewhere)
    assert "6 annotations of the consensus deleted" in done.stdout, done.stderr


def states(at_work):
    """Each task's overlap, and whether it is finished."""
    return {task: (found["overlap"], found["is_labeled"]) for task in at_work.tasks if (found := at_work.task(task))}


@pytest.mark.parametrize("synced", [False, True], ids=["at once", "after a run"])
def test_undo_leaves_every_task_open_for_as_many_as_before(make_project, annotators, plugin, run, synced):
    ann, bob, _ = annotators
    answers = [(n, who, label) for n in range(3) for who, label in ((ann, "a"), (bob, "b"))]
    answers += [(n, who, "ab"[n % 2]) for n in range(3, 6) for who in annotators]
    project = make_project([{"text": f"text {n}"} for n in range(8)], answers=answers)
    at_work = plugin(project)
    at_work.connect()
    at_work.sync()
    before, queue = states(at_work), at_work.served_queue()
    assert set(before.values()) == {(3, False), (4, False), (1, True), (1, False)}

    def command(*words):
        done = run(["write-annotations", project.id, "--yes", *words])
        assert done.returncode == 0, done.stdout + done.stderr

    command()
    open_for_one_more = {task: (overlap + 1, False) for task, (overlap, done) in before.items() if overlap > 1}
    assert states(at_work) == before | open_for_one_more
    if synced:
        assert not at_work.sync().plan
    assert at_work.served_queue() == queue
    command("--undo")
    assert states(at_work) == before
    assert not at_work.sync().plan


def test_undo_changes_no_overlap_of_a_project_that_is_not_connected(labelled, plugin, run):
    at_work = plugin(labelled)
    assert at_work.api.patch(f"/api/projects/{labelled.id}/", json={"maximum_annotations": 3}).status_code == 200
    before = states(at_work)
    assert set(before.values()) == {(3, False)}
    assert run(["look", labelled.id]).returncode == 0
    for words in ([], ["--undo"]):
        assert run(["write-annotations", labelled.id, "--yes", *words]).returncode == 0
        assert {overlap for overlap, _ in states(at_work).values()} == {3}
    assert states(at_work) == before
