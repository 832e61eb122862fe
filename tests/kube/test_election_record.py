"""The election Lease: what is read from it, and that API servers take what is written."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import orjson
import pytest

from coordinator.embedded.server import start
from coordinator.embedded.store import Store
from coordinator.kube import errors
from coordinator.kube.calls import call_of
from coordinator.kube.client import MERGE_PATCH, KubeClient
from coordinator.kube.credentials import OpenAccess, load_kubeconfig
from coordinator.kube.election_record import (
    Entry,
    Record,
    parse,
    render_create,
    render_release,
    render_update,
)
from coordinator.kube.leases import leases_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from coordinator.kube.answers import Json

NS = "default"


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
async def api(request: pytest.FixtureRequest) -> AsyncIterator[KubeClient]:
    if request.param == "real":
        real = request.getfixturevalue("real_server")
        async with KubeClient(await load_kubeconfig(str(real.kubeconfig))) as client:
            yield client
        return
    server = await start(Store())
    async with KubeClient(OpenAccess(server.url)) as client:
        yield client
    await server.stop()


class Hand:
    """Writes one election Lease."""

    def __init__(self, client: KubeClient) -> None:
        self.client = client
        self.name = f"election-{uuid.uuid4().hex[:8]}"
        self.path = leases_path(NS, self.name)

    async def send(self, method: str, body: bytes | None = None) -> Record:
        path = leases_path(NS) if method == "POST" else self.path
        return parse(call_of(method, path), await self.client.request(method, path, body=body))

    async def patch(self, change: Json) -> None:
        body = orjson.dumps(change)
        await self.client.request("PATCH", self.path, body=body, content_type=MERGE_PATCH)


def entry(holder: str, second: int) -> Entry:
    return Entry(holder, f"https://{holder}:8443", 14.2, f"2026-01-02T03:04:{second:02}.000000Z")


def spec(record: Record) -> Json:
    found: Json = record.whole["spec"]
    return found


async def test_a_lease_is_made_renewed_taken_over_and_released(api: KubeClient) -> None:
    hand = Hand(api)
    made = await hand.send("POST", render_create(hand.name, entry("a", 1)))
    assert (made.holder, made.url, made.duration) == ("a", "https://a:8443", 15.0)
    assert made.whole["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "node-slots",
        "velero.io/exclude-from-backup": "true",
    }
    renewed = await hand.send("PUT", render_update(made, entry("a", 2)))
    assert renewed.renews(made)
    assert spec(renewed) == spec(made) | {"renewTime": entry("a", 2).stamp}
    taken = await hand.send("PUT", render_update(renewed, entry("b", 3)))
    assert (taken.holder, taken.url, taken.uid) == ("b", "https://b:8443", made.uid)
    assert spec(taken)["leaseTransitions"] == 1
    assert spec(taken)["acquireTime"] == spec(taken)["renewTime"] == entry("b", 3).stamp
    free = await hand.send("PUT", render_release(taken))
    assert (free.holder, free.url, spec(free)["leaseTransitions"]) == ("", "", 1)
    again = await hand.send("PUT", render_update(free, entry("a", 4)))
    assert spec(again)["leaseTransitions"] == 2


async def test_what_others_wrote_into_the_lease_stays(api: KubeClient) -> None:
    hand = Hand(api)
    made = await hand.send("POST", render_create(hand.name, entry("a", 1)))
    theirs = {"labels": {"team": "storage"}, "annotations": {"example.org/note": "x"}}
    await hand.patch({"metadata": theirs})
    seen = await hand.send("GET")
    assert not seen.renews(made)
    renewed = await hand.send("PUT", render_update(seen, entry("b", 2)))
    free = await hand.send("PUT", render_release(renewed))
    head = free.whole["metadata"]
    assert head["labels"]["team"] == "storage"
    assert head["annotations"] == {"example.org/note": "x"}


async def test_no_write_lands_on_another_lease_than_it_was_made_for(api: KubeClient) -> None:
    hand = Hand(api)
    made = await hand.send("POST", render_create(hand.name, entry("a", 1)))
    with pytest.raises(errors.AlreadyExists):
        await hand.send("POST", render_create(hand.name, entry("b", 1)))
    await hand.send("PUT", render_update(made, entry("a", 2)))
    with pytest.raises(errors.Conflict):
        await hand.send("PUT", render_update(made, entry("b", 3)))
    await api.request("DELETE", hand.path)
    for body in (render_update(made, entry("b", 3)), render_release(made)):
        with pytest.raises(errors.Conflict):
            await hand.send("PUT", body)


async def test_the_same_renewal_twice_makes_no_new_version(api: KubeClient) -> None:
    hand = Hand(api)
    made = await hand.send("POST", render_create(hand.name, entry("a", 1)))
    assert (await hand.send("PUT", render_update(made, entry("a", 1)))).version == made.version


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"metadata": None},
        {"metadata": {"uid": "u"}},
        {"metadata": {"uid": "u", "resourceVersion": "x1"}},
        {"metadata": {"uid": "u", "resourceVersion": "1"}, "spec": ["no"]},
    ],
)
def test_an_answer_that_is_no_lease_proves_nothing(answer: Json) -> None:
    with pytest.raises(errors.Unavailable):
        parse(call_of("GET", leases_path(NS, "x")), answer)
    with pytest.raises(errors.UnknownOutcome):
        parse(call_of("PUT", leases_path(NS, "x")), answer)


def test_a_lease_without_a_spec_is_nobodys() -> None:
    bare = {"metadata": {"uid": "u", "resourceVersion": "7"}}
    found = parse(call_of("GET", leases_path(NS, "x")), bare)
    assert (found.version, found.holder, found.url, found.duration) == (7, "", "", 0.0)
    taken = orjson.loads(render_update(found, entry("a", 1)))
    assert taken["spec"]["leaseTransitions"] == 1
