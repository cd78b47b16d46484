"""What holds for tests and for the examples in docstrings."""

import sys
from importlib.util import find_spec

import pygal  # noqa: F401

# pygal adds a finder of Python 2's kind, which pytest asks for packages and fails; nothing here needs it.
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]

# without these there are no crowds in parts, and the package says so when it is imported
collect_ignore = [] if find_spec("pyarrow") and find_spec("fsspec") else ["crowdcore/partitioned"]
if not find_spec("torch"):  # its examples need it
    collect_ignore += ["crowdcore/learning/networks", "crowdcore/learning/embedding.py"]
