"""Every command with its arguments, options and examples, from the typer app."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from typer.main import get_command

from label_studio_crowd.commands.cli import app

NAME = "label-studio-crowd"


def commands() -> str:
    """Return all commands as Markdown, in the groups and in the order of ``--help``."""
    shown = [command for command in get_command(app).commands.values() if not command.hidden]
    groups = groupby(shown, key=lambda command: command.rich_help_panel)
    together: dict[str, list[str]] = {}
    for title, found in groups:
        together.setdefault(title, []).extend(map(_command, found))
    return "\n\n".join(f"## {title}\n\n" + "\n\n".join(pages) for title, pages in together.items())


def all_flags() -> set[str]:
    """Return every option of every command."""
    found = get_command(app).commands.values()
    return {name for command in found for option in command.params for name in option.opts}


def _command(command: Any) -> str:
    context = command.make_context(command.name, [], resilient_parsing=True)
    usage = " ".join([NAME, command.name, *command.collect_usage_pieces(context)])
    records = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context))]
    parts = [f"### {command.name}", command.help, _fenced(usage), _options(records), _fenced(_examples(command.epilog))]
    return "\n\n".join(filter(None, parts))


def _options(records: list[tuple[str, str]]) -> str:
    rows = [f"| `{_cell(name)}` | {_cell(help_text).replace('<', '&lt;')} |" for name, help_text in records]
    return "\n".join(["| option | |", "| --- | --- |", *rows])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _examples(epilog: str | None) -> str:
    lines = (epilog or "").replace("\b", "").splitlines()
    return "\n".join(line.strip() for line in lines if line.strip() and line.strip() != "Examples:")


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```" if text else ""
