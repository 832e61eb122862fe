"""Bad input gets a clear error, and nothing of it reaches the pool."""

from __future__ import annotations

import asyncio
import gzip
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from coordinator.api.app import api_app, listen
from coordinator.api.bodies import INTAKE, SMALL_BODY, Intake, read_json
from coordinator.api.claims import LARGEST_CLAIM
from coordinator.api.problems import Problem
from coordinator.api.sync import LARGEST_SYNC
from coordinator.service.metrics import Metrics
from tests.api.conftest import CLAIM, NODE, SYNC, Caller
from tests.api.fakes import GRANTED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from coordinator.service.coordinator import Coordinator
    from tests.api.fakes import FakePool

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"load": None}, 400, "load"),
        ({"load": ""}, 422, "load"),
        ({"load": "x" * 257}, 422, "load"),
        ({"load": "two\nlines"}, 400, "load"),
        ({"priority": 1.5}, 400, "priority"),
        ({"priority": True}, 400, "priority"),
        ({"priority": 1_000_001}, 422, "priority"),
        ({"priority": -1_000_001}, 422, "priority"),
        ({"ttlSeconds": 9}, 422, "ttlSeconds"),
        ({"ttlSeconds": 3601}, 422, "ttlSeconds"),
        ({"ttlSeconds": "60"}, 400, "ttlSeconds"),
        ({"waitSeconds": -1}, 422, "waitSeconds"),
        ({"waitSeconds": 55.5}, 422, "waitSeconds"),
        ({"waitSeconds": "long"}, 400, "waitSeconds"),
        ({"ticket": "1234"}, 400, "ticket"),
        ({"ticket": "1234.-1"}, 400, "ticket"),
        ({"ticket": "1.1\n"}, 400, "ticket"),
        ({"ticket": "\u0661.\u0662"}, 400, "ticket"),
        ({"fencingToken": "1201"}, 400, "fencingToken"),
        ({"fencingToken": -1}, 422, "fencingToken"),
        ({"pod": {"namespace": "velero"}}, 400, "pod.name"),
        ({"pod": {"namespace": "velero", "name": "../x"}}, 400, "pod.name"),
        ({"pod": {"namespace": "Velero", "name": "x"}}, 400, "pod.namespace"),
        ({"pod": "velero/x"}, 400, "pod"),
    ],
)
async def test_a_bad_field_is_named_400_for_its_form_422_for_its_range(
    api: Caller, pool: FakePool, fields: dict[str, Any], status: int, field: str
) -> None:
    answer = await api("PUT", CLAIM, {"load": "x", **fields})
    assert (answer.status, answer.json["errors"][0]["field"]) == (status, field)
    assert answer.problem == ("malformed" if status == 400 else "out-of-range")
    assert answer.json["detail"].startswith(f"{field}: ")
    assert not pool.asked


async def test_a_number_past_64_bits_is_malformed(api: Caller) -> None:
    body = b'{"load": "x", "fencingToken": 1000000000000000000000000000000}'
    answer = await api("PUT", CLAIM, data=body, headers=JSON)
    assert (answer.problem, answer.json["errors"][0]["field"]) == ("malformed", "fencingToken")


async def test_all_bad_fields_are_named_at_once(api: Caller) -> None:
    answer = await api("PUT", CLAIM, {"load": 3, "ttlSeconds": 1, "priority": "high"})
    assert answer.problem == "malformed"
    named = {error["field"] for error in answer.json["errors"]}
    assert named == {"load", "ttlSeconds", "priority"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"load=x", b"\xff\xfe", b'{"load": NaN}', b"[" * 5000]
)
async def test_what_is_not_json_is_malformed(api: Caller, content: bytes) -> None:
    answer = await api("PUT", CLAIM, data=content, headers=JSON)
    assert (answer.status, answer.problem) == (400, "malformed")


@pytest.mark.parametrize("content", [b"[]", b"null", b'"x"', b"7"])
async def test_json_that_is_no_object_is_malformed(api: Caller, content: bytes) -> None:
    answer = await api("PUT", CLAIM, data=content, headers=JSON)
    assert (answer.status, answer.problem) == (400, "malformed")
    assert answer.json["detail"].startswith("the body: ")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {**JSON, "Content-Encoding": "gzip"},
    ],
)
async def test_a_body_that_is_not_plain_json_is_415(api: Caller, headers: dict[str, str]) -> None:
    packed = gzip.compress(b'{"load": "x"}')
    answer = await api("PUT", CLAIM, data=packed, headers=headers)
    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


async def test_json_with_a_charset_is_taken(api: Caller, pool: FakePool) -> None:
    pool.answer = GRANTED
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert (await api("PUT", CLAIM, data=b'{"load": "x"}', headers=headers)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "limit"), [("PUT", CLAIM, LARGEST_CLAIM), ("POST", SYNC, LARGEST_SYNC)]
)
async def test_a_body_of_more_than_its_limit_is_413(
    api: Caller, pool: FakePool, method: str, path: str, limit: int
) -> None:
    fitting = b'{"load": "x"}'.ljust(limit)
    assert (await api(method, path, data=BytesIO(fitting), headers=JSON)).status != 413
    answer = await api(method, path, data=BytesIO(fitting + b" "), headers=JSON)
    assert (answer.status, answer.problem) == (413, "too-large")


