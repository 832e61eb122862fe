"""The tier's network is its own, and whoever leaves it is where they were."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.velero import network


def namespace() -> Path:
    return Path("/proc/thread-self/ns/net").readlink()


def echo(address: str, port: int) -> str:
    """Who is seen to ask at that address from within."""
    where = (address, port)
    with socket.create_server(where), socket.create_connection(where) as asks:
        return str(asks.getsockname()[0])


def test_inside_every_address_of_the_tier_is_free_and_outside_nothing_has_changed() -> None:
    if why := network.hindrance():
        pytest.skip(why)
    before = namespace()
    go_back = network.isolate()
    try:
        assert namespace() != before
        assert echo(network.STORAGE, 443) == network.NODE
        assert echo(network.NODE, 443) == network.NODE
        assert echo("10.0.0.200", 443) == "10.0.0.1"
        assert echo("127.0.0.1", 443) == "127.0.0.1"
    finally:
        go_back()
    assert namespace() == before
    with pytest.raises(OSError, match="assign"):
        echo(network.STORAGE, 0)


def test_a_machine_that_cannot_is_told_with_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "network.py"
    program.write_text("import sys; sys.exit('unshare: Operation not permitted')")
    monkeypatch.setattr(network, "__file__", str(program))
    why = str(network.hindrance())
    assert "veth" in why
    assert "Operation not permitted" in why
