"""TokenReview and SubjectAccessReview: whose token it is, and what that one may do.

The token is in the body of the request alone. An API server, or a proxy before it, may repeat a
body in its error, so of such an answer only the status is passed on; and errors are made anew here
and raised outside of any handler, so that none drags the old one along as its context.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.core.access import Caller
from coordinator.kube import errors
from coordinator.kube.calls import call_of, resource_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.core.access import Action
    from coordinator.kube.answers import Json
    from coordinator.kube.client import KubeClient

TOKEN_REVIEWS = resource_path("tokenreviews", api="apis/authentication.k8s.io/v1")
ACCESS_REVIEWS = resource_path("subjectaccessreviews", api="apis/authorization.k8s.io/v1")

TIMEOUT = 5.0
"""Seconds. A caller waits meanwhile, and a held slot's renewal must not wait for long."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the API server takes the bearer of a token for, and for which audiences.

    No audiences: the authenticator knows none, so the token is for the API server alone.
    """

    caller: Caller
    audiences: tuple[str, ...] = ()


async def token_review(
    client: KubeClient, token: str, audiences: Sequence[str] = ()
) -> Identity | None:
    """Whose token it is; None when the API server does not accept it.

    Without `audiences` the API server asks for its own. Raises `ApiError`, without the token.
    """
    spec: Json = {"token": token} | ({"audiences": list(audiences)} if audiences else {})
    answer = await _review(client, TOKEN_REVIEWS, "authentication.k8s.io/v1", "TokenReview", spec)
    if isinstance(answer, errors.Invalid):  # nothing that could be a token
        return None
    status = _status(answer, TOKEN_REVIEWS)
    if status.get("authenticated") is not True:
        return None
    user = status.get("user")
    if not isinstance(user, dict) or not isinstance(user.get("username"), str):
        raise errors.Unavailable(call_of("POST", TOKEN_REVIEWS), "the review names no user")
    return Identity(_caller(user), _texts(status.get("audiences")))


async def access_review(client: KubeClient, caller: Caller, action: Action) -> bool:
    """Whether this caller may do that, as `kubectl auth can-i --as` answers. Raises `ApiError`."""
    spec: Json = {
        "user": caller.username,
        "uid": caller.uid,
        "groups": list(caller.groups),
        "extra": {key: list(values) for key, values in caller.extra.items()},
    }
    if action.path:
        spec["nonResourceAttributes"] = {"path": action.path, "verb": action.verb}
    else:
        spec["resourceAttributes"] = {
            "verb": action.verb,
            "namespace": action.namespace,
            "group": "coordination.k8s.io",
            "resource": "leases",
        }
    kind = "SubjectAccessReview"
    answer = await _review(client, ACCESS_REVIEWS, "authorization.k8s.io/v1", kind, spec)
    if isinstance(answer, errors.Invalid):  # nobody whom RBAC could know
        return False
    return _status(answer, ACCESS_REVIEWS).get("allowed") is True


async def _review(
    client: KubeClient, path: str, version: str, kind: str, spec: Json
) -> Json | errors.ApiError:
    body = orjson.dumps({"apiVersion": version, "kind": kind, "spec": spec})
    try:
        return await client.request("POST", path, body=body, timeout=TIMEOUT)
    except errors.ApiError as error:
        return _told(error, str(spec.get("token", "")))


def _told(error: errors.ApiError, token: str) -> errors.ApiError:
    """The same without a word of the answer. A review changes nothing, so nothing is in doubt."""
    doubtful = isinstance(error, errors.UnknownOutcome | errors.NotSent)
    kind = errors.Unavailable if doubtful else type(error)
    silent = error.status or _repeats(error.message, token)
    message = "the review was refused or not answered" if silent else error.message
    return kind(error.call, message, status=error.status, retry_after=error.retry_after)


def _repeats(text: str, token: str) -> bool:
    """Whether any eight characters of the token stand in the text."""
    return any(token[at : at + 8] in text for at in range(max(1, len(token) - 7)) if token)


def _status(answer: Json | errors.ApiError, path: str) -> Json:
    if isinstance(answer, errors.ApiError):
        raise answer
    status = answer.get("status")
    if not isinstance(status, dict):
        raise errors.Unavailable(call_of("POST", path), "the answer has no status")
    return status


def _caller(user: Json) -> Caller:
    extra = user.get("extra")
    return Caller(
        username=user["username"],
        uid=user["uid"] if isinstance(user.get("uid"), str) else "",
        groups=_texts(user.get("groups")),
        extra={key: _texts(value) for key, value in extra.items()}
        if isinstance(extra, dict)
        else {},
    )


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(one for one in value if isinstance(one, str))
