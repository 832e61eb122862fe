"""What callers may send, as pydantic models: the one place that knows each field and its range.

Strict: "60" is no number and true is no integer, so that a caller's mistake shows. Unknown fields
are kept aside, to be named in a `Warning` header and ignored: a coordinator serves agents two
minor versions older and newer.
"""

from __future__ import annotations

import re
from functools import cache
from sys import intern
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from coordinator.core.messages import Ask
from coordinator.core.model import DEFAULT_TTL, MAX_TTL, MIN_TTL, PodRef, Terms

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from coordinator.core.model import Speaker

MOST_CLAIMS = 1000
"""Claims, and releases, in one sync."""
LONGEST_WAIT = 55
"""Seconds; below the 60 after which common proxies give up."""
WAIT_SHARE = 3
"""A holder waits at most this part of its TTL, so that two renewals may fail before it ends."""

MOST_NAMES, LONGEST_NAME = 100, 100
"""Unknown fields that are kept to be named, and characters of each."""

_TICKET = re.compile(r"(0|[1-9][0-9]{0,18})\.(0|[1-9][0-9]{0,18})", re.ASCII)


def printable(text: str) -> str:
    """The text, if all of it can be shown. A load's name goes into logs, tables and Leases."""
    if not text.isprintable():
        raise PydanticCustomError("not_printable", "must have printable characters only")
    return text


def readable_ticket(text: str) -> str:
    """The text, if it is a ticket of a coordinator."""
    if _TICKET.fullmatch(text) is None:
        raise PydanticCustomError(
            "ticket", "is no ticket of a coordinator; send it as it was answered, or leave it out"
        )
    return text


ClaimId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$",
        description="The claim's id, chosen by the agent. The same id always means the same claim.",
    ),
]
Load = Annotated[
    str,
    Field(min_length=1, max_length=256, description="The load's name, as people know it."),
    AfterValidator(printable),
]
NodeName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
        description="The node's name (RFC 1123 subdomain).",
    ),
]
Namespace = Annotated[
    str,
    Field(
        min_length=1,
        max_length=63,
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        description="The pool's namespace (RFC 1123 label).",
    ),
]
Wait = Annotated[
    float,
    Field(
        ge=0,
        le=LONGEST_WAIT,
        allow_inf_nan=False,
        description="Seconds to wait for news; at most a third of the TTL while holding.",
    ),
]


class Body(BaseModel):
    """A JSON object of a request."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class PodBody(Body):
    """The Pod in which the load runs; its end is what frees a dead holder's slot early."""

    namespace: Namespace
    name: NodeName = Field(description="The Pod's name (RFC 1123 subdomain).")
    uid: Annotated[str, Field(max_length=128), AfterValidator(printable)] = Field(
        "", description="The Pod's uid, which tells it from a later Pod of the same name."
    )

    def ref(self) -> PodRef:
        """The Pod as the core knows it."""
        return PodRef(intern(self.namespace), self.name, self.uid)


class TermsBody(Body):
    """What a claim asks for."""

    load: Load
    priority: int = Field(
        0, ge=-1_000_000, le=1_000_000, description="Higher goes first in the queue."
    )
    ttlSeconds: int = Field(  # noqa: N815 - the wire's name
        DEFAULT_TTL,
        ge=MIN_TTL,
        le=MAX_TTL,
        description="Seconds after its last renewal at which a silent holder's slot is freed.",
    )
    pod: PodBody | None = Field(None, description="The Pod of the load, when there is one.")
    ticket: Annotated[str, AfterValidator(readable_ticket)] | None = Field(
        None, description="The ticket of an earlier answer: keeps the place across coordinators."
    )
    fencingToken: int | None = Field(  # noqa: N815 - the wire's name
        None,
        ge=0,
        le=2**63 - 1,
        description="From a caller that believes it holds: a slot that is gone is `slot-lost`.",
    )

    ending: bool = Field(
        False,
        description="The agent is going and the load may be over: the Pod is looked at, at once and"
        " then each second for a while. Nothing is freed by the word alone.",
    )

    def ask(self, claim: str, poll: int = 0, speaker: Speaker | None = None) -> Ask:
        """What is asked for as an event of the core: by whom, and in which request."""
        owner = speaker.owner if speaker else ""
        pod = self.pod.ref() if self.pod else None
        terms = Terms(self.load, self.priority, self.ttlSeconds, pod, owner)
        ticket = _ticket(self.ticket)
        return Ask(claim, terms, ticket, self.fencingToken, poll, speaker, self.ending)


class ClaimBody(TermsBody):
    """The body of a PUT of a claim."""

    waitSeconds: Wait = 0.0  # noqa: N815 - the wire's name


class SyncClaim(TermsBody):
    """One claim of a sync: new, waiting or held."""

    claim: ClaimId


class SyncBody(Body):
    """The body of a sync, its claims not yet looked into: each is judged by itself, so that one
    bad claim never costs the others their renewal.
    """

    agent: Annotated[str, AfterValidator(printable)] = Field(
        min_length=1, max_length=253, description="The agent's name: its Pod, or host and process."
    )
    boot: Annotated[str, AfterValidator(printable)] = Field(
        min_length=1, max_length=128, description="A random id made when the agent's process began."
    )
    sequence: int = Field(ge=0, le=2**63 - 1, description="Grows with every request of this boot.")
    waitSeconds: Wait = 0.0  # noqa: N815 - the wire's name
    claims: list[Any] = Field(
        default_factory=list,
        max_length=MOST_CLAIMS,
        description="All claims of this agent. One left out is not released by that.",
    )
    releases: list[ClaimId] = Field(
        default_factory=list,
        max_length=MOST_CLAIMS,
        description="Ids to release, repeated until an answer lists them in `released`.",
    )


def _ticket(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    term, counter = text.split(".")
    return int(term), int(counter)


def unknown_fields(body: BaseModel) -> list[str]:
    """The names of the fields that nobody knows, with their path."""
    names = list(body.model_extra or ())
    for name in _inner(type(body)):
        if (value := getattr(body, name)) is not None:
            names += [f"{name}.{unknown}" for unknown in unknown_fields(value)]
    return names


@cache
def _inner(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of the model that hold a model, or may."""
    return tuple(name for name, field in model.model_fields.items() if _holds_model(field))


def _holds_model(field: FieldInfo) -> bool:
    is_list = get_origin(field.annotation) is list
    kinds = () if is_list else get_args(field.annotation) or (field.annotation,)
    return any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)


def shortened(names: list[str]) -> list[str]:
    """As many names, and as much of each, as may be kept while a request waits."""
    return [name[:LONGEST_NAME] for name in names[:MOST_NAMES]]
