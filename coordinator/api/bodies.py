"""Reading a request: its size, its time, its JSON and its fields, each with an error of its own."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

import orjson
from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from coordinator.api.problems import Problem
from coordinator.api.schemas import ClaimId, Namespace, NodeName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic_core import ErrorDetails

READ_TIMEOUT = 10.0
"""Seconds for a whole body; the HTTP library itself waits for ever."""

SMALL_BODY = 4 * 1024
"""Bytes that every body may have; the usual sync has some hundred."""
MOST_BODIES = 4 * 1024 * 1024
"""Bytes, beyond those, of all bodies that are being read at a time."""

_RANGE_ERRORS = re.compile(r"(greater|less)_than(_equal)?|(string_)?too_(short|long)")

Model = TypeVar("Model", bound=BaseModel)

PATH_FIELDS: dict[str, TypeAdapter[Any]] = {
    "namespace": TypeAdapter(Namespace),
    "node": TypeAdapter(NodeName),
    "claim": TypeAdapter(ClaimId),
}
"""What a path may say."""


class Intake:
    """How much is being read of all large bodies together.

    Slow callers must not fill the memory. Small bodies are always taken, or the senders of a few
    large ones could keep everybody out.
    """

    def __init__(self, most: int = MOST_BODIES) -> None:
        self.most = most
        self.size = 0
        """Bytes."""

    def grow(self, size: int) -> None:
        """So many bytes more. Raises `Problem` when that is too much."""
        if size > 0 and self.size + size > self.most:
            raise Problem("overloaded", "too many large bodies are on their way; send it again")
        self.size += size


INTAKE: web.AppKey[Intake] = web.AppKey("intake", Intake)


async def read_json(
    request: web.Request, limit: int, timeout: float = READ_TIMEOUT, intake: Intake | None = None
) -> Any:
    """The body's JSON value, of at most `limit` bytes; `intake` bounds it with others of its kind,
    instead of with all that the application reads. Raises `Problem`.
    """
    kind = request.headers.get("Content-Type")
    if kind != "application/json" and request.content_type != "application/json":
        raise Problem(
            "unsupported-media-type",
            f"Content-Type is {request.content_type}; send application/json",
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("unsupported-media-type", "the body is compressed; send it as it is")
    content = await _read(request, limit, timeout, intake or request.app[INTAKE])
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Problem("malformed", f"the body is not JSON: {error}") from None


async def _read(request: web.Request, limit: int, timeout: float, intake: Intake) -> bytes:
    length = request.content_length
    if (length or 0) > limit:
        raise _too_large(limit)
    if length is not None and length <= SMALL_BODY and request.content.is_eof():
        return request.content.read_nowait()  # it came with its head, as nearly every sync does
    return await _gather(request, limit, timeout, intake)


async def _gather(request: web.Request, limit: int, timeout: float, intake: Intake) -> bytes:
    """The body piece by piece, as it comes."""
    content, large = bytearray(), 0
    try:
        async with asyncio.timeout(timeout):
            async for piece in request.content.iter_any():
                content += piece
                if len(content) > limit:
                    raise _too_large(limit)
                more = max(0, len(content) - SMALL_BODY) - large
                intake.grow(more)
                large += more
    except TimeoutError:
        detail = f"the body was not complete after {timeout:g} s; send it again"
        raise Problem("request-timeout", detail, retry_after=1) from None
    finally:
        intake.grow(-large)
    return bytes(content)


def _too_large(limit: int) -> Problem:
    return Problem("too-large", f"the body is larger than {limit} bytes")


def parse(model: type[Model], value: Any, path: str = "") -> Model:
    """The value as `model`; `path` says where it stands in the body. Raises `Problem`."""
    try:
        # What `model_validate` calls once it has looked at its options, which takes it longer.
        return cast("Model", model.__pydantic_validator__.validate_python(value))
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False), path) from None


def invalid(errors: Sequence[ErrorDetails], path: str = "") -> Problem:
    """400 `malformed` when something has the wrong type or form, else 422 `out-of-range`."""
    in_range = any(_RANGE_ERRORS.fullmatch(error["type"]) is None for error in errors)
    fields = tuple((_field(path, error["loc"]), error["msg"]) for error in errors)
    field, detail = fields[0]
    more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
    name = "malformed" if in_range else "out-of-range"
    return Problem(name, f"{field or 'the body'}: {detail}{more}", fields=fields)


def _field(path: str, location: Iterable[int | str]) -> str:
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def path_values(request: web.Request) -> dict[str, str]:
    """The namespace, node and claim of the path. Raises `Problem`."""
    values = dict(request.match_info)
    for name, value in values.items():
        try:
            PATH_FIELDS[name].validate_python(value)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_input=False)
            raise invalid(errors, f"path.{name}") from None
    return values
