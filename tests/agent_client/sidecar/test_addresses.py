"""Where a sidecar may listen."""

from __future__ import annotations

import re

import pytest

from agent_client.sidecar.addresses import Address, HostPort, UnixPath, local_address, rights


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/a.sock", UnixPath("/run/a.sock")),
        ("unix:a.sock", UnixPath("a.sock")),
        ("/run/a.sock", UnixPath("/run/a.sock")),
        ("./a.sock", UnixPath("./a.sock")),
        ("127.0.0.1:8082", HostPort("127.0.0.1", 8082)),
        ("127.9.9.9:0", HostPort("127.9.9.9", 0)),
        ("[::1]:8082", HostPort("::1", 8082)),
        ("localhost:8082", HostPort("localhost", 8082)),
    ],
)
def test_a_socket_or_the_loopback(text: str, address: Address) -> None:
    assert local_address(text) == address


@pytest.mark.parametrize("text", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "node1:1"])
def test_what_other_machines_reach_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{text} can be reached from other machines")):
        local_address(text)


@pytest.mark.parametrize("text", ["", "agent.sock", "127.0.0.1", ":80", "h:port", "h:65536", "h:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no address: write HOST:PORT"):
        local_address(text)


def test_rights_are_octal() -> None:
    assert rights("0660") == 0o660


@pytest.mark.parametrize("text", ["rw", "888", "-1", "10000"])
def test_other_rights_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it in octal"):
        rights(text)
