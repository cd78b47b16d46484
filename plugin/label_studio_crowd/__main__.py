"""``python -m label_studio_crowd`` is ``label-studio-crowd``."""

from label_studio_crowd.commands.cli import main

main()
