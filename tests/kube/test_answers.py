"""Answers become typed errors that say whether a write may have taken effect."""

from __future__ import annotations

import orjson
import pytest

from coordinator.kube import errors
from coordinator.kube.answers import (
    MAX_RETRY_AFTER,
    failure,
    parse_object,
    parse_retry_after,
    watch_failure,
)
from coordinator.kube.calls import Call
from tests.kube.fakes import status

READ = Call("get", "leases.coordination.k8s.io", "velero", "a")
WRITE = Call("update", "leases.coordination.k8s.io", "velero", "a")


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", errors.Invalid),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (405, "MethodNotAllowed", errors.Refused),
        (409, "Conflict", errors.Conflict),
        (409, "AlreadyExists", errors.AlreadyExists),
        (410, "Expired", errors.Expired),
        (410, "Gone", errors.Expired),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.Throttled),
    ],
)
@pytest.mark.parametrize("call", [READ, WRITE])
def test_a_refusal_is_definite(
    call: Call, code: int, reason: str, kind: type[errors.ApiError]
) -> None:
    error = failure(call, code, orjson.dumps(status(code, reason)))
    assert type(error) is kind
    assert (error.status, error.reason, error.message) == (code, reason, "told so")


@pytest.mark.parametrize("code", [302, 408, 499, 500, 502, 503, 504])
def test_any_other_answer_leaves_a_write_in_doubt(code: int) -> None:
    assert type(failure(WRITE, code, b"oops")) is errors.UnknownOutcome
    assert type(failure(READ, code, b"oops")) is errors.Unavailable


def test_a_404_that_is_not_the_api_servers_proves_nothing() -> None:
    assert type(failure(READ, 404, b"404 page not found")) is errors.Unavailable
    assert type(failure(WRITE, 404, b"<html>no</html>")) is errors.UnknownOutcome


@pytest.mark.parametrize("code", [400, 401, 403, 404, 422, 429, 503])
def test_after_a_silent_repetition_only_a_409_is_definite(code: int) -> None:
    body = orjson.dumps(status(code, "NotFound" if code == 404 else ""))
    assert type(failure(WRITE, code, body, sendings=2)) is errors.UnknownOutcome
    conflict = failure(WRITE, 409, orjson.dumps(status(409, "Conflict")), sendings=2)
    assert type(conflict) is errors.Conflict


def test_a_missing_right_names_verb_resource_and_place() -> None:
    text = str(failure(WRITE, 403, orjson.dumps(status(403, "Forbidden", "no"))))
    assert "leases.coordination.k8s.io: update in namespace velero" in text
    assert "Role" in text
    nodes = failure(Call("list", "nodes"), 403, orjson.dumps(status(403, "Forbidden", "no")))
    assert "nodes: list; add it to the coordinator's ClusterRole" in str(nodes)


def test_a_version_ahead_of_the_server_asks_for_a_new_list() -> None:
    told = status(504, "Timeout", details={"causes": [{"reason": "ResourceVersionTooLarge"}]})
    assert type(watch_failure(Call("watch", "nodes"), told)) is errors.Expired


def test_a_watchs_error_event_is_typed_by_its_code() -> None:
    watch = Call("watch", "nodes")
    assert type(watch_failure(watch, status(410, "Expired"))) is errors.Expired
    assert type(watch_failure(watch, {"code": "nonsense"})) is errors.Unavailable


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("1", 1.0),
        (" 7 ", 7.0),
        ("99999999999", MAX_RETRY_AFTER),
        ("-1", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_bounded(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text) == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b'{"a":'])
def test_a_2xx_without_an_object_leaves_a_write_in_doubt(body: bytes) -> None:
    with pytest.raises(errors.UnknownOutcome, match="not known"):
        parse_object(WRITE, body)
    with pytest.raises(errors.Unavailable):
        parse_object(READ, body)
