"""A slot's Lease, read and written: nothing is lost, and nothing hostile is believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.core.model import Holder, Lease, PodRef, Terms
from coordinator.core.names import lease_name
from coordinator.kube.microtime import microtime
from coordinator.kube.records import (
    holder_identity,
    parse,
    place_of,
    render_create,
    render_delete,
    render_free,
    render_grant,
    render_refresh,
)

WALL = "2026-01-02T03:04:05.000006Z"
POD = PodRef("apps", "web-0", "uid-1")
TERMS = Terms("backup-7/pvc-3", 5, 120, POD)
BASE = Lease("node1-slot-0", "u1", 41, transitions=3)

HELD: dict[str, Any] = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {
        "name": "node1-slot-0",
        "uid": "u1",
        "resourceVersion": "41",
        "managedFields": [],
        "labels": {
            "app.kubernetes.io/managed-by": "node-slots",
            "nodeslots.io/node": "node1",
            "velero.io/exclude-from-backup": "true",
        },
        "annotations": {
            "nodeslots.io/node": "node1",
            "nodeslots.io/claim": "c-1",
            "nodeslots.io/load": "backup-7/pvc-3",
            "nodeslots.io/priority": "5",
            "nodeslots.io/ttl-seconds": "120",
            "nodeslots.io/fencing-token": "41",
            "nodeslots.io/pod": "apps/web-0",
            "nodeslots.io/pod-uid": "uid-1",
        },
    },
    "spec": {
        "holderIdentity": "web-0/backup-7/pvc-3",
        "acquireTime": WALL,
        "renewTime": WALL,
        "leaseTransitions": 4,
    },
}


def edited(path: str, value: object) -> dict[str, Any]:
    """HELD with the field at the end of a path set, or left out for None."""
    copy: dict[str, Any] = orjson.loads(orjson.dumps(HELD))
    *way, last = path.split(" ")
    inner = copy
    for word in way:
        inner = inner[word]
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value
    return copy


def stored(body: bytes, version: int = 99) -> Lease:
    """The Lease that the API server would answer with."""
    whole = orjson.loads(body)
    whole["metadata"]["resourceVersion"] = str(version)
    whole["metadata"].setdefault("uid", "new")
    return parse(whole)


def test_a_grant_is_written_as_the_design_says() -> None:
    assert orjson.loads(render_grant(BASE, "node1", "c-1", TERMS, WALL)) == HELD


def test_a_held_lease_is_read_back_whole() -> None:
    lease = parse(HELD)
    assert lease.holder == Holder("c-1", TERMS, 41, WALL)
    assert (lease.name, lease.uid, lease.version) == ("node1-slot-0", "u1", 41)
    assert (lease.transitions, lease.terminating, lease.foreign) == (4, False, "")
    assert lease.taken


def test_a_new_lease_is_empty_and_ours() -> None:
    body = orjson.loads(render_create("node1", "node1-slot-0"))
    assert body["metadata"]["name"] == "node1-slot-0"
    assert not {"uid", "resourceVersion"} & set(body["metadata"])
    assert body["spec"] == {"holderIdentity": ""}
    lease = stored(render_create("node1", "node1-slot-0"))
    assert not lease.taken
    assert place_of(lease) == ("node1", 0)


def test_a_freed_lease_keeps_its_node_and_forgets_its_claim() -> None:
    body = orjson.loads(render_free(parse(HELD), "node1"))
    assert body["metadata"]["annotations"] == {"nodeslots.io/node": "node1"}
    assert body["spec"] == {"holderIdentity": "", "leaseTransitions": 4}
    assert (body["metadata"]["uid"], body["metadata"]["resourceVersion"]) == ("u1", "41")


def test_a_refresh_changes_the_renewal_alone() -> None:
    later = "2026-01-02T03:05:05.000006Z"
    body = orjson.loads(
        render_refresh(parse(edited("metadata resourceVersion", "60")), "node1", later)
    )
    expected = edited("metadata resourceVersion", "60")
    expected["spec"]["renewTime"] = later
    assert body == expected


def test_a_refresh_adopts_a_pod() -> None:
    terms = replace(TERMS, pod=PodRef("apps", "web-1", "uid-2"))
    lease = stored(render_refresh(parse(HELD), "node1", WALL, terms))
    assert lease.holder == Holder("c-1", terms, 41, WALL)


def test_a_free_lease_has_no_renewal_to_write() -> None:
    with pytest.raises(ValueError, match="no holder"):
        render_refresh(BASE, "node1", WALL)


def test_a_hand_over_leaves_nothing_of_the_claim_before() -> None:
    lease = stored(render_grant(parse(HELD), "node1", "c-2", Terms("scan"), WALL))
    assert lease.holder == Holder("c-2", Terms("scan"), 41, WALL)
    assert lease.transitions == 5


def test_what_others_wrote_is_carried_on() -> None:
    theirs = edited("metadata finalizers", ["example.org/keep"])
    theirs["metadata"]["ownerReferences"] = [{"kind": "X", "name": "x", "uid": "y"}]
    theirs["metadata"]["labels"]["team"] = "storage"
    theirs["metadata"]["annotations"]["example.org/note"] = "hello"
    lease = parse(theirs)
    for body in (
        render_free(lease, "node1"),
        render_grant(lease, "node1", "c-2", TERMS, WALL),
        render_refresh(lease, "node1", WALL),
    ):
        head = orjson.loads(body)["metadata"]
        assert head["finalizers"] == ["example.org/keep"]
        assert head["ownerReferences"] == theirs["metadata"]["ownerReferences"]
        assert head["labels"]["team"] == "storage"
        assert head["annotations"]["example.org/note"] == "hello"


@pytest.mark.parametrize("node", ["n" * 64, "-bad", "knoten-\u00fc"])
def test_a_node_that_is_no_label_value_gets_no_label(node: str) -> None:
    head = orjson.loads(render_create(node, "x-slot-0"))["metadata"]
    assert "nodeslots.io/node" not in head["labels"]
    assert head["annotations"]["nodeslots.io/node"] == node


def test_a_node_of_63_characters_gets_its_label() -> None:
    head = orjson.loads(render_create("n" * 63, "x-slot-0"))["metadata"]
    assert head["labels"]["nodeslots.io/node"] == "n" * 63


def test_a_repeated_write_is_the_same_bytes() -> None:
    scrambled = edited(
        "metadata annotations", dict(reversed(HELD["metadata"]["annotations"].items()))
    )
    for render in (render_free, lambda base, node: render_grant(base, node, "c", TERMS, WALL)):
        assert render(parse(HELD), "node1") == render(parse(scrambled), "node1")


def test_a_delete_names_both_preconditions() -> None:
    assert orjson.loads(render_delete(BASE))["preconditions"] == {
        "uid": "u1",
        "resourceVersion": "41",
    }


@pytest.mark.parametrize("value", ["", None])
def test_a_holder_cleared_by_hand_frees_the_slot(value: str | None) -> None:
    lease = parse(edited("spec holderIdentity", value))
    assert lease.holder is None
    assert not lease.taken


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("claim", None),
        ("claim", ""),
        ("load", None),
        ("priority", None),
        ("priority", "high"),
        ("priority", "1.0"),
        ("priority", "\u0663"),
        ("priority", "-9223372036854775809"),
        ("ttl-seconds", "9"),
        ("ttl-seconds", "3601"),
        ("ttl-seconds", "+60"),
        ("fencing-token", "-1"),
        ("fencing-token", None),
        ("fencing-token", "9223372036854775808"),
        ("fencing-token", "9" * 5000),
        ("pod", "web-0"),
        ("pod", "/web-0"),
        ("pod", "a/b/c"),
    ],
)
def test_a_holder_whose_claim_is_unreadable_blocks_the_slot(field: str, value: str | None) -> None:
    lease = parse(edited(f"metadata annotations nodeslots.io/{field}", value))
    assert lease.holder is None
    assert lease.taken
    assert lease.foreign.startswith("unreadable:")
    assert f"nodeslots.io/{field}" in lease.foreign


def test_a_lease_of_others_is_foreign() -> None:
    head = {"name": "node1-slot-0", "uid": "x", "resourceVersion": "7"}
    lease = parse({"metadata": head, "spec": {"holderIdentity": "them"}})
    assert lease.holder is None
    assert lease.foreign == "the name is taken by a Lease that node-slots did not make"


@pytest.mark.parametrize("mark", ["labels", "annotations"])
def test_one_mark_is_enough_to_be_ours(mark: str) -> None:
    lease = parse(edited(f"metadata {mark}", None))
    assert "did not make" not in lease.foreign


def test_a_terminating_lease_is_taken() -> None:
    lease = stored(render_create("node1", "node1-slot-0"))
    assert not lease.taken
    body = orjson.loads(render_create("node1", "node1-slot-0"))
    body["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "8"}
    assert parse(body).terminating
    assert parse(body).taken


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = [
    "metadata",
    "spec",
    *(f"metadata {key}" for key in HELD["metadata"]),
    "metadata finalizers",
    "metadata deletionTimestamp",
    *(f"metadata annotations {key}" for key in HELD["metadata"]["annotations"]),
    *(f"spec {key}" for key in HELD["spec"]),
]


@given(st.sampled_from(FIELDS), json_values)
def test_no_lease_makes_the_reader_raise(path: str, value: object) -> None:
    lease = parse(edited(path, value))
    place_of(lease)
    if lease.holder is not None:
        assert lease.holder.claim
        assert 10 <= lease.holder.terms.ttl <= 3600


@given(json_values)
def test_no_json_makes_the_reader_raise(value: object) -> None:
    assert parse(value).foreign


pods = st.builds(
    PodRef,
    st.from_regex(r"[a-z]{1,9}", fullmatch=True),
    st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True),
    st.text("0123abc-", max_size=36),
)
terms = st.builds(
    Terms,
    load=st.text(st.characters(codec="utf-8"), min_size=1, max_size=80),
    priority=st.integers(-(2**31), 2**31),
    ttl=st.integers(10, 3600),
    pod=st.none() | pods,
)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=64), terms, st.integers(0, 2**62))
def test_every_grant_is_read_back_as_it_was_written(claim: str, asked: Terms, version: int) -> None:
    base = replace(BASE, version=version)
    lease = stored(render_grant(base, "node1", claim, asked, WALL))
    assert lease.holder == Holder(claim, asked, version, WALL)
    assert lease.foreign == ""
    assert stored(render_free(lease, "node1")).holder is None


@given(terms)
def test_the_shown_holder_is_short_and_printable(asked: Terms) -> None:
    shown = holder_identity(asked)
    assert 0 < len(shown) <= 127
    assert shown.isprintable()


def test_the_shown_holder_is_pod_and_load() -> None:
    assert holder_identity(TERMS) == "web-0/backup-7/pvc-3"
    assert holder_identity(Terms("scan")) == "scan"


def test_a_load_that_is_named_as_its_pod_is_shown_once() -> None:
    assert (
        holder_identity(Terms("mover-7kq2x", pod=PodRef("velero", "mover-7kq2x"))) == "mover-7kq2x"
    )


def test_long_names_are_shown_with_both_of_their_ends() -> None:
    load, pod = f"backup{'-' * 200}pvc-3", f"mover{'-' * 200}x2k"
    shown = holder_identity(Terms(load, pod=PodRef("velero", pod)))
    first, second = shown.split("/")
    assert (first[:5], first[-4:]) == ("mover", "-x2k")
    assert (second[:6], second[-5:]) == ("backup", "pvc-3")
    assert "..." in first
    assert "..." in second


@given(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?", fullmatch=True), st.integers(0, 999))
def test_a_written_lease_leads_back_to_its_slot(node: str, ordinal: int) -> None:
    name = lease_name(node, ordinal)
    assert place_of(stored(render_create(node, name))) == (node, ordinal)


def test_the_name_outweighs_an_annotation_that_does_not_fit() -> None:
    lease = parse(edited("metadata annotations nodeslots.io/node", "node2"))
    assert place_of(lease) == ("node1", 0)
    assert place_of(Lease("unrelated", "u", 1)) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "1970-01-01T00:00:00.000000Z"), (1.5, "1970-01-01T00:00:01.500000Z")],
)
def test_a_microtime_has_six_digits_always(seconds: float, text: str) -> None:
    assert microtime(seconds) == text
