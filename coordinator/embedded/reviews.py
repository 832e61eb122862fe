"""TokenReview and SubjectAccessReview: asked by POST, answered at once, never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.embedded import errors
from coordinator.embedded.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.embedded.store import Store

Object = dict[str, Any]


def _review(group: str, plural: str, kind: str) -> Resource:
    return Resource(group, "v1", plural, kind, namespaced=False)


TOKEN_REVIEWS = _review("authentication.k8s.io", "tokenreviews", "TokenReview")
ACCESS_REVIEWS = _review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview")
SELF_REVIEWS = _review(
    "authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"
)
OWN_AUDIENCE = "https://kubernetes.default.svc"
"""The API server's own: what a review without audiences asks for."""
ALL = (TOKEN_REVIEWS, ACCESS_REVIEWS, SELF_REVIEWS)


def _token_status(store: Store, spec: Object) -> Object:
    if not spec.get("token"):
        raise errors.bad_request("token is required for TokenReview in authentication")
    user = store.tokens.get(spec["token"])
    if user is None:
        return {"user": {}, "error": "invalid bearer token"}
    known, wanted = user.get("audiences"), spec.get("audiences") or [OWN_AUDIENCE]
    audiences = [one for one in wanted if known is None or one in known]
    if not audiences:
        return {"user": {}, "error": f"token audiences {known} is invalid for {wanted}"}
    told = {key: value for key, value in user.items() if key != "audiences"}
    return {"authenticated": True, "user": told, "audiences": audiences}


def _check_access(spec: Object, *, names_user: bool) -> list[errors.Cause]:
    causes = []
    if bool(spec.get("resourceAttributes")) == bool(spec.get("nonResourceAttributes")):
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(errors.invalid_value("spec.resourceAttributes", None, why))
    if names_user and not spec.get("user") and not spec.get("groups"):
        why = "at least one of user or group must be specified"
        causes.append(errors.invalid_value("spec.user", "", why))
    return causes


def _access_status(store: Store, resource: Resource, spec: Object) -> Object:
    causes = _check_access(spec, names_user=resource is ACCESS_REVIEWS)
    if causes:
        raise errors.invalid(resource.group, "", "", causes)
    return {"allowed": store.rules(spec)}


def answer(store: Store, resource: Resource, review: Any) -> Object:
    """Return the review with its status; raises 400 or 422 for one that asks nothing."""
    spec = review.get("spec") if isinstance(review, dict) else None
    if not isinstance(spec, dict):
        spec = {}
    status: Callable[[], Object] = (
        (lambda: _token_status(store, spec))
        if resource is TOKEN_REVIEWS
        else (lambda: _access_status(store, resource, spec))
    )
    return {
        "kind": resource.kind,
        "apiVersion": resource.group_version,
        "metadata": {"creationTimestamp": None},
        "spec": spec,
        "status": status(),
    }
