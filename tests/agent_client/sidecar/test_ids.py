"""Claim ids of named loads: the coordinator takes them, and each is one sidecar's."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_client.sidecar.ids import MEMORY, NAME, Ids

NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=64).filter(
    lambda name: NAME.fullmatch(name) is not None
)
COORDINATORS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


@given(NAMES, st.text(), st.text(), st.integers(0, 10**9 - 1))
def test_every_id_is_one_and_is_read_back(name: str, load: str, uid: str, number: int) -> None:
    ids = Ids(name)
    claim = ids.claim(ids.key(load, uid), number)
    assert COORDINATORS.fullmatch(claim)
    assert ids.parts(claim) == (ids.key(load, uid), number)


@given(NAMES, NAMES, st.text())
def test_a_sidecar_knows_its_own_ids_only(name: str, other: str, load: str) -> None:
    claim = Ids(other).claim(Ids(other).key(load, ""), 0)
    assert (Ids(name).parts(claim) is not None) == (name == other)


def test_load_and_uid_are_not_mixed_up() -> None:
    ids = Ids("sidecar")
    keys = {ids.key("a", ""), ids.key("", "a"), ids.key("a", "b"), ids.key("ab", "")}
    assert len(keys) == 4


@pytest.mark.parametrize("claim", ["sidecar", "sidecar-1.0", "sidecar-" + "0" * 24, "7f3a" * 8])
def test_other_ids_are_left_alone(claim: str) -> None:
    assert Ids("sidecar").parts(claim) is None


def test_a_generation_is_used_once_as_long_as_the_coordinator_remembers_it() -> None:
    ids = Ids("sidecar")
    key = ids.key("a", "")
    assert ids.next(key) == 0
    ids.used(key, 3, now=10.0)
    ids.used(key, 1, now=20.0)  # a late word of an older one
    assert ids.next(key) == 4
    ids.forget_old(20.0 + MEMORY - 1, ())
    assert ids.next(key) == 4
    ids.forget_old(20.0 + MEMORY, [ids.claim(key, 3)])  # its release is still on its way
    assert ids.next(key) == 4
    ids.forget_old(20.0 + MEMORY, ())
    assert ids.next(key) == 0
