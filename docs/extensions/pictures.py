"""Pictures have dark twins: where ``NAME-light.png`` or ``.svg`` stands, a dark page shows ``NAME-dark``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class DarkTwins(SphinxTransform):
    """Puts the dark picture beside the light one; furo's classes show one of them."""

    default_priority = 300  # before Sphinx collects pictures

    def apply(self, **_: object) -> None:
        """Add the twin of every light picture that has one."""
        here = Path(self.env.doc2path(self.env.docname)).parent
        for light in list(self.document.findall(nodes.image)):
            uri = light["uri"].replace("-light.", "-dark.")
            if uri != light["uri"] and (here / uri).exists():
                dark = light.deepcopy()
                dark["uri"], dark["classes"] = uri, ["only-dark"]
                light["classes"] = ["only-light"]
                light.parent.insert(light.parent.index(light) + 1, dark)


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx apply it."""
    app.add_transform(DarkTwins)
    return {"parallel_read_safe": True}
