"""Formulas as MathML, which browsers show by themselves: MathJax would be another host's script."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger

if TYPE_CHECKING:
    from sphinx.application import Sphinx

log = getLogger(__name__)

_SIZE = re.compile(r"\\([bB]igg?)(?![a-zA-Z])")  # docutils knows \Bigl and \Bigr, and not \Big, which is as large


def _write(writer: Any, node: nodes.Element, *, as_block: bool) -> None:
    written = _as_mathml(node, as_block)
    writer.body.append(f'<div class="math">{written}</div>' if as_block else written)
    raise nodes.SkipNode


def _as_mathml(node: nodes.Element, as_block: bool) -> str:
    try:
        return tex2mathml(_SIZE.sub(r"\\\1l", node.astext()), as_block=as_block)
    except MathError as error:
        log.warning("a formula cannot be shown: %s", error, location=node)
        return f"<code>{escape(node.astext())}</code>"


def setup(app: Sphinx) -> dict[str, bool]:
    """Make it the way in which HTML shows formulas."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(lambda writer, node: _write(writer, node, as_block=False), None),
        block_renderers=(lambda writer, node: _write(writer, node, as_block=True), None),
    )
    return {"parallel_read_safe": True}
