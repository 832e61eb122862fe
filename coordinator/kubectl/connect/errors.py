"""What can be wrong on the way to the coordinator, as two types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.kube.errors import ApiError


class Unreachable(Exception):
    """No coordinator answered. The text says what was tried, and what to do; it has no token."""


class Refused(Exception):
    """The coordinator answered with a problem (RFC 9457); the text is its `detail`.

    `status` is the HTTP status, `problem` the whole answer as it was read, {} where it was none.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or f"the coordinator answered {status}"))
        self.status = status
        self.problem: dict[str, Any] = dict(problem)

    @property
    def name(self) -> str:
        """The problem's stable name, as `no-leader`; "" where the answer was no problem."""
        return str(self.problem.get("type") or "").rpartition("/")[2]


def told(error: ApiError) -> str:
    """What the API server's refusal means for the user, whose own rights these are."""
    from coordinator.kube.errors import Forbidden

    if not isinstance(error, Forbidden):
        return str(error)
    call = error.call
    place = f" in namespace {call.namespace}" if call.namespace else ""
    return f"you may not {call.verb} {call.resource}{place} (ask for that right)"


def brief(error: BaseException) -> str:
    """A library's error in a few words. Only its text: some show a request's headers in `repr`."""
    return f"{type(error).__name__}: {error}".rstrip(": ") if str(error) else type(error).__name__
