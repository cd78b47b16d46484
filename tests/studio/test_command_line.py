"""The commands as a user types them, in processes of their own."""

from __future__ import annotations

import csv
import json

import pytest

from harness.local_studio import LocalStudio
from harness.project import TEXT_CONFIG, create_project


@pytest.fixture
def project(make_project, annotators):
    ann, bob, _ = annotators
    answers = [(task, ann, "a") for task in range(8)] + [(task, bob, "ab"[task % 2]) for task in range(4)]
    return make_project([{"text": f"text {n} about {'cats' if n % 2 else 'dogs'}"} for n in range(12)], answers=answers)


def test_the_whole_way_with_a_personal_access_token(run, project, studio, tmp_path):
    def command(*words):
        done = run([*words, "--project", project.id], token=studio.admin_pat())
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "personal access token" in command("doctor")
    assert "sampling" in command("connect", "--dry-run")
    assert "never synced" in command("status")
    command("connect")
    shown = command("sync")
    assert "most useful tasks" in shown
    assert "ann@example.com" in shown
    report = json.loads(command("sync", "--json"))
    assert report["labels"] == 12
    assert report["changes"]["queue_create"] == 0
    assert "12 labels by 2 annotators" in command("status")
    assert "Labels still needed: not known. It is computed in the background" in command("status")
    assert json.loads(command("status", "--json"))["queue"] == report["changes"]["queue"]
    assert "✗" not in command("doctor")
    command("export", "--out", tmp_path / "labels.csv")
    rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
    assert [int(row["task"]) for row in rows] == project.tasks
    positions = sorted(int(row["queue_position"]) for row in rows if row["queue_position"])
    assert positions == list(range(1, report["changes"]["queue"] + 1))
    assert {row["name"] for row in csv.DictReader((tmp_path / "labels-annotators.csv").open())} == {
        "ann@example.com",
        "bob@example.com",
    }
    assert len(list(csv.DictReader((tmp_path / "labels-answers.csv").open()))) == 12
    command("export", "--out", tmp_path / "labels.json", "--with-data")
    tables = json.loads((tmp_path / "labels.json").read_text())
    assert tables["tasks"][3]["data.text"] == "text 3 about cats"
    command("export", "--out", tmp_path / "labels.parquet")
    assert "8 tasks" in command("export", "--format", "label-studio", "--out", tmp_path / "tasks.json")
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert [task["id"] for task in tasks] == project.tasks[:8]
    said = command("export", "--format", "label-studio", "-o", tmp_path / "tasks.json", "--ground-truth", "--settled")
    settled = json.loads((tmp_path / "tasks.json").read_text())
    assert len(settled) == report["settled"]
    assert "4 without a consensus" in said
    assert all(task["annotations"][0]["ground_truth"] for task in settled)
    command("report", "--out", tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()
    assert "ann@example.com" in html
    assert "in random order" in html, "the forecast, which nobody had made"
    command("report", "--out", tmp_path / "hidden.html", "--hide-names")
    assert "@example.com" not in (tmp_path / "hidden.html").read_text()
    assert "deleted" in command("disconnect", "--dry-run")
    command("disconnect")
    assert studio.api.get("/api/predictions/", params={"project": project.id}).json() == []


def refused(done, *words, code=2):
    """The command ended with this exit code and one line that says these words."""
    assert done.returncode == code, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0]


COMMANDS = [
    ["connect"],
    ["sync"],
    ["status"],
    ["export", "--out", "labels.csv"],
    ["report", "--out", "r.html"],
    ["disconnect"],
]


@pytest.fixture(scope="module")
def untouched(studio):
    """A project that no command gets to."""
    return create_project(studio, "untouched", TEXT_CONFIG, [{"text": "a"}])


class TestRefusals:
    @pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
    def test_a_wrong_token(self, words, run, untouched):
        refused(run([*words, "-p", untouched.id], token="0" * 40), "refuses the legacy token", "LABEL_STUDIO_API_KEY")

    @pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
    def test_no_such_project(self, words, run, untouched):
        refused(run([*words, "-p", 999999]), "999999 does not exist", str(untouched.id))

    def test_a_wrong_personal_access_token(self, run, untouched, studio):
        head, body, _ = studio.admin_pat().split(".")
        done = run(["sync", "-p", untouched.id], token=f"{head}.{body}.{'x' * 43}")
        refused(done, "refuses the personal access token", "Account & Settings")

    def test_no_token(self, run, untouched):
        refused(run(["sync", "-p", untouched.id], token=""), "No token", "LABEL_STUDIO_API_KEY")

    def test_an_unreachable_server(self, run, untouched):
        done = run(["sync", "-p", untouched.id], url="http://127.0.0.1:9")
        refused(done, "http://127.0.0.1:9", "LABEL_STUDIO_URL", code=3)


