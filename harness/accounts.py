"""People with accounts at a Label Studio: they sign up, log in and label as in a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from harness.studio_install import StudioError


@dataclass(frozen=True)
class Annotator:
    """A person with an account, who labels through Label Studio's own API.

    Attributes
    ----------
    id
        Label Studio's user id: `completed_by` in annotations.
    email, password
        To log in with a browser.
    token
        The legacy token (``Authorization: Token ...``).
    pat
        A personal access token.
    """

    id: int
    email: str
    token: str = field(repr=False)
    pat: str = field(repr=False)
    password: str = field(repr=False)
    api: httpx.Client = field(repr=False, compare=False)

    def next(self, project: int) -> dict[str, Any] | None:
        """Ask for the next task, as the button "Label All Tasks" does, and lock it.

        Returns
        -------
        dict or None
            The task as Label Studio serves it (`id`, `data`, ...), or None when it has none for this person.
        """
        response = self.api.get(f"/api/projects/{project}/next")
        if response.status_code == 404 and "no tasks" in response.text.lower():
            return None
        return dict(checked(response).json())

    def label(self, task: int, result: list[dict[str, Any]], seconds: float = 0.0) -> int:
        """Submit `result` as this person's annotation of `task`, and return the annotation's id."""
        body = {"result": result, "lead_time": seconds}
        return int(checked(self.api.post(f"/api/tasks/{task}/annotations/", json=body)).json()["id"])

    def skip(self, task: int) -> int:
        """Skip `task`, and return the id of the annotation that Label Studio keeps for it."""
        body = {"result": [], "was_cancelled": True}
        return int(checked(self.api.post(f"/api/tasks/{task}/annotations/", json=body)).json()["id"])


def sign_up(url: str, invitation: str, email: str, password: str) -> Annotator:
    """Sign up a person through the organisation's invitation link, as the person would.

    Raises
    ------
    StudioError
        If Label Studio refuses, with its reason.
    """
    with _session(url) as session:
        session.get(invitation)
        form = {"email": email, "password": password, "allow_newsletters": "false", "how_find_us": ""}
        _submit(session, invitation, form)
        user = int(checked(session.get("/api/current-user/whoami")).json()["id"])
        token = str(checked(session.get("/api/current-user/token")).json()["token"])
        pat = _new_pat(session)
    return Annotator(user, email, token, pat, password, client(url, token))


def make_pat(url: str, email: str, password: str) -> str:
    """Log in, and return a new personal access token."""
    with _session(url) as session:
        session.get("/user/login/")
        _submit(session, "/user/login/", {"email": email, "password": password})
        return _new_pat(session)


def client(url: str, token: str) -> httpx.Client:
    """Return a client that knows a legacy token."""
    return httpx.Client(base_url=url, headers={"Authorization": f"Token {token}"}, timeout=120.0, trust_env=False)


def _session(url: str) -> httpx.Client:
    """Return a browser's stand-in: cookies, no token."""
    return httpx.Client(base_url=url, timeout=60.0, trust_env=False)


def _submit(session: httpx.Client, page: str, form: dict[str, str]) -> None:
    """Send a Django form, and check that it led on to another page."""
    form = {**form, "csrfmiddlewaretoken": session.cookies.get("csrftoken") or ""}
    response = session.post(page, data=form, headers={"Referer": str(session.base_url)})
    if response.status_code != 302:
        reasons = re.findall(r'class="(?:field_errors|error)">\s*(?:<li>)?(.*?)</', response.text, re.DOTALL)
        reason = " ".join(reason.strip() for reason in reasons) or f"status {response.status_code}"
        raise StudioError(f"Label Studio refused {form['email']}: {reason}")


def _new_pat(session: httpx.Client) -> str:
    headers = {"X-CSRFToken": session.cookies.get("csrftoken") or "", "Referer": str(session.base_url)}
    response = session.post("/api/token/", headers=headers)
    if response.status_code == 409:
        raise StudioError("This account already has a personal access token, which cannot be shown again.")
    return str(checked(response).json()["token"])


def checked(response: httpx.Response) -> httpx.Response:
    """Return an answer; raise a `StudioError` if it is a refusal."""
    if response.is_error:
        request = response.request
        raise StudioError(
            f"Label Studio answered {request.method} {request.url.path} with {response.status_code}: "
            f"{response.text[:500]}"
        )
    return response
