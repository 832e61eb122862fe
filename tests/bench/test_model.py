"""The model: paper and simulation agree where they have to."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from tests.bench.model import Demand, most_nodes, read, share, tables
from tests.bench.queueing import Costs, saturated

COSTS = {
    "coordinator CPU ms": 0.5,
    "API server CPU ms": 0.6,
    "etcd CPU ms": 0.2,
    "load CPU ms": 0.1,
}
SLOW_COORDINATOR = Costs(coordinator=2.0, api_server=0.5, etcd=0.1, load=0.1)
SLOW_SERVER = Costs(coordinator=0.2, api_server=2.0, etcd=0.5, load=0.1)
DATA = orjson.dumps(
    {
        "scenarios": [
            {
                "key": "S1",
                "rounds": [{"node-slots": {"per second": 1000.0, **COSTS}}],
            },
            {
                "key": "S6",
                "rounds": [
                    {"node-slots": {"per second": 450.0, **COSTS, "coordinator CPU ms": 2.0}},
                ],
            },
            {
                "key": "S10",
                "rounds": [
                    {
                        "small": {"cycles per second": 800.0},
                        "wide": {"cycles per second": 600.0},
                        "deep": {"cycles per second": 700.0},
                    }
                ],
            },
            {"key": "S5", "rounds": [{"node-slots": {"share of a core": 0.1}}]},
        ]
    }
)


def test_one_agent_alone_takes_the_sum_of_all_its_steps() -> None:
    played = saturated(SLOW_COORDINATOR, cores=2, agents=1, cycles=100)
    assert played.mean == pytest.approx(2.7)


@pytest.mark.parametrize("costs", [SLOW_COORDINATOR, SLOW_SERVER])
@pytest.mark.parametrize("cores", [1, 2, 8])
def test_no_simulation_is_faster_than_paper_allows(costs: Costs, cores: int) -> None:
    assert saturated(costs, cores=cores, agents=32).per_second <= costs.bound(cores) * 1.001


def test_with_many_agents_the_coordinators_one_thread_is_what_limits() -> None:
    played = saturated(SLOW_COORDINATOR, cores=8, agents=32)
    assert played.per_second == pytest.approx(500, rel=0.02)


def test_more_cores_help_only_who_has_many_threads() -> None:
    assert SLOW_SERVER.bound(8) > 2 * SLOW_SERVER.bound(2)
    assert SLOW_COORDINATOR.bound(8) == SLOW_COORDINATOR.bound(2)


def test_the_costs_are_read_from_what_was_measured() -> None:
    found = read(DATA)
    assert found.cycle == Costs(coordinator=0.5, api_server=0.6, etcd=0.2, load=0.1)
    assert found.sync == pytest.approx(0.4)


def test_renewals_alone_are_reckoned_as_they_were_measured() -> None:
    assert share(Demand(5_000, 0.0), read(DATA)) == pytest.approx(0.1)


def test_more_loads_an_hour_leave_room_for_fewer_nodes() -> None:
    measured = read(DATA)
    assert most_nodes(1, measured)[0] > most_nodes(60, measured)[0] > most_nodes(600, measured)[0]


def test_what_is_full_first_is_named() -> None:
    slow = replace(read(DATA), cycle=SLOW_SERVER)
    assert most_nodes(600, slow)[1] == "API server and etcd"


def test_a_scenario_that_was_not_measured_is_missed() -> None:
    with pytest.raises(KeyError, match="S1"):
        read(b'{"scenarios": []}')


def test_the_table_names_paper_simulation_and_measurement() -> None:
    text = tables(read(DATA))
    assert "| the model against | on paper | simulated | measured |" in text
    assert "| S6, first grants a second on two cores | 500 |  | 450 |" in text
    assert "| S5, share of a core, if a sync cost as much as a cycle | 0.125 |  | 0.100 |" in text
    assert "| S10, cycles at the worst size, of those at the smallest | 1.00 |  | 0.750 |" in text
