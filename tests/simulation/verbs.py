"""One request's effect on the store, and its true answer: the embedded API server without HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from coordinator.embedded import deletion, errors, requests
from coordinator.embedded.views import View, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.embedded.requests import Target
    from coordinator.embedded.store import Store

Json = dict[str, Any]


def perform(
    store: Store, method: str, path: str, params: Mapping[str, str], body: bytes | None, accept: str
) -> Json:
    """Take effect and return the answer's JSON. Raises the embedded `ApiError`."""
    what = requests.target(path)
    if what is None:
        raise errors.ApiError(404, "NotFound", f"nothing is served at {path}")
    given = orjson.loads(body) if body else {}
    if method == "GET":
        return _get(store, what, params, accept)
    if method == "POST":
        return store.create(what.resource, what.namespace, given)
    if method == "PUT":
        return store.update(what.resource, what.namespace, what.name, given)[0]
    if method == "PATCH":
        return store.patch(what.resource, what.namespace, what.name, given)
    return store.delete(what.resource, what.namespace, what.name, _options(given))


def _get(store: Store, what: Target, params: Mapping[str, str], accept: str) -> Json:
    if what.name:
        return store.get(what.resource, what.namespace, what.name)
    view = View(what.resource, shape(accept, of_list=True), store.now)
    page = store.page(what.resource, requests.list_query(what, params))
    found: Json = orjson.loads(view.page(page))
    return found


def _options(given: Json) -> deletion.Options:
    conditions = given.get("preconditions") or {}
    return deletion.Options(
        uid=conditions.get("uid"),
        resource_version=conditions.get("resourceVersion"),
        grace_seconds=given.get("gracePeriodSeconds"),
    )
