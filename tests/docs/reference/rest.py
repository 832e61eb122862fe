"""docs/reference/rest.md: the REST API, from its OpenAPI document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from coordinator.api.openapi import document
from coordinator.api.routes import ADMISSION, API
from tests.docs.markdown import slug
from tests.docs.reference.schemas import type_of, types
from tests.docs.reference.tables import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    Object = dict[str, Any]

INTRO = """\
Every call, every field, every answer. [api.md](../api.md) tells how they are used, who may, and
what each problem asks you to do; a running coordinator serves the same as OpenAPI at
`/openapi.json`."""


def text() -> str:
    """The whole page."""
    source = "the OpenAPI document (`/openapi.json` of a running coordinator)"
    return page("REST", source, _lines(document((*API, *ADMISSION))))


def _lines(api: Object) -> Iterator[str]:
    yield from INTRO.splitlines()
    yield ""
    yield from table(["call", "does"], _overview(api))
    yield from _places(api)
    for method, path, call in calls(api):
        yield from _call(method, path, call)
    yield "## Types"
    yield ""
    yield from types(api["components"]["schemas"])


def calls(api: Object) -> Iterator[tuple[str, str, Object]]:
    """Each method of each path."""
    for path, methods in api["paths"].items():
        for method, call in methods.items():
            yield method.upper(), path, call


def _overview(api: Object) -> Iterator[tuple[str, str]]:
    for method, path, call in calls(api):
        title = f"{method} {path}"
        yield f"[{title}](#{slug(title)})", call["summary"]


def _places(api: Object) -> list[str]:
    """What stands in paths, said once."""
    found = {
        one["name"]: one
        for _, _, call in calls(api)
        for one in call.get("parameters", ())
        if one["in"] == "path"
    }
    rows = [
        (code("{" + name + "}"), type_of(one["schema"]), one["description"])
        for name, one in found.items()
    ]
    return ["In paths:", "", *table(["", "type", ""], rows)]


def _call(method: str, path: str, call: Object) -> Iterator[str]:
    yield f"## {method} {path}"
    yield ""
    yield call["summary"] + _door(call)
    yield ""
    if query := [one for one in call.get("parameters", ()) if one["in"] == "query"]:
        rows = [(code(o["name"]), type_of(o["schema"]), o.get("description", "")) for o in query]
        yield from table(["in the query", "type", ""], rows)
    if body := call.get("requestBody"):
        yield from _content("Body", body["content"])
    for status, answer in call["responses"].items():
        if status < "400":
            title = f"**{status}** {answer['description'].rstrip('.')}"
            yield from _content(title, answer.get("content", {}))
    problems = [
        _problem(status, one) for status, one in call["responses"].items() if status >= "400"
    ]
    yield from [f"Problems: {' · '.join(filter(None, problems))}", ""]


def _door(call: Object) -> str:
    return "" if "security" in call else " No token is asked for."


def _content(title: str, content: Object) -> Iterator[str]:
    """The type of each medium, and its examples."""
    kinds = [
        f"{type_of(media.get('schema', {'type': 'text'}))} (`{name}`)"
        for name, media in content.items()
    ]
    yield f"{title}: {', '.join(kinds)}" if kinds else title
    yield ""
    for media in content.values():
        for example in _examples(media):
            yield from (
                ["```json", json.dumps(example, indent=1), "```", ""]
                if not isinstance(example, str)
                else ["```text", example.rstrip(), "```", ""]
            )


def _examples(media: Object) -> list[object]:
    if "example" in media:
        return [media["example"]]
    return [one["value"] for one in media.get("examples", {}).values()]


def _problem(status: str, answer: Object) -> str:
    media = answer.get("content", {}).get("application/problem+json", {})
    names = ", ".join(map(code, media.get("examples", {})))
    return f"{status} {names}".strip()
