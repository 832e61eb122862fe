"""One connection to the coordinator, plain or TLS, on sockets that never block for long."""

from __future__ import annotations

import errno
import os
import select
import socket
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from agent_client.hold.pulse import Pulse

T = TypeVar("T")

CONNECT_TIMEOUT = 3.0
"""Seconds for one address of the coordinator."""
AT_ONCE = 16 * 1024
PORTS = {"http": 80, "https": 443}


class Wire:
    """Sends and receives, waiting by `pulse`. All methods raise OSError; waiting, also `Ended`."""

    def __init__(self, pulse: Pulse, connected: socket.socket) -> None:
        self._pulse = pulse
        self._socket = connected
        self._readable: tuple[type[OSError], ...] = ()
        self._writable: tuple[type[OSError], ...] = ()

    def reach(self, address: object, deadline: float) -> None:
        """Connect to `address`, as `getaddrinfo` writes it."""
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failed = self._socket.connect_ex(address)  # type: ignore[arg-type]
        if failed == errno.EINPROGRESS:
            self._pulse.ready(self._socket.fileno(), select.POLLOUT, deadline)
            failed = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            raise OSError(failed, os.strerror(failed))

    def send(self, data: bytes, deadline: float) -> None:
        """Send all of it."""
        unsent = memoryview(data)
        while unsent:
            act = partial(self._socket.send, unsent)
            unsent = unsent[self._patiently(act, select.POLLOUT, deadline) :]

    def receive(self, deadline: float) -> bytes:
        """What has come; nothing at the end."""
        return self._patiently(partial(self._socket.recv, AT_ONCE), select.POLLIN, deadline)

    def secure(self, trust: SSLContext, host: str, deadline: float) -> None:
        """Speak TLS from here on."""
        import ssl  # 4 MB that plain HTTP does without

        encrypted = trust.wrap_socket(
            self._socket, server_hostname=host, do_handshake_on_connect=False
        )
        self._socket = encrypted
        self._readable, self._writable = (ssl.SSLWantReadError,), (ssl.SSLWantWriteError,)
        self._patiently(encrypted.do_handshake, select.POLLIN, deadline)

    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody asked for: the end, as a rule."""
        look = select.poll()
        look.register(self._socket, select.POLLIN)
        return not look.poll(0)

    def close(self) -> None:
        """Let it go."""
        self._socket.close()

    def _patiently(self, act: Callable[[], T], events: int, deadline: float) -> T:
        while True:
            try:
                return act()
            except BlockingIOError:
                awaited = events
            except self._readable:
                awaited = select.POLLIN
            except self._writable:
                awaited = select.POLLOUT
            self._pulse.ready(self._socket.fileno(), awaited, deadline)


def connect(url: str, trust: SSLContext | None, pulse: Pulse, deadline: float) -> Wire:
    """A connection to the first address of `url` that takes one; its name is looked up anew.

    Raises:
        OSError: no address does, or not by the deadline.
        Ended: a signal came meanwhile.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    failure: OSError = ConnectionError(f"{host} has no address")
    # As bytes: a str is looked at by IDNA, whose tables take half a megabyte.
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, address in found:
        wire = Wire(pulse, socket.socket(family, kind, protocol))
        try:
            wire.reach(address, min(deadline, pulse.now() + CONNECT_TIMEOUT))
            if trust is not None:
                wire.secure(trust, host, deadline)
        except OSError as error:
            wire.close()
            failure = error
        except BaseException:
            wire.close()
            raise
        else:
            return wire
    raise failure
