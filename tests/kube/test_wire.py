"""What a request looks like on its way, and what becomes of its connection."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import orjson
import pytest

from coordinator.kube import errors
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from tests.kube.fakes import FakeServer, Reply, answer, stream

if TYPE_CHECKING:
    from coordinator.kube.lines import Lines

PATH = "/apis/coordination.k8s.io/v1/namespaces/velero/leases/a"


class Proxied(OpenAccess):
    """An API server that is reached through a proxy with a password."""

    def __init__(self, base_url: str, proxy: str) -> None:
        super().__init__(base_url)
        self.proxy = proxy  # type: ignore[assignment]


class Odd(OpenAccess):
    """Credentials with a line break in them."""

    async def headers(self) -> dict[str, str]:
        return {"Authorization": "Bearer a\r\nX-Other: b"}


async def test_every_request_says_who_asks_and_of_whom(fake: FakeServer) -> None:
    fake.then(answer(200))
    async with KubeClient(OpenAccess(fake.url), user_agent="node-slots/9") as client:
        await client.request("GET", PATH)
    asked = fake.asked[0].headers
    assert asked["host"] == fake.url.removeprefix("http://")
    assert asked["user-agent"] == "node-slots/9"
    assert "gzip" in asked["accept-encoding"]
    assert "content-length" not in asked


async def test_requests_share_a_connection(fake: FakeServer, client: KubeClient) -> None:
    fake.then(answer(200), answer(200, then="close"), answer(200))
    for _ in range(3):
        await client.request("GET", PATH)
    assert fake.connections == 2


async def test_a_servers_own_path_comes_first(fake: FakeServer) -> None:
    fake.then(answer(200))
    async with KubeClient(OpenAccess(f"{fake.url}/k8s/clusters/c1/")) as client:
        await client.request("GET", PATH, params={"limit": "5"})
    assert (fake.asked[0].path, fake.asked[0].params) == (f"/k8s/clusters/c1{PATH}", {"limit": "5"})


async def test_a_proxy_is_told_the_whole_address_and_its_own_password(fake: FakeServer) -> None:
    fake.then(answer(200), answer(200))
    proxy = fake.url.replace("http://", "http://me:secret@")
    async with KubeClient(Proxied("http://api.example:8080", proxy)) as client:
        for _ in range(2):
            await client.request("GET", PATH)
    for asked in fake.asked:
        assert asked.target == f"http://api.example:8080{PATH}"
        assert asked.headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"
        assert asked.headers["host"] == "api.example:8080"


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX-Other: b", "/\u00e4", ""])
async def test_a_path_that_would_be_another_request_is_not_sent(
    path: str, fake: FakeServer, client: KubeClient
) -> None:
    with pytest.raises(ValueError, match="cannot be asked for"):
        await client.request("GET", path)
    assert not fake.asked


async def test_a_header_that_would_be_two_is_not_sent_nor_told(fake: FakeServer) -> None:
    async with KubeClient(Odd(fake.url)) as client:
        with pytest.raises(ValueError, match="header field") as caught:
            await client.request("GET", PATH)
    assert "Bearer" not in str(caught.value)
    assert not fake.asked


async def test_a_word_before_the_answer_is_passed_over(
    fake: FakeServer, client: KubeClient
) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    fake.then(Reply(hint + answer(200, {"kind": "Lease"}).data))
    assert await client.request("GET", PATH) == {"kind": "Lease"}


async def test_a_body_in_pieces_is_read_to_its_end(fake: FakeServer, client: KubeClient) -> None:
    fake.then(stream(b'{"kind":', b' "Lease"', b"}"))
    assert await client.request("GET", PATH) == {"kind": "Lease"}


async def test_a_long_compressed_body_is_read_to_its_end(
    fake: FakeServer, client: KubeClient
) -> None:
    told = {"items": [{"name": f"n{number}", "rest": "x" * 200} for number in range(20_000)]}
    fake.then(answer(200, gzip.compress(orjson.dumps(told)), Content_Encoding="gzip"))
    assert await client.request("GET", PATH) == told


async def test_a_create_is_never_sent_twice(fake: FakeServer, client: KubeClient) -> None:
    fake.then(Reply(b"", "close"))
    with pytest.raises(errors.UnknownOutcome):
        await client.request("POST", PATH, body=b"{}")
    assert len(fake.asked) == 1


async def _read(lines: Lines) -> list[object]:
    return [line async for line in lines]


async def test_a_watch_ends_when_its_time_is_over(fake: FakeServer, client: KubeClient) -> None:
    fake.then(stream({"a": 1}, end="hang"))
    async with client.watch(PATH, {"watch": "1"}, timeout=0.1, silence=60.0) as lines:
        assert await _read(lines) == [{"a": 1}]


async def test_a_watch_that_ended_leaves_its_connection_to_others(
    fake: FakeServer, client: KubeClient
) -> None:
    fake.then(stream({"a": 1}), answer(200))
    async with client.watch(PATH, {"watch": "1"}, timeout=60.0, silence=60.0) as lines:
        assert await _read(lines) == [{"a": 1}]
    await client.request("GET", PATH)
    assert fake.connections == 1