@pytest.mark.parametrize(
    ("classifier", "said"),
    [
        ("psychic", "'psychic'"),
        ("no_such_module:make", "no module 'no_such_module'"),
        ("predictions:gpt-9", "no predictions of model version 'gpt-9'"),
        ("text:nofield", "'nofield' is in no task"),
        ("tabular:nofield", "'nofield' is in no task"),
        ("embedding:text", "holds no lists of numbers"),
        ("embedding", "no data field that holds a list of numbers"),
    ],
)
def test_connect_refuses_a_classifier_that_does_not_exist(classifier, said, run, project, studio):
    refused(run(["connect", project.id, "--classifier", classifier]), said)
    assert studio.api.get(f"/api/projects/{project.id}/").json()["sampling"] == "Sequential sampling"


def test_projects_lists_what_there_is_to_look_at(run, project):
    found = json.loads(run(["projects", "--json"]).stdout)
    ours = next(row for row in found if row["project"] == project.id)
    assert (ours["tasks"], ours["annotations"], ours["scored_at"]) == (12, 12, None)
    run(["look", project.id])
    ours = next(row for row in json.loads(run(["projects", "--json"]).stdout) if row["project"] == project.id)
    assert ours["scored_at"] is not None
    assert "last scored" in run(["projects"]).stdout


def test_look_says_what_label_studios_exports_leave_out(run, project, studio, tmp_path):
    def looked_at(**how):
        exported = studio.api.get(f"/api/projects/{project.id}/export", params={"exportType": "JSON", **how})
        (tmp_path / "export.json").write_bytes(exported.content)
        return run(["look", tmp_path / "export.json"]).stdout

    said = looked_at()
    assert "export.json (control label): 12 labels by 2 annotators on 8 of 8 tasks" in said
    assert "• export.json has only the tasks with annotations (shares" in said
    assert "annotators as numbers, without names" in said
    said = looked_at(download_all_tasks="true")
    assert "12 labels by 2 annotators on 8 of 12 tasks" in said
    assert "• export.json has annotators as numbers, without names" in said
    asked = {"serialization_options": {"annotations__completed_by": {"only_id": False}}}
    made = studio.api.post(f"/api/projects/{project.id}/exports/", json=asked).json()
    file = f"/api/projects/{project.id}/exports/{made['id']}/download"
    (tmp_path / "snapshot.json").write_bytes(studio.api.get(file, params={"exportType": "JSON"}).content)
    said = run(["look", tmp_path / "snapshot.json"]).stdout
    assert "ann@example.com" in said
    assert "8 of 12 tasks" in said
    assert "• snapshot.json" not in said


def test_an_error_as_json_says_whether_it_may_pass(run, project):
    away = run(["status", project.id, "--json"], url="http://127.0.0.1:9")
    assert json.loads(away.stdout)["may_pass"] is True
    assert (away.returncode, away.stderr) == (3, "")
    wrong = run(["status", 999999, "--json"])
    assert "999999 does not exist" in json.loads(wrong.stdout)["error"]
    assert (wrong.returncode, wrong.stderr) == (2, "")


def test_doctor_says_what_is_wrong_and_ends_with_2(run, project):
    done = run(["doctor", "-p", project.id], token="0" * 40)
    refused(done, "refuses the legacy token")


