"""Reaching a host: its name looked up anew, its addresses tried side by side (RFC 8305)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HEAD_START = 0.25
"""Seconds that an address is alone before the next one is tried beside it."""
SILENT_FOR = 10
"""Seconds without a sign of life after which the kernel ends a connection. A coordinator's host
that vanishes sends no reset, and a long poll would wait for its answer in vain."""

Address = tuple[int, tuple[Any, ...]]
"""A family and what `connect` takes."""

_OPTIONS = (
    ("SOL_SOCKET", "SO_KEEPALIVE", 1),
    ("IPPROTO_TCP", "TCP_NODELAY", 1),
    ("IPPROTO_TCP", "TCP_KEEPIDLE", SILENT_FOR // 2),
    ("IPPROTO_TCP", "TCP_KEEPINTVL", 2),
    ("IPPROTO_TCP", "TCP_KEEPCNT", 3),
    ("IPPROTO_TCP", "TCP_USER_TIMEOUT", SILENT_FOR * 1000),
)


async def reach(host: str, port: int) -> socket.socket:
    """A connected socket, of the first address that answers.

    Raises:
        OSError: the name is not known (`socket.gaierror`), or no address takes the connection.
    """
    found = await look_up(host, port)
    return await first_of(found)


async def look_up(host: str, port: int) -> list[Address]:
    """The addresses of `host`, the families in turn.

    A thread of its own asks, which nobody waits for at the end: a resolver that hangs would keep
    a process from leaving, as asyncio's own threads do.
    """
    with contextlib.suppress(socket.gaierror):
        return _addresses(host, port, socket.AI_NUMERICHOST)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def work() -> None:
        try:
            found = _addresses(host, port)
        except OSError as error:
            tell(answer.set_exception, error)
        else:
            tell(answer.set_result, found)

    def tell(how: Callable[[Any], None], what: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(lambda: None if answer.done() else how(what))

    threading.Thread(target=work, name="node-slots name look-up", daemon=True).start()
    return await answer


async def first_of(addresses: Sequence[Address]) -> socket.socket:
    """The first connection that stands. Raises `OSError` with every address's reason."""
    tries: list[asyncio.Task[socket.socket]] = []
    try:
        for number, address in enumerate(addresses, 1):
            tries.append(asyncio.create_task(_connect(address)))
            alone = HEAD_START if number < len(addresses) else None
            if (winner := await _winner(tries, alone)) is not None:
                tries.remove(winner)
                return winner.result()
    finally:
        for loser in tries:
            loser.add_done_callback(_discard)
            loser.cancel()
    raise _reasons(addresses, tries)


async def _winner(
    tries: Sequence[asyncio.Task[socket.socket]], seconds: float | None
) -> asyncio.Task[socket.socket] | None:
    """A try that succeeds within `seconds`. Sooner None when one more fails, but not the last."""
    while running := [task for task in tries if not task.done()]:
        done, _ = await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in tries:
            if task in done and task.exception() is None:
                return task
        if seconds is not None:
            break
    return None


async def _connect(address: Address) -> socket.socket:
    family, where = address
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        for level, name, value in _OPTIONS:
            if hasattr(socket, name):
                made.setsockopt(getattr(socket, level), getattr(socket, name), value)
        await asyncio.get_running_loop().sock_connect(made, where)
    except BaseException as error:
        made.close()
        if isinstance(error, OSError) and error.errno:  # asyncio's own text is for programmers
            raise OSError(error.errno, os.strerror(error.errno)) from error
        raise
    return made


def _addresses(host: str, port: int, flags: int = 0) -> list[Address]:
    name = host.encode("ascii")  # as text it is looked at by IDNA, whose tables take memory
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=flags)
    families: dict[int, list[Address]] = {}
    for family, _, _, _, where in found:
        families.setdefault(family, []).append((family, where))
    turns = chain.from_iterable(zip_longest(*families.values()))
    return [address for address in turns if address is not None]


def _discard(loser: asyncio.Task[socket.socket]) -> None:
    if not loser.cancelled() and loser.exception() is None:
        loser.result().close()


def _reasons(
    addresses: Sequence[Address], tries: Sequence[asyncio.Task[socket.socket]]
) -> BaseException:
    errors = [task.exception() for task in tries]
    if len(errors) == 1 and errors[0] is not None:
        return errors[0]
    told = zip(addresses, errors, strict=True)
    why = (f"{where[0]}: {getattr(error, 'strerror', error)}" for (_, where), error in told)
    return OSError("; ".join(why))
