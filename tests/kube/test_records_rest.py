"""What is kept of a Lease beside its slot and its claim: what others wrote on it, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from coordinator.core.names import lease_name
from coordinator.kube.records import parse, place_of, render_create

if TYPE_CHECKING:
    from coordinator.core.model import Lease

LONG = "a" * 250
"""A node whose name is cut in those of its slots."""


def made(node: str, ordinal: int = 0, **annotations: str) -> Lease:
    """A slot's Lease as the API server has it, with what others wrote on it."""
    whole: dict[str, Any] = orjson.loads(render_create(node, lease_name(node, ordinal)))
    whole["metadata"] |= {"uid": "u", "resourceVersion": "7"}
    whole["metadata"]["annotations"] |= annotations
    return parse(whole)


def test_nothing_is_kept_where_nobody_else_wrote_anything() -> None:
    assert made("node1").rest is None
    assert made("node1", team="x").rest == {"annotations": {"team": "x"}}


def test_a_node_is_kept_where_the_name_does_not_tell_it() -> None:
    lease = made(LONG)
    assert lease.rest == {"annotations": {"nodeslots.io/node": LONG}}
    assert place_of(lease) == (LONG, 0)


def test_a_node_that_is_named_like_a_slot_is_told_by_the_name() -> None:
    lease = made("a-slot-1", 2)
    assert lease.rest is None
    assert place_of(lease) == ("a-slot-1", 2)
