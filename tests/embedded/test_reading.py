"""Selectors, patches, typed reading and protobuf: one rule each."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from coordinator.embedded import objects, patches, protobuf, schema, selectors, tables
from coordinator.embedded.errors import ApiError
from coordinator.embedded.resources import LEASES, NODES, PODS


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("zone=a", True),
        ("zone==a,disk=ssd", True),
        ("zone!=a", False),
        ("missing!=a", True),
        ("zone in (a, b)", True),
        ("zone notin (a,b)", False),
        ("missing notin (a)", True),
        ("missing in (a)", False),
        ("zone", True),
        ("!zone", False),
        ("!missing", True),
        ("size>9", True),
        ("size<10", False),
        ("zone>1", False),
        ("empty=", True),
    ],
)
def test_a_label_selector_reads_as_kubernetes_reads_it(selector: str, matches: bool) -> None:
    labels = {"zone": "a", "disk": "ssd", "size": "10", "empty": ""}
    obj = {"metadata": {"name": "x", "labels": labels}}
    assert all(one(obj) for one in selectors.labels(selector)) == matches


@pytest.mark.parametrize(
    "selector", ["a in (b", "a b", "=b", "a=-b", "a//b=c", "a>x", "zoné=a", ","]
)
def test_an_unreadable_label_selector_is_a_bad_request(selector: str) -> None:
    with pytest.raises(ApiError) as error:
        selectors.labels(selector)
    assert error.value.status == 400


def test_a_field_selector_knows_defaults_of_absent_fields() -> None:
    node = objects.node("n")
    assert selectors.fields(NODES, "spec.unschedulable=false")[0](node)
    assert not selectors.fields(NODES, "spec.unschedulable=true")[0](node)


@pytest.mark.parametrize("selector", ["spec.image=x", "status.phase", "spec.nodeName"])
def test_a_field_that_is_not_indexed_is_a_bad_request(selector: str) -> None:
    with pytest.raises(ApiError) as error:
        selectors.fields(PODS, selector)
    assert error.value.status == 400


NODE = {
    "spec": {"taints": [{"key": "a", "value": "1"}, {"key": "b"}]},
    "metadata": {"finalizers": ["x/y"], "labels": {"k": "v"}},
}


@pytest.mark.parametrize(
    ("patch", "taints"),
    [
        (
            {"spec": {"taints": [{"key": "a", "value": "2"}]}},
            [{"key": "a", "value": "2"}, {"key": "b"}],
        ),
        (
            {"spec": {"taints": [{"key": "c"}]}},
            [{"key": "a", "value": "1"}, {"key": "b"}, {"key": "c"}],
        ),
        ({"spec": {"taints": [{"key": "a", "$patch": "delete"}]}}, [{"key": "b"}]),
        ({"spec": {"taints": [{"$patch": "replace"}, {"key": "c"}]}}, [{"key": "c"}]),
        (
            {"spec": {"$setElementOrder/taints": [{"key": "b"}, {"key": "a"}]}},
            [{"key": "b"}, {"key": "a", "value": "1"}],
        ),
        ({"spec": {"taints": None}}, None),
    ],
)
def test_a_strategic_patch_merges_lists_by_their_key(patch: Any, taints: Any) -> None:
    assert patches.strategic(NODE, patch)["spec"].get("taints") == taints


def test_a_strategic_patch_merges_finalizers_and_deletes_them_one_by_one() -> None:
    more = patches.strategic(NODE, {"metadata": {"finalizers": ["p/q"]}})
    assert more["metadata"]["finalizers"] == ["x/y", "p/q"]
    fewer = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/y"]}}
    assert patches.strategic(more, fewer)["metadata"]["finalizers"] == ["p/q"]


def test_a_merge_patch_replaces_lists_and_removes_by_null() -> None:
    patch = {"spec": {"taints": []}, "metadata": {"labels": {"k": None, "n": {"deep": None}}}}
    out = patches.merge(NODE, patch)
    assert (out["spec"], out["metadata"]["labels"]) == ({"taints": []}, {"n": {}})


@pytest.mark.parametrize(
    ("media_type", "patch"),
    [
        (patches.MERGE, {"a": {"b": 1}}),
        (patches.STRATEGIC, {"spec": {"taints": [{"key": "a", "value": "9"}]}}),
        (patches.JSON, [{"op": "add", "path": "/spec/taints/-", "value": {}}]),
    ],
)
def test_a_patch_leaves_its_target_alone(media_type: str, patch: Any) -> None:
    before = repr(NODE)
    assert patches.apply(media_type, NODE, patch) != NODE
    assert repr(NODE) == before


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2026-01-02T03:04:05.000001Z", "2026-01-02T03:04:05.000001Z"),
        ("2026-01-02T05:04:05.100000+02:00", "2026-01-02T03:04:05.100000Z"),
        ("2026-01-02T03:04:05,000001Z", "2026-01-02T03:04:05.000001Z"),
    ],
)
def test_a_micro_time_comes_back_in_utc_with_six_digits(given: str, stored: str) -> None:
    clean, _ = schema.read(LEASES, {"spec": {"renewTime": given}})
    assert clean["spec"]["renewTime"] == stored


@pytest.mark.parametrize(
    "spec",
    [
        {"renewTime": "2026-01-02T03:04:05Z"},
        {"renewTime": "2026-01-02T03:04:05.0000001Z"},
        {"renewTime": "2026-02-30T03:04:05.000000Z"},
        {"renewTime": 5},
        {"leaseTransitions": True},
        {"leaseTransitions": 1.0},
        {"leaseTransitions": 2**31},
        {"holderIdentity": 3},
        "text",
    ],
)
def test_a_wrong_type_is_a_bad_request(spec: Any) -> None:
    with pytest.raises(ApiError) as error:
        schema.read(LEASES, {"spec": spec})
    assert (error.value.status, error.value.reason) == (400, "BadRequest")


def test_an_empty_holder_is_kept_where_no_holder_is_none() -> None:
    kept, _ = schema.read(LEASES, {"spec": {"holderIdentity": ""}})
    none, _ = schema.read(LEASES, {"spec": {"holderIdentity": None}})
    assert (kept["spec"], none["spec"]) == ({"holderIdentity": ""}, {})


# `kubectl create cm lim -n velero --from-file=f.json`, kubectl 1.32, as it came over the wire.
CONFIG_MAP = base64.b64decode(
    "azhzAAoPCgJ2MRIJQ29uZmlnTWFwEk4KGQoDbGltEgAaBnZlbGVybyIAKgAyADgAQgASMQoGZi5qc29u"
    "Eid7ImxvYWRDb25jdXJyZW5jeSI6eyJnbG9iYWxDb25maWciOjJ9fQoaACIA"
)


def test_a_config_map_of_kubectl_is_read_from_protobuf() -> None:
    found = protobuf.decode(CONFIG_MAP)
    assert (found["kind"], found["apiVersion"]) == ("ConfigMap", "v1")
    assert found["metadata"]["name"] == "lim"
    assert found["data"] == {"f.json": '{"loadConcurrency":{"globalConfig":2}}\n'}


@pytest.mark.parametrize("cut", [3, 10, 20, 60])
def test_a_broken_protobuf_body_is_a_bad_request(cut: int) -> None:
    with pytest.raises(ApiError) as error:
        protobuf.decode(CONFIG_MAP[:cut])
    assert error.value.status == 400


def test_protobuf_of_another_kind_is_an_unsupported_media_type() -> None:
    with pytest.raises(ApiError) as error:
        protobuf.decode(CONFIG_MAP.replace(b"ConfigMap", b"Secretive"))
    assert error.value.status == 415


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (600, "10m"), (10799, "179m"),
        (10800, "3h"), (11000, "3h3m"), (30000, "8h"), (172800, "2d"), (180000, "2d2h"),
        (864000, "10d"), (94608000, "3y"),
    ],
)  # fmt: skip
def test_an_age_is_told_as_kubectl_tells_it(seconds: int, shown: str) -> None:
    from datetime import UTC, datetime, timedelta

    born = datetime(2026, 1, 1, tzinfo=UTC)
    assert tables.age("2026-01-01T00:00:00Z", born + timedelta(seconds=seconds)) == shown
