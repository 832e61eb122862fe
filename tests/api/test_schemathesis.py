"""Whatever a caller sends, the answer is one that `/openapi.json` tells of, and never a fault.

Requests are made from the document itself, with right values and with wrong ones, always the same
ones. Each goes out as it was made, and again for a node that there is.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, contextmanager
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from coordinator.api import events
from coordinator.api.app import api_app, health_app, listen
from coordinator.api.connections import Connections
from coordinator.api.openapi import document
from coordinator.api.routes import ADMISSION, API
from coordinator.api.schemas import LONGEST_WAIT
from coordinator.core.claims import Policy
from coordinator.embedded import objects, server
from coordinator.embedded.store import Store
from coordinator.injection import Sidecar
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.service.coordinator import Coordinator
from coordinator.service.metrics import Metrics
from coordinator.service.sources import PoolSpec
from tests.e2e.waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case, Response
    from schemathesis.checks import CheckContext

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
"""No strategy does. The server's thread may, in the HTTP library, while one is drawn from."""
KNOWN = {"namespace": "velero", "node": "node1"}
LONGEST_QUERY = 4000
"""Letters. A line of 8 KiB is refused before any route, in plain text."""
EXAMPLES = 40
"""Requests made for each operation, and each twice."""
HEALTH = ("/livez", "/readyz")
SIDECAR = Sidecar("node-slots:0.1.0", "https://node-slots.velero.svc:8443", "velero")

LIMITS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def no_fault(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """503 says when to come back, and is documented; 500 is a fault of ours."""
    assert response.status_code != 500, response.text


def came_back_when(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every 429 and 503 says when to ask again."""
    if response.status_code in {429, 503}:
        assert "retry-after" in response.headers


CHECKS: list[Any] = [
    no_fault,
    came_back_when,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]


async def _serve(urls: list[str], ready: threading.Event, stop: asyncio.Event) -> None:
    store, metrics = Store(namespaces=["velero", "default"]), Metrics()
    objects.put(store, objects.node("node1"))
    running = await server.start(store)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(running.stop)
        client = await stack.enter_async_context(KubeClient(OpenAccess(running.url)))
        policy = Policy(settling=0.0)
        coordinator = Coordinator(
            client, [PoolSpec("velero")], metrics=metrics, policy=policy, rng=Random(1)
        )
        await stack.enter_async_context(coordinator)
        metrics.watch(coordinator.pools.values)
        api = api_app(coordinator, metrics, injection=SIDECAR)
        for app in (api, health_app(coordinator)):
            # Who stands still between its connection and its first byte is no slow caller here.
            listener = await listen(app, "127.0.0.1", 0, Connections(head_timeout=DEADLINE))
            stack.push_async_callback(listener.close)
            urls.append(listener.url)
        ready.set()
        await stop.wait()


@contextmanager
def serving() -> Iterator[list[str]]:
    """The URLs of the API and of health, served in a thread of their own."""
    urls: list[str] = []
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(urls, ready, stop),))
    thread.start()
    try:
        assert ready.wait(DEADLINE)
        yield urls
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(DEADLINE)
        loop.close()


@pytest.fixture(scope="module")
def served() -> Iterator[list[str]]:
    with pytest.MonkeyPatch.context() as patch, serving() as urls:
        patch.setattr(events, "LONGEST", 0.01)  # or each stream would go on for minutes
        yield urls


AGENTS = count()
SCHEMA = schemathesis.openapi.from_dict(document((*API, *ADMISSION)))
SCHEMA.config.generation.update(with_security_parameters=False)  # nobody is asked who it is


@SCHEMA.exclude(path=list(HEALTH)).parametrize()
@LIMITS
def test_every_answer_is_documented(case: Case[Any], served: list[str]) -> None:
    _wait_no_longer(case)
    if len(urlencode(case.query or {}, doseq=True)) > LONGEST_QUERY:
        return
    judged_whole = not case.path.endswith("/sync")  # that one answers for each claim by itself
    checks = [*CHECKS, negative_data_rejection] if judged_whole else CHECKS
    case.call_and_validate(base_url=served[0], checks=checks, timeout=DEADLINE)
    case.path_parameters.update({n: v for n, v in KNOWN.items() if n in case.path_parameters})
    if isinstance(case.body, dict) and isinstance(case.body.get("agent"), str):
        # An agent of its own each time, or most syncs are older than another one.
        case.body = {**case.body, "agent": f"agent-{next(AGENTS)}"}
    case.call_and_validate(base_url=served[0], checks=CHECKS, timeout=DEADLINE)


def _wait_no_longer(case: Case[Any]) -> None:
    """A wait of a minute shows no more than none."""
    if not isinstance(case.body, dict):
        return
    wait = case.body.get("waitSeconds")
    if isinstance(wait, int | float) and 0 <= wait <= LONGEST_WAIT:
        case.body = {**case.body, "waitSeconds": 0}


@SCHEMA.include(path=list(HEALTH)).parametrize()
@LIMITS
def test_every_answer_of_health_is_documented(case: Case[Any], served: list[str]) -> None:
    case.call_and_validate(base_url=served[1], checks=CHECKS, timeout=DEADLINE)
