"""A terminal with a shell behind it: what a person types, sees, and gets told by the shell."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import re
import socket
import struct
import sys
import termios
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_client.clock import boottime
from tests.agent_client.server import serving, url_of
from tests.agent_client.wrapper.process import RUN, environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.agent_client.fake import FakeCoordinator

SHELL = Path(__file__).with_name("shell.py")
_DEADLINE = 60.0
_LONGEST = 110.0
"""Seconds: for one thing that is shown, and for a whole visit. Only a fault takes them."""
CTRL_C, CTRL_Z = "\x03", "\x1a"


class Desk:
    """The terminal's other side, and a line to the shell."""

    def __init__(
        self, master: int, orders: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        self._master = master
        self._answers, self._orders = orders
        self._news = asyncio.Event()
        self.screen = ""
        """All that was shown since the last `type`."""
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # nobody has the terminal open any more
            asyncio.get_running_loop().remove_reader(self._master)
            return
        self.screen += data.decode()
        self._news.set()

    def type(self, text: str) -> None:
        """What the keyboard sends."""
        self.screen = ""
        os.write(self._master, text.encode())

    async def shows(self, text: str) -> None:
        """Until the terminal has shown `text` since the last `type`."""
        await self._shown(text, lambda: text in self.screen)

    async def ends_with(self, text: str) -> None:
        """Until `text` is the last that the terminal has shown since the last `type`."""
        await self._shown(text, lambda: self.screen.endswith(text))

    async def shows_times(self, text: str, times: int) -> None:
        """Until so many different lines that match `text` have been shown since the last `type`."""
        await self._shown(text, lambda: len(set(re.findall(text, self.screen))) >= times)

    async def _shown(self, text: str, look: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(_DEADLINE):
                while not look():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} was not shown: {self.screen!r}") from None

    async def passes(self, deadline: float) -> None:
        """Until `deadline` on the agent's clock: for what only the time itself brings about."""
        await asyncio.sleep(deadline - boottime())

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def order(self, *words: str) -> dict[str, Any]:
        """What the shell answers to one order, for example ("fg",); nothing once it is gone."""
        self._orders.write((json.dumps(words) + "\n").encode())
        answer: dict[str, Any] = json.loads(await self._answers.readline() or "{}")
        return answer

    def asks(self, *words: str) -> asyncio.Task[dict[str, Any]]:
        """As `order`, for one whose answer comes only after something else."""
        return asyncio.create_task(self.order(*words))


def wrapped(*arguments: str) -> tuple[str, ...]:
    """`slot-agent run --load job ARGUMENTS` as the shell starts it."""
    return (*RUN, *arguments)


@asynccontextmanager
async def desk(fake: FakeCoordinator) -> AsyncIterator[Desk]:
    """A terminal whose shell runs what asks `fake` for slots."""
    master, slave = pty.openpty()
    ours, theirs = socket.socketpair()
    async with serving(fake) as server, asyncio.timeout(_LONGEST):
        orders = await asyncio.open_connection(sock=ours)
        shell = await asyncio.create_subprocess_exec(
            *(sys.executable, str(SHELL), str(theirs.fileno())),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            env=environment(url_of(server), TERM="xterm"),
        )
        os.close(slave)
        theirs.close()
        made = Desk(master, orders)
        try:
            yield made
        finally:
            orders[1].close()
            with contextlib.suppress(OSError):
                await orders[1].wait_closed()
            await _end(shell, fake)
            asyncio.get_running_loop().remove_reader(master)
            os.close(master)


async def _end(shell: asyncio.subprocess.Process, fake: FakeCoordinator) -> None:
    """The shell ends with its orders. After a failure it may wait for its job: then it is killed.

    The terminal hangs up with it, and so the job ends; nobody answers it any more.
    """
    try:
        async with asyncio.timeout(2):
            await shell.wait()
    except TimeoutError:
        fake.stop()
        shell.kill()
        await shell.wait()
