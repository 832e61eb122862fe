"""What a request to the API server is about: verb, resource, namespace and name.

The words are those of Kubernetes' own authorization, so that an error can be held against a Role.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = frozenset({"get", "list", "watch"})
_PLAIN = re.compile(r"[a-z0-9][a-z0-9.-]*", re.ASCII)
"""Almost every name of an object; to quote them costs more than to look."""
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request, in the words of a Role's rules. `resource` is `plural.group`."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, so that its failure leaves no doubt behind."""
        return self.verb in READS

    def __str__(self) -> str:
        name = f' "{self.name}"' if self.name else ""
        place = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{name}{place}"


def call_of(method: str, path: str, params: Mapping[str, str] | None = None) -> Call:
    """The call that a method, a path and its query make."""
    group, rest = _split(path)
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    if not rest:
        return Call(_verb(method, named=True, watch=False), path)
    name = rest[1] if len(rest) > 1 else ""
    verb = _verb(method, named=bool(name), watch="watch" in (params or {}))
    return Call(verb, _resource(rest, group), namespace, name)


def resource_path(
    resource: str, namespace: str = "", name: str = "", *, api: str = "api/v1"
) -> str:
    """The path of a resource or of one object; `api` is `api/v1` or `apis/GROUP/VERSION`.

    Raises ValueError for a namespace or name that would change the path's meaning.
    """
    parts = [api]
    if namespace:
        parts += ["namespaces", _segment(namespace)]
    parts.append(resource)
    if name:
        parts.append(_segment(name))
    return "/" + "/".join(parts)


def _segment(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    if text in {".", ".."} or "/" in text:
        msg = f"{text!r} cannot be the name of a Kubernetes object: it would change the path"
        raise ValueError(msg)
    return quote(text, safe="")


def _split(path: str) -> tuple[str, list[str]]:
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api":
        return "", parts[2:]
    if parts[0] == "apis" and len(parts) > 1:
        return parts[1], parts[3:]
    return "", []


def _verb(method: str, *, named: bool, watch: bool) -> str:
    if method in _VERBS:
        return _VERBS[method]
    if method == "DELETE":
        return "delete" if named else "deletecollection"
    if watch:
        return "watch"
    return "get" if named else "list"


def _resource(rest: list[str], group: str) -> str:
    plural = f"{rest[0]}/{rest[2]}" if len(rest) > 2 else rest[0]
    return f"{plural}.{group}" if group else plural
