"""What an HTTP request asks: its target, its query parameters, its body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import yaml

from coordinator.embedded import conversion, deletion, errors, protobuf, resources, reviews
from coordinator.embedded.listing import Query, parse_version
from coordinator.embedded.store import Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from coordinator.embedded.resources import Resource

_REVIEWS = {(one.group, one.version, one.plural): one for one in reviews.ALL}
_YAML = "application/yaml"
_YES = {"1", "true", "True", "t", "T", "TRUE"}


@dataclass(frozen=True)
class Target:
    """What a path names; no ``name`` means the collection."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def _after_version(path: str) -> tuple[str, str, list[str]] | None:
    match path.strip("/").split("/"):
        case ["api", version, *rest]:
            return "", version, rest
        case ["apis", group, version, *rest]:
            return group, version, rest
    return None


def target(path: str) -> Target | None:
    """Return what a path names, None when nothing of the kind is served."""
    found = _after_version(path)
    if found is None:
        return None
    group, version, rest = found
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3 or not all(rest):
        return None
    key = (group, version, rest[0])
    resource = resources.BY_PATH.get(key) or _REVIEWS.get(key)
    if resource is None or (namespace and not resource.namespaced):
        return None
    name, subresource = (*rest[1:], "", "")[:2]
    if subresource and not (subresource == "status" and resource.has_status):
        return None
    if name and resource.namespaced and not namespace:
        return None
    return Target(resource, namespace, name, subresource)


def _count(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    if text and not re.fullmatch(r"[-+]?\d+", text, re.ASCII):
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": {name}: invalid syntax')
    return max(0, int(text or 0))


@dataclass(frozen=True)
class WatchOptions:
    """The parameters of a watch; ``seconds`` 0 leaves its length to the server."""

    start: int
    initial: bool
    bookmarks: bool
    announce_end: bool
    seconds: int


def wants_watch(query: Mapping[str, str]) -> bool:
    """Tell whether a GET of a collection is a watch."""
    return query.get("watch", "") in _YES


def watch_options(query: Mapping[str, str]) -> WatchOptions:
    """Return a watch's parameters; raises ``ApiError`` 400 or 422."""
    start = parse_version(query.get("resourceVersion", ""))
    send = query.get("sendInitialEvents", "")
    match, wanted = query.get("resourceVersionMatch", ""), "NotOlderThan"
    if (send and match != wanted) or (match and not send):
        why = (
            f"sendInitialEvents requires setting resourceVersionMatch to {wanted}"
            if send
            else "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        )
        cause = errors.forbidden_field("resourceVersionMatch", why)
        raise errors.invalid("meta.k8s.io", "ListOptions", "", [cause])
    return WatchOptions(
        start=start,
        initial=send in _YES or (start == 0 and not send),
        bookmarks=query.get("allowWatchBookmarks", "") in _YES,
        announce_end=send in _YES,
        seconds=_count(query, "timeoutSeconds"),
    )


def list_query(what: Target, query: Mapping[str, str]) -> Query:
    """Return the selectors and the page that a list or watch asks for; raises ``ApiError`` 400."""
    _count(query, "timeoutSeconds")  # has no meaning in a list, but is read all the same
    return Query(
        namespace=what.namespace,
        label_selector=query.get("labelSelector", ""),
        field_selector=conversion.stored_fields(what.resource, query.get("fieldSelector", "")),
        limit=_count(query, "limit"),
        continue_token=query.get("continue", ""),
        resource_version=query.get("resourceVersion", ""),
        resource_version_match=query.get("resourceVersionMatch", ""),
    )


def _dry_run(query: Mapping[str, str]) -> bool:
    value = query.get("dryRun", "")
    if value not in {"", "All"}:
        cause = errors.Cause(
            "FieldValueNotSupported",
            "dryRun",
            f'Unsupported value: "{value}": supported values: "All"',
        )
        raise errors.invalid("meta.k8s.io", "CreateOptions", "", [cause])
    return bool(value)


def write(query: Mapping[str, str]) -> Write:
    """Return how a write is meant; raises ``ApiError`` 422."""
    strict = query.get("fieldValidation", "Warn")
    if strict not in {"", "Ignore", "Warn", "Strict"}:
        shown = f'Unsupported value: "{strict}": supported values: "Ignore", "Strict", "Warn"'
        cause = errors.Cause("FieldValueNotSupported", "fieldValidation", shown)
        raise errors.invalid("meta.k8s.io", "CreateOptions", "", [cause])
    return Write(validation=strict or "Warn", dry_run=_dry_run(query))


def media_type(request: web.Request) -> str:
    """Return the body's media type, JSON when none is named."""
    named = request.headers.get("Content-Type", "application/json")
    return named.partition(";")[0].strip().lower()


class _Loader(yaml.SafeLoader):
    """YAML as JSON has it: what looks like a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _from_yaml(text: bytes) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with fewer types
    except yaml.YAMLError as exc:
        raise errors.bad_request(f"the YAML body cannot be read: {exc}") from exc


async def body(request: web.Request) -> Any:
    """Return the request's JSON; raises ``ApiError`` 400."""
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError as exc:
        raise errors.bad_request(
            f"the object provided is unrecognized (must be of type JSON): {exc}"
        ) from exc


async def object_body(request: web.Request, resource: Resource) -> dict[str, Any]:
    """Return the object in a POST or PUT; raises ``ApiError`` 400 or 415."""
    if media_type(request) == protobuf.MEDIA_TYPE:
        found = protobuf.decode(await request.read())
    elif media_type(request) == "application/json":
        found = await body(request)
    elif media_type(request) == _YAML:
        found = _from_yaml(await request.read())
    else:
        raise errors.unsupported_media_type(["application/json", _YAML, protobuf.MEDIA_TYPE])
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise errors.bad_request(
            f"json: cannot unmarshal the body into an object of {resource.kind}"
        )
    kind, version = found.get("kind"), found.get("apiVersion")
    if version and version != resource.group_version:
        raise errors.bad_request(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({resource.group_version})"
        )
    if kind and kind != resource.kind:
        raise errors.bad_request(
            f'{kind} in version "{resource.version}" cannot be handled as a {resource.kind}: no '
            f'kind "{kind}" is expected here'
        )
    return found


async def delete_options(request: web.Request) -> deletion.Options:
    """Return the DeleteOptions of the body, or of the query; raises ``ApiError`` 400 or 422."""
    found = await body(request) if await request.read() else {}
    if not isinstance(found, dict):
        raise errors.bad_request("DeleteOptions must be a JSON object")
    conditions = found.get("preconditions") or {}
    grace = found.get("gracePeriodSeconds")
    if grace is None and "gracePeriodSeconds" in request.query:
        grace = _count(request.query, "gracePeriodSeconds")
    return deletion.Options(
        uid=conditions.get("uid"),
        resource_version=conditions.get("resourceVersion"),
        grace_seconds=grace,
        dry_run=_dry_run(request.query) or found.get("dryRun") == ["All"],
    )
