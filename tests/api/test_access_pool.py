"""Who may do what, in front of a real pool on the embedded API server."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, cast

import pytest

from coordinator.api.app import api_app, listen
from coordinator.core.access import Admissions, ClientNamespace
from coordinator.core.claims import Policy
from coordinator.embedded import objects, server
from coordinator.embedded.resources import LEASES
from coordinator.embedded.store import Store
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.service.coordinator import Coordinator
from coordinator.service.metrics import Metrics
from coordinator.service.sources import PoolSpec
from tests.api.callers import AGENT, FREER, GUEST, NOBODY, READER, FakeCallers, bearer
from tests.api.conftest import CLAIM, NODE, SYNC, Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from coordinator.service.callers import Callers
    from tests.api.conftest import Answer

LOAD = {"namespace": "velero", "name": "load", "uid": "u-load"}


@pytest.fixture
def store() -> Store:
    store = Store(namespaces=["velero", "batch", "default"])
    objects.put(store, objects.node("node1"))
    return store


@pytest.fixture
def known() -> FakeCallers:
    return FakeCallers(pods={"velero/load": "node1"})


@pytest.fixture
async def api(
    store: Store, known: FakeCallers, session: aiohttp.ClientSession
) -> AsyncIterator[Caller]:
    async with AsyncExitStack() as stack:
        running = await server.start(store)
        stack.push_async_callback(running.stop)
        client = await stack.enter_async_context(KubeClient(OpenAccess(running.url)))
        coordinator = Coordinator(
            client,
            [PoolSpec("velero")],
            metrics=Metrics(),
            policy=Policy(settling=0.0),
            rng=Random(1),
            admissions=Admissions(["velero"], [ClientNamespace("velero", "batch")]),
        )
        await stack.enter_async_context(coordinator)
        coordinator.callers = cast("Callers", known)
        listener = await listen(api_app(coordinator, Metrics()), "127.0.0.1", 0)
        stack.push_async_callback(listener.close)
        call = Caller(session, listener.url)
        while (await call("GET", NODE, headers=bearer(READER))).status == 503:
            pass  # the first lists are on their way
        yield call


async def put(api: Caller, token: str, **fields: object) -> Answer:
    body = {"load": "x", "waitSeconds": 5, **fields}
    return await api("PUT", CLAIM, body, headers=bearer(token))


async def test_a_holder_goes_on_while_nobody_can_tell_who_it_is(
    api: Caller, known: FakeCallers
) -> None:
    granted = await put(api, AGENT, pod=LOAD)
    assert granted.status == 200
    known.away = True
    known.known[AGENT] = replace(known.known[AGENT], confirmed=False)
    token = granted.json["fencingToken"]
    assert (await put(api, AGENT, pod=LOAD, fencingToken=token)).json == granted.json
    assert (await put(api, AGENT, pod={**LOAD, "name": "other"})).json == granted.json
    slots = (await api("GET", NODE, headers=bearer(AGENT))).json["slots"]
    assert [slot["holder"]["pod"] for slot in slots] == ["velero/load"]
    agent = {"agent": "a", "boot": "b", "sequence": 1, "waitSeconds": 0}
    claims = [{"claim": "c1", "load": "x", "fencingToken": token}, {"claim": "c2", "load": "y"}]
    told = await api("POST", SYNC, {**agent, "claims": claims}, headers=bearer(AGENT))
    assert [claim["state"] for claim in told.json["claims"]] == ["granted", "settling"]
    assert len(known.looked) == 1
    assert (await api("DELETE", CLAIM, headers=bearer(AGENT))).status == 204


async def test_a_claim_is_its_owners_and_whoever_may_delete_leases_frees_it(
    api: Caller, store: Store
) -> None:
    assert (await put(api, AGENT)).status == 200
    lease = store.get(LEASES, "velero", "node1-slot-0")
    assert lease["metadata"]["annotations"]["nodeslots.io/owner"] == "velero/velero"
    assert (await put(api, GUEST)).problem == "forbidden"
    assert (await api("DELETE", CLAIM, headers=bearer(GUEST))).problem == "forbidden"
    body = {"agent": "a", "boot": "b", "sequence": 1, "releases": ["c1"]}
    told = (await api("POST", SYNC, body, headers=bearer(GUEST))).json
    assert (told["released"], [one["claim"] for one in told["notReleased"]]) == ([], ["c1"])
    for token in (NOBODY, READER):
        assert (await api("DELETE", CLAIM, headers=bearer(token))).problem == "forbidden"
    assert (await api("GET", CLAIM, headers=bearer(READER))).json["state"] == "granted"
    assert (await api("DELETE", CLAIM, headers=bearer(FREER))).status == 204
    assert (await put(api, AGENT)).problem == "released"


async def test_who_is_gone_while_it_waits_is_told_nothing_and_its_place_is_nobodys(
    api: Caller, known: FakeCallers
) -> None:
    assert (await put(api, AGENT)).status == 200

    identify, asked = known.identify, []

    async def once(token: str) -> object:
        asked.append(token)
        if asked.count(GUEST) == 1:
            return await identify(token)
        known.known.pop(GUEST)
        return await identify(token)

    known.identify = once  # type: ignore[method-assign,assignment]
    other = CLAIM.replace("c1", "c2")
    waiting = await api("PUT", other, {"load": "y", "waitSeconds": 0}, headers=bearer(GUEST))
    assert (waiting.status, waiting.problem) == (401, "unauthenticated")
    known.identify = identify  # type: ignore[method-assign]
    queue = (await api("GET", NODE, headers=bearer(READER))).json["queue"]
    assert [(one["claim"], one["present"]) for one in queue] == [("c2", True)]  # 15 s more (P8)
