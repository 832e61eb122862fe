"""Requests end by their deadline, in a result or in an error that says what is known."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.kube import errors
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import CredentialsError, OpenAccess
from tests.kube.fakes import FakeServer, Reply, answer, status

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from coordinator.kube.answers import Json
    from tests.service.jumps import Jumps

PATH = "/apis/coordination.k8s.io/v1/namespaces/velero/leases/a"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, kept from others by being bound."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


async def test_a_result_is_the_parsed_object(fake: FakeServer, client: KubeClient) -> None:
    fake.then(answer(200, {"kind": "Lease"}))
    assert await client.request("GET", PATH, params={"a": "b!=c,d"}) == {"kind": "Lease"}
    asked = fake.asked[0]
    assert (asked.method, asked.path, asked.params) == ("GET", PATH, {"a": "b!=c,d"})
    assert asked.headers["accept"] == "application/json"
    assert "content-type" not in asked.headers


async def test_a_body_goes_out_byte_for_byte(fake: FakeServer, client: KubeClient) -> None:
    fake.then(answer(200))
    await client.request("PUT", PATH, body=b'{"b":1, "a":2}')
    assert fake.asked[0].body == b'{"b":1, "a":2}'
    assert fake.asked[0].headers["content-type"] == "application/json"


async def test_retry_after_is_told(fake: FakeServer, client: KubeClient) -> None:
    fake.then(answer(429, status(429, "TooManyRequests"), Retry_After="3"))
    with pytest.raises(errors.Throttled) as caught:
        await client.request("PUT", PATH, body=b"{}")
    assert caught.value.retry_after == 3.0


TIMEOUT = 0.05
"""Seconds for a request whose time is to be over."""


async def too_late(fake: FakeServer, jumps: Jumps, request: Coroutine[Any, Any, Json]) -> Json:
    """What becomes of a request that has arrived when its time is over."""
    before, sending = len(fake.asked), asyncio.create_task(request)
    await fake.has_been_asked(before + 1)
    jumps.stall(TIMEOUT)
    return await sending


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
async def test_a_write_without_an_answer_in_time_is_in_doubt(
    method: str, fake: FakeServer, jumps: Jumps, client: KubeClient
) -> None:
    with pytest.raises(errors.UnknownOutcome, match="no answer in time"):
        await too_late(fake, jumps, client.request(method, PATH, body=b"{}", timeout=TIMEOUT))


async def test_a_read_without_an_answer_in_time_is_unavailable(
    fake: FakeServer, jumps: Jumps, client: KubeClient
) -> None:
    with pytest.raises(errors.Unavailable, match="no answer in time"):
        await too_late(fake, jumps, client.request("GET", PATH, timeout=TIMEOUT))


async def test_a_body_that_stops_midway_ends_by_the_deadline(
    fake: FakeServer, jumps: Jumps, client: KubeClient
) -> None:
    fake.then(Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", "hang"))
    with pytest.raises(errors.UnknownOutcome):
        await too_late(fake, jumps, client.request("PUT", PATH, body=b"{}", timeout=TIMEOUT))


async def test_a_connection_lost_after_sending_is_in_doubt(
    fake: FakeServer, client: KubeClient
) -> None:
    fake.then(Reply(b"", "close"), Reply(b"", "close"))
    with pytest.raises(errors.UnknownOutcome):
        await client.request("PUT", PATH, body=b"{}")


async def test_a_write_that_nobody_listened_to_was_not_sent(closed_port: int) -> None:
    async with KubeClient(OpenAccess(f"http://127.0.0.1:{closed_port}")) as client:
        with pytest.raises(errors.NotSent):
            await client.request("PUT", PATH, body=b"{}")
        with pytest.raises(errors.Unavailable):
            await client.request("GET", PATH)


async def test_a_write_whose_tls_fails_was_not_sent() -> None:
    async def speak_no_tls(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak_no_tls, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with KubeClient(OpenAccess(url)) as client:
            with pytest.raises(errors.NotSent):
                await client.request("PUT", PATH, body=b"{}")


async def test_a_refusal_after_the_clients_own_repetition_is_in_doubt(
    fake: FakeServer, client: KubeClient
) -> None:
    """The kept-alive connection closes on the PUT, and the client sends it again by itself."""
    fake.then(answer(200), Reply(b"", "close"), answer(429, status(429, "TooManyRequests")))
    await client.request("GET", PATH)
    with pytest.raises(errors.UnknownOutcome):
        await client.request("PUT", PATH, body=b"{}")
    assert [asked.method for asked in fake.asked] == ["GET", "PUT", "PUT"]


async def test_a_redirect_is_not_followed(fake: FakeServer, client: KubeClient) -> None:
    fake.then(answer(307, b"", Location="/elsewhere"))
    with pytest.raises(errors.UnknownOutcome):
        await client.request("PUT", PATH, body=b"{}")
    assert len(fake.asked) == 1


async def test_the_observer_sees_every_end(fake: FakeServer, jumps: Jumps) -> None:
    seen: list[tuple[str, str, str]] = []

    def observe(verb: str, resource: str, code: str, _seconds: float) -> None:
        seen.append((verb, resource, code))

    fake.then(answer(200), answer(409, status(409, "Conflict")))
    async with KubeClient(OpenAccess(fake.url), observe=observe) as client:
        await client.request("GET", PATH)
        with pytest.raises(errors.Conflict):
            await client.request("PUT", PATH, body=b"{}")
        with pytest.raises(errors.UnknownOutcome):
            await too_late(fake, jumps, client.request("PUT", PATH, body=b"{}", timeout=TIMEOUT))
    resource = "leases.coordination.k8s.io"
    assert seen == [
        ("get", resource, "200"),
        ("update", resource, "409"),
        ("update", resource, "UnknownOutcome"),
    ]


class Guarded(OpenAccess):
    """Credentials that can be rejected, or fail to load."""

    token = "first"
    broken = False

    async def headers(self) -> dict[str, str]:
        if self.broken:
            raise CredentialsError("the exec plugin ended with 1")
        return {"Authorization": f"Bearer {self.token}"}

    def rejected(self) -> None:
        self.token = "second"


async def test_a_401_asks_for_newer_credentials(fake: FakeServer) -> None:
    fake.then(answer(401, status(401, "Unauthorized")), answer(200))
    async with KubeClient(Guarded(fake.url)) as client:
        with pytest.raises(errors.Unauthorized):
            await client.request("GET", PATH)
        await client.request("GET", PATH)
    assert [a.headers["authorization"] for a in fake.asked] == ["Bearer first", "Bearer second"]


async def test_a_write_without_credentials_was_not_sent(fake: FakeServer) -> None:
    access = Guarded(fake.url)
    access.broken = True
    async with KubeClient(access) as client:
        with pytest.raises(errors.NotSent, match="exec plugin"):
            await client.request("PUT", PATH, body=b"{}")
    assert not fake.asked


async def test_no_error_tells_the_token(fake: FakeServer) -> None:
    access = Guarded(fake.url)
    access.token = "s3cret"
    fake.then(answer(403, status(403, "Forbidden")), Reply(b"HTTP/1.1 garbage\r\n\r\n", "close"))
    async with KubeClient(access) as client:
        for _ in range(2):
            with pytest.raises(errors.ApiError) as caught:
                await client.request("POST", PATH, body=b"{}")
            assert "s3cret" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
