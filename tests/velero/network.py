"""The tier's own network: a namespace in which every address is free and nothing is the machine's.

Whoever calls `isolate` has it from then on, with all threads and programs that are started later.
What listens on the addresses given here is reached from Pods too, as a machine's own addresses are.
As a program (`python -I -S network.py`) it tries all that, and ends with 0 where it works. So this
file needs the standard library only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NODE = "10.77.0.1"
"""The node's name and address."""
STORAGE = "10.77.0.9"
"""Where the S3 server listens."""
PODS = "10.78.0.0/24"
"""Where Pods get their addresses from."""
SERVICES = "10.0.0.0/24"
"""Where the API server takes ClusterIPs from (its flag in tests/realserver/server.py)."""

# On the loopback interface every address of a range is the machine's own, not only the first.
_OWN = ("10.77.0.0/24", SERVICES)
_NEW_NETWORK = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
_SET_FLAGS, _SET_ADDRESS, _SET_MASK = 0x8914, 0x8916, 0x891C
_IFF_UP, _IFF_RUNNING = 0x1, 0x40


def isolate() -> Callable[[], None]:
    """Gives this thread a network of its own; what comes back puts the former one back.

    Raises OSError where that may not be done.
    """
    former = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_LIBC.unshare(_NEW_NETWORK), "unshare")
    except OSError:
        os.close(former)
        raise
    try:
        _furnish()
    except OSError:
        _go_back(former)
        raise
    return lambda: _go_back(former)


def _go_back(former: int) -> None:
    _checked(_LIBC.setns(former, _NEW_NETWORK), "setns")
    os.close(former)


def hindrance() -> str | None:
    """Why there can be no such network here, or None."""
    command = [sys.executable, "-I", "-S", __file__]
    tried = subprocess.run(command, check=False, capture_output=True, text=True)
    if tried.returncode == 0:
        return None
    return f"Pods need a network namespace with veth: {tried.stderr.strip()}"


def _furnish() -> None:
    """Brings the loopback interface up, with an alias for each range."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh14x", b"lo", _IFF_UP | _IFF_RUNNING)
        fcntl.ioctl(any_socket, _SET_FLAGS, up)
        for number, range_ in enumerate(map(IPv4Network, _OWN)):
            first = next(range_.hosts())
            for request, address in ((_SET_ADDRESS, first), (_SET_MASK, range_.netmask)):
                internet = struct.pack("Hxx4s8x", socket.AF_INET, address.packed)
                fcntl.ioctl(any_socket, request, struct.pack("16s16s", b"lo:%d" % number, internet))


def _add_pair() -> None:
    """Makes a pair of veth interfaces, as every Pod gets one. Raises OSError."""
    new_link, request, acknowledge, create, exclusive = 16, 0x1, 0x4, 0x400, 0x200
    kind = _attribute(1, b"veth")  # IFLA_INFO_KIND
    body = struct.pack("BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0) + _attribute(18, kind)
    flags = request | acknowledge | create | exclusive
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(struct.pack("IHHII", 16 + len(body), new_link, flags, 1, 0) + body)
        code = -struct.unpack_from("i", kernel.recv(4096), 16)[0]
    if code:
        raise OSError(code, f"veth: {os.strerror(code)}")


def _attribute(number: int, value: bytes) -> bytes:
    return struct.pack("HH", 4 + len(value), number) + value + bytes(-len(value) % 4)


def _checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def main() -> int:
    """Tries it; what comes back is the exit code."""
    try:
        isolate()
        _add_pair()
    except OSError as error:
        sys.stderr.write(str(error.strerror))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
