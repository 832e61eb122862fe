"""A token is in no exception, log line, metric or text of ours, whatever the API server does."""

from __future__ import annotations

import asyncio
import gc
import traceback
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import web

from coordinator import logs
from coordinator.core.access import Action
from coordinator.service.errors import ServiceError
from tests.service.door import EXTRA, token_review
from tests.service.faults import cut_before, forbidden, lost_before, refusal
from tests.test_logs import as_it_was  # noqa: F401 - leaves the log as other tests want it

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from tests.service.door import Door


TOKEN = "eyJhbGciOiJFUzI1NiJ9.dGhlLXBheWxvYWQtb2YtaXQ.dGhlLXNpZ25hdHVyZQ"
PIECES = TOKEN.split(".")


def said(text: str) -> list[str]:
    """The pieces of the token that stand in the text."""
    return [piece for piece in PIECES if piece in text]


def chain(error: BaseException | None) -> list[BaseException]:
    """The exception and all that it drags along, shown or not."""
    if error is None:
        return []
    return [error, *chain(error.__cause__), *chain(error.__context__)]


async def echo(request: web.Request, handler: Handler) -> web.StreamResponse:
    body = await request.text()
    return refusal(500, "InternalError", f"cannot do {body}")


async def echo_as_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    return web.Response(text=f"<pre>{await request.text()}", status=502)


async def echo_in_the_head(request: web.Request, handler: Handler) -> web.StreamResponse:
    return web.Response(status=503, reason=f"No {TOKEN}", headers={"Retry-After": TOKEN})


async def echo_as_error(request: web.Request, handler: Handler) -> web.StreamResponse:
    return web.json_response({"status": {"error": f"cannot parse {TOKEN}"}}, status=201)


async def echo_half(request: web.Request, handler: Handler) -> web.StreamResponse:
    return web.Response(text=f'{{"spec": {{"token": "{TOKEN}', status=201)


FATES = (
    echo,
    echo_as_page,
    echo_in_the_head,
    echo_as_error,
    echo_half,
    lost_before,
    cut_before,
    forbidden,
)


@pytest.mark.parametrize("fate", FATES)
async def test_no_failure_shows_the_token(
    at: Door, fate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("json", "debug")
    at.cluster.faults.on(token_review(), fate, times=9)
    with pytest.raises(ServiceError) as raised:
        await at.callers.identify(TOKEN)
    for error in chain(raised.value):
        assert not said(f"{error!r} {error} {error.args} {vars(error)}")
    structlog.get_logger().error("failed", exc_info=raised.value)
    assert not said("".join(traceback.format_exception(raised.value)))
    printed = capsys.readouterr().err
    assert "failed" in printed
    assert not said(printed)


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_no_line_of_the_log_shows_the_token_of_somebody_who_is_let_in(
    at: Door, log_format: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(log_format, "debug")
    uid = at.agent(TOKEN)
    at.user(TOKEN)["extra"].pop(EXTRA + "node-name")
    at.cluster.store.rules = lambda _spec: False
    caller = await at.callers.identify(TOKEN)
    assert not await at.callers.permits(caller, Action("get", "velero"))
    at.cluster.delete_pod("agent-x")
    at.callers.pod_gone(uid)
    with pytest.raises(ServiceError):
        await at.callers.identify(TOKEN)
    printed = capsys.readouterr().err
    assert "token refused" in printed
    assert "access denied" in printed
    assert not said(printed + at.metrics.render().decode() + repr(caller))


async def test_nothing_that_is_remembered_is_a_token(at: Door) -> None:
    at.agent(TOKEN)
    await at.callers.identify(TOKEN)
    with pytest.raises(ServiceError):
        await at.callers.identify(TOKEN[::-1])
    await asyncio.sleep(0)
    remembered = list(reachable(at.callers._tokens)) + list(reachable(at.callers._flights))
    assert len(remembered) > 20
    for one in remembered:
        if isinstance(one, str):
            assert not said(one + one[::-1])
    assert not said(repr(at.callers) + repr(vars(at.callers)) + repr(asyncio.all_tasks()))


def reachable(root: object) -> list[object]:
    """Everything that can be reached from there, without the program itself."""
    seen: dict[int, object] = {}
    todo = [root]
    skipped: tuple[type, ...] = (type, ModuleType, type(reachable), type(logs.configure))
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, skipped) or "coordinator" not in _home(one):
            continue
        seen[id(one)] = one
        todo += gc.get_referents(one)
    return list(seen.values())


def _home(one: object) -> str:
    plain = (str, bytes, int, float, dict, list, tuple, set, frozenset)
    return "coordinator" if isinstance(one, plain) else type(one).__module__
