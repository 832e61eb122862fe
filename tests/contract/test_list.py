"""GET of collections: selectors, paging, and which resourceVersion may be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.contract.objects import lease, pod

if TYPE_CHECKING:
    from tests.contract.client import Api

LABELS = {
    "a": {"tier": "gold", "zone": "1"},
    "b": {"tier": "silver", "zone": "2"},
    "c": {"tier": "gold"},
    "d": {},
}


async def _four(api: Api) -> None:
    for name, labels in LABELS.items():
        await api.make(api.leases, lease(name, labels=labels))


async def test_a_list_is_sorted_and_says_its_kind_once(api: Api) -> None:
    for name in ("c", "a", "b"):
        last = await api.make(api.leases, lease(name))
    answer = await api.get(api.leases)
    assert answer.json["apiVersion"] == "coordination.k8s.io/v1"
    assert answer.json["kind"] == "LeaseList"
    assert answer.names == ["a", "b", "c"]
    assert "kind" not in answer.json["items"][0]
    assert int(answer.version) >= int(last.version)
    assert "continue" not in answer.json["metadata"]


async def test_an_empty_list_has_items_and_a_resource_version(api: Api) -> None:
    answer = await api.get(api.leases)
    assert (answer.status, answer.json["items"]) == (200, [])
    assert int(answer.version) > 0


async def test_a_namespace_that_does_not_exist_lists_as_empty(api: Api) -> None:
    answer = await api.get(api.leases.replace(api.namespace, "nowhere"))
    assert (answer.status, answer.json["items"]) == (200, [])


async def test_one_list_goes_over_all_namespaces(api: Api) -> None:
    await api.make(api.leases, lease("a"))
    answer = await api.get("/apis/coordination.k8s.io/v1/leases")
    assert (api.namespace, "a") in [
        (item["metadata"]["namespace"], item["metadata"]["name"]) for item in answer.json["items"]
    ]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("tier=gold", ["a", "c"]),
        ("tier==gold", ["a", "c"]),
        ("tier!=gold", ["b", "d"]),
        ("tier=gold,zone=1", ["a"]),
        ("tier in (gold, silver)", ["a", "b", "c"]),
        ("tier notin (gold)", ["b", "d"]),
        ("zone", ["a", "b"]),
        ("!zone", ["c", "d"]),
        ("tier=gold,!zone", ["c"]),
        ("zone>1", ["b"]),
        ("zone<2", ["a"]),
        ("tier=", []),
        ("", ["a", "b", "c", "d"]),
    ],
)
async def test_a_label_selector_chooses(api: Api, selector: str, names: list[str]) -> None:
    await _four(api)
    assert (await api.get(f"{api.leases}?labelSelector={quote(selector)}")).names == names


@pytest.mark.parametrize(
    "selector", ["tier in gold", "=gold", "a b", "tier=gold,", "!!zone", "zone>x"]
)
async def test_a_label_selector_that_is_none_is_refused(api: Api, selector: str) -> None:
    answer = await api.get(f"{api.leases}?labelSelector={quote(selector)}")
    assert answer.outcome == (400, "BadRequest")


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("metadata.name=b", ["b"]),
        ("metadata.name==b", ["b"]),
        ("metadata.name!=b", ["a", "c", "d"]),
        ("metadata.name=zz", []),
        ("metadata.name=b,metadata.name!=b", []),
        ("metadata.namespace=default", []),
    ],
)
async def test_a_field_selector_chooses(api: Api, selector: str, names: list[str]) -> None:
    await _four(api)
    assert (await api.get(f"{api.leases}?fieldSelector={quote(selector)}")).names == names


async def test_the_own_namespace_is_a_field(api: Api) -> None:
    await _four(api)
    answer = await api.get(f"{api.leases}?fieldSelector=metadata.namespace%3D{api.namespace}")
    assert answer.names == ["a", "b", "c", "d"]


@pytest.mark.parametrize("selector", ["spec.holderIdentity=x", "metadata.uid=x", "nonsense"])
async def test_any_other_field_is_refused(api: Api, selector: str) -> None:
    answer = await api.get(f"{api.leases}?fieldSelector={quote(selector)}")
    assert answer.outcome == (400, "BadRequest")


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("spec.nodeName=node-1", ["one"]),
        ("spec.nodeName!=node-1", ["done", "two"]),
        ("status.phase=Pending", ["one", "two"]),
        ("status.phase!=Succeeded,status.phase!=Failed", ["one", "two"]),
        ("spec.nodeName=node-2,status.phase=Succeeded", ["done"]),
    ],
)
async def test_pods_are_chosen_by_node_and_phase(api: Api, selector: str, names: list[str]) -> None:
    for name, where in (("one", "node-1"), ("two", "node-2"), ("done", "node-2")):
        await api.make(api.core("pods"), pod(name, where))
    ended = await api.patch(api.core("pods/done/status"), {"status": {"phase": "Succeeded"}})
    assert ended.status == 200
    answer = await api.get(f"{api.core('pods')}?fieldSelector={quote(selector)}")
    assert answer.names == names


async def test_pages_add_up_to_one_consistent_list(api: Api) -> None:
    await _four(api)
    first = await api.get(f"{api.leases}?limit=3")
    await api.make(api.leases, lease("bb"))
    await api.make(api.leases, lease("e"))
    token = first.json["metadata"]["continue"]
    second = await api.get(f"{api.leases}?limit=3&continue={quote(token)}")
    assert (first.names, second.names) == (["a", "b", "c"], ["d"])
    assert first.json["metadata"]["remainingItemCount"] == 1
    assert second.version == first.version
    assert "continue" not in second.json["metadata"]
    assert "remainingItemCount" not in second.json["metadata"]


async def test_with_a_selector_the_remaining_count_is_not_told(api: Api) -> None:
    await _four(api)
    first = await api.get(f"{api.leases}?limit=1&labelSelector=tier")
    assert first.names == ["a"]
    assert "remainingItemCount" not in first.json["metadata"]
    token = quote(first.json["metadata"]["continue"])
    rest = await api.get(f"{api.leases}?limit=5&labelSelector=tier&continue={token}")
    assert rest.names == ["b", "c"]


@pytest.mark.parametrize("limit", ["0", "100"])
async def test_a_limit_that_all_fit_in_makes_one_page(api: Api, limit: str) -> None:
    await _four(api)
    answer = await api.get(f"{api.leases}?limit={limit}")
    assert len(answer.names) == 4
    assert "continue" not in answer.json["metadata"]


@pytest.mark.parametrize("query", ["continue=garbage", "limit=2&continue=e30"])
async def test_a_continue_token_that_is_none_is_refused(api: Api, query: str) -> None:
    assert (await api.get(f"{api.leases}?{query}")).outcome == (400, "BadRequest")


@pytest.mark.parametrize("limit", ["x", "1.5"])
async def test_a_limit_that_is_no_number_is_refused(api: Api, limit: str) -> None:
    assert (await api.get(f"{api.leases}?limit={limit}")).outcome == (400, "BadRequest")


async def test_resource_version_zero_takes_what_there_is(api: Api) -> None:
    answer = await api.get(f"{api.leases}?resourceVersion=0")
    assert answer.status == 200
    assert int(answer.version) > 0


async def test_not_older_than_a_write_shows_that_write(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    query = f"resourceVersion={made.version}&resourceVersionMatch=NotOlderThan"
    answer = await api.get(f"{api.leases}?{query}")
    assert answer.names == ["a"]
    assert int(answer.version) >= int(made.version)


async def test_exactly_a_resource_version_shows_the_past(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    await api.make(api.leases, lease("b"))
    query = f"resourceVersion={made.version}&resourceVersionMatch=Exact"
    answer = await api.get(f"{api.leases}?{query}")
    assert (answer.names, answer.version) == (["a"], made.version)


@pytest.mark.parametrize(
    "query",
    [
        "resourceVersionMatch=Exact",
        "resourceVersion=0&resourceVersionMatch=Exact",
        "resourceVersion=1&resourceVersionMatch=Sometimes",
    ],
)
async def test_a_match_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert (await api.get(f"{api.leases}?{query}")).outcome == (422, "Invalid")


async def test_a_resource_version_that_is_no_number_is_refused(api: Api) -> None:
    answer = await api.get(f"{api.leases}?resourceVersion=x")
    assert answer.outcome == (400, "BadRequest")


async def test_a_resource_version_of_the_future_times_out(api: Api) -> None:
    answer = await api.get(f"{api.leases}?resourceVersion=999999999")
    assert answer.outcome == (504, "Timeout")
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
