"""What can go wrong for whoever asks for a slot, as types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_client.messages import Problem


class SlotError(Exception):
    """Any of the failures below; catch it to catch them all."""


class SlotTimeout(SlotError):
    """The claim's own `timeout` passed while it was queued. The claim has left the queue."""


class SlotLost(SlotError):
    """The coordinator said for certain that the slot is no longer this claim's."""


class SlotUnconfirmed(SlotError):
    """A checkpoint's `timeout` passed while nobody knew whether the slot is still this claim's."""


class CoordinatorUnavailable(SlotError):
    """No coordinator answered for `unavailable_after` seconds and `if_unavailable` is "fail"."""


class ClientClosed(SlotError):
    """The client was closed, or has departed, while a slot was asked for or looked at."""


class Refused(SlotError):
    """A definite refusal; asking again the same way would be refused again.

    `problem` is the coordinator's RFC 9457 problem: `problem.name` is stable and meant for
    programs, `problem.detail` says what to do and is meant for people.
    """

    def __init__(self, message: str, problem: Problem) -> None:
        super().__init__(message)
        self.problem = problem


class SettingsError(SlotError):
    """A setting is missing or makes no sense; the message names it."""


class NoAnswer(SlotError):
    """A transport got nothing usable back: no connection, a timeout, or a broken body.

    For authors of transports; users of the client never see it.
    """
