"""The tables of a project as files, and the links to them."""

from __future__ import annotations

import csv
import io
import re
from importlib.util import find_spec

import pandas as pd
import pytest

from harness.snapshots import snapshot_of_kinds
from label_studio_crowd.files import tables as files_of_tables
from tests.plugin.server.serving import guarded, running

CONFIG = """<View><Text name="t" value="$text"/>
  <Choices name="label" toName="t"><Choice value="a"/><Choice value="b"/></Choices>
  <Choices name="tags" toName="t" choice="multiple"><Choice value="x"/><Choice value="y"/></Choices></View>"""


def said(label, *tags):
    named = {"to_name": "t", "type": "choices"}
    found = [{"from_name": "label", "value": {"choices": [label]}} | named]
    return found + [{"from_name": "tags", "value": {"choices": list(tags)}} | named] * bool(tags)


@pytest.fixture
def client(tmp_path):
    backend = guarded(tmp_path)
    rows = [(1, 11, said("a", "x")), (1, 12, said("a", "x", "y")), (2, 11, said("b")), (2, 13, said("a", "y"))]
    snapshot = snapshot_of_kinds(CONFIG, rows, 3)
    stored = backend.project(1)
    stored.runs.keep_snapshot(snapshot.to_bytes(), snapshot.taken_at)
    stored.people.keep_names([11, 12, 13], {11: "Ann Lee", 12: "bob@example.com"})
    backend.jobs.mark(1)
    backend.jobs.mark(7)
    with running(backend) as client:
        yield client


def table(client, name):
    answer = client.get(f"/projects/1/tables/{name}.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert f'filename="project-1-{name}.csv"' in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_every_table_that_a_page_links_to_can_be_downloaded(client):
    links = set()
    for page in ("", "/annotators", "/agreement"):
        text = client.get(f"/projects/1{page}").text
        links |= set(re.findall(r'href="(/projects/1/tables/[^"]+)"', text))
    names = ("tasks", "annotators", "answers", "probabilities", "agreement")
    endings = ("csv", "json", *["parquet"] * bool(find_spec("pyarrow")))
    assert links == {f"/projects/1/tables/{name}.{ending}" for name in names for ending in endings}
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200
        assert answer.content
    assert len(table(client, "tasks")) == len(client.get("/projects/1/tables/tasks.json").json()) == 3


def test_a_parquet_file_has_what_the_csv_file_has(client):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: there is no Parquet")
    answer = client.get("/projects/1/tables/answers.parquet")
    assert 'filename="project-1-answers.parquet"' in answer.headers["content-disposition"]
    rows = pd.read_parquet(io.BytesIO(answer.content)).astype({"annotator": str})
    assert [(row.annotator, row.label) for row in rows.itertuples()] == [
        (row["annotator"], row["label"]) for row in table(client, "answers")
    ]


def test_without_pyarrow_nothing_is_said_of_parquet(client, monkeypatch):
    monkeypatch.setattr(files_of_tables, "find_spec", lambda name: None)
    text = client.get("/projects/1").text
    assert "tables/tasks.json" in text
    assert "arquet" not in text
    assert client.get("/projects/1/tables/tasks.parquet").status_code == 404


def test_people_have_their_names_in_every_table(client):
    answers = table(client, "answers")
    assert {(row["annotator"], row["name"]) for row in answers} == {
        ("11", "Ann Lee"),
        ("12", "bob@example.com"),
        ("13", "user 13"),
    }
    pair = next(row for row in table(client, "agreement") if row["control"] == "label" and row["other"] == "12")
    assert (pair["name"], pair["other_name"], pair["shared_tasks"], pair["same_answers"]) == (
        "Ann Lee",
        "bob@example.com",
        "1",
        "1",
    )


def test_hidden_names_are_in_no_table(client):
    client.cookies.set("names", "hidden")
    for name in ("annotators", "answers", "agreement"):
        text = client.get(f"/projects/1/tables/{name}.json").text
        assert "annotator 1" in text
        assert not re.search(r"Ann|bob|: 1[123]\b", text)


def test_what_is_not_there_is_said(client):
    assert "there are tasks, annotators" in client.get("/projects/1/tables/nothing.csv").json()["detail"]
    assert client.get("/projects/1/tables/tasks.xls").status_code == 422
    assert "no run yet" in client.get("/projects/7/tables/tasks.csv").json()["detail"]
    assert client.get("/projects/2/tables/tasks.csv").status_code == 404
