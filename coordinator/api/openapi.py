"""The OpenAPI document: made from the table of routes and from the types that requests are checked
with, so it cannot tell of anything else.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from inspect import getdoc
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from coordinator.api.bodies import PATH_FIELDS
from coordinator.api.problems import BASE, CONTENT_TYPE, KINDS, Problem, ProblemJson
from coordinator.api.routes import API, HEALTH
from coordinator.api.schemas import Body, SyncClaim
from coordinator.core.access import AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.api.route import Parameter, Reply, Route

    Object = dict[str, Any]

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token that the API server's TokenReview accepts: of an agent its Pod's"
    f" projected token with the audience {AUDIENCE}, of anybody else one for the API server itself."
    " Not looked at with --auth none.",
}
_SCHEMAS = "#/components/schemas/"
_WARNING = {
    "description": "Names the fields of the request that are not known; they were ignored.",
    "schema": {"type": "string"},
}
_RETRY_AFTER = {
    "description": "Whole seconds after which to ask again.",
    "schema": {"type": "integer", "minimum": 1},
}
_CHALLENGE = {"description": "Always Bearer.", "schema": {"type": "string"}}
_PROBLEM_HEADERS = {
    401: {"WWW-Authenticate": _CHALLENGE},
    429: {"Retry-After": _RETRY_AFTER},
    503: {"Retry-After": _RETRY_AFTER},
}
"""By HTTP status."""


def document(routes: Iterable[Route] = API) -> Object:
    """The whole document, OpenAPI 3.1, of these routes of the API and of health."""
    schemas: Object = {}
    paths: Object = {}
    for route in (*routes, *HEALTH):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    schemas["SyncBody"]["properties"]["claims"]["items"] = _ref(SyncClaim, schemas)
    schemas["ProblemJson"]["properties"]["type"]["enum"] = [BASE + name for name in KINDS]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "node-slots coordinator",
            "version": version("node-slots"),
            "description": "Hands out per-node slots for heavy work. Errors are RFC 9457 problems.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8443"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"bearer": _BEARER},
        },
    }


def _operation(route: Route, schemas: Object) -> Object:
    doc = getdoc(route.handler) or ""
    operation: Object = {
        "operationId": route.handler.__name__,
        "summary": doc.splitlines()[0],
        "responses": _responses(route, schemas),
    }
    if route.need is not None:
        operation["security"] = [{"bearer": []}]
    if route in HEALTH:
        operation["servers"] = [{"url": "http://127.0.0.1:8080"}]
    if parameters := [*_path_parameters(route), *_parameters(route)]:
        operation["parameters"] = parameters
    if route.body is not None:
        content = {"schema": _ref(route.body, schemas), "example": route.body_example}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _path_parameters(route: Route) -> Iterable[Object]:
    for name in re.findall(r"{(\w+)}", route.path):
        schema = PATH_FIELDS[name].json_schema()
        description = schema.pop("description")
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": description,
            "schema": schema,
        }


def _parameters(route: Route) -> Iterable[Object]:
    for place, parameters in (("query", route.query), ("header", route.headers)):
        for parameter in parameters:
            yield _parameter(parameter, place)


def _parameter(parameter: Parameter, place: str) -> Object:
    told: Object = {
        "name": parameter.name,
        "in": place,
        "description": parameter.meaning,
        "schema": dict(parameter.schema),
    }
    if parameter.repeated:
        told["schema"] = {"type": "array", "items": told["schema"]}
        told["explode"] = True
    if parameter.example is not None:
        told["example"] = [parameter.example] if parameter.repeated else parameter.example
    return told


def _responses(route: Route, schemas: Object) -> Object:
    found = {str(reply.status): _reply(reply, route, schemas) for reply in route.replies}
    by_status: dict[int, list[str]] = {}
    denials = route.need.problems if route.need is not None else ()
    for name in (*denials, *route.problems, "internal"):
        by_status.setdefault(KINDS[name].status, []).append(name)
    for status, names in sorted(by_status.items()):
        found[str(status)] = _problems(names, schemas)
    return found


def _reply(reply: Reply, route: Route, schemas: Object) -> Object:
    answer: Object = {"description": reply.meaning}
    if reply.type is not None:
        # OpenAPI 3.1 has no word for the events of a stream: they stand in an extension (4.9)
        streams = {name: _ref(kind, schemas) for name, kind in reply.events.items()}
        media: Object = {"x-events": streams} if streams else {"schema": _ref(reply.type, schemas)}
        if reply.more:
            both = (reply.example, *reply.more)
            media["examples"] = {str(n): {"value": one} for n, one in enumerate(both, start=1)}
        elif reply.example is not None:
            media["example"] = reply.example
        answer["content"] = {reply.media: media}
    if route.body is not None and issubclass(route.body, Body):
        answer["headers"] = {"Warning": _WARNING}
    return answer


def _problems(names: list[str], schemas: Object) -> Object:
    examples = {name: {"value": Problem(name, KINDS[name].example).body()} for name in names}
    media = {"schema": _ref(ProblemJson, schemas), "examples": examples}
    answer: Object = {
        "description": "; ".join(KINDS[name].title for name in names),
        "content": {CONTENT_TYPE: media},
    }
    if headers := _PROBLEM_HEADERS.get(KINDS[names[0]].status):
        answer["headers"] = headers
    return answer


def _ref(kind: Any, schemas: Object) -> Object:
    """A reference to the type's schema, which is put among `schemas` with all that it needs."""
    schema = TypeAdapter(kind).json_schema(ref_template=_SCHEMAS + "{model}")
    schemas.update(schema.pop("$defs", {}))
    if "title" not in schema or schema.get("type") != "object":
        return schema
    name = str(schema["title"])
    schemas[name] = schema
    return {"$ref": _SCHEMAS + name}
