"""Failures of requests to the API server, as types.

For a write three outcomes matter (promise P2): it took effect, it certainly did not, or nobody can
tell. `UnknownOutcome` is the third; every other error of a write says that *this* request changed
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordinator.kube.calls import Call


class ApiError(Exception):
    """A request failed.

    `call` says which, `status` is the HTTP status (0: there was no answer), `reason` the API
    server's machine-readable reason, `retry_after` the seconds that it asked to wait, or None.
    """

    hint = ""

    def __init__(
        self,
        call: Call,
        message: str,
        *,
        status: int = 0,
        reason: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(call, message)
        self.call = call
        self.message = message
        self.status = status
        self.reason = reason
        self.retry_after = retry_after

    def __str__(self) -> str:
        answer = f" ({self.status} {self.reason})".replace(" )", ")") if self.status else ""
        return f"could not {self.call}: {self.message}{answer}{self.hint}"


class Refused(ApiError):
    """The API server refused the request: it had no effect, and the same again is refused too."""


class Invalid(Refused):
    """400, 413, 415, 422: the request itself is at fault."""


class Conflict(Refused):
    """409: the precondition (uid, resourceVersion) does not hold."""


class AlreadyExists(Refused):
    """409 on a create: the name is taken."""


class NotFound(Refused):
    """404, said by the API server itself about the object."""


class Expired(Refused):
    """That resourceVersion or continue token cannot be served: a new list is needed."""


class Forbidden(Refused):
    """403: a right is missing; the text names the verb and the resource."""

    @property
    def hint(self) -> str:  # type: ignore[override]
        """Which rule to add, and where."""
        kind = "Role" if self.call.namespace else "ClusterRole"
        place = f" in namespace {self.call.namespace}" if self.call.namespace else ""
        return f". Missing right: {self.missing}{place}; add it to the coordinator's {kind}"

    @property
    def missing(self) -> str:
        """The right, as `resource.group: verb`."""
        return f"{self.call.resource}: {self.call.verb}"


class Unauthorized(Refused):
    """401: the credentials were not accepted; they are read anew before the next request."""

    hint = ". The credentials are expired or belong to another cluster"


class Throttled(ApiError):
    """429: not let in; it had no effect. `retry_after` may say when to come back."""


class NotSent(ApiError):
    """No byte of the request left (refused, no route, DNS, TLS, credentials): no effect."""


class Unavailable(ApiError):
    """A read that failed: no connection, a timeout, a 5xx, an unreadable answer."""


class UnknownOutcome(ApiError):
    """A write that may have taken effect, or may yet: a timeout, a lost connection, a 5xx."""

    hint = ". Whether it took effect is not known"
