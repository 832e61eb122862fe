"""The dashboard's files: who gets them, with which headers, and that there is nothing else."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coordinator.api.page import assets
from tests.api.test_follower import serving

if TYPE_CHECKING:
    import aiohttp

    from tests.api.callers import FakeCallers
    from tests.api.conftest import Answer, Caller
    from tests.api.fakes import FakeCoordinator

FOLDER = Path(str(files("coordinator.page").joinpath("assets")))
NAMES = sorted(file.name for file in FOLDER.iterdir())
PATHS = ["/", *(f"/page/{name}" for name in NAMES)]
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def policy(answer: Answer) -> dict[str, str]:
    parts = answer.headers["Content-Security-Policy"].split(";")
    return dict(part.strip().split(" ", 1) for part in parts)


@pytest.mark.parametrize("path", PATHS)
async def test_a_file_comes_with_its_type_and_a_strict_policy(api: Caller, path: str) -> None:
    answer = await api("GET", path)
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert answer.status == 200
    kind = kinds.get(path.rpartition(".")[2], "text/html")
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert policy(answer) == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_the_root_is_the_page(api: Caller) -> None:
    answer = await api("GET", "/")
    assert answer.text == (FOLDER / "index.html").read_text("utf-8")
    assert (await api("GET", "/?pool=velero&view=node&node=node1")).text == answer.text


async def test_every_file_of_the_folder_is_served(api: Caller) -> None:
    assert sorted(assets()) == NAMES
    for name in NAMES:
        assert (await api("GET", f"/page/{name}")).text == (FOLDER / name).read_text("utf-8")


@pytest.mark.parametrize("path", ["/", "/page/main.js"])
async def test_head_says_the_same_without_the_file(api: Caller, path: str) -> None:
    got, asked = await api("GET", path), await api("HEAD", path)
    assert (asked.status, asked.text) == (200, "")
    for name in ("Content-Type", "Content-Length", "ETag", "Content-Security-Policy"):
        assert asked.headers[name] == got.headers[name]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_has_the_file_is_told_so(api: Caller, method: str) -> None:
    etag = (await api("GET", "/page/main.js")).headers["ETag"]
    answer = await api(method, "/page/main.js", headers={"If-None-Match": f'"other", {etag}'})
    assert (answer.status, answer.text) == (304, "")
    assert answer.headers["ETag"] == etag
    assert policy(answer) == POLICY


async def test_who_has_another_file_gets_this_one(api: Caller) -> None:
    etag = (await api("GET", "/page/main.js")).headers["ETag"]
    answer = await api("GET", "/page/base.css", headers={"If-None-Match": etag})
    assert answer.status == 200


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_is_asked_for_a_token(api: Caller, known: FakeCallers, path: str) -> None:
    assert (await api("GET", path)).status == 200
    assert (await api("GET", path, headers={"Authorization": "Bearer garbage"})).status == 200
    assert (await api("GET", "/v1/status")).status == 401


async def test_a_replica_that_follows_serves_it_itself(
    session: aiohttp.ClientSession, coordinator: FakeCoordinator
) -> None:
    coordinator.leading = False
    async with serving(coordinator) as url, session.get(url + "/page/main.js") as answer:
        assert answer.status == 200
        assert await answer.read() == (FOLDER / "main.js").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/page/other.js",
        "/page/..%2F__init__.py",
        "/page/..%2f..%2frun.py",
        "/page/%2e%2e%2f__init__.py",
        "/page/main.js%00",
        "/page/MAIN.JS",
        "/page/sub/main.js",
        "/index.html",
        "/main.js",
        "/favicon.ico",
    ],
)
async def test_nothing_else_is_there(api: Caller, path: str) -> None:
    answer = await api("GET", path)
    assert (answer.status, answer.problem) == (404, "not-found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_it_is_only_looked_at(api: Caller, method: str) -> None:
    answer = await api(method, "/")
    assert answer.status == 405
    assert answer.headers["Allow"].replace(" ", "") == "GET,HEAD"


def test_the_page_asks_no_other_host_and_has_no_script_or_style_of_its_own() -> None:
    index = (FOLDER / "index.html").read_text("utf-8")
    linked = re.findall(r'(?:src|href)="([^"#]+)"', index)
    assert linked
    assert {link.removeprefix("page/") for link in linked} <= set(NAMES)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", index)


def test_every_module_imports_only_files_that_are_there() -> None:
    for name in NAMES:
        text = (FOLDER / name).read_text("utf-8")
        for imported in re.findall(r'from "([^"]+)"', text):
            assert imported.removeprefix("./") in NAMES, (name, imported)


def test_no_text_is_ever_parsed_as_html() -> None:
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
    for name in NAMES:
        text = (FOLDER / name).read_text("utf-8")
        assert not [word for word in forbidden if word in text], name
