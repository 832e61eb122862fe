"""The webhook: mover Pods get the sidecar, every other Pod stays as it is, and none is refused."""

from __future__ import annotations

import base64
import copy
from contextlib import asynccontextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import jsonpatch
import orjson
import pytest
from pydantic import TypeAdapter

from coordinator.api.admission import (
    LARGEST_REVIEW,
    MOST_REVIEWS,
    REVIEWS,
    UNREAD,
    AdmissionReviewBody,
    AdmissionReviewJson,
)
from coordinator.api.app import api_app, listen
from coordinator.api.bodies import INTAKE
from coordinator.api.examples import REVIEW
from coordinator.core.movers import GOVERNED, Kind
from coordinator.injection import Sidecar, operations
from coordinator.kube.election import Leader
from tests.api.conftest import Caller
from tests.api.fakes import FakeCoordinator, FakePool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from coordinator.service.coordinator import Coordinator
    from coordinator.service.metrics import Metrics
    from tests.api.callers import FakeCallers

PATH = "/v1/admission/movers"
SIDECAR = Sidecar("node-slots:0.1.0", "https://node-slots.velero.svc:8443", "velero")
JSON = {"Content-Type": "application/json"}
UID = "705ab4f5-6393-11e8-b7cc-42010a800002"


@asynccontextmanager
async def injecting(
    coordinator: Coordinator, metrics: Metrics, session: aiohttp.ClientSession
) -> AsyncIterator[Caller]:
    app = api_app(coordinator, metrics, injection=SIDECAR)
    listener = await listen(app, "127.0.0.1", 0)
    try:
        yield Caller(session, listener.url)
    finally:
        await listener.close()


@pytest.fixture
async def webhook(
    coordinator: Coordinator, metrics: Metrics, session: aiohttp.ClientSession
) -> AsyncIterator[Caller]:
    async with injecting(coordinator, metrics, session) as caller:
        yield caller


def pod(**labels: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "main", "image": "velero/velero:v1.18.0"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "backup-7-x2x4c", "namespace": "velero", "labels": labels},
        "spec": spec,
    }


def mover(kind: Kind = Kind.POD_VOLUME_BACKUP) -> dict[str, Any]:
    return pod(**{kind.label: "backup-7-x2x4c"})


def review(made: Any, **request: Any) -> dict[str, Any]:
    """As an API server asks about the creation of a Pod."""
    asked = {
        "uid": UID,
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": "backup-7-x2x4c",
        "namespace": "velero",
        "operation": "CREATE",
        "userInfo": {"username": "system:serviceaccount:velero:velero", "groups": ["a"]},
        "object": made,
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    return {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": asked | request,
    }


async def asked(webhook: Caller, body: object) -> dict[str, Any]:
    """The response to a review; in any case the Pod is allowed."""
    answer = await webhook("POST", f"{PATH}?timeout=5s", body)
    assert answer.status == 200, answer.text
    assert "Warning" not in answer.headers, "fields that Kubernetes knows are not unknown"
    TypeAdapter(AdmissionReviewJson).validate_python(answer.json, strict=True)
    response: dict[str, Any] = answer.json["response"]
    assert response["uid"] == UID
    return response


def patch_of(response: dict[str, Any]) -> list[dict[str, Any]]:
    assert response["patchType"] == "JSONPatch"
    patch: list[dict[str, Any]] = orjson.loads(base64.b64decode(response["patch"], validate=True))
    return patch


def counted(metrics: Metrics) -> dict[str, int]:
    """How many Pods, by what became of them; none is left out."""
    lines = metrics.render().decode().splitlines()
    start = 'nodeslots_admissions_total{result="'
    found = [line.removeprefix(start).split('"} ') for line in lines if line.startswith(start)]
    return {result: int(float(count)) for result, count in found if float(count)}


@pytest.mark.parametrize("kind", Kind)
async def test_a_mover_gets_the_sidecar_and_the_label(
    webhook: Caller, metrics: Metrics, kind: Kind
) -> None:
    made = mover(kind)
    patch = patch_of(await asked(webhook, review(made)))
    assert patch == operations(SIDECAR, made) != []
    changed = jsonpatch.apply_patch(made, patch)
    assert changed["spec"]["initContainers"][0]["name"] == "node-slots"
    assert changed["metadata"]["labels"][GOVERNED] == "true"
    assert counted(metrics) == {"injected": 1}


async def test_what_has_been_given_is_not_given_again(webhook: Caller, metrics: Metrics) -> None:
    made = mover()
    changed = jsonpatch.apply_patch(made, patch_of(await asked(webhook, review(made))))
    assert await asked(webhook, review(changed)) == {"uid": UID, "allowed": True}
    assert counted(metrics) == {"injected": 1, "left-alone": 1}


@pytest.mark.parametrize(
    "body",
    [
        review(pod()),
        review(pod(app="web")),
        review(mover(), namespace="another"),
        review(mover(), operation="UPDATE"),
        review(None, operation="DELETE"),
    ],
    ids=["no label", "another label", "another namespace", "update", "delete"],
)
async def test_whatever_is_no_new_mover_of_velero_s_is_left_alone(
    webhook: Caller, metrics: Metrics, body: dict[str, Any]
) -> None:
    assert await asked(webhook, body) == {"uid": UID, "allowed": True}
    assert counted(metrics) == {"left-alone": 1}


def _without(name: str) -> dict[str, Any]:
    found = mover()
    del found[name]
    return found


@pytest.mark.parametrize(
    "made",
    [
        None,
        "a Pod",
        [],
        {},
        _without("spec"),
        _without("metadata"),
        {**mover(), "kind": "Job"},
        {**mover(), "spec": {"containers": []}},
        {**mover(), "spec": {"containers": ["main"]}},
        {**mover(), "spec": {"containers": [{}], "volumes": "none"}},
        {**mover(), "metadata": {"labels": {Kind.DATA_UPLOAD.label: 7}}},
    ],
    ids=repr,
)
async def test_a_pod_that_cannot_be_read_is_let_through_with_a_warning_and_counted(
    webhook: Caller, metrics: Metrics, made: Any
) -> None:
    told = await asked(webhook, review(made))
    assert told == {"uid": UID, "allowed": True, "warnings": [UNREAD]}
    assert len(UNREAD) < 120
    assert counted(metrics) == {"unreadable": 1}


async def test_a_pod_that_the_patch_cannot_be_made_for_is_let_through_as_well(
    webhook: Caller, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_sidecar: Sidecar, made: dict[str, Any]) -> list[dict[str, Any]]:
        return [made["metadata"]["nothing of that name"]]

    monkeypatch.setattr("coordinator.api.admission.operations", broken)
    assert (await asked(webhook, review(mover())))["warnings"] == [UNREAD]
    assert counted(metrics) == {"unreadable": 1}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], "malformed"),
        ({}, "malformed"),
        ({**review(mover()), "kind": "Pod"}, "malformed"),
        ({**review(mover()), "apiVersion": "admission.k8s.io/v1beta1"}, "malformed"),
        ({**review(mover()), "request": None}, "malformed"),
        (review(mover(), uid=7), "malformed"),
        (review(mover(), uid=""), "out-of-range"),
        (review(mover(), namespace="n" * 254), "out-of-range"),
    ],
)
async def test_what_is_no_review_is_a_problem(
    webhook: Caller, metrics: Metrics, body: object, told: str
) -> None:
    answer = await webhook("POST", PATH, body)
    assert answer.problem == told
    assert answer.headers["Connection"] == "close"
    assert counted(metrics) == {}


