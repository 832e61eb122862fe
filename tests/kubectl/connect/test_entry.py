"""One browser is let in by a code, and no other page may use what it has."""

from __future__ import annotations

import pytest

from coordinator.kubectl.connect.entry import CODE_LIFE, Entry, foreign
from tests.kube.fakes import Clock

PORT = 8001
HOST = f"127.0.0.1:{PORT}"
OWN = {"Host": HOST, "Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}


def test_a_code_works_once_and_gives_what_is_known_from_then_on() -> None:
    entry = Entry(Clock())
    code = entry.new_code()
    cookie = entry.redeem(code)
    assert cookie is not None
    assert entry.knows(cookie)
    assert entry.redeem(code) is None


def test_a_code_ends_after_a_minute() -> None:
    clock = Clock()
    entry = Entry(clock)
    code, later = entry.new_code(), entry.new_code()
    clock.now += CODE_LIFE - 0.1
    assert entry.redeem(code) is not None
    clock.now += 0.1
    assert entry.redeem(later) is None


def test_nobody_is_known_without_the_cookie() -> None:
    entry = Entry(Clock())
    code = entry.new_code()
    assert not any(entry.knows(guess) for guess in ("", code, "x" * 43))
    assert not entry.knows("\udcff"), "a byte that is no text, as the HTTP parser hands it on"
    assert entry.redeem("made up") is None


def test_codes_and_the_cookie_are_not_shown() -> None:
    entry = Entry(Clock())
    code = entry.new_code()
    cookie = entry.redeem(entry.new_code()) or ""
    assert code not in repr(entry)
    assert cookie not in repr(entry)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("GET", OWN, id="the page's own request"),
        pytest.param("POST", OWN, id="the page's own preview"),
        pytest.param("GET", {"Host": HOST}, id="curl, or an old browser"),
        pytest.param("GET", {"Host": HOST, "Sec-Fetch-Site": "none"}, id="the link, opened"),
        pytest.param(
            "GET",
            {
                "Host": HOST,
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
            },
            id="the link, followed from elsewhere",
        ),
        pytest.param("GET", {"Host": f"localhost:{PORT}"}, id="by the name localhost"),
    ],
)
def test_the_pages_own_requests_are_not_foreign(method: str, headers: dict[str, str]) -> None:
    assert foreign(method, headers, PORT) == ""


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("GET", {}, id="no host"),
        pytest.param("GET", {"Host": f"evil.example:{PORT}"}, id="a name that was rebound"),
        pytest.param("GET", {"Host": "127.0.0.1:80"}, id="another port"),
        pytest.param("GET", OWN | {"Origin": "https://evil.example"}, id="another site"),
        pytest.param("GET", OWN | {"Origin": "null"}, id="a sandboxed frame"),
        pytest.param("GET", OWN | {"Origin": "http://127.0.0.1:9"}, id="another local server"),
        pytest.param("GET", {"Host": HOST, "Sec-Fetch-Site": "cross-site"}, id="an image"),
        pytest.param("GET", {"Host": HOST, "Sec-Fetch-Site": "same-site"}, id="a local image"),
        pytest.param(
            "GET",
            {
                "Host": HOST,
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "iframe",
            },
            id="a frame",
        ),
        pytest.param("POST", {"Host": HOST}, id="a form without an origin"),
        pytest.param(
            "POST",
            {
                "Host": HOST,
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
            },
            id="a form that navigates",
        ),
    ],
)
def test_what_another_page_sends_is_foreign(method: str, headers: dict[str, str]) -> None:
    assert foreign(method, headers, PORT)
