"""Who may do what: every route, asked by everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.api.routes import API
from coordinator.core.access import Action, Admissions
from coordinator.core.views import Released
from tests.api import callers
from tests.api.callers import bearer
from tests.api.conftest import CLAIM, NODE, SYNC
from tests.api.fakes import GRANTED

if TYPE_CHECKING:
    from coordinator.service.coordinator import Coordinator
    from tests.api.callers import FakeCallers
    from tests.api.conftest import Answer, Caller
    from tests.api.fakes import FakePool

GARBAGE = f"{callers.SECRET}.garbage"
ASK = {"load": "x"}
ALL = {"agent": "a", "boot": "b", "sequence": 1}

REQUESTS: dict[str, tuple[str, str, object]] = {
    "PUT claim": ("PUT", CLAIM, ASK),
    "GET claim": ("GET", CLAIM, None),
    "DELETE claim": ("DELETE", CLAIM, None),
    "POST sync": ("POST", SYNC, ALL),
    "GET node": ("GET", NODE, None),
    "GET nodes": ("GET", "/v1/namespaces/velero/nodes", None),
    "GET claims": ("GET", "/v1/namespaces/velero/claims", None),
    "GET config": ("GET", "/v1/namespaces/velero/config", None),
    "POST preview": ("POST", "/v1/namespaces/velero/preview", {"text": "{}"}),
    "GET events": ("GET", "/v1/namespaces/velero/events", None),
    "GET pool": ("GET", "/v1/namespaces/velero", None),
    "GET status": ("GET", "/v1/status", None),
    "GET openapi.json": ("GET", "/openapi.json", None),
    "GET metrics": ("GET", "/metrics", None),
}

TABLE = """
                  none garbage agent neighbour guest stranger nobody reader freer scraper elder
PUT claim         401  401     200   403       200   403      403    403    403   403     503
GET claim         401  401     200   403       200   403      403    200    200   403     200
DELETE claim      401  401     204   403       204   403      403    403    204   403     204
POST sync         401  401     200   403       200   403      403    403    403   403     200
GET node          401  401     200   403       200   403      403    200    200   403     200
GET nodes         401  401     403   403       403   403      403    200    200   403     503
GET claims        401  401     403   403       403   403      403    200    200   403     503
GET config        401  401     403   403       403   403      403    200    200   403     503
POST preview      401  401     403   403       403   403      403    200    200   403     503
GET events        401  401     403   403       403   403      403    200    200   403     503
GET pool          401  401     403   403       403   403      403    200    200   403     503
GET status        401  401     403   403       403   403      403    200    200   403     503
GET openapi.json  401  401     200   200       200   200      200    200    200   200     200
GET metrics       401  401     403   403       403   403      403    403    403   200     503
"""
TOKENS = {
    "garbage": GARBAGE,
    "agent": callers.AGENT,
    "neighbour": callers.NEIGHBOUR,
    "guest": callers.GUEST,
    "stranger": callers.STRANGER,
    "nobody": callers.NOBODY,
    "reader": callers.READER,
    "freer": callers.FREER,
    "scraper": callers.SCRAPER,
    "elder": callers.ELDER,
}


def cells() -> list[tuple[str, str, int]]:
    """The table's lines as request, caller and status."""
    head, *lines = TABLE.strip().splitlines()
    found = []
    for line in lines:
        request, statuses = line[:18].strip(), line[18:].split()
        found += [(request, who, int(s)) for who, s in zip(head.split(), statuses, strict=True)]
    return found


async def ask(api: Caller, request: str, token: str = "", **body: object) -> Answer:
    method, path, usual = REQUESTS[request]
    headers = bearer(token) if token else {"Content-Type": "application/json"}
    sent = {**usual, **body} if isinstance(usual, dict) else usual
    return await api(method, path, sent, headers=headers)


def test_the_table_has_every_route() -> None:
    assert len(REQUESTS) == len(API)
    assert {request for request, _, _ in cells()} == set(REQUESTS)


