"""On the real API server: every route against every kind of caller, with real tokens."""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent_client import SlotClient, SlotError
from tests.e2e import access_table as table
from tests.e2e import tokens
from tests.e2e.cluster import Cluster
from tests.e2e.processes import SCRIPTS
from tests.e2e.waiting import until
from tests.e2e.wire import Http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.access_table import Ground
    from tests.e2e.wire import Answer
    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real

REFUSED = "accepts this token neither"
Told = dict[tuple[str, str], "Answer"]
"""By caller and route."""


@pytest.fixture(scope="module")
def ground(
    real_server: RealApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """One coordinator for the whole file: nobody's request may harm it."""
    cluster = Cluster(real_server)
    made = table.stand(cluster, tmp_path_factory.mktemp("access"))
    try:
        table.summon(made)
        made.held("held", ttl=table.LONG)
        yield made
    finally:
        made.site.close()
        cluster.close()


@pytest.fixture(scope="module")
def told(ground: Ground) -> Told:
    """What everybody is answered everywhere."""
    answers: Told = {}
    for who, token in ground.callers.items():
        api = ground.as_(token)
        for route, call in table.ROUTES.items():
            claim = f"{who}.{route}".replace(" ", "-").replace("'", "")
            answers[who, route] = call(ground, api, claim)
    return answers


@pytest.mark.parametrize("who", table.EXPECTED)
def test_everybody_is_let_in_where_the_table_says_and_nowhere_else(told: Told, who: str) -> None:
    found = {route: told[who, route].status for route in table.ROUTES}
    assert found == table.EXPECTED[who]


def test_every_caller_and_every_route_stands_in_the_table(ground: Ground) -> None:
    assert ground.callers.keys() == table.EXPECTED.keys()
    assert all(row.keys() == table.ROUTES.keys() for row in table.EXPECTED.values())
    paths = ground.as_(ground.cluster.server.token).get("/openapi.json").json["paths"]
    routes = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs}
    assert len(routes - {"GET /livez", "GET /readyz"}) == len(table.ROUTES), sorted(routes)


def test_who_is_refused_is_told_why_and_what_to_do_as_a_problem(told: Told) -> None:
    for (who, route), answer in told.items():
        if answer.status == 401:
            assert answer.problem == (401, "unauthenticated"), (who, route)
            assert answer.headers["www-authenticate"].startswith("Bearer"), (who, route)
        elif answer.status == 403:
            assert answer.problem == (403, "forbidden"), (who, route)
    detail = told["a person without rights", "GET node"].detail
    assert "kubectl auth can-i list leases.coordination.k8s.io" in detail


def test_the_probes_of_the_kubelet_are_open_and_tell_no_slot(ground: Ground) -> None:
    health = ground.site.coordinator.health
    assert [health.get(path).status for path in ("/livez", "/readyz")] == [200, 200]
    assert health.get("/metrics").status == 404


def test_a_pod_of_a_client_asks_up_to_its_highest_priority_and_not_above(ground: Ground) -> None:
    api, path = ground.as_(ground.callers["a client's Pod"]), ground.site.claim_path
    most = {"load": "most", "priority": table.MOST_PRIORITY, "waitSeconds": table.WAIT}
    assert api.put(path(ground.node, "most"), most).status == 200
    above = api.put(path(ground.node, "above"), {"load": "x", "priority": table.MOST_PRIORITY + 1})
    assert above.problem == (403, "forbidden")
    assert "priority" in above.detail
    told = table.sync_one(ground, api, "above-too", priority=table.MOST_PRIORITY + 1)
    assert (told["state"], told["problem"]["status"]) == ("refused", 403)
    own = ground.as_(ground.callers["the node's own Pod"])
    high = {"load": "high", "priority": table.MOST_PRIORITY + 1, "waitSeconds": table.WAIT}
    assert own.put(path(ground.node, "high"), high).status == 200, "the pool's own have no bound"


@pytest.mark.parametrize("where", ["another node", "a foreign namespace", "nowhere"])
def test_the_pod_of_the_load_has_to_run_on_the_claims_node(ground: Ground, where: str) -> None:
    cluster, name = ground.cluster, f"load-{where.replace(' ', '-')}"
    if where == "another node":
        pod = cluster.add_pod(cluster.node_name(2), name)
    elif where == "a foreign namespace":
        foreign = f"{cluster.namespace}-foreign"
        pod = cluster.add_pod(ground.node, name, namespace=foreign)
    else:
        pod = {"namespace": cluster.namespace, "name": name, "uid": "none"}
    answer = ground.site.ask(ground.node, name, pod=pod)
    assert answer.problem == (403, "forbidden")
    assert name in answer.detail
    told = table.sync_one(ground, ground.site.as_agent(ground.node), name, pod=pod)
    assert (told["state"], told["problem"]["status"]) == ("refused", 403)
    assert name not in cluster.holders().values()
    fine = cluster.add_pod(ground.node, f"{name}-fine")
    ground.site.granted(ground.node, f"{name}-fine", pod=fine)


