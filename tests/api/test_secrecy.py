"""No token in a log line, an answer or a traceback, whatever happens to the request."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import structlog

from coordinator.kube.election import Leader
from tests.api.callers import AGENT, ELDER, FREER, NOBODY, READER, SECRET, STRANGER, bearer
from tests.api.conftest import CLAIM, NODE
from tests.api.fakes import FakeCoordinator
from tests.api.test_access import GARBAGE, REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.service.coordinator import Coordinator
    from tests.api.callers import FakeCallers
    from tests.api.conftest import Caller
    from tests.api.fakes import FakePool

TOKENS = (AGENT, ELDER, FREER, NOBODY, READER, STRANGER, GARBAGE)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that is logged, by us and by the libraries, with all tracebacks."""
    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.stdlib.add_logger_name,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    with caplog.at_level(logging.DEBUG):
        yield caplog
    structlog.configure(**before)


def kept(log: pytest.LogCaptureFixture) -> str:
    """All that was logged, arguments and tracebacks too."""
    return log.text + "".join(repr(vars(record)) for record in log.records)


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("fault", [None, RuntimeError("a fault of the pool")])
async def test_no_answer_and_no_log_line_has_a_token(
    api: Caller,
    pool: FakePool,
    known: FakeCallers,
    log: pytest.LogCaptureFixture,
    request_: str,
    fault: Exception | None,
) -> None:
    method, path, body = REQUESTS[request_]
    pool.answer, pool.sync_error = fault or pool.answer, fault
    pool.news.end()  # or a stream would go on
    for token in TOKENS:
        answer = await api(method, path, body, headers=bearer(token))
        assert SECRET not in answer.text + str(answer.headers)
    assert "request" in kept(log)
    assert SECRET not in kept(log)


async def test_a_fault_while_it_is_found_out_who_asks_shows_no_token(
    api: Caller,
    known: FakeCallers,
    log: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(token: str) -> None:
        raise RuntimeError("a fault of the review")

    monkeypatch.setattr(known, "identify", broken)
    answer = await api("GET", NODE, headers=bearer(AGENT))
    assert (answer.status, answer.problem) == (500, "internal")
    assert "a fault of the review" in kept(log)
    assert SECRET not in kept(log) + answer.text


async def test_a_follower_without_its_leader_shows_no_token(
    api: Caller,
    coordinator: Coordinator,
    known: FakeCallers,
    log: pytest.LogCaptureFixture,
    unused_port: int,
) -> None:
    assert isinstance(coordinator, FakeCoordinator)
    coordinator.leading = False
    coordinator.leader = Leader("replica-2", f"http://127.0.0.1:{unused_port}")
    answer = await api("PUT", CLAIM, {"load": "x"}, headers=bearer(AGENT))
    assert (answer.status, answer.problem) == (503, "no-leader")
    assert SECRET not in kept(log) + answer.text


@pytest.mark.parametrize(
    "header",
    [
        f"Authorization: Bearer {SECRET}{'x' * 100_000}",
        f"Authorization: Bearer {SECRET}\x00",
        f"Authorization: Bearer {SECRET}\x7f",
        f"Authorization Bearer {SECRET}",
        f"Authorization : Bearer {SECRET}",
        f"Bearer {SECRET}",
        f"Authorization: Bearer {SECRET}\r\nContent-Length: x",
    ],
    ids=["long", "nul", "del", "no colon", "space", "no name", "bad length"],
)
async def test_a_head_that_cannot_be_read_comes_back_without_its_token(
    api: Caller, known: FakeCallers, log: pytest.LogCaptureFixture, header: str
) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {NODE} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode("latin-1"))
    answer = b""
    async with asyncio.timeout(30):
        with suppress(ConnectionResetError):  # more was sent than anybody will read
            while piece := await reader.read(1000):
                answer += piece
    writer.close()
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400")) or not answer
    assert SECRET.encode() not in answer
    assert SECRET not in kept(log)
