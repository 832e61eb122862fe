"""The asyncio client: `async with SlotClient().slot(load="backup-7/pvc-3") as slot:`.

Everything that decides is in `session` and `agent`; this is the part that sends, waits and wakes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import uuid
from typing import TYPE_CHECKING, Literal, Self, Unpack

from agent_client.agent import Agent, SyncRequest
from agent_client.asking import Asking, new_session
from agent_client.clock import boottime
from agent_client.errors import NoAnswer
from agent_client.settings import Settings
from agent_client.slot import M, Slot
from agent_client.taking import Taking
from agent_client.transport import HttpTransport, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.messages import Pod
    from agent_client.session import Session

LONGEST_NAP = 5.0
"""Seconds between two looks at the clock: asyncio's timers stand still while a machine sleeps."""

logger = logging.getLogger("agent_client")


class SlotClient:
    """Takes slots of one node for any number of loads; one sync speaks for all of them.

    Arguments left out come from the environment: NODE_SLOTS_URL, NODE_SLOTS_NAMESPACE,
    NODE_SLOTS_NODE or NODE_NAME, NODE_SLOTS_TOKEN_FILE, NODE_SLOTS_CA_FILE, and the Pod of the
    loads from POD_NAMESPACE, POD_NAME and POD_UID.

    Used inline, the connection closes with the last slot. Used as `async with SlotClient() as
    client`, it stays open between slots.

    Raises:
        SettingsError: the URL, the namespace or the node is not known.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        namespace: str | None = None,
        node: str | None = None,
        pod: Pod | None = None,
        agent: str | None = None,
        token_file: str | None = None,
        ca_file: str | None = None,
        transport: Transport | None = None,
        clock: Callable[[], float] = boottime,
    ) -> None:
        self.settings = Settings.resolve(
            url=url,
            namespace=namespace,
            node=node,
            pod=pod,
            agent=agent,
            token_file=token_file,
            ca_file=ca_file,
        )
        self._clock = clock
        self._transport = transport or HttpTransport(self.settings)
        self._agent = Agent(self.settings.agent, uuid.uuid4().hex, random.random)
        self._watchers: dict[str, Callable[[], None]] = {}
        self._wake = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._exchanges: list[asyncio.Task[None]] = []
        self._kept = False
        self._silent = False

    async def __aenter__(self) -> Self:
        self._kept = True
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop speaking and close the connection. Slots still held end with their TTL."""
        self._kept = False
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)
        await self._transport.close()

    def slot(
        self,
        *,
        load: str,
        on_lost: Literal["tell", "cancel"] = "tell",
        **asking: Unpack[Asking],
    ) -> Taking[asyncio.Event]:
        """A slot for `load`, to be entered with `async with`; entering waits for the grant.

        Args:
            load: the load's name, 1 to 256 characters.
            on_lost: "tell" sets `slot.lost` and leaves the body alone. "cancel" cancels the body
                as well and raises SlotLost in its place.
            priority: (0) higher goes first; loads of equal priority go in the order they came.
            timeout: (None) seconds to wait in the queue; None waits for ever, 0 takes a slot only
                when one is free (the grant itself gets a second).
            ttl: (60) seconds after which a silent holder's slot is freed, 10 to 3600.
            claim: the claim's id; a random one when left out. The same id is the same claim: a
                restarted process that asks with it gets its slot back.
            pod: the Pod in which the load runs, when it is not this process's own.
            if_unavailable: when no coordinator answers for `unavailable_after` seconds: "wait"
                on (the default), "run" without a slot (`slot.governed` is False), or "fail".
            unavailable_after: (30) seconds, see above.
            release_timeout: (20) seconds that leaving waits for the release to be confirmed. After
                that the TTL frees the slot, and a warning is logged.
            on_queued: called with each new place, reason or list of holders while queued.

        Raises:
            SlotTimeout: `timeout` passed while queued. The claim has left the queue.
            CoordinatorUnavailable: nobody answered, and `if_unavailable` is "fail".
            Refused: the coordinator refuses this claim, for good.
            SlotLost: from the body's end, with `on_lost="cancel"` only.
        """
        return self.taking(asyncio.Event, load, asking, cancels=on_lost == "cancel")

    def taking(
        self, marks: Callable[[], M], load: str, asking: Asking, *, cancels: bool = False
    ) -> Taking[M]:
        """As `slot`, with `marks` making the events `lost` and `unconfirmed` of the slot."""
        session = new_session(load, asking, self.settings.pod)
        where = (self.settings.namespace, self.settings.node)
        slot = Slot(session, where, marks, self._clock)
        return Taking(self, session, slot, asking.get("on_queued"), cancels=cancels)

    def join(self, session: Session, watcher: Callable[[], None]) -> None:
        """Speak for `session`; `watcher` is called whenever it may have changed."""
        self._agent.join(session, self._clock())
        self._watchers[session.claim] = watcher
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="node-slots sync")
        self._wake.set()

    def leave(self, session: Session) -> None:
        """Release `session`, or take it out of the queue; `releasing` tells when that is done."""
        governed = session.governed
        self._agent.leave(session, self._clock())
        if not governed:  # it has no slot to give back
            self._agent.forget(session.claim)
        self._wake.set()

    def releasing(self, session: Session) -> bool:
        """Whether the release of `session` is neither confirmed nor given up yet."""
        running = self._runner is not None and not self._runner.done()
        return running and session.claim in self._agent.releases

    async def forget(self, session: Session) -> None:
        """The owner of `session` is gone. A release not confirmed yet goes on by itself."""
        self._watchers.pop(session.claim, None)
        if self._runner is not None and self._agent.idle and not self._kept:
            await asyncio.wait({self._runner})  # it closes the connection on its way out

    def check(self) -> None:
        """Raise what ended the sync loop, if something did; a waiting claim calls this."""
        if self._runner is None or self._runner.cancelled():
            raise RuntimeError("the client was closed while a slot was asked for")
        if self._runner.done():
            self._runner.result()

    async def _run(self) -> None:
        """Send what is due as long as there is something to say."""
        try:
            while not self._agent.idle:
                await self._serve()
                await self._hang_up()  # somebody may join meanwhile
        except BaseException:
            await self._hang_up()
            raise

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock()
            self._elapse(now)
            if self._agent.idle:
                return
            if self._agent.due(now) <= now:
                self._send(self._agent.request(now))
            else:
                await self._nap(min(self._agent.due(now), self._agent.next_change()) - now)

    async def _hang_up(self) -> None:
        exchanges, self._exchanges = self._exchanges, []
        for exchange in exchanges:
            exchange.cancel()
        await asyncio.gather(*exchanges, return_exceptions=True)
        if not self._kept:
            await self._transport.close()
        self._look()

    async def _nap(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(seconds, 0.0), LONGEST_NAP)):
                await self._wake.wait()

    def _elapse(self, now: float) -> None:
        for claim in self._agent.elapse(now):
            logger.warning("the release of claim %s was not confirmed: its TTL ends it", claim)
        self._look()

    def _look(self) -> None:
        """Everybody looks whether something changed."""
        for watcher in list(self._watchers.values()):
            watcher()

    def _send(self, request: SyncRequest) -> None:
        """The coordinator ends the request before this one; those before that hang: cut them."""
        self._exchanges = [task for task in self._exchanges if not task.done()]
        for task in self._exchanges[:-1]:
            task.cancel()
        self._exchanges.append(asyncio.create_task(self._exchange(request)))

    async def _exchange(self, request: SyncRequest) -> None:
        why = "no usable answer"
        try:
            reply = await self._transport.sync(request.body, request.timeout)
        except NoAnswer as error:
            self._agent.unanswered(request, self._clock())
            why = str(error)
        else:
            self._agent.replied(request, reply, self._clock())
            why = f"HTTP {reply.status}"
        self._report(why)
        self._look()
        self._wake.set()

    def _report(self, why: str) -> None:
        """Tell the beginning and the end of an outage once, and what ran without a slot in it."""
        silent = self._agent.silent_since is not None
        if silent and not self._silent:
            logger.warning("no coordinator answers at %s (%s); retrying", self.settings.url, why)
        if self._silent and not silent:
            logger.warning("the coordinator at %s answers again", self.settings.url)
        self._silent = silent
        if not silent and self._agent.ran_without:
            logger.warning(
                "%d load(s) ran without a slot while no coordinator answered",
                self._agent.ran_without,
            )
            self._agent.ran_without = 0
