"""The API server's failures: one exception type that renders to a ``Status`` object.

Codes, reasons and wording follow ``k8s.io/apimachinery/pkg/api/errors``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.embedded.resources import Resource


class ApiError(Exception):
    """A request that the API server refuses; ``render`` gives the ``Status`` body."""

    def __init__(
        self, status: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.continue_token = ""

    def render(self) -> dict[str, Any]:
        """Return the ``Status`` object that goes over the wire."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": self.continue_token} if self.continue_token else {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.status,
        }
        return {key: value for key, value in body.items() if key == "metadata" or value}


@dataclass(frozen=True)
class Cause:
    """One broken rule of one field, as it stands in ``details.causes``."""

    reason: str
    field: str
    message: str

    def render(self) -> dict[str, str]:
        """Return the cause's JSON object."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def invalid_value(field: str, value: object, why: str) -> Cause:
    """Return the cause of a value that breaks a rule; strings are quoted as Go's %q does."""
    shown = orjson.dumps(value).decode()
    return Cause("FieldValueInvalid", field, f"Invalid value: {shown}: {why}")


def required(field: str, why: str = "") -> Cause:
    """Return the cause of a missing value."""
    return Cause("FieldValueRequired", field, f"Required value: {why}" if why else "Required value")


def forbidden_field(field: str, why: str) -> Cause:
    """Return the cause of a value that may not stand there."""
    return Cause("FieldValueForbidden", field, f"Forbidden: {why}")


def _details(resource: Resource, name: str) -> dict[str, Any]:
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in details.items() if value}


def not_found(resource: Resource, name: str) -> ApiError:
    """Return the 404 for an object that does not exist."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, _details(resource, name))


def already_exists(resource: Resource, name: str, terminating: bool = False) -> ApiError:
    """Return the 409 for a create onto an existing name."""
    told = "object is being deleted: " if terminating else ""
    message = f'{told}{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(resource, name))


def precondition(resource: Resource, name: str, why: str) -> ApiError:
    """Return the 409 for a delete's precondition, which names the kind and not the plural."""
    shown = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    message = f'Operation cannot be fulfilled on {shown} "{name}": {why}'
    return ApiError(409, "Conflict", message, {**_details(resource, name), "kind": resource.kind})


def unpatchable(why: str) -> ApiError:
    """Return the 422 for a patch whose outcome is no object of the kind."""
    return invalid("", "", "", [invalid_value("patch", "", why)])


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    """Return the 409 for a write that lost against another one."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(resource, name))


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """Return the 422 that lists every broken rule."""
    lines = [f"{cause.field}: {cause.message}" for cause in causes]
    told = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    shown = f"{kind}.{group}" if group else kind
    details: dict[str, Any] = {"name": name, "group": group, "kind": kind}
    details = {key: value for key, value in details.items() if value}
    details["causes"] = [cause.render() for cause in causes]
    return ApiError(422, "Invalid", f'{shown} "{name}" is invalid: {told}', details)


def bad_request(message: str) -> ApiError:
    """Return the 400 for a request that cannot be read."""
    return ApiError(400, "BadRequest", message)


def forbidden(resource: Resource, name: str, why: str, causes: Sequence[Cause] = ()) -> ApiError:
    """Return the 403 for a write that admission refuses."""
    details = _details(resource, name)
    if causes:
        details["causes"] = [cause.render() for cause in causes]
    message = f'{resource.qualified} "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, details)


def expired(message: str, continue_token: str = "") -> ApiError:
    """Return the 410 for a resourceVersion that was compacted away.

    A list that lost its place gets a token that goes on from there, in the present.
    """
    error = ApiError(410, "Expired", message)
    error.continue_token = continue_token
    return error


def fault(message: str) -> ApiError:
    """Return the 500 without a reason that the real server gives for errors it does not sort."""
    return ApiError(500, "", message)


def method_not_allowed() -> ApiError:
    """Return the 405 for a verb that a path does not know."""
    why = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", why)


def unsupported_media_type(accepted: Sequence[str], note: str = "") -> ApiError:
    """Return the 415 for a body in a format that is not read here."""
    why = "the body of the request was in an unknown format - accepted media types include: "
    return ApiError(415, "UnsupportedMediaType", why + ", ".join(accepted) + note)


def not_acceptable() -> ApiError:
    """Return the 406 for an ``Accept`` header that JSON cannot satisfy."""
    why = "only the following media types are accepted: application/json"
    return ApiError(406, "NotAcceptable", why)


def version_too_large(asked: int, current: int) -> ApiError:
    """Return the 504 for a list at a resourceVersion that does not exist yet."""
    details = {
        "retryAfterSeconds": 1,
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
    }
    message = f"Too large resource version: {asked}, current: {current}"
    return ApiError(504, "Timeout", message, details)
