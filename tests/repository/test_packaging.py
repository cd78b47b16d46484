"""What a release and its readers rely on: one version, a tested version of everything, and no undocumented setting."""

import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.main import get_command

import label_studio_crowd
from label_studio_crowd.commands.cli import app
from label_studio_crowd.settings import Settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SEPARATE = ("label-studio-ml",)
"""Extras that need an environment of their own."""
MANUAL = "\n".join(page.read_text() for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))])
"""What people wrote; the lists that are made from the code when the documentation is built are not part of it."""
CONNECTION = {"url", "api_key"}
"""Settings that go by the names that Label Studio's users know."""


def requirements():
    """Everything that `make install` may install because pyproject.toml names it."""
    project = PROJECT["project"]
    extras = [lines for extra, lines in project["optional-dependencies"].items() if extra not in SEPARATE]
    return [
        Requirement(line)
        for lines in (project["dependencies"], *extras, *PROJECT["dependency-groups"].values())
        for line in lines
    ]


def constraints(environment):
    """The version of each package in one environment."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(pin.name): pin.specifier for pin in pins if applies(pin, environment)}


def applies(requirement, environment):
    return requirement.marker is None or requirement.marker.evaluate(environment)


@pytest.mark.parametrize(
    "python", [line.split()[-1] for line in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", line)]
)
def test_constraints_have_an_allowed_version_of_every_requirement(python):
    environment = {"python_version": python, "python_full_version": f"{python}.9"}
    pinned = constraints(environment)
    for requirement in requirements():
        if applies(requirement, environment):
            name = canonicalize_name(requirement.name)
            assert name in pinned, f"run `make constraints`: {name} is in pyproject.toml and not in constraints.txt"
            [pin] = pinned[name]
            assert requirement.specifier.contains(pin.version, prereleases=True), f"run `make constraints`: {name}"


def test_the_citation_is_of_this_version():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == label_studio_crowd.__version__


def test_everything_that_the_sdist_shall_have_is_there():
    for path in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]:
        assert (ROOT / path.removeprefix("/")).exists(), path


@pytest.mark.parametrize("setting", sorted(set(Settings.model_fields) - CONNECTION))
def test_every_setting_is_in_a_document(setting):
    assert f"`{setting}`" in MANUAL


@pytest.mark.parametrize("command", sorted(get_command(app).commands))
def test_every_command_is_in_a_document(command):
    assert re.search(rf"label-studio-crowd {command}\b", MANUAL)
