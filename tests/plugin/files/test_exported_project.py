"""Label Studio's export, looked at as a project without any Label Studio."""

import json
import re
import sys
from xml.etree import ElementTree

import pytest

from label_studio_crowd.commands import cli
from label_studio_crowd.files.exported_project import ExportedStudio
from label_studio_crowd.studio.controls import find_controls
from label_studio_crowd.studio.controls.fitting_config import fitting_config
from label_studio_crowd.studio.own_annotations import EMAIL, own_id

PEOPLE = ({"id": 7, "email": "ann@x.org"}, "bob@x.org", 9)


def item(tag, name="mood", to="text", **value):
    return {"id": "a1", "from_name": name, "to_name": to, "type": tag, "value": value}


def exported(path, num_tasks=12):
    """Write what three people said of some texts, and what a model says."""
    tasks = []
    for place in range(num_tasks):
        truth = "ab"[place % 2]
        said = [truth, truth, "a"]
        tasks.append(
            {
                "id": 100 + place,
                "data": {"text": f"text {place} of the class {truth}"},
                "annotations": [
                    {"id": place * 3 + n, "completed_by": who, "result": [item("choices", choices=[label])]}
                    for n, (who, label) in enumerate(zip(PEOPLE, said, strict=True))
                ],
                "predictions": [{"model_version": "gpt", "result": [item("choices", choices=[truth])]}],
            }
        )
    path.write_text(json.dumps(tasks))
    return path


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["label-studio-crowd", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def test_an_export_of_all_tasks_has_those_without_annotations(run, tmp_path):
    tasks = json.loads(exported(tmp_path / "all.json").read_text())
    for row in (row for task in tasks for row in task["annotations"]):
        row["completed_by"] = row["id"] % 3 + 4
    tasks += [{"id": 900 + n, "data": {"text": f"new {n}"}, "annotations": [], "predictions": []} for n in range(3)]
    (tmp_path / "all.json").write_text(json.dumps(tasks))
    code, out, err = run("look", "all.json")
    assert code == 0, err
    assert "36 labels by 3 annotators on 12 of 15 tasks" in out
    assert "• all.json has annotators as numbers, without names: so Label Studio exports them." in out


def test_look_scores_an_export_and_writes_its_report(run, tmp_path):
    exported(tmp_path / "pets.json")
    code, out, err = run("look", "pets.json", "--out", "look.html")
    assert code == 0, err
    assert "pets.json (control mood): 36 labels by 3 annotators on 12 of 12 tasks" in out
    assert "ann@x.org" in out, "who is an object has a name, too"
    assert "• pets.json has only the tasks with annotations (shares" in out
    assert "as numbers" not in out, "two of the three have addresses"
    assert "bob@x.org" in out
    assert "/projects/" not in out
    html = (tmp_path / "look.html").read_text()
    assert "Task 100" in html
    assert "bob@x.org" in html
    assert not re.search(r'href="(?!#)', html), "no link leads out of a report without a Label Studio"


def test_annotations_of_our_consensus_are_nobodys_answers(run, tmp_path):
    path = exported(tmp_path / "pets.json")
    tasks = json.loads(path.read_text())
    for place, task in enumerate(tasks):
        who = {"completed_by": 31, "unique_id": own_id()} if place % 2 else {"completed_by": {"id": 31, "email": EMAIL}}
        task["annotations"].append({"id": 900 + place, **who, "result": [item("choices", choices=["a"])]})
    path.write_text(json.dumps(tasks))
    code, out, err = run("look", "pets.json")
    assert code == 0, err
    assert "pets.json (control mood): 36 labels by 3 annotators on 12 of 12 tasks" in out
    assert "ann@x.org" in out, "who is an object has a name, too"
    assert "• pets.json has only the tasks with annotations (shares" in out
    assert "as numbers" not in out, "two of the three have addresses"
    code, out, err = run("aggregate", "pets.json", "--out", "labels.csv", "--annotators-out", "annotators.csv")
    assert code == 0, err
    assert len((tmp_path / "annotators.csv").read_text().splitlines()) == 1 + 3


def test_an_export_with_the_ids_of_predictions_alone_is_told(run, tmp_path):
    path = exported(tmp_path / "pets.json")
    path.write_text(json.dumps([{**task, "predictions": [7]} for task in json.loads(path.read_text())]))
    code, out, err = run("aggregate", "pets.json", "--model-annotators", "gpt", "--out", "labels.csv")
    assert code == 0, err
    assert "only the ids of predictions" in " ".join((out + err).split())


def test_models_are_called_by_their_versions(run, tmp_path):
    exported(tmp_path / "pets.json")
    code, out, err = run("look", "pets.json", "--model-annotators", "gpt")
    assert code == 0, err
    assert "gpt (model)" in out


def test_report_has_models_that_are_annotators_and_hides_names(run, tmp_path, monkeypatch):
    exported(tmp_path / "pets.json")
    monkeypatch.setenv("LABEL_STUDIO_CROWD_MODEL_ANNOTATORS", "gpt")
    code, out, err = run("report", "pets.json", "--out", "report.html", "--hide-names")
    assert (code, out) == (0, "Wrote report.html\n"), err
    html = (tmp_path / "report.html").read_text()
    assert "@x.org" not in html
    assert "gpt" in html


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["look", "nowhere.json"], "neither the number of a project nor a file"),
        (["look", "other.json"], "is not Label Studio's export"),
        (["look", "pets.json", "--label-config", "no.xml"], "no.xml cannot be used"),
        (["look", "pets.json", "--label-config", "other.json"], "not valid XML"),
        (["report", "pets.json", "--project", "3", "--out", "r.html"], "Found pets.json and --project 3"),
        (["report", "3", "--label-config", "other.json", "--out", "r.html"], "a project has its own"),
    ],
)
def test_what_does_not_fit_is_said(words, said, run, tmp_path):
    exported(tmp_path / "pets.json")
    (tmp_path / "other.json").write_text('[{"a": 1}]')
    code, _, err = run(*words)
    assert code == 2
    assert said in err


