"""What a client asks for: the body of a POST or PUT, read strictly.

The client is a neighbour and can be corrected, so a field that nobody knows is refused by name:
a typo must not quietly mean "the default".
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from agent_client.messages import Pod, Terms
from agent_client.session import IfUnavailable, Patience
from agent_client.sidecar.problems import Failed, made, malformed, out_of_range

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = (
    "load",
    "priority",
    "timeoutSeconds",
    "ttlSeconds",
    "ifUnavailable",
    "unavailableAfterSeconds",
    "pod",
)
NAMED_FIELDS = (*FIELDS[1:], "uid")
"""Of a PUT, whose load stands in its path."""
POD_FIELDS = ("namespace", "name", "uid")
LONGEST_LOAD, LONGEST_UID = 256, 128
"""Characters."""
PRIORITIES = (-1_000_000, 1_000_000)
TTLS = (10, 3600)
"""Seconds. The coordinator's own bounds, refused here where the client can read it at once."""
LONGEST_WAIT = 55.0
"""Seconds of `?wait=`: below the 60 after which common clients give up."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a client says nothing: the sidecar's own flags and Pod. In seconds."""

    ttl: int = 60
    if_unavailable: IfUnavailable = "wait"
    unavailable_after: float = 30.0
    pod: Pod | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A slot that a client asks for. `ttl` in seconds; `uid` tells loads of one name apart."""

    load: str
    priority: int
    ttl: int
    pod: Pod | None
    patience: Patience
    uid: str = ""

    def terms(self, claim: str) -> Terms:
        """The same as the claim `claim`."""
        return Terms(claim, self.load, self.priority, self.ttl, self.pod)


def read_wish(body: bytes, defaults: Defaults) -> Wish:
    """The wish in the body of a POST. Raises `Failed`."""
    fields = _Fields(_object(body), FIELDS)
    return _wish(fields, _load(fields.known("load", str, "a string")), defaults)


def read_named_wish(load: str, body: bytes, defaults: Defaults) -> Wish:
    """The wish in the body of a PUT for `load`; no body is an empty one. Raises `Failed`."""
    fields = _Fields(_object(body or b"{}"), NAMED_FIELDS)
    return _wish(fields, _load(load), defaults)


def read_wait(query: Mapping[str, str]) -> float:
    """Seconds of `?wait=`, 0 without. Raises `Failed`."""
    for name in query:
        if name != "wait":
            raise malformed(f"query.{name}", "is not known here; there is only `wait`")
    try:
        wait = float(query.get("wait", "0"))
    except ValueError:
        raise malformed("query.wait", "must be a number of seconds") from None
    if not 0 <= wait <= LONGEST_WAIT:
        raise out_of_range("query.wait", f"must be from 0 to {LONGEST_WAIT:g} seconds")
    return wait


class _Fields:
    """The fields of a JSON object, each of a known name and type. Null is the default."""

    def __init__(self, body: dict[str, Any], names: tuple[str, ...], where: str = "") -> None:
        self._body = body
        self._where = where
        for name in body:
            if name not in names:
                known = ", ".join(names)
                raise malformed(where + name, f"is not known here; there are {known}")

    def known(self, name: str, kinds: Any, what: str, default: Any = None) -> Any:
        """The field's value, or `default`. Raises `Failed` where it is none of `kinds`."""
        value = self._body.get(name)
        if value is None:
            return default
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise malformed(self._where + name, f"must be {what}")
        return value

    def integer(self, name: str, bounds: tuple[int, int], default: int) -> int:
        """A whole number within `bounds`, or `default`. Raises `Failed`."""
        value: int = self.known(name, int, "a whole number", default)
        if not bounds[0] <= value <= bounds[1]:
            raise out_of_range(self._where + name, f"must be from {bounds[0]} to {bounds[1]}")
        return value

    def seconds(self, name: str, default: float) -> float:
        """A finite number, not negative, or `default`. Raises `Failed`."""
        value = self.known(name, int | float, "a number of seconds")
        if value is None:
            return default
        if not (0 <= value < 1e9):  # false for what is not a number, too
            raise out_of_range(self._where + name, "must be a number of seconds, not negative")
        return float(value)

    def text(self, name: str, longest: int) -> str:
        """Printable text, "" by default. Raises `Failed`."""
        return _printable(self._where + name, self.known(name, str, "a string", ""), longest)


def _wish(fields: _Fields, load: str, defaults: Defaults) -> Wish:
    return Wish(
        load=load,
        priority=fields.integer("priority", PRIORITIES, 0),
        ttl=fields.integer("ttlSeconds", TTLS, defaults.ttl),
        pod=_pod(fields.known("pod", dict, "an object"), defaults.pod),
        patience=_patience(fields, defaults),
        uid=fields.text("uid", LONGEST_UID),
    )


def _patience(fields: _Fields, defaults: Defaults) -> Patience:
    choice = fields.known("ifUnavailable", str, "a string", defaults.if_unavailable)
    if choice not in get_args(IfUnavailable):
        raise malformed("ifUnavailable", 'must be "wait", "run" or "fail"')
    return Patience(
        timeout=fields.seconds("timeoutSeconds", math.inf),
        if_unavailable=choice,
        unavailable_after=fields.seconds("unavailableAfterSeconds", defaults.unavailable_after),
        # The TTL is no way out while the claim's Pod runs, so a release is never given up.
        release_timeout=math.inf,
    )


def _pod(body: dict[str, Any] | None, default: Pod | None) -> Pod | None:
    if body is None:
        return default
    fields = _Fields(body, POD_FIELDS, "pod.")
    namespace, name = (fields.text(part, 253) for part in ("namespace", "name"))
    if not (namespace and name):
        raise malformed("pod", "needs both namespace and name")
    return Pod(namespace, name, fields.text("uid", LONGEST_UID))


def _load(text: str | None) -> str:
    if not text:
        raise malformed("load", "is required: the load's name, as people know it")
    return _printable("load", text, LONGEST_LOAD)


def _printable(field: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise out_of_range(field, f"must have at most {longest} characters")
    if not text.isprintable():
        raise out_of_range(field, "must have printable characters only")
    return text


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Failed(made(400, "malformed", "the body is not JSON: send an object")) from None
    if not isinstance(value, dict):
        raise Failed(made(400, "malformed", "the body must be a JSON object"))
    return value
