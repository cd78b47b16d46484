"""The words of an HTML text."""

from __future__ import annotations

import html
import re
from typing import Final

# as in a browser, what is never closed reaches to the end; so no text takes longer than its length
_HIDDEN: Final = re.compile(r"<(script|style|title)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"</?[a-z!][^<>]*>", re.IGNORECASE)


def without_tags(text: str) -> str:
    """Return roughly what a browser would show of HTML; other text is returned as it is.

    Examples
    --------
    >>> without_tags("<title>Menu</title><b>Fish</b> &amp; chips").split()
    ['Fish', '&', 'chips']
    """
    if "<" in text:
        text = _TAG.sub(" ", _HIDDEN.sub(" ", text))
    return _unescaped(text) if "&" in text else text


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # "&#" and more digits than Python reads
        return text
