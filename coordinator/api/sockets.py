"""Where a listener listens."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Server

ALL = "all"
"""Every address of this machine."""

_NO_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


def place(address: str, port: int, backlog: int) -> dict[str, Any]:
    """What the event loop's `create_server` is told. Raises `OSError`.

    For `all` it is one socket of IPv6 that takes IPv4, too, so that port 0 is the same port for
    both; or one of IPv4 where IPv6 is off.
    """
    if address != ALL:
        return {"host": address, "port": port, "backlog": backlog}
    return {"sock": _on_all(port, backlog), "backlog": backlog}


def url_of(server: Server, *, secure: bool) -> str:
    """Where it listens."""
    host, port = server.sockets[0].getsockname()[:2]
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _on_all(port: int, backlog: int) -> socket.socket:
    try:
        return socket.create_server(
            ("::", port), family=socket.AF_INET6, backlog=backlog, dualstack_ipv6=True
        )
    except (OSError, ValueError) as error:  # ValueError: no socket here is of both
        if isinstance(error, OSError) and error.errno not in _NO_IPV6:
            raise
        return socket.create_server(("0.0.0.0", port), backlog=backlog)  # noqa: S104 - as asked
