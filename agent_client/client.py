"""The asyncio client: `async with SlotClient().slot(load="backup-7/pvc-3") as slot:`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from agent_client.asking import Asking, Wish, new_session
from agent_client.clock import boottime
from agent_client.settings import Settings
from agent_client.slot import AsyncSlot, S
from agent_client.speaking import Speaker
from agent_client.taking import Taking
from agent_client.together import Several, Wanted
from agent_client.transport import HttpTransport, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent_client.messages import Pod
    from agent_client.session import Session


class SlotClient(Speaker):
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
        settings = Settings.resolve(
            url=url,
            namespace=namespace,
            node=node,
            pod=pod,
            agent=agent,
            token_file=token_file,
            ca_file=ca_file,
        )
        super().__init__(settings, transport or HttpTransport(settings), clock)

    def slot(
        self, *, load: str, cancel_on_lost: bool = False, **asking: Unpack[Asking]
    ) -> Taking[AsyncSlot]:
        """A slot for `load`, to be entered with `async with`; entering waits for the grant.

        Args:
            load: the load's name, 1 to 256 characters.
            cancel_on_lost: when the slot is lost, cancel the body and raise SlotLost in its
                place. By default the body goes on; `slot.lost`, `slot.checkpoint()` and `on_lost`
                tell.
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
            on_lost: called with the slot, once, when it is lost.
            on_unconfirmed: called with the slot each time that it becomes unconfirmed.

        The callbacks run in the event loop's thread and must not block it. An exception in one is
        logged and changes nothing.

        Raises:
            SlotTimeout: `timeout` passed while queued. The claim has left the queue.
            CoordinatorUnavailable: nobody answered, and `if_unavailable` is "fail".
            Refused: the coordinator refuses this claim, for good.
            ClientClosed: the client was closed, or departed, while this waited.
            SlotLost: from the body's end with `cancel_on_lost`; or the slot was lost in the
                moment of its grant.
        """
        return self.taking(AsyncSlot, load, asking, cancels=cancel_on_lost)

    def wanted(self, *, load: str, **wish: Unpack[Wish]) -> Wanted[AsyncSlot]:
        """One slot of this client for `several`; the arguments are those of `slot`."""
        return self.wanting(AsyncSlot, load, wish)

    def slots(
        self,
        loads: Sequence[str],
        *,
        timeout: float | None = None,
        cancel_on_lost: bool = False,
        **wish: Unpack[Wish],
    ) -> Several[AsyncSlot]:
        """A slot for each of `loads`, all of them or none; see `several`."""
        wanted = [self.wanted(load=load, **wish) for load in loads]
        return Several(wanted, timeout, cancels=cancel_on_lost)

    def taking(
        self,
        make: Callable[[Session, tuple[str, str], Callable[[], float]], S],
        load: str,
        asking: Asking,
        *,
        cancels: bool = False,
    ) -> Taking[S]:
        """As `slot`, with `make` making the slot from its session, its place and the clock."""
        session = new_session(load, asking, self.settings.pod)
        slot = make(session, (self.settings.namespace, self.settings.node), self._clock)
        return Taking(self, session, slot, asking, cancels=cancels)

    def wanting(
        self,
        make: Callable[[Session, tuple[str, str], Callable[[], float]], S],
        load: str,
        wish: Wish,
    ) -> Wanted[S]:
        """As `wanted`, with `make` making the slot."""
        where = (self.settings.url, self.settings.namespace, self.settings.node)
        return Wanted(load, where, wish, lambda asking: self.taking(make, load, asking))
