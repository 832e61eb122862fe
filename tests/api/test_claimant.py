"""What an agent's claims may ask for, each judged by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from coordinator.api import claimant
from coordinator.core.model import PodRef
from coordinator.core.refusals import OthersClaim
from coordinator.core.views import Granted, Queued, Released
from coordinator.service.desk import Known
from tests.api.callers import AGENT, ELDER, FREER, GUEST, bearer
from tests.api.conftest import CLAIM, SYNC
from tests.api.fakes import FakeDesk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.api.callers import FakeCallers
    from tests.api.conftest import Answer, Caller
    from tests.api.fakes import FakePool

OWN = {"namespace": "velero", "name": "agent-node1", "uid": "u-node1"}
LOAD = {"namespace": "velero", "name": "load", "uid": "u-load"}
LOAD_REF = PodRef("velero", "load", "u-load")


async def put(api: Caller, token: str = AGENT, **fields: object) -> Answer:
    return await api("PUT", CLAIM, {"load": "x", **fields}, headers=bearer(token))


async def sync(
    api: Caller, *claims: Mapping[str, object], token: str = AGENT, **more: object
) -> Any:
    agent = {"agent": "a", "boot": "b", "sequence": 1, "waitSeconds": 20, **more}
    body = {**agent, "claims": [{"load": "x", **claim} for claim in claims]}
    answer = await api("POST", SYNC, body, headers=bearer(token))
    assert answer.status == 200, answer.text
    return answer.json


def knows(pool: FakePool, *, holds: bool, pod: PodRef | None = None) -> None:
    pool.desks["node1"] = FakeDesk({"c1": Known(holds, pod)})


async def test_a_claim_is_its_agents_service_accounts(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    await put(api)
    assert pool.asked[0][1].terms.owner == "velero/velero"
    pool.sync_answers = (Granted("c1", 0, "l", 1, 60),)
    await sync(api, {"claim": "c1"}, token=GUEST)
    request = pool.synced[0][1]
    assert (request.speaker.owner, request.asks[0].terms.owner) == ("batch/batch", "batch/batch")


@pytest.mark.parametrize(("token", "owner"), [(AGENT, "velero/velero"), (FREER, "")])
async def test_an_agent_frees_its_own_and_a_person_with_the_right_anybodys(
    api: Caller, pool: FakePool, known: FakeCallers, token: str, owner: str
) -> None:
    pool.answer = Released("c1")
    assert (await api("DELETE", CLAIM, headers=bearer(token))).status == 204
    assert pool.left == [("node1", "c1", owner)]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_claim_of_another_owner_is_forbidden(
    api: Caller, pool: FakePool, known: FakeCallers, method: str
) -> None:
    pool.answer = OthersClaim("c1", "velero/other")
    answer = await api(method, CLAIM, {"load": "x"}, headers=bearer(AGENT))
    assert (answer.status, answer.problem) == (403, "forbidden")
    assert "velero/other" not in answer.text


async def test_a_release_of_anothers_claim_is_told_of_in_the_sync(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    pool.others = (OthersClaim("c8", "velero/other"),)
    told = await sync(api, releases=["c8", "c9"])
    assert told["released"] == ["c9"]
    [refused] = told["notReleased"]
    assert (refused["claim"], refused["problem"]["status"]) == ("c8", 403)


async def test_a_priority_above_the_namespaces_is_forbidden_by_name(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    assert (await put(api, GUEST, priority=5)).status == 200
    answer = await put(api, GUEST, priority=6)
    assert (answer.problem, answer.json["errors"][0]["field"]) == ("forbidden", "priority")
    assert "--clients velero/batch:5" in answer.json["detail"]
    assert len(pool.asked) == 1
    assert (await put(api, priority=1000)).status == 200


async def test_in_a_sync_the_others_go_on(api: Caller, pool: FakePool, known: FakeCallers) -> None:
    pool.sync_answers = (Queued("c2", 1, (1234, 17), "full", ()),)
    told = await sync(api, {"claim": "c1", "priority": 6}, {"claim": "c2"}, token=GUEST)
    assert [claim["state"] for claim in told["claims"]] == ["refused", "queued"]
    assert told["claims"][0]["problem"]["errors"][0]["field"] == "claims[0].priority"
    assert pool.synced[0][1].wait == 0.0


@pytest.mark.parametrize("pod", [None, OWN, {**OWN, "uid": ""}])
async def test_no_pod_and_the_agents_own_need_no_look(
    api: Caller, pool: FakePool, known: FakeCallers, pod: dict[str, str] | None
) -> None:
    assert (await put(api, pod=pod)).status == 200
    assert not known.looked


async def test_the_loads_pod_must_run_on_the_claims_node(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    answer = await put(api, pod=LOAD)
    assert (answer.problem, answer.json["errors"][0]["field"]) == ("forbidden", "pod")
    assert not pool.asked
    known.pods["velero/load"] = "node1"
    assert (await put(api, pod=LOAD)).status == 200
    assert pool.asked[0][1].terms.pod == LOAD_REF


async def test_a_claim_that_is_refused_for_its_pod_is_told_of_in_the_log(
    api: Caller, known: FakeCallers
) -> None:
    with capture_logs() as logs:
        await put(api, pod=LOAD)
    (line,) = [one for one in logs if one["event"] == "claim refused"]
    assert (line["namespace"], line["node"], line["claim"]) == ("velero", "node1", "c1")
    assert line["pod"] == "velero/load"
    assert "does not run on node node1" in line["reason"]


async def test_anothers_pod_by_the_agents_name_is_looked_at(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    assert (await put(api, pod={**OWN, "uid": "another"})).problem == "forbidden"


async def test_a_pod_that_the_claim_is_known_by_is_not_looked_at_again(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    knows(pool, holds=False, pod=LOAD_REF)
    assert (await put(api, pod=LOAD)).status == 200
    assert not known.looked


async def test_while_nobody_can_tell_only_what_holds_goes_on(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    answer = await put(api, ELDER)
    assert (answer.status, answer.problem) == (503, "not-confirmed")
    knows(pool, holds=False)
    assert (await put(api, ELDER)).problem == "not-confirmed"
    assert not pool.asked
    knows(pool, holds=True)
    assert (await put(api, ELDER)).status == 200


async def test_in_a_sync_what_cannot_be_confirmed_is_to_be_asked_again(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    knows(pool, holds=True)
    pool.sync_answers = (Granted("c1", 0, "l", 1, 60),)
    told = await sync(api, {"claim": "c1"}, {"claim": "c2"}, token=ELDER, releases=["c9"])
    assert [claim["state"] for claim in told["claims"]] == ["granted", "settling"]
    problem = told["claims"][1]["problem"]
    assert (problem["status"], problem["retryAfter"]) == (503, 1)
    assert told["released"] == ["c9"]


@pytest.mark.parametrize("away", [True, False])
async def test_a_new_pod_that_is_not_seen_costs_a_holder_nothing_and_is_not_taken(
    api: Caller, pool: FakePool, known: FakeCallers, away: bool
) -> None:
    known.away = away
    knows(pool, holds=True, pod=PodRef("velero", "first", "u-first"))
    assert (await put(api, pod=LOAD)).status == 200
    assert pool.asked[0][1].terms.pod == PodRef("velero", "first", "u-first")


async def test_a_lower_bound_on_priority_ends_no_load_that_runs(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    knows(pool, holds=True)
    assert (await put(api, GUEST, priority=6)).status == 200


async def test_with_the_api_server_away_a_new_pod_waits(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    known.away = True
    answer = await put(api, pod=LOAD)
    assert (answer.status, answer.problem, answer.headers["Retry-After"]) == (
        503,
        "not-confirmed",
        "2",
    )


async def test_slow_looks_hold_up_no_renewals(
    api: Caller, pool: FakePool, known: FakeCallers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(pod: PodRef, node: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(known, "require_pod_on", never)
    monkeypatch.setattr(claimant, "LOOK_TIME", 0.01)
    knows(pool, holds=True)
    pool.sync_answers = (Granted("c1", 0, "l", 1, 60),)
    told = await sync(api, {"claim": "c1"}, {"claim": "c2", "pod": LOAD})
    assert [claim["state"] for claim in told["claims"]] == ["granted", "settling"]


async def test_one_request_has_a_few_pods_looked_at(
    api: Caller, pool: FakePool, known: FakeCallers
) -> None:
    names = [f"load-{number}" for number in range(claimant.MOST_LOOKS + 5)]
    known.pods = {f"velero/{name}": "node1" for name in names}
    claims = [{"claim": name, "pod": {**LOAD, "name": name}} for name in names]
    taken = names[: claimant.MOST_LOOKS]
    pool.sync_answers = tuple(Granted(name, 0, "l", 1, 60) for name in taken)
    told = await sync(api, *claims)
    states = [claim["state"] for claim in told["claims"]]
    assert states == claimant.MOST_LOOKS * ["granted"] + 5 * ["settling"]


@pytest.mark.parametrize("request_", ["put", "sync"])
async def test_who_is_gone_by_the_time_of_the_answer_is_told_nothing(
    api: Caller, pool: FakePool, known: FakeCallers, request_: str
) -> None:
    """A request may wait for 55 s; its grant, which nobody confirms, ends with its TTL."""
    pool.meanwhile = lambda: known.known.pop(AGENT)
    agent = {"agent": "a", "boot": "b", "sequence": 1, "waitSeconds": 55}
    call = ("PUT", CLAIM, {"load": "x"}) if request_ == "put" else ("POST", SYNC, agent)
    answer = await api(*call, headers=bearer(AGENT))
    assert (answer.status, answer.problem) == (401, "unauthenticated")
