"""Faults that a real Label Studio cannot be made to show; the rest of the exchange is in tests/studio."""

import httpx
import jwt
import pytest
import stamina

from label_studio_crowd.errors import UserError
from label_studio_crowd.settings import load
from label_studio_crowd.studio.client import Studio
from label_studio_crowd.studio.failures import NoAnswerError, StudioError


def web_token(kind, name="", ends=2**33):
    """A token as Label Studio gives them, but for its signature."""
    return jwt.encode({"token_type": kind, "jti": name, "exp": ends}, "a key of some thirty-two bytes...")


PERSONAL = web_token("refresh")


@pytest.fixture(autouse=True)
def no_waiting():
    stamina.set_testing(True, attempts=5)
    yield
    stamina.set_testing(False)


def server(*answers):
    """A Label Studio that gives these answers in turn, the first of them to a first request that works."""
    given = iter([httpx.Response(200, json={"release": "1.23.2"}), *answers])
    requests = []

    def answer(request):
        requests.append(request)
        found = next(given)
        if isinstance(found, Exception):
            raise found
        return found

    studio = Studio("http://studio", "0" * 40, transport=httpx.MockTransport(answer))
    studio.version()
    return studio, requests


BROKEN = [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut off")]
OVERLOADED = [httpx.Response(status) for status in (429, 500, 502, 503, 504)]


@pytest.mark.parametrize("fault", BROKEN + OVERLOADED, ids=repr)
def test_reads_and_changes_are_repeated(fault):
    studio, _ = server(fault, httpx.Response(200, json={"id": 3}))
    assert studio.project(3) == {"id": 3}
    studio, requests = server(fault, httpx.Response(200, json={}))
    assert studio.set_task(1, overlap=2, is_labeled=False)
    assert len(requests) == 3


@pytest.mark.parametrize("fault", BROKEN + OVERLOADED, ids=repr)
def test_an_import_is_never_repeated(fault):
    studio, requests = server(fault)
    with pytest.raises(StudioError):
        studio.import_predictions(3, [{"task": 1}])
    assert len(requests) == 2


def test_after_some_attempts_it_is_an_error():
    studio, _ = server(*[httpx.ConnectError("refused")] * 9)
    with pytest.raises(StudioError, match="does not answer at http://studio"):
        studio.project(3)


@pytest.mark.parametrize("fault", BROKEN + [httpx.Response(status) for status in (429, 502, 503, 504)], ids=repr)
def test_no_answer_is_told_from_a_refusal(fault):
    studio, _ = server(*[fault] * 5)
    with pytest.raises(NoAnswerError):
        studio.project(3)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_a_refusal_or_a_defect_is_an_answer(status):
    studio, _ = server(*[httpx.Response(status, json={"detail": "no"})] * 5)
    with pytest.raises(StudioError) as error:
        studio.update_project(3, sampling="none")
    assert not isinstance(error.value, NoAnswerError)


def test_what_is_gone_is_no_error():
    gone = httpx.Response(404, json={"detail": "No Prediction matches the given query."})
    studio, _ = server(gone, gone, gone)
    assert not studio.update_prediction(1, score=0.5)
    assert not studio.delete_prediction(1)
    assert not studio.set_task(1, overlap=1, is_labeled=True)


def test_a_refusal_says_what_label_studio_said():
    studio, _ = server(httpx.Response(400, json={"detail": "Validation error", "validation_errors": {"score": "odd"}}))
    with pytest.raises(StudioError, match="odd") as error:
        studio.update_project(3, sampling="none")
    assert error.value.status == 400


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    "ask", [lambda s: s.project(3), lambda s: s.update_project(3, sampling="x"), lambda s: s.delete_view(1)]
)
def test_a_redirect_is_not_followed_but_named(status, ask):
    studio, requests = server(httpx.Response(status, headers={"location": "https://studio/"}))
    with pytest.raises(StudioError, match="redirects to https://studio: put that address into LABEL_STUDIO_URL"):
        ask(studio)
    assert len(requests) == 2


def test_pages_go_on_when_the_server_makes_them_smaller():
    def page(*ids, total):
        return httpx.Response(200, json={"tasks": [{"id": n} for n in ids], "total": total})

    studio, _ = server(page(1, 2, total=5), page(3, 4, total=3), page(5, total=1))
    assert [task["id"] for found in studio.task_states(1) for task in found] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "token", ["a.b.c", "a.WzFd.c", "x" * 40, PERSONAL, web_token("access"), web_token("refresh", ends=1)]
)
def test_any_token_can_be_tried(token):
    refuse = httpx.MockTransport(lambda _: httpx.Response(401, json={"detail": "Invalid token."}))
    with pytest.raises(StudioError, match="refuses the"):
        Studio("http://studio", token, transport=refuse).version()


