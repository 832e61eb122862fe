"""The document tells of what is served, and of nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from coordinator.api.app import api_app, health_app
from coordinator.api.openapi import document
from coordinator.api.problems import BASE, CONTENT_TYPE, KINDS, Problem, ProblemJson
from coordinator.api.routes import ADMISSION, API, HEALTH, PAGE
from coordinator.api.schemas import SyncBody, SyncClaim, unknown_fields
from coordinator.injection import Sidecar

if TYPE_CHECKING:
    from aiohttp import web

    from coordinator.api.route import Reply, Route
    from coordinator.service.coordinator import Coordinator
    from coordinator.service.metrics import Metrics
    from tests.api.conftest import Caller

DOCUMENT = document()
WHOLE = document((*API, *ADMISSION))
"""With the webhook."""
REPLIES = [
    pytest.param(reply, id=f"{route.method} {route.path} {reply.status}")
    for route in (*API, *ADMISSION, *HEALTH)
    for reply in route.replies
    if reply.example is not None
]
BODIES = [
    pytest.param(route, id=f"{route.method} {route.path}")
    for route in (*API, *ADMISSION)
    if route.body is not None
]


def served(app: web.Application) -> set[tuple[str, str]]:
    """Without the page, which is no part of the API."""
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    } - {(route.method, route.path) for route in PAGE}


def test_the_document_and_the_routers_have_the_same_routes(
    coordinator: Coordinator, metrics: Metrics
) -> None:
    told = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert told == served(api_app(coordinator, metrics)) | served(health_app(coordinator))


def test_the_webhook_is_told_of_only_where_it_is_served(
    coordinator: Coordinator, metrics: Metrics
) -> None:
    sidecar = Sidecar("node-slots:0.1.0", "https://node-slots.velero.svc:8443", "velero")
    more = served(api_app(coordinator, metrics, injection=sidecar)) - served(
        api_app(coordinator, metrics)
    )
    assert more == {("POST", path) for path in WHOLE["paths"].keys() - DOCUMENT["paths"].keys()}
    assert more == {(route.method, route.path) for route in ADMISSION}


def test_every_reference_leads_somewhere() -> None:
    schemas = WHOLE["components"]["schemas"]
    found = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(WHOLE)))
    assert {"SyncClaim", "ProblemJson", "GrantedJson", "AdmissionReviewBody"} <= found
    assert found == set(schemas)
    assert "$defs" not in str(WHOLE)


@pytest.mark.parametrize("reply", REPLIES)
def test_the_example_of_an_answer_fits_its_schema(reply: Reply) -> None:
    for example in (reply.example, *reply.more):
        TypeAdapter(reply.type).validate_python(example, strict=True)


@pytest.mark.parametrize("route", BODIES)
def test_the_example_of_a_request_is_taken_whole(route: Route) -> None:
    assert route.body is not None
    assert not unknown_fields(route.body.model_validate(route.body_example))


def test_the_claims_of_the_sync_example_are_taken_whole() -> None:
    [route] = [route for route in API if route.body is SyncBody]
    for claim in SyncBody.model_validate(route.body_example).claims:
        assert not SyncClaim.model_validate(claim).model_extra


def test_every_problem_is_documented_with_an_example_that_fits() -> None:
    examples = [
        example["value"]
        for item in DOCUMENT["paths"].values()
        for operation in item.values()
        for answer in operation["responses"].values()
        for example in answer.get("content", {}).get(CONTENT_TYPE, {}).get("examples", {}).values()
    ]
    for example in examples:
        TypeAdapter(ProblemJson).validate_python(example, strict=True)
    by_router = {"not-found", "method-not-allowed"}
    assert {example["type"] for example in examples} == {BASE + n for n in KINDS.keys() - by_router}
    assert DOCUMENT["components"]["schemas"]["ProblemJson"]["properties"]["type"]["enum"] == [
        BASE + name for name in KINDS
    ]


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(route, id=f"{route.method} {route.path}")
        for route in (*API, *ADMISSION, *HEALTH)
    ],
)
def test_every_route_of_the_api_tells_what_who_is_not_let_in_gets(route: Route) -> None:
    operation = WHOLE["paths"][route.path][route.method.lower()]
    told = {
        name
        for answer in operation["responses"].values()
        for media in answer.get("content", {}).values()
        for name in media.get("examples", {})
    }
    denials = {"unauthenticated", "not-confirmed", "forbidden"}
    if route.need is None:
        assert route in (*HEALTH, *ADMISSION)
        assert "security" not in operation
        assert not denials & told
        return
    assert operation["security"] == [{"bearer": []}]
    assert denials - told == ({"forbidden"} if route.path == "/openapi.json" else set())


@pytest.mark.parametrize("name", KINDS)
def test_busy_answers_always_say_when_to_come_back(name: str) -> None:
    response = Problem(name, "detail").response()
    assert ("Retry-After" in response.headers) == (KINDS[name].status in {429, 503})


async def test_the_document_is_served(api: Caller) -> None:
    served_document: dict[str, Any] = (await api("GET", "/openapi.json")).json
    assert served_document == DOCUMENT
