"""Modules of a user's own, which have their estimators."""

import sys
from contextlib import contextmanager

import pytest


@contextmanager
def own_modules(folder, **sources):
    """Be in a folder with these modules, by name; they are forgotten afterwards."""
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [place for place in sys.path if place])
        yield folder
    for name in sources:
        sys.modules.pop(name, None)
