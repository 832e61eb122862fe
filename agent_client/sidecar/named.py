"""The named loads: which claim is whose, through releases and restarts. Pure; time is passed in.

A load's claim id is "<sidecar>-<hash>.<generation>", the hash being of the sidecar's name, the load
and its uid, so that a restarted sidecar knows its own claims. The generation grows with every
ending: the coordinator refuses a released id for two minutes, and a late request for an old claim
must never be taken for one of the new.

    put ─> lone ──found()──> spoken for ──problem──> over ──told()──> gone
           (nobody asks before it is    │
            known what there was)       └──delete()──> going ──released()──> gone
    found ─> spoken for ──nobody names it──> dormant ──put(), get()──> spoken for

What the client is to do is left in `todo`; the owner of this does it after every call.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from enum import Enum
from math import inf
from typing import TYPE_CHECKING

from agent_client.messages import Rejected
from agent_client.session import Session, State
from agent_client.sidecar.entry import Entry
from agent_client.sidecar.problems import Failed, made

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_client.messages import Pod, Problem, Terms
    from agent_client.sidecar.adoption import Found
    from agent_client.sidecar.ids import Ids
    from agent_client.sidecar.requests import Wish

MOST_ENTRIES = 2000
"""Beyond that, ends that no client has asked about are forgotten, oldest first."""


class Step(Enum):
    """What the client shall do with a session."""

    JOIN = "speak for it"
    LEAVE = "give it back"
    ABANDON = "stop speaking for it, and release nothing"


class Names:
    """All named loads of one sidecar. `own` is the Pod in which it runs itself."""

    def __init__(self, ids: Ids, adopt_seconds: float, own: Pod | None = None) -> None:
        self.entries: dict[str, Entry] = {}
        self.going: dict[str, Session] = {}
        """Sessions that are being released, by claim id."""
        self.known = False
        """Whether it was looked up what an earlier life has left at the coordinator."""
        self.ran_without = 0
        """Loads that ran without a slot because nobody could be asked for one."""
        self.todo: deque[tuple[Step, Entry, Session]] = deque()
        self._ids = ids
        self._adopt_seconds = adopt_seconds
        self._own = own
        self._adopt_until = inf

    def put(self, wish: Wish, now: float) -> Entry:
        """The load of this name, asked for if it is new. Raises `Failed` on another one's name."""
        entry = self.entries.get(wish.load)
        if entry is None:
            return self._enter(wish, now)
        if entry.over:
            return entry
        if field := entry.differs(self._ids.key(wish.load, wish.uid), wish):
            raise Failed(_mismatch(entry.load, field))
        if not entry.stated:
            entry.state(wish)
        self._name(entry, now)
        return entry

    def get(self, load: str, now: float) -> Entry | None:
        """The load of this name, taken up again where it was left alone; None if there is none."""
        if (entry := self.entries.get(load)) is not None:
            self._name(entry, now)
        return entry

    def delete(self, load: str, now: float) -> bool:
        """Give back what the load has. Returns whether there was such a load."""
        if (entry := self.entries.pop(load, None)) is None:
            return False
        self._ids.used(entry.key, entry.generation, now)
        if entry.dormant:
            self._take_up(entry, now)
        if entry.spoken and not entry.over:
            self._release(entry)
        return True

    def told(self, entry: Entry, now: float) -> None:
        """A client was told how the load ended: its name is free for a new one."""
        if self.entries.get(entry.load) is entry:
            self._ids.used(entry.key, entry.generation, now)
            del self.entries[entry.load]

    def heard(self, entry: Entry, now: float) -> None:
        """The entry's session may have changed."""
        problem = entry.session.problem
        if entry.session.state is not State.REFUSED or problem is None:
            return
        if problem.name == "released" and self.entries.get(entry.load) is entry:
            entry.generation += 1  # an earlier life has used this one
            self._ask(entry, now)

    def released(self, session: Session, now: float) -> None:
        """The release of `session` is confirmed."""
        parts = self._ids.parts(session.claim)
        if self.going.pop(session.claim, None) is not None and parts is not None:
            self._ids.used(*parts, now)

    def found(self, claims: Sequence[Found], now: float) -> None:
        """What the coordinator has of an earlier life, oldest first; said once."""
        self.known, self._adopt_until = True, now + self._adopt_seconds
        for claim in claims:
            if (parts := self._ids.parts(claim.terms.claim)) is not None:
                self._adopt(claim, *parts, now)
        for entry in self.entries.values():
            if entry.lone and entry.session.state is State.WAITING:
                self._ask(entry, now)

    def refused(self, problem: Problem, now: float) -> None:
        """Nothing is to be had from the coordinator, so it was not said what there is."""
        for entry in self.entries.values():
            if entry.lone and entry.session.state is State.WAITING:
                entry.session.hear(Rejected(problem), now, now)

    def elapse(self, now: float) -> None:
        """Let time pass."""
        self.ran_without += sum(entry.wait_alone(now) for entry in self.entries.values())
        if now >= self._adopt_until:
            self._adopt_until = inf
            for entry in [entry for entry in self.entries.values() if not entry.named]:
                self._let_go(entry, now)

    def next_change(self) -> float:
        """When `elapse` has something to do; infinity when time alone changes nothing."""
        return min([self._adopt_until, *(e.changes_alone_at for e in self.entries.values())])

    def _enter(self, wish: Wish, now: float) -> Entry:
        self._ids.forget_old(now, self.going)
        if len(self.entries) >= MOST_ENTRIES:
            self._forget_an_end(now)
        key = self._ids.key(wish.load, wish.uid)
        generation = self._ids.next(key)
        session = Session(wish.terms(self._ids.claim(key, generation)), wish.patience)
        entry = self.entries[wish.load] = Entry(wish, key, generation, now, session)
        if self.known:
            self._join(entry)
        else:  # it may have a slot from before: nobody is asked until that is known
            session.ask(now)
        return entry

    def _forget_an_end(self, now: float) -> None:
        over = next((entry for entry in self.entries.values() if entry.over), None)
        if over is not None:
            self.told(over, now)

    def _ask(self, entry: Entry, now: float) -> None:
        """Ask under the entry's generation, with what is left of its patience."""
        patience = entry.wish.patience
        left = replace(patience, timeout=max(0.0, patience.timeout - (now - entry.since)))
        entry.session = Session(self._terms(entry), left)
        self._join(entry)

    def _take_up(self, entry: Entry, now: float) -> None:
        """Speak again for what an earlier life asked for, or what was let go."""
        session = entry.session = Session(self._terms(entry), entry.wish.patience)
        session.sent = True
        if entry.grant is not None:
            session.resume(entry.grant, now)
        self._join(entry)

    def _terms(self, entry: Entry) -> Terms:
        return entry.wish.terms(self._ids.claim(entry.key, entry.generation))

    def _join(self, entry: Entry) -> None:
        entry.spoken = True
        self.todo.append((Step.JOIN, entry, entry.session))

    def _release(self, entry: Entry) -> None:
        self.going[entry.session.claim] = entry.session
        self.todo.append((Step.LEAVE, entry, entry.session))

    def _adopt(self, claim: Found, key: str, generation: int, now: float) -> None:
        wish = claim.wish()
        session = Session(claim.terms)
        entry = Entry(wish, key, generation, now, session, claim.grant, adopted=True)
        before = self.entries.get(entry.load)
        if before is not None and before.lone and before.key == key:
            self._merge(before, entry, now)
            return
        if before is not None:
            self._supersede(before, entry, now)
        entry.stated = entry.named = False
        self.entries[entry.load] = entry
        if entry.grant is not None:
            self._take_up(entry, now)

    def _merge(self, lone: Entry, found: Entry, now: float) -> None:
        """A client has asked already, before it was known that its load has a claim."""
        if found.grant is None and not lone.session.governed:
            return  # it runs without a slot; the place in the queue is let go
        wish = found.wish
        lone.wish = replace(lone.wish, priority=wish.priority, ttl=wish.ttl)
        lone.generation, lone.grant, lone.adopted = found.generation, found.grant, True
        self._take_up(lone, now)

    def _supersede(self, before: Entry, found: Entry, now: float) -> None:
        """Two of one name. A client's own goes: its name is another load's. Of two from before,
        the older goes: it was given back, or the newer one could not have been asked for.
        """
        if before.adopted:
            self._take_up_once(before, now)
            self._release(before)
        elif not before.over:
            before.session.hear(Rejected(_mismatch(before.load, "uid")), now, now)

    def _take_up_once(self, entry: Entry, now: float) -> None:
        if not entry.spoken:
            self._take_up(entry, now)

    def _let_go(self, entry: Entry, now: float) -> None:
        """No client knows it any more: the coordinator's evidence about its Pod decides. Our own
        Pod runs as long as we do, so of that one there will be none, and the slot is given back.
        """
        if entry.over:
            return
        if not entry.spoken:
            del self.entries[entry.load]
            return
        if self._own is not None and entry.wish.pod == self._own:
            self.delete(entry.load, now)
            return
        entry.spoken, entry.grant = False, entry.session.grant
        self.todo.append((Step.ABANDON, entry, entry.session))

    def _name(self, entry: Entry, now: float) -> None:
        entry.named = True
        if entry.dormant:
            self._take_up(entry, now)


def _mismatch(load: str, field: str) -> Problem:
    detail = f"load {load!r} is there with another {field}: DELETE it first, or choose another name"
    return made(409, "claim-mismatch", detail, field)
