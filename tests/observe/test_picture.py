"""One look: limits and counts of each node, what is odd, and how it is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from coordinator.observe import as_json
from coordinator.observe.judging import given, of_world
from coordinator.observe.picture import Picture, picture
from coordinator.observe.text import MOST_NODES, MOST_RUNS, render
from coordinator.velero.world import Limits, World
from tests.observe.worlds import CONFIG, HOST, WORLD, agent, config, node, work


def shown(seen: Picture, width: int = 140) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as text:
        console.print(render(seen, width))
    return text.get()


def test_each_node_has_its_limit_the_rule_and_its_movers() -> None:
    one, two, homeless = picture(WORLD).nodes
    assert (one.limit, one.why) == (1, f"perNodeConfig[0] {HOST}=node1")
    assert (one.moving, one.idle, one.waiting, one.over) == (2, 1, 1, 1)
    assert one.longest == 59
    assert (two.limit, two.why, two.busy) == (2, "globalConfig", False)
    assert (homeless.limit, homeless.waiting) == (None, 1)


def test_other_limits_say_what_would_be_over() -> None:
    data = config(1).data
    seen = picture(WORLD, given(data, "limits.json"))
    assert [one.limit for one in seen.nodes] == [1, 1, None]
    assert seen.source == "limits.json"


def findings(world: World) -> str:
    return "\n".join(picture(world).findings)


@pytest.mark.parametrize(
    ("world", "words"),
    [
        (replace(WORLD, limits=(Limits(CONFIG, None),)), "is not there"),
        (replace(WORLD, limits=(Limits(CONFIG, {"a": "{"}),)), "is refused"),
        (replace(WORLD, limits=(Limits(CONFIG, {"a": "{}", "b": "{}"}),)), "2 data keys"),
        (replace(WORLD, limits=(config(0),)), "is not above 0"),
        (replace(WORLD, limits=(config(2, ("zone", "x", 3)),)), "matches no node here"),
        (replace(WORLD, node_agents=()), "no DaemonSet in namespace velero runs"),
        (replace(WORLD, node_agents=(agent(ready=1),)), "not ready on 1 of its 2 nodes"),
        (
            replace(WORLD, node_agents=(agent(), agent("other", config_map="x", windows=True))),
            "read different ConfigMaps (node-agent: node-agent-config, other: x)",
        ),
    ],
)
def test_what_is_wrong_with_the_limits_is_told(world: World, words: str) -> None:
    assert words not in findings(WORLD)
    assert words in findings(world)


def test_a_sound_configuration_has_no_findings() -> None:
    assert picture(WORLD).findings == ()


def test_where_movers_are_governed_the_limits_that_count_are_named() -> None:
    governed = replace(WORLD, movers=(replace(WORLD.movers[0], governed=True),))
    assert "--limits cm/NAME" in findings(governed)
    assert picture(governed, given(config(1).data, "limits.json")).findings == ()


def test_without_a_config_map_a_node_has_one_slot() -> None:
    judge = of_world(replace(WORLD, node_agents=(agent(config_map=""),), limits=()))
    assert judge.resolve(node("node2")).limit == 1
    assert judge.source == "no ConfigMap: one slot a node"


def test_windows_nodes_go_by_their_own_node_agent() -> None:
    windows = agent("node-agent-windows", windows=True, config_map="win")
    maps = (config(2), config(5, name="win"))
    judge = of_world(replace(WORLD, node_agents=(agent(), windows), limits=maps))
    assert judge.resolve(node("w", os="windows")).limit == 5
    assert judge.resolve(node("l")).limit == 2


@pytest.mark.parametrize("width", [80, 100, 140, 200])
def test_a_table_fits_its_terminal_and_marks_who_is_over(width: int) -> None:
    text = shown(picture(replace(WORLD, unread=("pods: you may not list them",))), width)
    assert max(map(len, text.splitlines())) <= width
    for words in ("OVER by 1", "perNodeConfig[0]", "not decided yet", "not seen: pods", "1m"):
        assert words in text
    assert "2 movers moving, 1 up but idle, 2 waiting" in text


def test_of_many_nodes_only_the_busy_ones_are_shown() -> None:
    many = tuple(node(f"node{number}") for number in range(MOST_NODES + 1))
    text = shown(picture(replace(WORLD, nodes=many)))
    assert "node1 " in text
    assert "node3 " not in text
    assert f"and {MOST_NODES} nodes without a mover" in text


def test_of_many_movers_the_rest_is_counted() -> None:
    works = tuple(work(f"w{number}", "node1") for number in range(MOST_RUNS + 3))
    assert "and 3 more" in shown(picture(replace(WORLD, works=works, movers=())))


def test_names_are_never_read_as_markup() -> None:
    text = shown(picture(replace(WORLD, nodes=(node("[red]n[/red]"),))))
    assert "[red]n[/red]" in text


def test_json_tells_the_same() -> None:
    told = as_json.picture(picture(WORLD))
    assert [one["over"] for one in told["nodes"]] == [1, 0, 0]
    assert [one["name"] for one in told["movers"]] == ["e", "a", "b", "c", "d"]
    assert told["ended"] == 1