def test_two_service_accounts_on_one_node_cannot_touch_each_others_claims(ground: Ground) -> None:
    cluster, node = ground.cluster, ground.node
    cluster.add_account("others")
    pod = cluster.add_pod(node, "others", account="others")
    other = ground.as_(ground.token_of(pod, "others"))
    mine, path = ground.held("mine"), ground.site.claim_path
    assert other.delete(path(node, mine)).problem == (403, "forbidden")
    assert other.put(path(node, mine), {"load": mine}).problem == (403, "forbidden")
    body = {"agent": "a", "boot": "b", "sequence": 1, "claims": [], "releases": [mine]}
    other.post(f"{ground.site.node_path(node)}/sync", body)
    assert mine in cluster.holders().values()
    theirs = path(node, "theirs")
    assert other.put(theirs, {"load": "theirs", "waitSeconds": table.WAIT}).status == 200
    assert ground.site.as_agent(node).delete(theirs).problem == (403, "forbidden")
    assert other.delete(theirs).status == 204


def test_a_token_that_was_good_is_worth_nothing_once_its_pod_is_gone(ground: Ground) -> None:
    pod = ground.cluster.add_pod(ground.node, "short-lived")
    api = ground.as_(ground.token_of(pod))
    look = ground.site.claim_path(ground.node, "held")
    assert api.get(look).status == 200
    ground.cluster.delete_pod("short-lived")
    until(lambda: api.get(look).status == 401, "its token is refused")


AGENTS = {
    "run": ("run", "--load", "leak", "--json", "--", "true"),
    "hold": ("hold", "--state-dir", "state"),
    "sidecar": ("sidecar", "--listen", "socket"),
}


def _refused_agents(ground: Ground) -> list[str]:
    """What every kind of agent writes, whose token is not accepted."""
    site = ground.site
    refused = site.folder / "refused"
    refused.write_text(ground.callers["expired"])
    (site.folder / "state").mkdir()
    written = []
    for name, (verb, *rest) in AGENTS.items():
        words = [str(site.folder / word) if word in {"state", "socket"} else word for word in rest]
        environment = {"NODE_SLOTS_TOKEN_FILE": str(refused), "POD_NAMESPACE": "a"}
        environment |= {"POD_NAME": "b", "POD_UID": "c"}
        command = [str(SCRIPTS / "slot-agent"), verb, *words]
        program = site.run(f"refused-{name}", ground.node, command, **environment)
        program.wait_said(REFUSED)
        program.end(5.0)
        written += [
            program.output,
            *(one.read_text() for one in (site.folder / "state").glob("*") if one.is_file()),
        ]
    return written


async def _library_at_debug(ground: Ground, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What a program with the library writes, with all its logging on, in a trace of its error."""
    settings = ground.site.client_settings(ground.node)
    settings["token_file"] = str(ground.site.folder / "refused")
    with caplog.at_level(logging.DEBUG):
        async with SlotClient(ground.site.url, agent="library", **settings) as client:
            try:
                async with client.slot(load="leak", timeout=2):
                    pytest.fail("its token is refused")
            except SlotError as error:
                told = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in told.stack if "agent_client" in frame.filename]
    assert ours
    trace = [str(frame.locals) for frame in ours] + [str(told)]
    return [caplog.text, *trace, repr(client)]


async def test_no_token_is_in_any_answer_log_metric_or_trace(
    ground: Ground, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    site = ground.site
    written = [answer.text + str(dict(answer.headers)) for answer in told.values()]
    written += await asyncio.to_thread(_refused_agents, ground)
    written += await _library_at_debug(ground, caplog)
    written += [site.api.get("/metrics").text, site.api.get("/v1/status").text]
    written += [log.read_text(errors="replace") for log in site.folder.glob("*.log")]
    everybodys = [*ground.callers.values(), site.installation.token]
    secret = [part for token in everybodys if token for part in (token, tokens.signature(token))]
    assert len(secret) > 30
    found = [part[:9] for part in secret if any(part in text for text in written)]
    assert found == [], "the first characters of each"


def test_the_coordinator_leaves_no_core_that_a_token_could_be_in(ground: Ground) -> None:
    lines = Path(f"/proc/{ground.site.coordinator.pid}/limits").read_text().splitlines()
    (core,) = (line for line in lines if line.startswith("Max core file size"))
    assert core.split()[4] == "0", core


def test_the_token_of_an_agent_opens_nothing_on_the_api_server(ground: Ground) -> None:
    server, path = ground.cluster.server, ground.cluster.lease_path
    own = Http(server.url, ground.callers["the node's own Pod"], server.ca_file)
    assert own.get(path).status == 401, "it is for another audience"
    other = Http(server.url, ground.callers["a Pod's token for the API server"], server.ca_file)
    assert other.get(path).status == 403, "and its account has no right at all"
