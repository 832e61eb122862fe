"""Who is asking: agents, people and strangers, and where a Pod's node is not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core.access import AgentPod
from coordinator.service.callers import LONGEST
from coordinator.service.errors import NotConfirmed, Unauthenticated
from tests.service.cluster import NODE, NS
from tests.service.door import (
    CLIENTS,
    EXTRA,
    knows_no_audience,
    pod_get,
    token_review,
)
from tests.service.faults import forbidden, lost_before

if TYPE_CHECKING:
    from tests.service.door import Door


async def test_a_pods_own_token_made_for_us_tells_the_pod_and_its_node(at: Door) -> None:
    uid = at.agent("t")
    caller = await at.callers.identify("t")
    assert caller.agent == AgentPod(NS, "agent", "agent-x", uid, NODE)
    assert caller.confirmed
    assert caller.username == f"system:serviceaccount:{NS}:agent"


async def test_a_token_for_the_api_server_is_a_persons_whatever_it_is_bound_to(at: Door) -> None:
    at.agent("t", audience="https://kubernetes.default.svc")
    caller = await at.callers.identify("t")
    assert caller.agent is None
    assert EXTRA + "pod-uid" in caller.extra


async def test_a_persons_token_tells_what_rights_are_asked_with(at: Door) -> None:
    at.person("t", "alice")
    caller = await at.callers.identify("t")
    assert (caller.username, caller.groups, caller.agent) == ("alice", ("staff",), None)


async def test_a_token_made_for_us_that_is_bound_to_no_pod_is_no_agents(at: Door) -> None:
    at.person("t", f"system:serviceaccount:{NS}:agent")
    at.user("t")["audiences"] = ["node-slots"]
    assert (await at.callers.identify("t")).agent is None


async def test_an_authenticator_that_knows_no_audiences_makes_nobody_an_agent(at: Door) -> None:
    at.cluster.faults.on(token_review(), knows_no_audience, times=9)
    assert (await at.callers.identify("t")).agent is None


async def test_a_token_for_somebody_else_is_refused(at: Door) -> None:
    at.agent("t", audience="vault")
    with pytest.raises(Unauthenticated, match="neither for the audience node-slots"):
        await at.callers.identify("t")


@pytest.mark.parametrize("token", ["", "x" * (LONGEST + 1), "to\udc80ken", "t\x00", "t\n", "tök"])
async def test_what_can_be_no_token_is_refused_without_asking(at: Door, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await at.callers.identify(token)
    assert at.asked() == []


# --- API servers before 1.32, which do not tell the node ------------------------------------------


async def test_the_node_is_looked_up_where_the_review_does_not_tell_it(at: Door) -> None:
    uid = at.agent("t", tells_node=False)
    caller = await at.callers.identify("t")
    assert caller.agent == AgentPod(NS, "agent", "agent-x", uid, NODE)
    await at.callers.identify("t")
    assert len(at.asked("/pods/agent-x")) == 1


async def test_a_pod_that_is_gone_is_nobody(at: Door) -> None:
    at.bind("t", "agent-x", "uid-1")
    with pytest.raises(Unauthenticated, match="gone"):
        await at.callers.identify("t")


async def test_another_pod_by_that_name_is_not_the_tokens(at: Door) -> None:
    at.agent("other")
    at.bind("t", "agent-x", "uid-of-an-earlier-one")
    with pytest.raises(Unauthenticated, match="another one by that name"):
        await at.callers.identify("t")


async def test_a_pod_that_runs_nowhere_yet_is_nobody(at: Door) -> None:
    at.agent("t", on="", tells_node=False)
    with pytest.raises(Unauthenticated, match="runs on no node yet"):
        await at.callers.identify("t")


@pytest.mark.parametrize("fate", [lost_before, forbidden])
async def test_a_pod_that_cannot_be_looked_at_confirms_nothing(at: Door, fate: object) -> None:
    at.agent("t", tells_node=False)
    at.cluster.faults.on(pod_get(), fate)  # type: ignore[arg-type]
    with pytest.raises(NotConfirmed):
        await at.callers.identify("t")
    await at.cluster.jumps.advance(3)
    assert (await at.callers.identify("t")).agent is not None


async def test_one_namespaces_missing_right_leaves_the_others_alone(at: Door) -> None:
    at.agent("t", tells_node=False)
    at.agent("u", namespace=CLIENTS, tells_node=False)
    at.cluster.faults.on(pod_get(CLIENTS), forbidden, times=9)
    with pytest.raises(NotConfirmed):
        await at.callers.identify("u")
    assert (await at.callers.identify("t")).agent is not None


async def test_pods_of_other_namespaces_are_not_looked_at_and_run_on_no_node(at: Door) -> None:
    at.bind("t", "agent-x", "uid-1", namespace="elsewhere")
    caller = await at.callers.identify("t")
    assert caller.agent == AgentPod("elsewhere", "agent", "agent-x", "uid-1", "")
    assert at.asked("/pods/agent-x") == []
