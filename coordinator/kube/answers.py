"""From an HTTP answer to a result or a typed error. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from coordinator.kube import errors

if TYPE_CHECKING:
    from coordinator.kube.calls import Call

Json = dict[str, Any]

MAX_RETRY_AFTER = 300.0
"""Seconds. A longer `Retry-After` is not believed: no header may stop the coordinator for good."""

_MAX_MESSAGE = 500
_DEFINITE: dict[int, type[errors.ApiError]] = {
    400: errors.Invalid,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Expired,
    413: errors.Invalid,
    415: errors.Invalid,
    422: errors.Invalid,
    429: errors.Throttled,
}
_DOUBTFUL_4XX = frozenset({408, 499})
"""Said by proxies about a request that they may have passed on."""


def parse_object(call: Call, body: bytes) -> Json:
    """The JSON object in `body`. Raises `Unavailable` or `UnknownOutcome` where there is none."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise lost(call, f"the answer is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise lost(call, "the answer is no JSON object")
    return value


def lost(call: Call, message: str, *, status: int = 0, reason: str = "") -> errors.ApiError:
    """The error of a request whose answer did not arrive, or cannot be believed."""
    kind = errors.Unavailable if call.reads else errors.UnknownOutcome
    return kind(call, message, status=status, reason=reason)


def failure(
    call: Call, status: int, body: bytes, *, retry_after: str | None = None, sendings: int = 1
) -> errors.ApiError:
    """The typed error of an answer that is not 2xx.

    `sendings` counts how often the request was sent (an idempotent one once more when a kept-alive
    connection turns out to be closed): after two, only a 409 proves something about the first.
    """
    told = _status_object(body)
    message = _message(told, body)
    wait = parse_retry_after(retry_after)
    reason = str(told.get("reason") or "")
    kind = _kind(call, status, told, reason)
    if sendings > 1 and not call.reads and kind is not errors.Conflict:
        kind = errors.UnknownOutcome
    return kind(call, message, status=status, reason=reason, retry_after=wait)


def watch_failure(call: Call, told: Json) -> errors.ApiError:
    """The typed error of an ERROR event's Status in a watch."""
    code = told.get("code")
    return failure(call, code if isinstance(code, int) else 500, orjson.dumps(told))


def parse_retry_after(text: str | None) -> float | None:
    """Seconds, at most `MAX_RETRY_AFTER`. Kubernetes sends no dates here: one counts as absent."""
    if text is None or not text.strip().isdecimal():
        return None
    return min(float(text), MAX_RETRY_AFTER)


def _kind(call: Call, status: int, told: Json, reason: str) -> type[errors.ApiError]:
    if status == 409 and reason == "AlreadyExists":
        return errors.AlreadyExists
    if status == 404 and reason != "NotFound":
        return _doubt(call)  # a proxy's page, or not an API server: it proves no absence
    if _version_ahead(told):
        return errors.Expired
    if status in _DEFINITE:
        return _DEFINITE[status]
    if 400 <= status < 500 and status not in _DOUBTFUL_4XX:
        return errors.Refused
    return _doubt(call)


def _doubt(call: Call) -> type[errors.ApiError]:
    return errors.Unavailable if call.reads else errors.UnknownOutcome


def _version_ahead(told: Json) -> bool:
    """Whether a 504 says that our resourceVersion is newer than anything the server has seen."""
    details = told.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return isinstance(causes, list) and any(
        isinstance(cause, dict) and cause.get("reason") == "ResourceVersionTooLarge"
        for cause in causes
    )


def _status_object(body: bytes) -> Json:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) and value.get("kind") == "Status" else {}


def _message(told: Json, body: bytes) -> str:
    message = told.get("message")
    text = message if isinstance(message, str) else body.decode("utf-8", "replace")
    return " ".join(text.split())[:_MAX_MESSAGE] or "the answer says no more"
