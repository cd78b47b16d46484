"""The elements of a labeling config, read as Label Studio's pages do: in whatever case, and without namespaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from label_studio_crowd.errors import UserError


@dataclass(frozen=True)
class Element:
    """An element.

    Attributes
    ----------
    tag, written
        Its tag in lower case, without a namespace; and as it is written, for messages.
    attributes
        By their names in lower case.
    children
        The elements inside it.
    """

    tag: str
    written: str
    attributes: Mapping[str, str]
    children: tuple[Element, ...]

    def get(self, name: str, default: str = "") -> str:
        """Return an attribute; its name is in lower case."""
        return self.attributes.get(name, default)

    def says(self, name: str) -> bool:
        """Return whether an attribute is true."""
        return self.get(name).strip().lower() == "true"

    def walk(self) -> Iterator[Element]:
        """Yield it and all elements inside it, in the config's order."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse(config: str) -> Element:
    """Return the root of a labeling config.

    Raises
    ------
    UserError
        If it is no XML.

    Examples
    --------
    >>> root = parse('<View xmlns="http://www.w3.org/1999/xhtml"><choices toname="t"/></View>')
    >>> [(element.tag, element.get("toname")) for element in root.walk()]
    [('view', ''), ('choices', 't')]
    """
    try:
        return _element(ElementTree.fromstring(config))
    except (ElementTree.ParseError, RecursionError) as error:
        raise UserError(
            f"The labeling config is not valid XML ({error}): correct it in Settings → Labeling Interface."
        ) from None


def _element(node: ElementTree.Element) -> Element:
    written = _local(node.tag)
    attributes = {_local(name).lower(): value for name, value in node.attrib.items()}
    return Element(written.lower(), written, attributes, tuple(map(_element, node)))


def _local(name: str) -> str:
    return name.rpartition("}")[2]
