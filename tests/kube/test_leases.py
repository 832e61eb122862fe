"""The lease store against an API server: the same promises on the embedded and on the real one."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

import orjson
import pytest

from coordinator.core.model import PodRef, Terms
from coordinator.embedded.server import start
from coordinator.embedded.store import Store
from coordinator.kube import errors
from coordinator.kube.client import MERGE_PATCH, KubeClient
from coordinator.kube.credentials import OpenAccess, load_kubeconfig
from coordinator.kube.leases import LeaseStore, leases_path
from coordinator.kube.records import parse, render_free, render_grant, render_refresh
from coordinator.kube.reflector import Changed, Deleted, Listed, Reflector, StreamEvent
from tests.kube.fakes import DEADLINE, FakeServer, answer, status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WALL = "2026-01-02T03:04:05.000000Z"
TERMS = Terms("backup", 1, 60, PodRef("apps", "web-0", "u"))
NAME = "node1-slot-0"


@dataclass(frozen=True)
class Place:
    """A namespace of an API server."""

    client: KubeClient
    namespace: str

    @property
    def store(self) -> LeaseStore:
        return LeaseStore(self.client)

    async def patch(self, change: object) -> None:
        """What an operator does by hand."""
        body = orjson.dumps(change)
        path = leases_path(self.namespace, NAME)
        await self.client.request("PATCH", path, body=body, content_type=MERGE_PATCH)


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    namespace = f"slots-{uuid.uuid4().hex[:8]}"
    if request.param == "real":
        real = request.getfixturevalue("real_server")
        async with KubeClient(await load_kubeconfig(str(real.kubeconfig))) as client:
            body = orjson.dumps({"metadata": {"name": namespace}})
            await client.request("POST", "/api/v1/namespaces", body=body)
            yield Place(client, namespace)
        return
    server = await start(Store(namespaces=[namespace]))
    async with KubeClient(OpenAccess(server.url)) as client:
        yield Place(client, namespace)
    await server.stop()


async def test_a_slot_is_made_granted_renewed_handed_over_freed_and_removed(place: Place) -> None:
    store, namespace = place.store, place.namespace
    made = await store.create(namespace, "node1", NAME)
    assert not made.taken
    granted = await store.replace(namespace, NAME, render_grant(made, "node1", "c-1", TERMS, WALL))
    assert granted.holder is not None
    assert (granted.holder.claim, granted.holder.token) == ("c-1", made.version)
    renewed = await store.replace(
        namespace, NAME, render_refresh(granted, "node1", WALL[:-2] + "1Z")
    )
    assert renewed.holder == granted.holder
    second = await store.replace(
        namespace, NAME, render_grant(renewed, "node1", "c-2", Terms("scan"), WALL)
    )
    assert second.holder is not None
    assert second.holder.token == renewed.version > granted.holder.token
    assert second.transitions == 2
    freed = await store.replace(namespace, NAME, render_free(second, "node1"))
    assert not freed.taken
    assert await store.read(namespace, NAME) == freed
    await store.delete(namespace, freed)
    assert await store.read(namespace, NAME) is None


async def test_a_second_create_finds_the_name_taken(place: Place) -> None:
    await place.store.create(place.namespace, "node1", NAME)
    with pytest.raises(errors.AlreadyExists):
        await place.store.create(place.namespace, "node1", NAME)


async def test_a_repeated_grant_conflicts_with_its_own_success(place: Place) -> None:
    made = await place.store.create(place.namespace, "node1", NAME)
    body = render_grant(made, "node1", "c-1", TERMS, WALL)
    granted = await place.store.replace(place.namespace, NAME, body)
    with pytest.raises(errors.Conflict):
        await place.store.replace(place.namespace, NAME, body)
    assert await place.store.read(place.namespace, NAME) == granted


async def test_a_grant_never_makes_a_deleted_lease_anew(place: Place) -> None:
    made = await place.store.create(place.namespace, "node1", NAME)
    await place.store.delete(place.namespace, made)
    with pytest.raises(errors.Conflict):
        await place.store.replace(
            place.namespace, NAME, render_grant(made, "node1", "c-1", TERMS, WALL)
        )
    assert await place.store.read(place.namespace, NAME) is None


async def test_a_grant_never_lands_on_a_successor_of_the_same_name(place: Place) -> None:
    made = await place.store.create(place.namespace, "node1", NAME)
    await place.store.delete(place.namespace, made)
    again = await place.store.create(place.namespace, "node1", NAME)
    stale = replace(made, version=again.version)
    with pytest.raises(errors.Conflict):
        await place.store.replace(
            place.namespace, NAME, render_grant(stale, "node1", "c-1", TERMS, WALL)
        )


async def test_a_delete_spares_a_lease_that_changed(place: Place) -> None:
    made = await place.store.create(place.namespace, "node1", NAME)
    await place.store.replace(
        place.namespace, NAME, render_grant(made, "node1", "c-1", TERMS, WALL)
    )
    with pytest.raises(errors.Conflict):
        await place.store.delete(place.namespace, made)
    with pytest.raises(errors.Conflict):
        await place.store.delete(place.namespace, replace(made, uid="another"))


async def test_a_delete_of_nothing_says_so(place: Place) -> None:
    made = await place.store.create(place.namespace, "node1", NAME)
    await place.store.delete(place.namespace, made)
    with pytest.raises(errors.NotFound):
        await place.store.delete(place.namespace, made)


async def test_a_write_carries_on_what_others_wrote(place: Place) -> None:
    await place.store.create(place.namespace, "node1", NAME)
    theirs = {"labels": {"team": "storage"}, "finalizers": ["example.org/keep"]}
    await place.patch({"metadata": theirs})
    base = await place.store.read(place.namespace, NAME)
    assert base is not None
    await place.store.replace(
        place.namespace, NAME, render_grant(base, "node1", "c-1", TERMS, WALL)
    )
    path = leases_path(place.namespace, NAME)
    head = (await place.client.request("GET", path))["metadata"]
    assert head["labels"]["team"] == "storage"
    assert head["finalizers"] == ["example.org/keep"]


async def test_the_server_keeps_no_books_on_who_wrote_a_slot(place: Place) -> None:
    """They would cost it as much as the write itself."""
    made = await place.store.create(place.namespace, "node1", NAME)
    body = render_grant(made, "node1", "c-1", TERMS, WALL)
    await place.store.replace(place.namespace, NAME, body)
    path = leases_path(place.namespace, NAME)
    assert "managedFields" not in (await place.client.request("GET", path))["metadata"]
    await place.patch({"metadata": {"labels": {"team": "storage"}}})
    assert "managedFields" not in (await place.client.request("GET", path))["metadata"]


async def test_the_picture_follows_a_hand_that_clears_and_deletes(place: Place) -> None:
    made = await place.store.create(place.namespace, "node1", NAME)
    body = render_grant(made, "node1", "c-1", TERMS, WALL)
    await place.store.replace(place.namespace, NAME, body)
    told: asyncio.Queue[StreamEvent] = asyncio.Queue()
    reflector = Reflector(place.client, leases_path(place.namespace), rng=Random(1))
    task = asyncio.create_task(reflector.run(told.put_nowait))
    try:
        async with asyncio.timeout(DEADLINE):
            listed = await told.get()
            assert isinstance(listed, Listed)
            assert [parse(item).taken for item in listed.items] == [True]
            await place.patch({"spec": {"holderIdentity": None}})
            while not isinstance(change := await told.get(), Changed):
                pass
            cleared = parse(change.obj)
            assert not cleared.taken
            await place.store.delete(place.namespace, cleared)
            while not isinstance(change := await told.get(), Deleted):
                pass
            assert parse(change.obj).version > cleared.version
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_page_that_is_no_lease_proves_nothing(fake: FakeServer, client: KubeClient) -> None:
    store = LeaseStore(client)
    fake.then(
        answer(200, {"welcome": "to the hotel"}), answer(200, {}), answer(404, b"no such page")
    )
    with pytest.raises(errors.Unavailable):
        await store.read("velero", NAME)
    with pytest.raises(errors.UnknownOutcome):
        await store.replace("velero", NAME, b"{}")
    with pytest.raises(errors.Unavailable):
        await store.read("velero", NAME)


async def test_a_lease_that_the_server_does_not_know_is_none(
    fake: FakeServer, client: KubeClient
) -> None:
    fake.then(answer(404, status(404, "NotFound")))
    assert await LeaseStore(client).read("velero", NAME) is None


async def test_the_store_names_its_requests_as_their_paths_do(fake: FakeServer) -> None:
    """Metrics and errors are the same, whoever said what a request is about."""
    seen: list[tuple[str, str]] = []
    lease = {"kind": "Lease", "metadata": {"name": NAME, "uid": "u", "resourceVersion": "1"}}
    fake.then(*[answer(200, lease)] * 6)

    def observe(verb: str, resource: str, _code: str, _seconds: float) -> None:
        seen.append((verb, resource))

    async with KubeClient(OpenAccess(fake.url), observe=observe) as client:
        store = LeaseStore(client)
        await store.read("velero", NAME)
        await store.create("velero", "node1", NAME)
        await store.replace("velero", NAME, b"{}")
        told = list(seen)
        for asked in list(fake.asked):
            await client.request(asked.method, asked.path, body=asked.body)
    assert seen == told * 2
    assert [verb for verb, _ in told] == ["get", "create", "update"]
