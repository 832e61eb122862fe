"""Answers, problems and silences come as what they are, and a token goes nowhere else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from coordinator.kubectl.connect import Refused, Unreachable
from tests.kubectl.connect.stub import POOL, Keys, asking, serving

if TYPE_CHECKING:
    from tests.kubectl.connect.stub import Handler

PROBLEM = "application/problem+json"


async def test_json_goes_both_ways() -> None:
    async def answer(request: web.Request) -> web.Response:
        told = await request.json() if request.can_read_body else None
        return web.json_response({"at": request.raw_path, "told": told})

    async with asking(answer) as coordinator:
        query = [("node", "a"), ("node", "b c")]
        asked = await coordinator.get(POOL, query)
        assert asked == {"at": f"{POOL}?node=a&node=b+c", "told": None}
        assert (await coordinator.post(POOL, {"text": "x"}))["told"] == {"text": "x"}


async def test_a_delete_answers_nothing() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.method == "DELETE"
        return web.Response(status=204)

    async with asking(answer) as coordinator:
        await coordinator.delete(f"{POOL}/nodes/a/claims/b")


async def test_a_problem_is_refused_with_its_detail_and_name() -> None:
    async def answer(_request: web.Request) -> web.Response:
        told = {"type": "https://nodeslots.io/problems/forbidden", "detail": "you may not list"}
        return web.json_response(told, status=403, content_type=PROBLEM)

    async with asking(answer) as coordinator:
        with pytest.raises(Refused, match=r"^you may not list$") as caught:
            await coordinator.get(POOL)
    assert (caught.value.status, caught.value.name) == (403, "forbidden")


async def test_an_error_that_is_no_problem_is_refused_with_its_status() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>")

    async with asking(answer) as coordinator:
        with pytest.raises(Refused, match="502") as caught:
            await coordinator.get(POOL)
    assert caught.value.name == ""


async def test_what_is_no_json_is_no_coordinators_answer() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="<html>hello</html>")

    async with asking(answer) as coordinator:
        with pytest.raises(Unreachable, match="no coordinator"):
            await coordinator.get(POOL)


async def test_a_coordinator_that_is_silent_or_away_is_unreachable() -> None:
    async def silent(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with asking(silent, timeout=0.2) as coordinator:
        with pytest.raises(Unreachable, match=r"within 0\.2 s"):
            await coordinator.get(POOL)
    async with asking(silent) as coordinator:
        coordinator.url = "http://127.0.0.1:1"
        with pytest.raises(Unreachable, match="does not answer"):
            await coordinator.get(POOL)


def judge(*good: str) -> Handler:
    """Accepts these tokens."""

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") in good:
            return web.json_response({})
        return web.json_response({"detail": "not accepted"}, status=401, content_type=PROBLEM)

    return answer


async def test_a_token_that_has_expired_is_replaced_and_asked_with_again() -> None:
    async with asking(judge("s3cret-2"), Keys()) as coordinator:
        assert await coordinator.get(POOL) == {}


async def test_a_caller_whom_no_token_helps_is_refused_and_the_token_not_told() -> None:
    async with asking(judge(), Keys()) as coordinator:
        with pytest.raises(Refused, match="not accepted") as caught:
            await coordinator.get(POOL)
    assert caught.value.status == 401
    assert "s3cret" not in repr(caught.value) + str(caught.value.__context__)


async def test_no_redirect_is_followed() -> None:
    visited: list[str] = []

    async def other(request: web.Request) -> web.Response:
        visited.append(request.path)
        return web.json_response({})

    async with serving(other) as elsewhere:

        async def redirect(_request: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(elsewhere)

        async with asking(redirect, Keys()) as coordinator:
            with pytest.raises(Refused, match="307"):
                await coordinator.get(POOL)
    assert not visited


@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_kept_connection_that_has_ended_is_no_trouble(method: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        if len(asked) == 2:
            assert request.transport is not None
            request.transport.close()
        return web.json_response({})

    async with asking(answer) as coordinator:
        for _ in range(2):
            more = ({"text": ""},) if method == "post" else ()
            assert await getattr(coordinator, method)(POOL, *more) == {}
    assert len(asked) == 3
