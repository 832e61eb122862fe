"""The hold container's whole life: ask, wait, hold, and at SIGTERM say so and go."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent_client.agent import Agent
from agent_client.errors import NoAnswer
from agent_client.hold import record as r
from agent_client.hold.holding import Holding
from agent_client.hold.line import Line
from agent_client.hold.pulse import Ended, Pulse
from agent_client.messages import said

if TYPE_CHECKING:
    from agent_client.hold.desk import Desk
    from agent_client.messages import Problem, Terms
    from agent_client.session import Patience
    from agent_client.settings import Settings

ENDED, UNAVAILABLE, REFUSED = 0, 75, 76
FINISHED = "pod-finished"
"""The coordinator's problem with a claim whose Pod it has seen finished."""
LAST_WORDS = 0.8
"""Seconds that the last sync may take: hold is gone within a second of SIGTERM."""
OUTAGE = 5.0
"""Seconds of silence that are worth a word: a coordinator that restarts takes about one."""


class Hold:
    """One process. What it has to tell goes over `desk`."""

    def __init__(self, settings: Settings, terms: Terms, patience: Patience, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk
        self._agent = Agent(settings.agent, os.urandom(16).hex(), _jitter)
        self._holding = Holding(self._agent, terms, patience, desk.before(terms.claim))
        self._pulse = Pulse(self._look)
        self._line = Line(settings, self._pulse)
        self._why = ""

    def run(self) -> int:
        """Hold a slot until a signal comes. Returns the exit code: 0, 75 or 76."""
        self._pulse.open()
        try:
            self._holding.ask(self._pulse.now())
            return self._speak()
        except Ended:
            return self._leave()
        finally:
            self._line.close()
            self._pulse.close()

    def _speak(self) -> int:
        while True:
            self._look()
            if (problem := self._holding.problem) is not None:
                self._await_the_end(problem)
                return REFUSED
            if self._holding.unavailable:
                return UNAVAILABLE
            self._act(self._pulse.now() + 3600)

    def _await_the_end(self, problem: Problem) -> None:
        """Where the Pod's own containers have ended, the kubelet's SIGTERM is on its way.

        The coordinator may have seen that end first. Who left now would only be started again.
        """
        while problem.name == FINISHED:
            self._pulse.nap(self._pulse.now() + 3600)

    def _act(self, deadline: float) -> None:
        """Say what is due, or wait until something is."""
        now = self._pulse.now()
        due = self._agent.due(now)
        if due <= now:
            self._exchange(deadline - now)
        else:
            self._pulse.nap(min(due, deadline))

    def _exchange(self, within: float) -> None:
        request = self._agent.request(self._pulse.now())
        try:
            reply = self._line.sync(request.body, min(request.timeout, within))
        except NoAnswer as error:
            self._why = self._why or str(error)
            self._agent.unanswered(request, self._pulse.now())
        else:
            self._agent.replied(request, reply, self._pulse.now())
            if self._agent.silent_since is not None:
                self._why = self._why or said(reply)

    def _look(self) -> float:
        """Let time pass, and tell what has changed. Returns when time changes something again."""
        if self._agent.departing:
            return r.NEVER
        now = self._pulse.now()
        self._agent.elapse(now)
        self._holding.step(now)
        self._desk.tell(r.record(self._holding, self._settings, self._silence(now)), now)
        return self._agent.next_change()

    def _silence(self, now: float) -> str | None:
        """Why nobody answers, once that has lasted; the first reason says the most."""
        since = self._agent.silent_since
        if since is None:
            self._why = ""
        if since is None or now < since + OUTAGE:
            return None
        return self._why or "no usable answer"

    def _leave(self) -> int:
        """Say the last words; whether anybody hears them or not, it is over within a second."""
        held = self._holding.session.grant is not None
        deadline = self._pulse.now() + LAST_WORDS
        self._agent.depart(self._pulse.now())
        try:
            while not self._agent.departed and self._pulse.now() < deadline:
                self._act(deadline)
        except Ended:  # a second signal has no patience at all
            pass
        self._desk.leave(held=held, heard=self._agent.departed)
        return ENDED


def _jitter() -> float:
    return int.from_bytes(os.urandom(4), "big") / 2**32
