"""How Sphinx builds the documentation: ``make docs``. Its pages are the repository's Markdown files, where they lie."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugin")]

from label_studio_crowd import __version__  # noqa: E402

project = "label-studio-crowd"
author = "the authors of label-studio-crowd"
project_copyright = author
version = release = __version__

# The source is the whole repository, so that the same links work on the site and in the files.
root_doc = "docs/index"
include_patterns = ["docs/**.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"]
exclude_patterns = [".*", "**/.*", "**/__pycache__", "dist", "benchmarks", "crowdcore", "harness", "plugin", "tests"]
templates_path = ["templates"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "docs.extensions.generated",
    "docs.extensions.mathematics",
    "docs.extensions.pictures",
]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # generated sections may begin at any level

highlight_language = "none"  # blocks of commands and output are no Python
default_role = "py:obj"  # `name` in a docstring leads to what has the name
autodoc_default_options = {
    "members": True,
    "show-inheritance": True,
    "exclude-members": "set_fit_request, set_predict_request, set_score_request",  # scikit-learn's own
}
autodoc_member_order = "bysource"
autodoc_mock_imports = ["torch", "skorch", "safetensors"]  # of the extra deep: no docstring needs them
autodoc_typehints = "none"  # the docstrings say types and shapes in words
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = "label-studio-crowd"
html_additional_pages = {"index": "to_the_first_page.html"}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["scrolling.js"]
html_copy_source = False
html_math_renderer = "mathml"
