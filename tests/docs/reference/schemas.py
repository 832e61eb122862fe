"""JSON Schema in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.docs.markdown import slug
from tests.docs.reference.tables import code, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    Object = dict[str, Any]

REFERENCE = "#/components/schemas/"


def types(schemas: Object) -> Iterator[str]:
    """A heading, a paragraph and a table for each."""
    for name, schema in schemas.items():
        yield f"### {name}"
        yield ""
        yield from [*schema.get("description", "").splitlines(), ""]
        needed = set(schema.get("required", ()))
        yield from table(
            ["field", "type", ""],
            [
                (code(field), _with_default(one, field in needed), one.get("description", ""))
                for field, one in schema.get("properties", {}).items()
            ],
        )


def type_of(schema: Object) -> str:
    """What may stand there; other types as links to their place on the same page."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REFERENCE)
        return f"[{name}](#{slug(name)})"
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(type_of(one) for one in schema[choice])
    if "const" in schema:
        return code(str(schema["const"]))
    if "enum" in schema:
        return ", ".join(code(str(one)) for one in schema["enum"])
    return _plain(schema)


def _plain(schema: Object) -> str:
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"map of {type_of(inner)}" if isinstance(inner, dict) else "object"
    return f"{kind}{_range(schema)}"


def _range(schema: Object) -> str:
    if "minLength" in schema or "maxLength" in schema:
        low, high = schema.get("minLength", 0), schema.get("maxLength")
        return f", {low} to {high} characters" if high else f", {low} or more characters"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return (
        f", {low} or more" if low is not None else f", {high} at most" if high is not None else ""
    )


def _with_default(schema: Object, needed: bool) -> str:
    if needed:
        return type_of(schema)
    default = schema.get("default")
    told = "may be missing" if default is None else f"default `{str(default).lower()}`"
    return f"{type_of(schema)}; {told}"