async def test_a_pod_of_a_megabyte_is_read_and_a_larger_one_is_not(webhook: Caller) -> None:
    body = orjson.dumps(review(mover())).ljust(LARGEST_REVIEW)
    assert (await webhook("POST", PATH, data=BytesIO(body), headers=JSON)).status == 200
    answer = await webhook("POST", PATH, data=BytesIO(body + b" "), headers=JSON)
    assert answer.problem == "too-large"


async def test_no_token_is_asked_for_and_none_is_looked_at(
    webhook: Caller, known: FakeCallers
) -> None:
    patch_of(await asked(webhook, review(mover())))
    headers = {**JSON, "Authorization": "Bearer garbage"}
    body = BytesIO(orjson.dumps(review(mover())))
    assert (await webhook("POST", PATH, data=body, headers=headers)).status == 200
    assert known.asked == []


async def test_each_answer_ends_its_connection(webhook: Caller) -> None:
    """A replica that vanishes must not leave the API server a connection to wait on."""
    for body in (review(mover()), {}):
        assert (await webhook("POST", PATH, body)).headers["Connection"] == "close"
    assert "Connection" not in (await webhook("GET", "/v1/status")).headers


async def test_a_follower_answers_by_itself(
    metrics: Metrics, session: aiohttp.ClientSession, unused_port: int
) -> None:
    follower = FakeCoordinator(FakePool(), "replica-2")
    follower.leading = False
    follower.leader = Leader("replica-1", f"http://127.0.0.1:{unused_port}")
    async with injecting(cast("Coordinator", follower), metrics, session) as webhook:
        patch_of(await asked(webhook, review(mover())))
        assert (await webhook("GET", "/v1/namespaces/velero")).problem == "no-leader"


async def test_reviews_that_strangers_send_leave_agents_room(
    coordinator: Coordinator, metrics: Metrics, session: aiohttp.ClientSession
) -> None:
    app = api_app(coordinator, metrics, injection=SIDECAR)
    app[REVIEWS].most = 0  # as if it were taken
    listener = await listen(app, "127.0.0.1", 0)
    webhook = Caller(session, listener.url)
    large = review(mover(), options={"more": "x" * 10_000})
    assert (await webhook("POST", PATH, large)).problem == "overloaded"
    assert (await webhook("POST", PATH, review(mover()))).status == 200, "small ones are read"
    sync = {"agent": "a", "boot": "b", "sequence": 1}
    padded = orjson.dumps(sync).ljust(100_000)
    path = "/v1/namespaces/velero/nodes/node1/sync"
    assert (await webhook("POST", path, data=BytesIO(padded), headers=JSON)).status == 200
    assert app[INTAKE].most >= 2 * MOST_REVIEWS
    await listener.close()


async def test_without_an_image_there_is_no_webhook(api: Caller) -> None:
    assert (await api("POST", PATH, review(mover()))).problem == "not-found"
    assert PATH not in (await api("GET", "/openapi.json")).json["paths"]


async def test_the_document_tells_of_it_where_it_is_served(webhook: Caller) -> None:
    told = (await webhook("GET", "/openapi.json")).json["paths"][PATH]["post"]
    assert "security" not in told
    assert "headers" not in told["responses"]["200"]


def test_the_example_of_the_document_is_a_review() -> None:
    AdmissionReviewBody.model_validate(copy.deepcopy(REVIEW))


def test_each_result_is_counted_from_0(metrics: Metrics) -> None:
    """Prometheus sees no increase in a count that begins with 1."""
    shown = metrics.render().decode()
    for result in ("injected", "left-alone", "unreadable"):
        assert f'nodeslots_admissions_total{{result="{result}"}} 0.0' in shown