async def test_a_body_without_a_length_is_limited_as_well(api: Caller) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (LARGEST_CLAIM // 4)

    answer = await api("PUT", CLAIM, data=endless(), headers=JSON)
    assert (answer.status, answer.problem) == (413, "too-large")


async def test_a_body_that_never_ends_is_408(api: Caller) -> None:
    """A real connection that stalls; the time limit is passed in."""
    stalled = web.Application()
    stalled[INTAKE] = Intake()
    seen: asyncio.Future[Problem] = asyncio.get_running_loop().create_future()

    async def handler(request: web.Request) -> web.Response:
        try:
            await read_json(request, 100, timeout=0.01)
        except Problem as problem:
            seen.set_result(problem)
        return web.Response()

    stalled.router.add_put("/", handler)
    runner = web.AppRunner(stalled, lingering_time=0.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    _, writer = await asyncio.open_connection(host, port)
    head = (
        "PUT / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    )
    writer.write(head.encode())
    async with asyncio.timeout(30):
        problem = await seen
    assert (problem.name, problem.retry_after) == ("request-timeout", 1)
    writer.close()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (CLAIM.replace("c1", "-c1"), 400),
        (CLAIM.replace("c1", "a%2Fb"), 400),
        (CLAIM.replace("c1", "c1%0A"), 400),
        (CLAIM.replace("c1", "c" * 129), 422),
        (CLAIM.replace("node1", "Node_1"), 400),
        (CLAIM.replace("node1", "a..b"), 400),
        (CLAIM.replace("node1", "n" * 254), 422),
        (CLAIM.replace("velero", "a.b"), 400),
    ],
)
async def test_a_path_that_names_nothing_possible_is_refused(
    api: Caller, pool: FakePool, path: str, status: int
) -> None:
    pool.answer = GRANTED
    answer = await api("GET", path)
    assert answer.status == status
    assert answer.json["errors"][0]["field"].startswith("path.")


@pytest.mark.parametrize(
    "name", ["c", "c" * 128, "7", "a.b_c:d-e"], ids=["one", "longest", "digit", "signs"]
)
async def test_every_claim_id_of_the_protocol_is_taken(
    api: Caller, pool: FakePool, name: str
) -> None:
    pool.answer = GRANTED
    assert (await api("GET", CLAIM.replace("c1", name))).status == 200


async def test_a_route_that_is_not_there_is_a_problem_too(api: Caller) -> None:
    answer = await api("GET", "/v2/status")
    assert (answer.status, answer.problem) == (404, "not-found")


async def test_a_method_that_is_not_there_names_those_that_are(api: Caller) -> None:
    answer = await api("POST", CLAIM, {})
    assert (answer.status, answer.problem) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == "DELETE, GET, PUT"


async def test_a_fault_of_ours_tells_no_internals(api: Caller, pool: FakePool) -> None:
    pool.answer = RuntimeError("the password is hunter2")
    answer = await api("GET", CLAIM)
    assert (answer.status, answer.problem) == (500, "internal")
    assert "hunter2" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.json["detail"]


async def test_unknown_fields_are_ignored_and_named(api: Caller, pool: FakePool) -> None:
    pool.answer = GRANTED
    answer = await api("PUT", CLAIM, {"load": "x", "colour": "red"})
    assert answer.status == 200
    assert answer.headers["Warning"] == '299 - "unknown field: colour"'


async def test_no_field_name_can_break_the_warning_header(api: Caller, pool: FakePool) -> None:
    pool.answer = GRANTED
    strange = {f'a"\r\nX-Evil: {number}' + "é" * 300: 1 for number in range(30)}
    answer = await api("PUT", CLAIM, {"load": "x", **strange})
    assert answer.status == 200
    assert "X-Evil" not in answer.headers
    assert answer.headers["Warning"].endswith(' and 20 more"')
    assert len(answer.headers["Warning"]) < 2000


async def test_a_connection_outlives_a_refusal(api: Caller, pool: FakePool) -> None:
    """The error of one request must not cost an agent's connection more than that request."""
    pool.answer = GRANTED
    for _ in range(3):
        refusal = await api("PUT", CLAIM, {"load": 7})
        assert (refusal.status, refusal.headers.get("Connection")) == (400, None)
        assert (await api("PUT", CLAIM, {"load": "x"})).status == 200


async def test_a_node_path_of_another_kind_is_not_taken_for_a_node(api: Caller) -> None:
    assert (await api("GET", NODE + "/nothing")).problem == "not-found"


async def test_large_bodies_are_limited_together_and_small_ones_are_taken(
    coordinator: Coordinator, session: aiohttp.ClientSession, pool: FakePool
) -> None:
    pool.answer = GRANTED
    app = api_app(coordinator, Metrics())
    app[INTAKE].most = LARGEST_CLAIM - SMALL_BODY
    listener = await listen(app, "127.0.0.1", 0)
    call, size = Caller(session, listener.url), LARGEST_CLAIM - 1000
    host, port = listener.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"PUT {CLAIM} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {LARGEST_CLAIM}\r\n\r\n".encode() + b" " * size)
    body = {"load": "x", "more": "x" * (SMALL_BODY + 2000)}
    async with asyncio.timeout(30):
        while app[INTAKE].size < size - SMALL_BODY:
            assert (await call("GET", CLAIM)).status == 200  # it is read meanwhile
        assert (await call("PUT", CLAIM, body)).problem == "overloaded"
        assert (await call("PUT", CLAIM, {"load": "x"})).status == 200
        writer.close()
        while app[INTAKE].size:
            assert (await call("GET", CLAIM)).status == 200
    assert (await call("PUT", CLAIM, body)).status == 200
    await listener.close()