LOGIN = "<html><title>Log in\n &amp; go</title><form></form></html>"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(200, html=LOGIN), "with the web page 'Log in & go'"),
        (httpx.Response(200, html="<p>Welcome</p>"), "with a web page"),
        (httpx.Response(404, html=LOGIN), "with 404 and the web page 'Log in & go'"),
        (httpx.Response(200), "with nothing"),
        (httpx.Response(200, headers={"content-type": "application/json"}), "with nothing"),
        (httpx.Response(204), "with nothing"),
        (httpx.Response(200, text="OK"), "with text/plain"),
        (httpx.Response(200, content=b"x", headers={"content-type": "application/json"}), "calls itself JSON"),
        (httpx.Response(200, json={"status": "ok"}), r"with JSON of another kind \('status'\)"),
        (httpx.Response(200, json=[]), "with JSON that is a list"),
        (httpx.Response(200, json="ok"), "with JSON that is no object"),
        (httpx.Response(200, json={}), "with empty JSON"),
        (httpx.Response(404, json={"detail": "Not Found"}), r"404 and JSON of another kind \('detail'\)"),
        (httpx.Response(405, json={"detail": "Method Not Allowed"}), "405 and JSON of another kind"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("token", ["x" * 40, PERSONAL], ids=["legacy", "personal"])
@pytest.mark.parametrize(
    "ask",
    [lambda s: s.version(), lambda s: s.user(), lambda s: list(s.projects()), lambda s: s.project(3)],
    ids=["version", "user", "projects", "project"],
)
def test_what_answers_instead_of_label_studio_is_named(answer, words, token, ask):
    studio = Studio("http://studio", token, transport=httpx.MockTransport(lambda _: answer))
    with pytest.raises(StudioError, match=words) as error:
        ask(studio)
    assert str(error.value).startswith("What answers at http://studio is not Label Studio: it answered ")
    assert "Put the address of Label Studio into LABEL_STUDIO_URL, as you open it in the browser" in str(error.value)


@pytest.mark.parametrize(
    ("token", "kind"), [("0123456789abcdef" * 2 + "01234567", "legacy token"), ("secret", "token"), ("a.b.c", "token")]
)
def test_a_token_is_called_what_it_is_for_sure(token, kind):
    refuse = httpx.MockTransport(lambda _: httpx.Response(401, json={"detail": "Invalid token."}))
    with pytest.raises(StudioError, match=rf"^Label Studio refuses the {kind} \(Invalid token"):
        Studio("http://studio", token, transport=refuse).project(3)


@pytest.mark.parametrize("status", [401, 403])
def test_a_proxy_that_lets_nobody_through_is_told_from_a_token_that_is_refused(status):
    proxy = httpx.MockTransport(lambda _: httpx.Response(status, html="<title>Authorization Required</title>"))
    with pytest.raises(StudioError, match="Something before Label Studio at http://studio lets nobody through"):
        Studio("http://studio", "x" * 40, transport=proxy).project(3)


@pytest.mark.parametrize(
    ("url", "target", "words"),
    [
        ("http://studio", "https://studio/api/projects/3/?x=1", "http://studio redirects to https://studio: put that"),
        ("http://host/ls", "https://host/ls/api/projects/3/", "redirects to https://host/ls: put that"),
        ("http://host/old", "/new/api/projects/3", "redirects to http://host/new: put that"),
        ("http://studio", "https://login.example/?next=1", "redirects to https://login.example: put that"),
        ("http://studio", "/login?next=/api", "redirects GET /api/projects/3/ to http://studio/login instead"),
        ("http://studio/projects/3/data", "/user/login/?next=x", "Put http://studio into LABEL_STUDIO_URL"),
        ("http://studio/projects/3/data?tab=1", "/user/login/?next=x", "Put http://studio into LABEL_STUDIO_URL"),
        ("http://studio", "", "is not Label Studio: it redirects GET /api/projects/3/ nowhere"),
        ("http://studio", "http://[odd", "is not Label Studio: it redirects GET /api/projects/3/ nowhere"),
        ("http://studio", "http://studio/api/projects/3/?x=1", "redirects GET /api/projects/3/ to itself"),
        ("http://studio/", "/api/projects/3/", "is not Label Studio: it redirects GET /api/projects/3/ nowhere"),
    ],
)
def test_the_address_that_a_redirect_leads_to_has_no_path_of_a_request(url, target, words):
    moved = httpx.MockTransport(lambda _: httpx.Response(302, headers={"location": target} if target else {}))
    with pytest.raises(StudioError, match=words.replace("?", r"\?")):
        Studio(url, "x" * 40, transport=moved).project(3)


def answer_as(kind, content, encoding=None):
    headers = {"content-type": kind, **({"content-encoding": encoding} if encoding else {})}
    return httpx.Response(200, stream=httpx.ByteStream(content), headers=headers)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (("text/html; charset=base64", b"<title>Hello</title>"), "is not Label Studio: .* the web page 'Hello'"),
        (("text/html; charset=rot13", b"<title>Hello</title>"), "is not Label Studio: .* the web page 'Hello'"),
        (("application/json", b"[" * 100_000 + b"]" * 100_000), "calls itself JSON and is not"),
        (("application/json", b"{}", "gzip"), "What http://studio answered to GET /api/projects/3/ cannot be read"),
    ],
    ids=["base64", "rot13", "deep", "not compressed"],
)
def test_an_answer_that_nobody_can_decode_is_an_error_of_one_line(answer, words):
    odd = httpx.MockTransport(lambda _: answer_as(*answer))
    with pytest.raises(StudioError, match=words):
        Studio("http://studio", "x" * 40, transport=odd).project(3)


