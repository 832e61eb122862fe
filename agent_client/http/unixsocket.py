"""A listening Unix socket that is never open to more users than asked for."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
import stat
from pathlib import Path


class ListenError(OSError):
    """The address cannot be listened on; the message says why and what to do."""


class UnixListener:
    """Listens at `path`, which is there only once it accepts. Raises `ListenError`."""

    def __init__(self, path: str, mode: int, backlog: int) -> None:
        self.path = Path(path)
        _make_way(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._put(mode, backlog)
        except OSError as error:
            self.socket.close()
            raise ListenError(f"no socket can be made at {path}: {_why(error)}") from error
        self._own = _identity(self.path)

    def _put(self, mode: int, backlog: int) -> None:
        """Bound under another name first: who connects by `path` finds the old or the new one."""
        os.fchmod(self.socket.fileno(), mode)  # Linux makes the file with these rights
        first = self.path.with_name(f".{secrets.token_hex(3)}")
        self.socket.bind(str(first))
        try:
            first.chmod(mode)  # what the umask took away
            self.socket.listen(backlog)
            first.rename(self.path)
        except OSError:
            first.unlink(missing_ok=True)
            raise

    def remove(self) -> None:
        """Take the file away, if it is still this socket's."""
        with contextlib.suppress(OSError):
            if _identity(self.path) == self._own:
                self.path.unlink()


def _make_way(path: Path) -> None:
    """Refuse a path where somebody serves, or where something else lies."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # what is wrong with the folder shows when the socket is made
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path} is there and is no socket: remove it, or choose another path")
    if _accepts(path):
        raise ListenError(f"another process serves at {path}: end it, or choose another path")


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        code = probe.connect_ex(str(path))
    return code in {0, errno.EAGAIN}  # a full backlog is a live one, too


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


def _why(error: OSError) -> str:
    return error.strerror or str(error)