@pytest.mark.parametrize(("request_", "who", "status"), cells())
async def test_each_route_is_for_those_of_the_table(
    api: Caller, known: FakeCallers, pool: FakePool, request_: str, who: str, status: int
) -> None:
    pool.news.end()  # or a stream would go on
    if request_ == "DELETE claim":
        pool.answer = Released("c1")
    answer = await ask(api, request_, TOKENS.get(who, ""))
    assert answer.status == status
    names = {401: "unauthenticated", 403: "forbidden", 503: "not-confirmed"}
    if status in names:
        assert answer.problem == names[status]
        assert [pool.asked, pool.left, pool.synced] == [[], [], []]
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)


async def test_without_authentication_everybody_may_do_everything(
    api: Caller, pool: FakePool
) -> None:
    pool.answer = GRANTED
    pool.news.end()
    for request in REQUESTS.keys() - {"DELETE claim"}:
        assert (await ask(api, request)).status == 200


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        callers.AGENT,
        f"Bearer {callers.AGENT} {callers.AGENT}",
        f"Bearer {callers.AGENT},",
        f'Bearer "{callers.AGENT}"',
        f"Bearer{callers.AGENT}",
        "Bearer tökén",
    ],
)
async def test_a_header_without_one_bearer_token_is_no_token(
    api: Caller, known: FakeCallers, value: str
) -> None:
    answer = await api("GET", NODE, headers={"Authorization": value})
    assert (answer.status, answer.problem) == (401, "unauthenticated")
    assert callers.SECRET not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
async def test_the_schemes_letters_may_be_small_or_large(
    api: Caller, known: FakeCallers, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} {callers.AGENT}"}
    assert (await api("GET", NODE, headers=headers)).status == 200


async def test_two_tokens_are_none(api: Caller, known: FakeCallers) -> None:
    twice = [("Authorization", f"Bearer {callers.AGENT}")] * 2
    answer = await api("GET", NODE, headers=twice)
    assert (answer.problem, "2 Authorization headers" in answer.json["detail"]) == (
        "unauthenticated",
        True,
    )


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE"])
async def test_other_methods_tell_nothing_more(
    api: Caller, known: FakeCallers, method: str
) -> None:
    here = await api(method, NODE)
    nowhere = await api(method, NODE.replace("velero", "secret"))
    assert (here.status, nowhere.status) == (405, 405)
    assert here.headers["Allow"] == nowhere.headers["Allow"]


async def test_an_unknown_path_needs_no_token_and_tells_nothing(
    api: Caller, known: FakeCallers
) -> None:
    for path in ("/v2/status", "/v1/namespaces/velero/secrets", "/page"):
        assert (await api("GET", path)).problem == "not-found"


@pytest.mark.parametrize("token", [callers.AGENT, callers.STRANGER, callers.READER, callers.NOBODY])
@pytest.mark.parametrize("request_", [name for name in REQUESTS if "velero" in REQUESTS[name][1]])
async def test_who_may_not_see_a_pool_learns_not_whether_there_is_one(
    api: Caller, coordinator: Coordinator, known: FakeCallers, token: str, request_: str
) -> None:
    method, path, body = REQUESTS[request_]
    nowhere = await api(method, path.replace("velero", "demo"), body, headers=bearer(token))
    assert (nowhere.status, nowhere.problem) == (403, "forbidden")
    # another pool that is there, and is none of this caller's business
    coordinator.pools["demo"] = coordinator.pools["velero"]  # type: ignore[index]
    coordinator.admissions = Admissions(["velero", "demo"])
    there = await api(method, path.replace("velero", "demo"), body, headers=bearer(token))
    assert (there.status, there.text) == (nowhere.status, nowhere.text)


async def test_who_may_list_leases_there_learns_that_it_is_no_pool_and_no_more(
    api: Caller, known: FakeCallers
) -> None:
    known.may.add(("nobody", Action("list", "demo")))
    answer = await api("GET", "/v1/namespaces/demo", headers=bearer(callers.NOBODY))
    assert (answer.status, answer.problem) == (404, "unknown-pool")
    assert "velero" not in answer.text
