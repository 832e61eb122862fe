"""Names of slots: readable, within 253 characters, and told apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.core.names import MAX_NAME, lease_name, split_lease_name

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
NODES = st.lists(LABEL, min_size=1, max_size=8).map(".".join).filter(lambda n: len(n) <= MAX_NAME)


def test_a_plain_name_is_the_node_and_the_ordinal() -> None:
    assert lease_name("worker-1.example", 12) == "worker-1.example-slot-12"


@pytest.mark.parametrize("length", [246, 247, 253])
def test_a_name_is_cut_only_where_it_must_be(length: int) -> None:
    node = "n" * length
    name = lease_name(node, 0)
    assert len(name) <= MAX_NAME
    assert name.startswith(node) == (length == 246)


def test_a_cut_name_is_the_same_for_ever() -> None:
    cut = lease_name("n" * 250, 3)
    assert cut == "n" * 235 + "-213b83271b-slot-3"
    assert len(cut) == MAX_NAME


@pytest.mark.parametrize("end", [".", "-", "--"])
def test_the_cut_never_ends_in_a_dot_or_a_dash(end: str) -> None:
    for cut in range(225, 240):
        node = ("n" * cut + end).ljust(MAX_NAME, "x")
        assert SUBDOMAIN.fullmatch(lease_name(node, 7)), node


def test_long_nodes_that_share_a_beginning_stay_apart() -> None:
    assert lease_name("n" * 252 + "a", 0) != lease_name("n" * 252 + "b", 0)


@given(NODES, st.integers(0, 10**8))
def test_every_name_is_a_subdomain_and_leads_back(node: str, ordinal: int) -> None:
    name = lease_name(node, ordinal)
    assert len(name) <= MAX_NAME
    assert SUBDOMAIN.fullmatch(name)
    split = split_lease_name(name)
    assert split is not None
    assert split[1] == ordinal
    assert split[0] == node or len(node) > 230


@pytest.mark.parametrize(
    "name",
    [
        "node1",
        "node1-slot-",
        "node1-slot-01",
        "-slot-1",
        "node1-slot-1x",
        "node1-slot-\u0661",
        "n-slot--1",
    ],
)
def test_what_is_no_slots_name_is_none(name: str) -> None:
    assert split_lease_name(name) is None


def test_the_last_slot_in_a_name_counts() -> None:
    assert split_lease_name("my-slot-3-slot-4") == ("my-slot-3", 4)
