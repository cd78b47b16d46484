"""What docker-compose.yml, Dockerfile and .env.example promise; no Docker is needed."""

from __future__ import annotations

import ast
import ipaddress
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from pydantic import AliasChoices

from label_studio_crowd.commands.cli import app
from label_studio_crowd.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()

REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")
SECRET = re.compile(r"PASS(WORD)?$|SECRET$|KEY$|_TOKEN$")


def environment(service: str) -> dict[str, str]:
    return dict(SERVICES[service].get("environment", {}))


def example() -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))


def banned() -> list[str]:
    return environment("label-studio")["USER_ADDITIONAL_BANNED_SUBNETS"].split(",")


def refused(address: str) -> bool:
    """Whether Label Studio would refuse to connect to an address: its validate_ip, with our list."""
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(subnet) for subnet in banned())


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_is_in_the_file(service: str) -> None:
    for name, value in environment(service).items():
        if SECRET.search(name) and name != "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN":
            assert REQUIRED.fullmatch(value), f"{name} is not taken from .env"
        if "://" in value and (password := re.search(r"://[^/@]*?:(.*)@", value)):
            assert REQUIRED.fullmatch(password[1]), f"{name} has a password that is not taken from .env"
    assert "$" not in str(SERVICES[service].get("command", "")), "secrets on a command line are seen by everybody"


def test_everything_that_must_be_given_is_in_the_example_and_no_secret_has_a_value() -> None:
    wanted = set(REQUIRED.findall((ROOT / "docker-compose.yml").read_text()))
    assert wanted == set(example())
    assert [name for name, value in example().items() if SECRET.search(name) and value] == []


def test_the_line_in_the_example_makes_every_secret(tmp_path: Path) -> None:
    lines = "\n".join(line[3:] for line in EXAMPLE.splitlines() if line.startswith("#   "))
    (tmp_path / ".env").write_text(EXAMPLE)
    (tmp_path / "openssl").write_text("#!/bin/sh\necho 0123456789012345678901234567890123456789\n")
    (tmp_path / "openssl").chmod(0o755)
    subprocess.run(["bash", "-euc", f'PATH="{tmp_path}:$PATH"\n{lines}'], cwd=tmp_path, check=True)
    filled = dict(re.findall(r"^(\w+)=(.*)$", (tmp_path / ".env").read_text(), re.MULTILINE))
    assert set(filled) == set(example())
    assert all(filled.values())
    assert {path.name for path in tmp_path.iterdir()} == {".env", "openssl"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_watched_restarted_and_waits_for_healthy_ones(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"]
    assert SERVICES[service]["restart"] == "unless-stopped"
    for other, how in SERVICES[service].get("depends_on", {}).items():
        assert other in SERVICES
        assert how == {"condition": "service_healthy"}


def test_only_label_studio_and_the_backend_are_published_and_on_this_machine_alone_by_default() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "label-studio": ["${BIND:-127.0.0.1}:${LABEL_STUDIO_PORT:-8080}:8080"],
        "backend": ["${BIND:-127.0.0.1}:${CROWD_PORT:-9090}:9090"],
    }
    for service in ("postgresql", "redis"):
        assert all(COMPOSE["networks"][network]["internal"] for network in SERVICES[service]["networks"])


def test_what_must_outlive_a_container_is_in_a_named_volume() -> None:
    mounted = {
        name: [volume for volume in service.get("volumes", []) if not volume.startswith(".")]
        for name, service in SERVICES.items()
    }
    assert mounted == {
        "label-studio": ["label-studio:/label-studio/data"],
        "backend": ["models:/models"],
        "worker": ["models:/models"],
        "postgresql": ["postgresql:/var/lib/postgresql/data"],
        "redis": ["redis:/data"],
    }
    assert set(COMPOSE["volumes"]) == {"label-studio", "models", "postgresql", "redis"}
    assert "--appendonly" in SERVICES["redis"]["command"]


@pytest.mark.parametrize("service", ["backend", "worker"])
def test_the_command_line_is_one_that_we_have(service: str) -> None:
    name, *arguments = SERVICES[service]["command"]
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert name in commands
    known = {option for parameter in commands[name].params for option in parameter.opts}
    given = {argument for argument in arguments if argument.startswith("--")}
    assert given <= known


@pytest.mark.parametrize("service", ["backend", "worker"])
def test_the_settings_are_ones_that_we_have(service: str) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for field in Settings.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            known |= {str(choice) for choice in field.validation_alias.choices}
    assert set(environment(service)) <= known


def test_label_studio_may_reach_the_backend_and_nothing_else_that_is_private() -> None:
    assert environment("label-studio")["USE_DEFAULT_BANNED_SUBNETS"] == "false"
    assert "SSRF_PROTECTION_ENABLED" not in environment("label-studio")
    assert "LABEL_STUDIO_ML_BLOCK_LOCAL_IP" not in environment("label-studio")
    front = COMPOSE["networks"]["front"]["ipam"]["config"][0]
    backend = SERVICES["backend"]["networks"]["front"]["ipv4_address"]
    assert ipaddress.ip_address(backend) in ipaddress.ip_network(front["subnet"])
    assert not refused(backend)
    given_out = ipaddress.ip_network(front["ip_range"])
    assert refused(str(given_out[0])) and refused(str(given_out[-1])) and refused(front["gateway"])  # noqa: PT018
    for address in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "172.17.0.1", "192.168.1.1", "::1", "fe80::1"):
        assert refused(address)
    # on a second network that both are in, Label Studio might find the backend at another, refused address
    assert set(SERVICES["label-studio"]["networks"]) & set(SERVICES["backend"]["networks"]) == {"front"}


def test_what_label_studio_refuses_is_its_own_list_but_for_the_backends_network() -> None:
    found = list((ROOT / ".venv-studio").glob("lib/*/site-packages/label_studio/core/utils/io.py"))
    if not found:
        pytest.skip("Label Studio is not installed (make studio)")
    [assigned] = [
        node.value
        for node in ast.walk(ast.parse(found[0].read_text()))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "default_banned_subnets"
    ]
    assert [subnet.replace("192.0.2.0/24", "192.0.2.0/25") for subnet in ast.literal_eval(assigned)] == banned()


def test_the_image_installs_extras_that_we_have() -> None:
    [extras] = re.findall(r"'\.\[([\w,-]+)\]'", (ROOT / "Dockerfile").read_text())
    offered = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2]
    for extra in extras.split(","):
        assert re.search(rf"^{extra} = ", offered, re.MULTILINE)
