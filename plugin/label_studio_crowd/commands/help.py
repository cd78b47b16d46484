"""How `--help` looks: commands in groups, and examples at the end of each command's page."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from typer.core import TyperGroup

ON_LABEL_STUDIO: Final = "On a Label Studio project"
AS_A_SERVICE: Final = "As a service"
ON_FILES: Final = "On files, without Label Studio"

WHERE_TO_BEGIN: Final = """Say which label is right, which annotator to trust, and which task to label next.

\b
Where to begin:
  label-studio-crowd projects               your projects and their numbers
  label-studio-crowd look 3 --out look.html score project 3; nothing is written to it
  label-studio-crowd connect 3 --dry-run    what `connect` would change, so that
                                            annotators get the most useful tasks
  label-studio-crowd aggregate answers.csv  the same science on a file
"""

EPILOG: Final = """Set LABEL_STUDIO_URL to Label Studio's address and LABEL_STUDIO_API_KEY to your token. All options \
of scoring and serving can also be set as LABEL_STUDIO_CROWD_<OPTION> and in label-studio-crowd.toml, the project too.

\b
Exit codes: 0 it worked; 2 you can mend it, and the message says how;
3 the same command may work later; 1 anything else; 130 stopped by Ctrl-C.
"""


class GroupedCommands(TyperGroup):
    """Lists the commands under the names of their groups."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each group's commands, in the order in which they were added."""
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        width = formatter.width - 6 - max(map(len, self.commands))
        for name, command in self.commands.items():
            if not command.hidden:
                groups[getattr(command, "rich_help_panel", "")].append((name, command.get_short_help_str(width)))
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def examples(*lines: str) -> str:
    """Return a command's epilog with examples of it."""
    return "\n".join(["\b", "Examples:", *(f"  label-studio-crowd {line}" for line in lines)])
