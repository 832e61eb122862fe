"""Where the sidecar listens: a Unix socket, or a port that only this machine can reach."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent_client.http.server import ListenError

if TYPE_CHECKING:
    from agent_client.http.server import Server


@dataclass(frozen=True, slots=True)
class UnixPath:
    """A Unix socket."""

    path: str

    async def listen(self, server: Server, mode: int) -> str:
        """Let `server` listen here; returns the address in words. Raises `ListenError`."""
        folder = Path(self.path).parent
        if not folder.is_dir():
            raise ListenError(f"there is no folder {folder} for the socket: mount a volume there")
        await server.listen_unix(self.path, mode)
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class HostPort:
    """A TCP port; 0 lets the system choose."""

    host: str
    port: int

    async def listen(self, server: Server, mode: int) -> str:
        """Let `server` listen here; returns the address in words. Raises `ListenError`."""
        port = await server.listen_tcp(self.host, self.port)
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"


Address = UnixPath | HostPort


def local_address(text: str) -> Address:
    """The address that `text` names, a loopback one if it is TCP. Raises `ValueError`."""
    if text.startswith("unix:"):
        return UnixPath(text.removeprefix("unix:"))
    if "/" in text:
        return UnixPath(text)
    address = any_address(text)
    if not _is_loopback(address.host):
        raise ValueError(
            f"{text} can be reached from other machines, and who reaches the sidecar can take and "
            "give back slots: listen on a Unix socket or on 127.0.0.1"
        )
    return address


def any_address(text: str) -> HostPort:
    """The HOST:PORT in `text`. Raises `ValueError`."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(f"{text!r} is no address: write HOST:PORT, as in 127.0.0.1:8082")
    return HostPort(host, int(port))


def rights(text: str) -> int:
    """The file mode in the octal digits `text`. Raises `ValueError`."""
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise ValueError(f"--mode {text} is no file mode: write it in octal, as in 0660")
    return mode


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
