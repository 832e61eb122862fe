"""What the service says instead of an answer; the API turns each into a problem."""

from __future__ import annotations

NO_POOLS_LEFT = "this replica is shutting down and serves no pool any more"
"""Of one that followed, or whose time as leader is over."""


class ServiceError(Exception):
    """The request could not be served; nothing was changed."""


class Retriable(ServiceError):
    """It may be served in `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NotReady(Retriable):
    """The coordinator has no complete picture yet."""


class NotLeading(Retriable):
    """Another replica leads, or none at the moment."""


class Stopping(Retriable):
    """The coordinator is shutting down; another, or the next, answers soon."""


class NodeNotSeen(Retriable):
    """The node is unknown, but so new a node may be quicker than the watch."""


class NodeUnknown(ServiceError):
    """The cluster has no such node."""


class PoolUnknown(ServiceError):
    """This coordinator serves no pool in that namespace."""


class StaleSync(ServiceError):
    """The sync is older than another one of the same agent."""


class Unauthenticated(ServiceError):
    """The caller's token is none that the API server accepts."""


class NotConfirmed(Retriable):
    """The API server cannot be asked who the caller is, or what it may; so nothing new begins."""


class PodElsewhere(ServiceError):
    """The load's Pod that a claim names is not known to run on the claim's node."""
