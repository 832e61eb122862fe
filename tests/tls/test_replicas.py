"""A follower passes requests on over TLS that it verifies; else it sends no token anywhere."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import aiohttp
import pytest
from aiohttp import web

from coordinator.api.app import health_app, listen
from coordinator.kube.election import Leader
from coordinator.tls.contexts import Material
from coordinator.tls.making import make_serving, pem
from tests.api.callers import AGENT, bearer
from tests.api.conftest import CLAIM, Caller
from tests.api.fakes import FakeCoordinator, FakePool
from tests.tls.listening import Present, served
from tests.tls.replicas import Pair, api
from tests.tls.scene import SERVER, Scene
from tests.tls.test_making import material

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from coordinator.api.proxy import Trust
    from coordinator.service.coordinator import Coordinator
    from tests.api.conftest import Answer


@dataclass
class Impostor:
    """Listens where the leader is said to be, and keeps what it gets."""

    got: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append(request.headers.get("Authorization", ""))
        return web.Response()


async def passed_on(trust: Trust | None, leader: str) -> Answer:
    """What a caller of a follower is answered whose leader is said to be at that URL."""
    follower = FakeCoordinator(FakePool(trouble="follows"), "replica-2")
    follower.leading, follower.leader = False, Leader("replica-1", leader)
    plain = aiohttp.TCPConnector(ssl=False)
    async with api(follower, trust) as url, aiohttp.ClientSession(connector=plain) as session:
        return await Caller(session, url)("PUT", CLAIM, {"load": "x"}, headers=bearer(AGENT))


@asynccontextmanager
async def trusting(scene: Scene) -> AsyncIterator[Trust]:
    scene.now = datetime.now(UTC)
    async with scene.replica(leading=False).running() as certificates:
        yield certificates


async def test_a_follower_passes_on_to_a_leader_that_it_knows(scene: Scene, tmp_path: Path) -> None:
    scene.now = datetime.now(UTC)
    pair = Pair(scene, tmp_path)
    async with pair.serving():
        answer = await passed_on(pair.follower.certificates, pair.urls[0])
    assert (answer.status, answer.json["slot"]) == (200, 0)


async def test_a_leader_of_another_authority_gets_no_token(scene: Scene) -> None:
    impostor = Impostor()
    async with (
        trusting(scene) as trust,
        served(Present(material([SERVER])), handler=impostor.handle) as url,
    ):
        answer = await passed_on(trust, url)
    assert answer.problem == "no-leader"
    assert "certificate verify failed" in answer.json["detail"]
    assert impostor.got == []


async def test_a_leader_with_another_name_gets_no_token(scene: Scene) -> None:
    """Whatever else the authority signs one day, the Service's name is what is asked for."""
    impostor = Impostor()
    async with trusting(scene) as trust:
        authority = (await scene.stored()).authority
        assert authority
        other = make_serving(authority, ["other.velero.svc", "127.0.0.1"], scene.now)
        shown = Material(pem(other.certificate), other.key_pem, pem(authority.certificate))
        async with served(Present(shown), handler=impostor.handle) as url:
            answer = await passed_on(trust, url)
    assert answer.problem == "no-leader"
    assert "Hostname mismatch" in answer.json["detail"]
    assert impostor.got == []


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_leader_without_tls_gets_no_token(scene: Scene, scheme: str) -> None:
    impostor = Impostor()
    app = web.Application()
    app.router.add_route("*", "/{all:.*}", impostor.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        host, port = runner.addresses[0][:2]
        async with trusting(scene) as trust:
            answer = await passed_on(trust, f"{scheme}://{host}:{port}")
    finally:
        await runner.cleanup()
    assert answer.problem == "no-leader"
    assert impostor.got == []


async def test_no_key_and_no_token_is_logged(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    async with trusting(scene) as trust, served(Present(material([SERVER]))) as url:
        await passed_on(trust, url)
        values = await scene.values()
    told = "".join(capsys.readouterr())
    assert "certificate served" in told
    assert AGENT not in told
    for name in ("tls.key", "ca.key"):
        assert values[name].split()[3].decode() not in told


@pytest.mark.parametrize(("why", "status"), [("no Secret", 503), ("", 200)])
async def test_readyz_tells_what_keeps_the_certificate_away(why: str, status: int) -> None:
    coordinator = cast("Coordinator", FakeCoordinator(FakePool()))
    listener = await listen(health_app(coordinator, lambda: {"tls": why}), "127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        answer = await Caller(session, listener.url)("GET", "/readyz")
    await listener.close()
    assert answer.status == status
    assert (f"[-] tls: {why}" if why else "[+] tls: ok") in answer.text.splitlines()
