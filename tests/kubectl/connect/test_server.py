"""A server that is named is asked there; without TLS it is shown no token of the kubeconfig."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from coordinator.kubectl.connect import Options, Unreachable, connect
from tests.kubectl.connect.stub import serving
from tests.kubectl.connect.test_options import kubeconfig

if TYPE_CHECKING:
    from pathlib import Path


class Server:
    """Answers everything, and keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[str | None] = []

    async def __call__(self, request: web.Request) -> web.Response:
        self.shown.append(request.headers.get("Authorization"))
        return web.json_response({"version": "1"})


async def test_without_tls_no_token_of_the_kubeconfig_is_shown(tmp_path: Path) -> None:
    server = Server()
    async with (
        serving(server) as url,
        connect(Options(kubeconfig=kubeconfig(tmp_path), server=url)) as cluster,
    ):
        await cluster.coordinator()
        assert cluster.status == {"version": "1"}
    assert server.shown == [None]


async def test_the_token_of_a_file_that_was_named_is_shown(tmp_path: Path) -> None:
    server, file = Server(), tmp_path / "token"
    file.write_text("told")
    async with serving(server) as url:
        options = Options(kubeconfig=kubeconfig(tmp_path), server=url, token_file=str(file))
        async with connect(options) as cluster:
            await cluster.coordinator()
    assert server.shown == ["Bearer told"]


async def test_the_coordinator_is_looked_for_once_it_is_found(tmp_path: Path) -> None:
    server = Server()
    async with serving(server) as url:
        async with connect(Options(kubeconfig=kubeconfig(tmp_path), server=url)) as cluster:
            assert await cluster.coordinator() is await cluster.coordinator()
        assert len(server.shown) == 1


async def test_nobody_at_the_server_is_told_with_its_address(tmp_path: Path) -> None:
    options = Options(kubeconfig=kubeconfig(tmp_path), server="http://127.0.0.1:1")
    async with connect(options) as cluster:
        for _ in range(2):
            with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1 does not answer"):
                await cluster.coordinator()


async def test_an_authority_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    server, ca = "https://127.0.0.1:1", tmp_path / "ca.crt"
    for text in (None, "no certificate"):
        if text is not None:
            ca.write_text(text)
        options = Options(kubeconfig=kubeconfig(tmp_path), server=server, ca_file=str(ca))
        async with connect(options) as cluster:
            with pytest.raises(Unreachable, match=r"no certificate can be read from .*ca\.crt"):
                await cluster.coordinator()
