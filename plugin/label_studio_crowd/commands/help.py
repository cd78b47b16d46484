"""How `--help` looks: commands in groups, plain names for values, and examples at the end of each command's page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

from label_studio_crowd.errors import UserError

ON_LABEL_STUDIO: Final = "On a Label Studio project"
AS_A_SERVICE: Final = "As a service"
ON_FILES: Final = "On files, without Label Studio"

WHERE_TO_BEGIN: Final = """Say which label is right, which annotator to trust, and which task to label next.

\b
Where to begin:
  label-studio-crowd projects               your projects and their numbers
  label-studio-crowd look 3                 scores project 3, changes nothing
  label-studio-crowd connect 3 --dry-run    what `connect` would change there
  label-studio-crowd aggregate answers.csv  the same for answers in a file
"""

EPILOG: Final = """Set LABEL_STUDIO_URL to Label Studio's address and LABEL_STUDIO_API_KEY to your token. The project, \
and all options of scoring and serving, may also be set: as LABEL_STUDIO_CROWD_PROJECT and so on, or in the file \
label-studio-crowd.toml.

\b
Exit codes: 0 it worked; 2 you can mend it, and the message says how;
3 the same command may work later; 1 anything else; 130 stopped by Ctrl-C.
"""


class GroupedCommands(TyperGroup):
    """Lists the commands under the names of their groups."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each group's commands, in the order in which they were added."""
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, command in self.commands.items():
            if not command.hidden:
                groups[getattr(command, "rich_help_panel", "")].append((name, _first_sentence(command.help or "")))
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command by its name.

        Raises
        ------
        UserError
            If there is none.
        """
        if not ctx.resilient_parsing and args[0] not in self.commands and not args[0].startswith("-"):
            asked = did_you_mean(args[0], self.commands)
            raise UserError(f"There is no command {args[0]!r}.{asked} `label-studio-crowd --help` lists all commands.")
        return super().resolve_command(ctx, args)


class PlainCommand(TyperCommand):
    """Names the values of options as people do: NUMBER, FILE, NAME."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            _name_values(parameter)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what follows the command's name in its usage line; what may be left out is in brackets."""
        return [piece.strip("{}").replace("[[", "[").replace("]]", "]") for piece in super().collect_usage_pieces(ctx)]


_VALUES: Final = {
    **dict.fromkeys(("url", "store", "backend", "host", "queue"), "ADDRESS"),
    **dict.fromkeys(("annotators", "classes", "methods"), "NAMES"),
    "option": "NAME=VALUE",
}
"""What stands for the values of text options that are no names."""


def _name_values(parameter: Any) -> None:
    """Let a parameter's help say NUMBER, FILE or NAME in place of Python's types."""
    if parameter.param_type_name == "argument":
        parameter.display_type_rich = lambda ctx: None  # after the argument's own name
        return
    if parameter.metavar is not None or getattr(parameter, "is_flag", False):
        return
    described = getattr(parameter, "type_descriptor", None)
    if described is None:
        return
    kind = str(described.annotation)
    if "int" in kind or "float" in kind:
        parameter.metavar = "NUMBER"
        parameter.min = parameter.max = None  # only in the help: a number out of range is told in words
    elif described.annotation is Path:
        parameter.metavar = "FILE"
    else:
        parameter.metavar = _VALUES.get(parameter.name, "NAME")


def _first_sentence(text: str) -> str:
    return " ".join(re.split(r"(?<=\.)\s", text, maxsplit=1)[0].split())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question for the nearest known word, "" if none is near."""
    near = get_close_matches(word, list(known), 1)
    return f" Did you mean {near[0]}?" if near else ""


def first_example(command: Any) -> str:
    """Return the first example in a command's epilog."""
    return next(line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  "))


def examples(*lines: str) -> str:
    """Return a command's epilog with examples of it."""
    return "\n".join(["\b", "Examples:", *(f"  label-studio-crowd {line}" for line in lines)])
