"""The reference is what the code says: every command, setting and route, with what each means."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from docs.extensions.generated import fill
from label_studio_crowd.commands.cli import app
from label_studio_crowd.settings import PREFIX, Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def page():
    return {path.stem: fill(path.read_text()) for path in REFERENCE.glob("*.md")}


def rows(text):
    """The cells of each row of each table."""
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line[:1] == "|"
    ]


@pytest.mark.parametrize("name", [name for name, found in get_command(app).commands.items() if not found.hidden])
def test_every_command_has_its_options_and_what_they_do(page, name):
    section = re.split(r"^### ", page["command-line"], flags=re.MULTILINE)
    [found] = [part for part in section if part.startswith(f"{name}\n")]
    said = {flag: meaning for flags, meaning in rows(found)[2:] for flag in re.findall(r"--[\w-]+", flags)}
    hidden = {"--with-parent"}
    wanted = {flag for option in get_command(app).commands[name].params for flag in option.opts if flag[:2] == "--"}
    assert wanted - hidden <= set(said)
    assert all(said.values())
    assert f"label-studio-crowd {name}" in found.partition("```")[2]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_meaning(page, name):
    [row] = [row for row in rows(page["settings"]) if re.match(rf"`{name}`(,|$)", row[0])]
    assert row[1].endswith(".") or "…" in row[1]


def test_settings_say_their_defaults_limits_and_flags(page):
    by_name = {row[0]: row[1:] for row in rows(page["settings"])}
    assert by_name["`max_labels`"][1:] == ["`5`", "whole number ≥ 1", "`--max-labels`"]
    assert by_name["`show_consensus`"][1:] == ["no", "yes, no", "`--show-consensus`"]
    assert by_name["`retrain_share`"][1:] == ["`0.05`", "number ≥ 0, ≤ 1,000", ""]
    assert by_name["`consensus`"][2] == "`hierarchical-dawid-skene`, `crowdlab`"


def test_defaults_do_not_name_this_machine(page, monkeypatch):
    assert "sqlite:///~/.local/share/label-studio-crowd" in page["settings"]
    assert str(Path.home()) not in page["settings"]


def test_other_names_of_settings_are_said(page):
    assert "| `port`, also `PORT` |" in page["settings"]
    assert PREFIX + "PORT" not in page["settings"]


@pytest.mark.parametrize("route", ["GET /api/projects/{project}/queue", "POST /predict", "GET /metrics"])
def test_routes_are_described(page, route):
    assert f"### {route}\n" in page["json-api"]


def test_answers_have_their_fields_with_what_they_mean(page):
    task = page["json-api"].partition("\n### Task\n")[2].partition("\n### ")[0]
    assert ["`priority`", "number or null", "Low where one more label is worth most."] in rows(task)


def test_links_between_routes_and_answers_lead_somewhere(page):
    headings = {name.lower() for name in re.findall(r"^#+ (\S+)$", page["json-api"], re.MULTILINE)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", page["json-api"])) <= headings