def with_predictions(path, predictions):
    """Write an export of which each task has other predictions."""
    tasks = json.loads(exported(path).read_text())
    path.write_text(json.dumps([{**task, "predictions": predictions} for task in tasks]))


@pytest.mark.parametrize(
    ("predictions", "spec", "said"),
    [
        ([{"model_version": "gpt", "result": [item("choices", choices=["a"])]}], "gpt", None),
        (
            [{"model_version": "gpt", "result": [item("choices", choices=["a"])]}],
            "gpt-9",
            "Found no predictions of model version 'gpt-9'; versions of other models: 'gpt' (12 predictions)",
        ),
        (
            [{"model_version": "gpt", "result": [item("rating", name="other", rating=3)]}],
            "gpt",
            "Of the 12 predictions of model version 'gpt' none answers this control",
        ),
        ([{"model_version": "gpt", "result": "b"}], "gpt", "Of the 12 predictions of model version 'gpt' none answers"),
        ([71, 72], "gpt", "only the ids of its 24 predictions"),
        ([{"id": 71, "score": 0.5}], "gpt", "only the ids of its 12 predictions"),
        ([], "gpt", "Found no predictions of model version 'gpt'; there are none of other models"),
        ("odd", "gpt", "Found no predictions of model version 'gpt'; there are none of other models"),
    ],
)
def test_why_there_is_no_classifier_of_predictions_is_said(predictions, spec, said, run, tmp_path):
    with_predictions(tmp_path / "pets.json", predictions)
    code, out, err = run("look", "pets.json", "--classifier", f"predictions:{spec}")
    assert code == (2 if said else 0), out + err
    assert (said or "which 12 of 12 tasks have") in " ".join((out + err).split())


@pytest.mark.parametrize("predictions", [[71, 72], [{"id": 71, "score": 0.5}]])
def test_what_the_button_export_leaves_of_predictions_is_in_nobodys_way(predictions, run, tmp_path):
    with_predictions(tmp_path / "pets.json", predictions)
    code, out, err = run("look", "pets.json", "--out", "look.html")
    assert code == 0, err
    assert "36 labels by 3 annotators on 12 of 12 tasks" in " ".join(out.split())
    assert (tmp_path / "look.html").exists()


def test_the_own_labeling_config_is_taken_if_it_is_given(tmp_path):
    config = (
        '<View><Text name="text" value="$text"/><Choices name="mood" toName="text"><Choice value="a"/></Choices></View>'
    )
    studio = ExportedStudio(exported(tmp_path / "pets.json"), config)
    assert studio.project(1)["label_config"] == config


def test_people_keep_their_numbers_and_names(tmp_path):
    studio = ExportedStudio(exported(tmp_path / "pets.json"))
    (page,) = studio.tasks(1)
    assert [row["completed_by"] for row in page.tasks[0]["annotations"]] == [7, 1, 9]
    assert studio.annotator_names() == {7: "ann@x.org", 1: "bob@x.org"}
    assert studio.counts(1) == (12, 36, 0, 12)


SPAN = {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}


@pytest.mark.parametrize(
    ("items", "kinds"),
    [
        ([item("choices", choices=["a"])], {"mood": "choice"}),
        ([item("choices", choices=["a", "b"])], {"mood": "set"}),
        ([item("rating", rating=3), item("number", "n", number=4.5)], {"mood": "ordered", "n": "number"}),
        ([item("taxonomy", taxonomy=[["a", "b"]])], {"mood": "choice"}),
        ([item("labels", "spans", **SPAN)], {"spans": "regions"}),
        ([item("labels", "spans", **SPAN), item("choices", choices=["a"], **SPAN)], {"spans", "mood"}),
        ([item("textarea", text=["hello"])], {"mood": "text"}),
    ],
)
def test_a_config_fits_the_results(items, kinds):
    config = fitting_config([items], [{"text": "Ann met Bob"}])
    found = {control.name: control.kind for control in find_controls(config)}
    assert found == kinds if isinstance(kinds, dict) else set(found) == kinds


@pytest.mark.parametrize(
    ("tag", "data", "shown"),
    [
        ("choices", "https://x.org/a.jpg?size=3", "Image"),
        ("choices", "a.wav", "Audio"),
        ("choices", "Some words.", "Text"),
        ("rectanglelabels", "x", "Image"),
        ("labels", "x.mp3", "Audio"),
        ("hypertextlabels", "<b>x</b>", "HyperText"),
    ],
)
def test_what_annotators_saw_is_guessed(tag, data, shown):
    config = fitting_config([[item(tag, **{tag: ["a"]})]], [{"text": data}])
    assert next(iter(ElementTree.fromstring(config))).tag == shown
