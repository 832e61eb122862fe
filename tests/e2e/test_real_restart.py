"""On the real API server: a restart in the middle loses nobody and grants nothing twice."""

from __future__ import annotations

import signal
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest

from tests.e2e.cluster import limits
from tests.e2e.waiting import DEADLINE, until
from tests.e2e.wire import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Program, Site
    from tests.e2e.wire import Answer

pytestmark = pytest.mark.real

RUNNING, WAITING = ("run-1", "run-2"), ("wait-1", "wait-2", "wait-3")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def _two_run_and_three_wait(site: Site, node: str) -> dict[str, Program]:
    """Agents whose order of arrival is certain."""
    agents = {}
    for load in RUNNING:
        agents[load] = site.agent(load, node)
    site.journal.wait_started(*RUNNING)
    for place, load in enumerate(WAITING, start=1):
        agents[load] = site.agent(load, node)
        site.wait_queue(node, *WAITING[:place])
    return agents


def _poll(site: Site, node: str, threads: ThreadPoolExecutor) -> Future[Answer]:
    """A long poll of a script, seen to wait at the end of the queue."""
    answer = threads.submit(site.ask, node, "script", waitSeconds=55)
    site.wait_queue(node, *WAITING, "script")
    return answer


def _holders(cluster: Cluster) -> dict[str, tuple[str, str, str]]:
    """Who holds each slot and by which grant; the time of a renewal may be written at any time."""
    return {
        name: (
            lease["metadata"]["uid"],
            lease["metadata"]["annotations"]["nodeslots.io/fencing-token"],
            lease["spec"]["holderIdentity"],
        )
        for name, lease in cluster.leases().items()
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_a_restart_disturbs_no_load_starts_none_twice_and_keeps_the_order_of_the_waiting(
    site: Site, cluster: Cluster, threads: ThreadPoolExecutor, number: signal.Signals
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(2))
    site.start()
    agents = _two_run_and_three_wait(site, node)
    before = _holders(cluster)
    polling = _poll(site, node, threads)

    code = site.stop(number)

    if number is signal.SIGTERM:
        assert code == 0
        answer = polling.result(DEADLINE)
        assert answer.problem == (503, "stopping")
        assert int(answer.headers["retry-after"]) >= 1
    else:
        assert code == 128 + number
        assert isinstance(polling.exception(DEADLINE), NoAnswer)
    assert _holders(cluster) == before, "held slots stay held"
    site.start()
    site.wait_queue(node, *WAITING)
    assert _holders(cluster) == before
    for load, successor in zip_longest((*RUNNING, *WAITING), WAITING):
        site.journal.end(load)
        assert agents[load].exit_code() == 0
        if successor:  # has started before the next slot is free, so that the order is certain
            site.journal.wait_started(successor)
    assert site.journal.started[2:] == list(WAITING)
    assert sorted(site.journal.started[:2]) == sorted(RUNNING)
    assert site.journal.most_at_once(node) == 2
    assert site.journal.terminated == set()
    until(lambda: cluster.holders() == {}, "all slots free at the end")


def test_the_holder_that_a_new_coordinator_finds_is_the_old_one_with_its_old_token(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    grant = site.granted(node, "holder")
    ticket = site.ask(node, "waiter").json["ticket"]
    assert site.stop() == 0
    site.start()

    seen = site.api.get(site.claim_path(node, "holder")).json
    again = site.ask(node, "holder", fencingToken=grant["fencingToken"]).json

    assert _without_term(seen) == _without_term(again) == _without_term(grant)
    assert seen["term"] > grant["term"]
    newcomer = site.ask(node, "newcomer").json
    waiter = site.ask(node, "waiter", ticket=ticket).json
    assert (newcomer["position"], waiter["position"]) == (1, 1), "a ticket goes first, even later"
    assert [one["load"] for one in site.node(node)["queue"]] == ["waiter", "newcomer"]
    assert cluster.lease(grant["lease"])["spec"]["leaseTransitions"] == 1


def _without_term(state: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in state.items() if key not in ("term", "why")}


def test_loads_that_end_and_agents_that_come_while_no_coordinator_runs_get_their_due_after(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    ending = site.agent("ending", node)
    site.journal.wait_started("ending")
    waiting = site.agent("waiting", node)
    site.wait_queue(node, "waiting")
    assert site.stop() == 0  # killed, its time as leader would outlast a release's patience here

    coming = site.agent("coming", node)
    coming.wait_said("no coordinator answers")
    site.journal.end("ending")  # last: its release is given up after 20 s without a coordinator
    until(lambda: "ending" not in site.journal.running, "the load ended")
    assert list(cluster.holders().values()) == ["ending"], "nobody gave it back yet"
    site.start()

    assert ending.exit_code() == 0
    site.journal.end_all()
    assert (waiting.exit_code(), coming.exit_code()) == (0, 0)
    assert sorted(site.journal.started) == ["coming", "ending", "waiting"]
    assert site.journal.most_at_once(node) == 1
    assert "not confirmed" not in ending.output
    assert cluster.holders() == {}


def test_through_kill_after_kill_every_load_runs_once_and_never_more_at_once_than_slots(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(2))
    site.start()
    site.journal.end_all()
    loads = [f"load-{number}" for number in range(8)]
    # On a busy machine nobody may lead for longer than an agent waits for its release to be
    # confirmed: such a slot is free at its TTL, which has to come within the deadlines here.
    agents = [site.agent(load, node, "--ttl", "20", seconds=0.4) for load in loads]

    for runs in (1, 4):  # each time nobody leads until the dead one's time is over: 15 s
        site.journal.wait_count(runs)
        assert site.stop(signal.SIGKILL) == 128 + signal.SIGKILL
        site.serve()

    assert [agent.exit_code() for agent in agents] == [0] * len(loads)
    assert sorted(site.journal.started) == loads
    assert site.journal.most_at_once(node) <= 2
    assert site.journal.terminated == set()
    until(lambda: cluster.holders() == {}, "every slot is free")


def test_who_comes_to_a_stopping_coordinator_is_told_to_come_back_or_not_let_in(
    site: Site, cluster: Cluster, threads: ThreadPoolExecutor
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(1))
    site.start()
    site.granted(node, "holder")

    def knock() -> list[Answer]:
        """Asks again and again until nobody answers any more."""
        answers: list[Answer] = []
        while True:
            try:
                answers.append(site.ask(node, f"new-{len(answers)}"))
            except NoAnswer:
                return answers

    knocking = threads.submit(knock)
    until(lambda: site.queue(node), "somebody knocks")
    assert site.stop() == 0

    answers = knocking.result(DEADLINE)
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {202, 503}
    assert statuses == sorted(statuses), "after the first 503 nobody is taken in"
    assert all(a.problem[1] == "stopping" for a in answers if a.status == 503)
    assert list(cluster.holders().values()) == ["holder"]
