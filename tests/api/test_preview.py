"""Trying out a ConfigMap: what would change, who would be past the limit, what matches nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from coordinator.api import preview
from coordinator.embedded.resources import CONFIG_MAPS
from tests.api.living import POOL, limits, until

if TYPE_CHECKING:
    from coordinator.core.preview import Preview
    from tests.api.living import Living

PATH = f"{POOL}/preview"
HOSTNAME = "kubernetes.io/hostname"


async def tried(alive: Living, text: str) -> dict[str, Any]:
    answer = await alive.api("POST", PATH, {"text": text})
    assert answer.status == 200, answer.text
    body: dict[str, Any] = answer.json
    return body


async def test_it_tells_what_each_node_would_become_and_changes_nothing(alive: Living) -> None:
    alive.configure(limits(2))
    await until(lambda: alive.pool.count("node1").limit == 2)
    for claim in "ab":
        await alive.grant("node1", claim)
    before = alive.store.get(CONFIG_MAPS, "velero", "limits")
    rules = (({HOSTNAME: "node1"}, 1), ({HOSTNAME: "node3"}, 5), ({"disk": "fast"}, 9))
    assert await tried(alive, limits(2, *rules)) == {
        "accepted": True,
        "error": "",
        "warnings": [],
        "nodes": 3,
        "changedCount": 2,
        "changed": [
            {
                "node": "node1",
                "from": 2,
                "to": 1,
                "decidedBy": f"perNodeConfig[0] {HOSTNAME}=node1",
                "held": 2,
                "over": 1,
            },
            {
                "node": "node3",
                "from": 2,
                "to": 5,
                "decidedBy": f"perNodeConfig[1] {HOSTNAME}=node3",
                "held": 0,
                "over": 0,
            },
        ],
        "overLimit": {"nodes": 1, "holders": 1},
        "rules": [
            {
                "rule": f"perNodeConfig[{index}]",
                "selector": selector,
                "number": number,
                "matches": matches,
                "decides": matches,
            }
            for index, (selector, number, matches) in enumerate(
                [(f"{HOSTNAME}=node1", 1, 1), (f"{HOSTNAME}=node3", 5, 1), ("disk=fast", 9, 0)]
            )
        ],
        "unmatched": ["perNodeConfig[2] disk=fast"],
        "globalLimit": 2,
    }
    assert alive.store.get(CONFIG_MAPS, "velero", "limits") == before
    assert [alive.pool.count(f"node{n}").limit for n in (1, 2, 3)] == [2, 2, 2]


async def test_what_it_says_is_what_comes(alive: Living) -> None:
    text = limits(3, ({HOSTNAME: "node2"}, 7))
    said = {one["node"]: one["to"] for one in (await tried(alive, text))["changed"]}
    alive.configure(text)
    await until(lambda: alive.pool.count("node2").limit == 7)
    assert said == {f"node{n}": alive.pool.count(f"node{n}").limit for n in (1, 2, 3)}
    again = await tried(alive, text)
    assert (again["changed"], again["changedCount"]) == ([], 0)


async def test_a_rule_may_match_where_a_smaller_one_decides(alive: Living) -> None:
    body = await tried(
        alive, limits(9, ({"kubernetes.io/os": "linux"}, 4), ({HOSTNAME: "node1"}, 2))
    )
    assert [(one["matches"], one["decides"]) for one in body["rules"]] == [(3, 2), (1, 1)]


async def test_a_whole_config_map_is_taken_as_json(alive: Living) -> None:
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "other", "namespace": "elsewhere"},
        "data": {"any.json": limits(6)},
    }
    body = await tried(alive, orjson.dumps(config_map).decode())
    assert (body["accepted"], body["globalLimit"], body["changedCount"]) == (True, 6, 3)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, ""),
        ('{"loadConcurrency": {"globalConfig": "9"}}', "globalConfig"),
        ('{"kind": "ConfigMap"}', "the ConfigMap has no data"),
        ('{"kind": "ConfigMap", "data": [1]}', "the ConfigMap has no data"),
        ('{"kind": "ConfigMap", "data": {"a": "{}", "b": "{}"}}', "2 data keys"),
        ('{"kind": "ConfigMap", "data": {"a": 7}}', "is not a text"),
    ],
)
async def test_what_would_be_refused_is_an_answer_and_no_problem(
    alive: Living, text: str, error: str
) -> None:
    body = await tried(alive, text)
    assert not body["accepted"]
    assert error in body["error"] != ""
    assert (body["nodes"], body["rules"], body["globalLimit"]) == (3, [], None)


async def test_what_is_hardly_meant_is_warned_of(alive: Living) -> None:
    body = await tried(alive, '{"loadConcurency": {"globalConfig": 2}}')
    assert body["accepted"]
    assert "loadConcurency" in body["warnings"][0]
    skipped = await tried(alive, limits(1, ({"disk": "fast"}, 0)))
    assert "this rule is skipped" in skipped["warnings"][0]
    assert skipped["unmatched"] == []


@pytest.mark.parametrize("body", [{}, {"text": 7}, {"text": None}, [], "text"])
async def test_a_body_without_a_text_is_malformed(alive: Living, body: object) -> None:
    assert (await alive.api("POST", PATH, body)).problem == "malformed"


async def test_the_largest_config_map_fits_and_more_does_not(alive: Living) -> None:
    """1 MiB, each second letter of it escaped."""
    text = limits(4) + ' "' * 512 * 1024
    assert not (await tried(alive, text))["accepted"]
    answer = await alive.api("POST", PATH, {"text": "x" * preview.LARGEST_PREVIEW})
    assert answer.problem == "too-large"


async def test_few_are_tried_at_a_time(alive: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive.app[preview.PREVIEWS], "_most", 0)
    answer = await alive.api("POST", PATH, {"text": "{}"})
    assert (answer.problem, answer.headers["Retry-After"]) == ("overloaded", "5")


async def test_one_that_takes_too_long_is_given_up(
    alive: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "PATIENCE", 0.0)
    assert (await alive.api("POST", PATH, {"text": "{}"})).problem == "overloaded"
    assert alive.app[preview.PREVIEWS].taken == 0


async def test_what_is_in_force_is_shown_with_what_it_matches(alive: Living) -> None:
    alive.configure(limits(2, ({HOSTNAME: "node1"}, 1), ({"disk": "fast"}, 3)))
    await until(lambda: alive.pool.config().rules)
    body = await alive.get("/config")
    assert (body["accepted"], body["changed"], body["changedCount"]) == (True, [], 0)
    assert [(one["matches"], one["decides"]) for one in body["rules"]] == [(1, 1), (0, 0)]
    assert body["unmatched"] == ["perNodeConfig[1] disk=fast"]


async def test_while_the_newest_text_is_refused_the_last_good_rules_are_shown(
    alive: Living,
) -> None:
    alive.configure(limits(4, ({HOSTNAME: "node1"}, 1)))
    await until(lambda: alive.pool.config().rules)
    alive.configure("{")
    await until(lambda: not alive.pool.config().accepted)
    body = await alive.get("/config")
    assert (body["accepted"], body["globalLimit"], len(body["rules"])) == (False, 4, 1)
    assert "the last good limits stay in force" in body["error"]


async def test_what_is_in_force_and_what_is_wrong_are_told_of_one_moment(
    alive: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of nodes are looked at in turns, and another ConfigMap may come meanwhile."""
    alive.configure("{")
    await until(lambda: alive.pool.config().error)
    look = alive.pool.previews.in_force

    async def slowly() -> Preview:
        made = await look()
        alive.configure(limits(9))
        await until(lambda: alive.pool.config().accepted)
        return made

    monkeypatch.setattr(alive.pool.previews, "in_force", slowly)
    body = await alive.get("/config")
    assert (body["accepted"], body["globalLimit"]) == (False, 1)
    assert "not JSON" in body["error"]
