"""What changes something by a click: only from our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request


async def require_own_page(request: Request) -> None:
    """Refuse what a page of another site sends: the browser adds the password by itself.

    Browsers say where a request comes from: in Sec-Fetch-Site over HTTPS and on this machine, else in Origin.

    Raises
    ------
    HTTPException
        403, if it comes from elsewhere or does not say so.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        allowed = site in ("same-origin", "none")
    else:
        origin = urlsplit(request.headers.get("origin", "")).netloc
        allowed = origin != "" and origin == request.headers.get("host")
    if not allowed:
        raise HTTPException(403, "This request was not sent by a page of this server: open the page and click there.")


def path_within(address: str) -> str:
    """Return an address if it is a path of this server, else that of the first page."""
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that are no IPv6 address
        return "/projects"
    inside = not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith("//")
    return address if inside and "\\" not in address and address.isprintable() else "/projects"
