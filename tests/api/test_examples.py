"""The examples of the OpenAPI document are true: each is replayed against a living coordinator.

A body is sent as it stands, and answered as the document says. A good answer's example has the
same shape as what really comes: the same keys, and values of the same kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from coordinator.api import examples, examples_pool
from coordinator.api.happenings import EVENTS
from coordinator.api.openapi import document
from coordinator.api.routes import API
from tests.api.living import POOL, limits, until
from tests.api.streams import following

if TYPE_CHECKING:
    from coordinator.api.route import Route
    from tests.api.living import Living

DOCUMENT = document()
NODE = f"{POOL}/nodes/node1"
HOSTNAME = "kubernetes.io/hostname"


def shape(value: object) -> object:
    """The keys of an answer, however deep; of a list the shapes that its elements have."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        shapes = [shape(inner) for inner in value]
        return [one for index, one in enumerate(shapes) if one not in shapes[:index]]
    return None


def fits(example: object, real: object) -> bool:
    """Whether both have the same keys wherever both have something."""
    if isinstance(example, dict) and isinstance(real, dict):
        names = example.keys() - {"checks"}
        return example.keys() == real.keys() and all(fits(example[n], real[n]) for n in names)
    if isinstance(example, list) and isinstance(real, list):
        return all(any(fits(one, other) for one in example) for other in real) or not example
    return True


async def settle(alive: Living) -> None:
    """The examples' own scene: on node1 one claim holds the only slot and one waits."""
    alive.configure(limits(2, ({HOSTNAME: "node1"}, 1)))
    await until(lambda: alive.pool.count("node1").limit == 1 and alive.pool.config().rules)
    uid = alive.add_pod("node1", "backup-7-x2x4c")
    first = {"namespace": "velero", "name": "backup-7-x2x4c", "uid": uid}
    await send(alive, "PUT", f"{NODE}/claims/7f3a", {**examples.CLAIM, "pod": first})
    await send(alive, "PUT", f"{NODE}/claims/91bc", {"load": "backup-7/pvc-4"})


async def send(alive: Living, method: str, path: str, body: object = None) -> Any:
    answer = await alive.api(method, path, body)
    assert answer.status < 300, answer.text
    return answer.json if answer.text.startswith("{") else answer.text


# --- bodies ---------------------------------------------------------------------------------------


def bodies() -> list[Any]:
    return [pytest.param(route, id=f"{route.method} {route.path}") for route in API if route.body]


@pytest.mark.parametrize("route", bodies())
async def test_the_example_of_a_body_is_answered_as_the_document_says(
    alive: Living, route: Route
) -> None:
    path = route.path.format(namespace="velero", node="node1", claim="7f3a")
    operation = DOCUMENT["paths"][route.path][route.method.lower()]
    body = operation["requestBody"]["content"]["application/json"]["example"]
    answer = await alive.api(route.method, path, body)
    assert "Warning" not in answer.headers
    told = {reply.status: reply for reply in route.replies}
    TypeAdapter(told[answer.status].type).validate_json(answer.text, strict=True)


async def test_the_preview_is_what_its_body_gives(alive: Living) -> None:
    """On a cluster that is as the example has it."""
    await settle(alive)
    for claim in ("x", "y"):
        await alive.grant("node2", claim)
    alive.configure(limits(2, ({HOSTNAME: "node1"}, 1), ({HOSTNAME: "node3"}, 1)))
    await until(lambda: alive.pool.count("node3").limit == 1)
    body = await send(alive, "POST", f"{POOL}/preview", examples_pool.PREVIEW_BODY)
    assert body == examples_pool.PREVIEW


# --- answers --------------------------------------------------------------------------------------


def answers() -> list[Any]:
    return [
        pytest.param(route, id=route.path)
        for route in API
        if route.method == "GET" and route.replies[0].media == "application/json"
        if route.path != "/openapi.json"
    ]


@pytest.mark.parametrize("route", answers())
async def test_the_example_of_an_answer_has_what_a_real_one_has(
    alive: Living, route: Route
) -> None:
    await settle(alive)
    path = route.path.format(namespace="velero", node="node1", claim="91bc")
    page = "?limit=1" if any(one.name == "limit" for one in route.query) else ""
    real = await send(alive, "GET", path + page)
    TypeAdapter(route.replies[0].type).validate_python(real, strict=True)
    example = route.replies[0].example
    assert fits(example, real), f"{shape(example)}\n{shape(real)}"


async def test_what_a_claim_is_told_has_the_examples_keys(alive: Living) -> None:
    await settle(alive)
    granted = await send(alive, "GET", f"{NODE}/claims/7f3a")
    assert shape(granted) == shape(examples.EXPLAINED_GRANT)
    waits = await send(alive, "PUT", f"{NODE}/claims/91bc", {"load": "backup-7/pvc-4"})
    assert shape(waits) == shape(examples.QUEUED)
    synced = await send(
        alive,
        "POST",
        f"{NODE}/sync",
        {**examples.SYNC, "waitSeconds": 0, "claims": [], "releases": ["91bc"]},
    )
    assert synced.keys() == examples.SYNC_ANSWER.keys()


async def test_the_config_example_is_what_is_in_force(alive: Living) -> None:
    await settle(alive)
    assert await send(alive, "GET", f"{POOL}/config") == examples_pool.CONFIG


async def test_the_stream_of_the_example_can_be_read_and_is_what_comes(alive: Living) -> None:
    blocks = examples_pool.EVENTS.removeprefix("retry: 1000\n").strip().split("\n\n")
    told = {}
    for block in blocks:
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        name = fields["event"]
        told[name] = TypeAdapter(EVENTS[name]).validate_json(fields["data"], strict=True)
        assert ("id" in fields) == (name != "node")
    async with following(alive.api, "?summaries=1") as stream:
        await alive.grant("node1", "7f3a", load="backup-7/pvc-3", pod="backup-7-x2x4c")
        await alive.queue("node1", "91bc")
        await alive.release("node1", "7f3a")
        await stream.next("handover")
        real = {one.name: one.data for one in stream.seen}
        while "node" not in real:
            real["node"] = (await stream.next("node")).data
    assert {name: shape(data) for name, data in told.items()} == {
        name: shape(data) for name, data in real.items()
    }


def test_every_answer_with_a_body_has_an_example() -> None:
    without = [
        f"{method} {path} {status}"
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        for status, answer in operation["responses"].items()
        for media in answer.get("content", {}).values()
        if not media.keys() & {"example", "examples"}
    ]
    assert without == ["get /openapi.json 200"]


def test_every_body_has_an_example() -> None:
    for route in API:
        assert bool(route.body) == bool(route.body_example)
