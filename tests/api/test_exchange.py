"""What stands around every handler: the request's id, the log line, the answer's end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from coordinator.api.app import api_app, listen
from coordinator.service.metrics import Metrics
from tests.api.conftest import CLAIM, SYNC, Caller
from tests.api.fakes import GRANTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aiohttp
    from aiohttp import web

    from coordinator.service.coordinator import Coordinator
    from tests.api.fakes import FakePool


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log goes through the standard library, as in `coordinator.logs`."""
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    yield caplog
    structlog.configure(**before)


async def test_each_answer_has_an_id_of_its_own(api: Caller, pool: FakePool) -> None:
    pool.answer = GRANTED
    ids = [(await api("GET", CLAIM)).headers["X-Request-Id"] for _ in range(20)]
    assert len(set(ids)) == 20
    assert all(len(one) == 8 and int(one, 16) >= 0 for one in ids)


@pytest.mark.parametrize(("level", "lines"), [(logging.DEBUG, 1), (logging.INFO, 0)])
async def test_a_request_is_a_line_of_the_log_at_level_debug_only(
    api: Caller, pool: FakePool, log: pytest.LogCaptureFixture, level: int, lines: int
) -> None:
    pool.answer = GRANTED
    with log.at_level(level):
        answer = await api("GET", CLAIM)
    told = [vars(record)["id"] for record in log.records if record.message == "request"]
    assert told == [answer.headers["X-Request-Id"]] * lines


async def test_an_answer_that_was_sent_is_kept_nowhere(
    coordinator: Coordinator, session: aiohttp.ClientSession, pool: FakePool
) -> None:
    """The HTTP library keeps the last one of each connection, and agents keep theirs open."""
    answered: list[web.StreamResponse] = []

    async def prepared(_request: web.Request, response: web.StreamResponse) -> None:
        answered.append(response)

    app = api_app(coordinator, Metrics())
    app.on_response_prepare.append(prepared)
    listener = await listen(app, "127.0.0.1", 0)
    body = {"agent": "a", "boot": "b", "sequence": 1}
    answer = await Caller(session, listener.url)("POST", SYNC, body)
    assert answer.json["sequence"] == 1
    await listener.close()
    assert [getattr(one, "body", None) for one in answered] == [None]