def test_a_page_in_the_address_is_named():
    lost = httpx.MockTransport(lambda _: httpx.Response(404, html="<p>Not found</p>"))
    with pytest.raises(StudioError, match="Put https://host/ls into LABEL_STUDIO_URL: the address without the path"):
        Studio("https://host/ls/projects/3/data?tab=1", "x" * 40, transport=lost).project(3)


def test_what_label_studio_says_later_is_its_own():
    studio, _ = server(httpx.Response(404, json={"detail": "Not found."}))
    with pytest.raises(StudioError, match="Label Studio answered 404"):
        studio.update_project(3, sampling="none")


def with_token_service(*refreshed, bearers=("one",), url="http://studio", token=PERSONAL):
    """A Label Studio that answers requests for a bearer token in turn, and takes these bearers."""
    given = iter(refreshed)
    taken = [web_token("access", name) for name in bearers]

    def answer(request):
        assert str(request.url).startswith(url)
        if request.url.path.endswith("/token/refresh/"):
            return next(given)
        if request.headers["Authorization"].removeprefix("Bearer ") in taken:
            return httpx.Response(200, json={"release": "1.23.2"})
        return httpx.Response(401, json={"detail": "Token is expired"})

    return Studio(url, token, transport=httpx.MockTransport(answer))


def bearer(name):
    return httpx.Response(200, json={"access": web_token("access", name)})


@pytest.mark.parametrize("url", ["http://studio", "http://host/label-studio"])
def test_one_bearer_serves_many_requests(url):
    studio = with_token_service(bearer("one"), url=url)
    assert [studio.version() for _ in range(3)] == ["1.23.2"] * 3
    assert studio.token_kind == "personal access token"


def test_a_bearer_given_as_the_token_is_used_as_it_is():
    studio = with_token_service(token=web_token("access", "one"))
    assert studio.version() == "1.23.2"
    assert studio.token_kind == "access token"


def test_a_bearer_that_is_no_longer_taken_is_replaced():
    studio = with_token_service(bearer("old"), bearer("one"))
    assert [studio.version() for _ in range(2)] == ["1.23.2"] * 2


def test_a_token_service_that_stumbles_once_ends_no_run():
    studio = with_token_service(bearer("one"), httpx.Response(503), bearer("two"), bearers=("two",))
    assert studio.version() == "1.23.2"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_token_service_that_stumbles_is_no_refusal(status):
    studio = with_token_service(httpx.Response(status, json={"detail": "database is locked"}))
    with pytest.raises(StudioError, match="database is locked") as error:
        studio.version()
    assert error.value.status == status
    assert isinstance(error.value, NoAnswerError) == (status != 500)


@pytest.mark.parametrize(
    "written", [" 0123 ", '"0123"', "'0123'", "Token 0123", "Bearer 0123", "Authorization: Token 0123\n", "“0123”"]
)
def test_a_token_is_taken_as_people_copy_it(written):
    assert Studio.of(load(url="http://127.0.0.1:9", api_key=written))._api_key == "0123"


def test_a_token_that_is_refused_is_a_refusal():
    studio = with_token_service(httpx.Response(401, json={"detail": "Token is invalid"}))
    with pytest.raises(StudioError, match="create a new one"):
        studio.version()


@pytest.mark.parametrize(("token", "odd"), [("tök", "ö"), ("0" * 39 + "…", "…"), ("0123 4567", " ")])
def test_a_token_with_a_character_that_no_token_has_is_refused_before_it_is_sent(token, odd):
    with pytest.raises(UserError, match=f"the character '{odd}'.*copy it again"):
        Studio.of(load(url="http://127.0.0.1:9", api_key=token))


@pytest.mark.parametrize(("number", "named", "more"), [(3, 3, False), (10, 10, False), (14, 10, True)])
def test_of_many_projects_ten_are_named(number, named, more):
    rows = [{"id": n, "title": f"pets {n}"} for n in range(number, 0, -1)]

    def answer(request):
        if request.url.path == "/api/projects/":
            return httpx.Response(200, json={"results": rows, "next": None})
        return httpx.Response(404, json={"detail": "Not found.", "status_code": 404, "version": "1.23.2"})

    with pytest.raises(StudioError, match="Project 99 does not exist") as error:
        Studio("http://studio", "x" * 40, transport=httpx.MockTransport(answer)).project(99)
    assert str(error.value).count("(pets ") == named
    assert ("`label-studio-crowd projects` lists" in str(error.value)) == more