def test_something_that_is_no_label_studio(run, project, studio):
    refused(run(["status", "-p", project.id], url=f"{studio.url}/static"), "LABEL_STUDIO_URL")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sync", "--target-quality", "7"], ["target_quality", "7"]),
        (["sync", "--dry-run", "--min-labels", "4", "--max-labels", "2"], ["max_labels (2)", "min_labels (4)"]),
        (["sync", "--dry-run", "--control", "nothing"], ["no control named 'nothing'", "'label'"]),
        (["sync", "--dry-run", "--classifier", "psychic"], ["'psychic'", "tabular"]),
        (["sync", "--store", "oracle://x"], ["sqlite:///FILE"]),
        (["export", "--out", "labels.xlsx"], [".csv, .json, .parquet"]),
        (["export", "--out", "nowhere/labels.csv"], ["nowhere"]),
        (["export", "--out", "folder.csv"], ["folder.csv", "which is a folder"]),
        (["export", "--format", "label-studio", "--out", "tasks.csv"], [".json"]),
        (["export", "--out", "a.csv", "--settled"], ["--settled does not go with --format tables"]),
        (["sync", "--url", "http://localhost:port"], ["url", "like http://localhost:8080"]),
        (["export", "--out", "labels.csv"], ["no scores yet", "crowd sync "]),
        (["report", "--out", "report.pdf"], ["ends in .html"]),
        (["report", "--out", "report.html"], ["no scores yet", "crowd sync "]),
        (["sync"], ["not connected", "crowd connect "]),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_the_user_can_mend_is_one_line(words, said, run, project, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    refused(run([*words, "-p", project.id]), *said)


def test_settings_come_from_flag_then_environment_then_file(run, project, tmp_path):
    (tmp_path / "label-studio-crowd.toml").write_text("max_labels = 1\nmin_labels = 1\n")

    def settled(*words, **environment):
        done = run(["sync", "-p", project.id, "--dry-run", "--json", *words], **environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["settled"]

    assert settled() == 8
    assert settled(LABEL_STUDIO_CROWD_MAX_LABELS="2", LABEL_STUDIO_CROWD_TARGET_QUALITY="1") == 4
    assert settled("--max-labels", "3", "--target-quality", "1", LABEL_STUDIO_CROWD_MAX_LABELS="2") == 0
    (tmp_path / "label-studio-crowd.toml").write_text("max_label = 1\n")
    refused(run(["status", "-p", project.id]), "max_label")


def test_the_options_of_connect_are_remembered(run, project):
    assert run(["connect", "-p", project.id, "--max-labels", "1"]).returncode == 0
    assert json.loads(run(["sync", "-p", project.id, "--json"]).stdout)["settled"] == 8


def test_a_private_address_is_refused_by_a_label_studio_as_installed(run, tmp_path):
    as_installed = {"LABEL_STUDIO_ML_BLOCK_LOCAL_IP": "true", "SSRF_PROTECTION_ENABLED": "true"}
    with LocalStudio(tmp_path / "as-installed", env=as_installed) as studio:
        config = '<View><Text name="t" value="$text"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>'
        body = {"title": "private", "label_config": config}
        made = studio.api.post("/api/projects/", json=body).json()["id"]
        words = ["connect", "-p", made, "--backend", "http://127.0.0.1:9090"]
        done = run(words, url=studio.url, token=studio.admin_pat())
        refused(done, "private address", "SSRF_PROTECTION_ENABLED=false")
        assert studio.api.get(f"/api/ml/?project={made}").json() == []
        assert studio.api.get(f"/api/projects/{made}/").json()["sampling"] == "Sequential sampling"


def test_a_project_that_is_done_is_all_right(run, make_project, annotators):
    project = make_project([{"text": "one"}], answers=[(0, who, "a") for who in annotators])
    for command in (["connect", "--max-labels", "3"], ["sync"], ["doctor"], ["status"]):
        done = run([*command, "-p", project.id])
        assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing left to label" in run(["doctor", "-p", project.id]).stdout
    assert "The queue is empty" in run(["sync", "-p", project.id]).stdout


def test_export_is_what_the_last_sync_saw(run, project, tmp_path):
    assert run(["connect", "-p", project.id]).returncode == 0
    seen = json.loads(run(["sync", "-p", project.id, "--json", "--max-labels", "1", "--classifier", "none"]).stdout)
    run(["export", "-p", project.id, "--out", "labels.csv"])
    rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
    assert sum(row["settled"] == "True" for row in rows) == seen["settled"] == 8
    assert {row["settled_by"] for row in rows[:8]} <= {"labels", "quality"}


def test_a_task_without_labels_has_no_consensus(run, project, tmp_path):
    assert run(["connect", "-p", project.id, "--classifier", "text"]).returncode == 0
    assert run(["sync", "-p", project.id]).returncode == 0
    run(["export", "-p", project.id, "--out", "labels.csv"])
    rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
    assert all(row["consensus"] and row["quality"] and row["predicted"] for row in rows[:8])
    assert all(row["predicted"] and not row["consensus"] and not row["quality"] for row in rows[8:])


def test_data_of_any_kind_can_be_exported(run, make_project, annotators, tmp_path):
    data = [{"text": "a", "x": 1}, {"text": "b", "x": "one"}, {"text": "c", "x": {"y": [1]}}, {"text": "d"}]
    project = make_project(data, answers=[(0, annotators[0], "a")])
    for command in (["connect"], ["sync"]):
        assert run([*command, "-p", project.id]).returncode == 0
    for ending in ("csv", "json", "parquet"):
        done = run(["export", "-p", project.id, "--with-data", "--out", f"labels.{ending}"])
        assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
    assert [row["data.x"] for row in rows] == ["1", "one", '{"y": [1]}', ""]


def test_a_dry_run_leaves_what_export_writes(run, project):
    for command in (["connect"], ["sync"], ["sync", "--dry-run", "--classifier", "none"], ["export", "--out", "a.csv"]):
        done = run([*command, "-p", project.id])
        assert done.returncode == 0, done.stderr


def test_a_look_changes_nothing_and_reports_and_exports_work_after_it(run, project, plugin, tmp_path):
    at_work = plugin(project)

    def everything():
        tabs = at_work.api.get("/api/dm/views/", params={"project": project.id}).json()
        return at_work.info(), at_work.predictions(), tabs, [at_work.task(task) for task in project.tasks]

    before = everything()
    done = run(["look", "--project", project.id, "--out", "look.html", "--classifier", "none"])
    assert done.returncode == 0, done.stderr
    assert "Label Studio was only read" in done.stdout
    assert "most useful tasks" in done.stdout
    assert everything() == before
    html = (tmp_path / "look.html").read_text()
    assert "dogs" in html
    assert "Only looked at." in html
    done = run(["export", "--project", project.id, "--out", "labels.csv"])
    assert done.returncode == 0, done.stderr
    with (tmp_path / "labels.csv").open() as file:
        assert [row["consensus"] for row in csv.DictReader(file)][:2] == ["a", "a"]


def test_the_results_stay_after_disconnect_until_they_are_to_be_forgotten(run, project, plugin, tmp_path):
    def files():
        taken = [["export", "--out", "labels.csv"], ["report", "--out", "report.html"]]
        return [run([command, project.id, *rest]).returncode for command, *rest in taken]

    for command in (["connect"], ["sync", "--classifier", "none"]):
        assert run([command[0], project.id, *command[1:]]).returncode == 0
    done = run(["disconnect", project.id])
    assert done.returncode == 0, done.stderr
    assert f"export {project.id}" in done.stdout
    assert f"disconnect {project.id} --forget" in done.stdout
    assert "Served from" not in run(["status", project.id]).stdout
    assert files() == [0, 0]
    assert "Only looked at." in (tmp_path / "report.html").read_text()
    assert run(["disconnect", project.id]).returncode == 2
    done = run(["disconnect", project.id, "--forget", "--dry-run"])
    assert "Would change" in done.stdout
    assert files() == [0, 0]
    done = run(["disconnect", project.id, "--forget"])
    assert done.returncode == 0, done.stderr
    assert "nothing in Label Studio: the project is not connected" in done.stdout
    assert "deleted" in done.stdout
    assert files() == [2, 2]
    assert plugin(project).store.mirror.counts().tasks == 0


def test_doctor_does_not_say_to_connect_what_cannot_be_scored(run, make_project):
    project = make_project(
        [{"text": "one"}], '<View><Video name="video" value="$text"/><VideoRectangle name="box" toName="video"/></View>'
    )
    done = run(["doctor", project.id])
    assert done.returncode == 2
    assert "no control that can be scored" in done.stdout
    assert f"connect {project.id}" not in done.stdout
    assert "not connected" in done.stdout
    for command in ("export", "report"):
        done = run([command, project.id, "--out", "out.html" if command == "report" else "out.csv"])
        assert done.returncode == 2
        assert "no control that can be scored" in done.stderr
        assert f"look {project.id}" not in done.stderr
