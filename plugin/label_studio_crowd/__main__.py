"""``python -m label_studio_crowd`` is ``label-studio-crowd``."""

from label_studio_crowd.cli import main

main()
