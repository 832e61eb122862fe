"""The HTTP front of the store: plain HTTP, no authentication, thin.

It answers what the coordinator, its tests and ``kubectl`` ask. Server-side apply and most
protobuf bodies are refused with 415; answers are always JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from coordinator.embedded import conversion, discovery, errors, patches, requests, reviews
from coordinator.embedded.listing import Query
from coordinator.embedded.streams import Bells, Stream
from coordinator.embedded.views import LIST_OF_PARTIALS, View, asked_kind, shape
from coordinator.embedded.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiohttp.typedefs import Handler, Middleware

    from coordinator.embedded.requests import Target
    from coordinator.embedded.store import Store, Write

_HEALTH = {"/livez", "/readyz", "/healthz"}
_BODY_LIMIT = 3 * 1024 * 1024
_UNKNOWN_PATH = "404 page not found\n"


def _answer(body: Any, status: int = 200, write: Write | None = None) -> web.Response:
    encoded = body if isinstance(body, bytes) else orjson.dumps(body)
    response = web.Response(body=encoded, status=status, content_type="application/json")
    for path in write.unknown if write and write.validation == "Warn" else ():
        response.headers.add("Warning", f'299 - "unknown field \\"{path}\\""')
    return response


@web.middleware
async def _statuses(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into Status answers."""
    try:
        return await handler(request)
    except errors.ApiError as exc:
        refusal = _answer(exc.render(), exc.status)
        if seconds := exc.details.get("retryAfterSeconds"):
            refusal.headers["Retry-After"] = str(seconds)
        return refusal
    except web.HTTPRequestEntityTooLarge:
        why = f"Request entity too large: limit is {_BODY_LIMIT}"
        refused = errors.ApiError(413, "RequestEntityTooLarge", why)
        return _answer(refused.render(), refused.status)


@dataclass
class Front:
    """The handlers of one store."""

    store: Store
    bookmark_seconds: float
    bells: Bells = field(init=False)

    def __post_init__(self) -> None:
        """Hear of the store's commits."""
        self.bells = Bells(self.store)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        path = request.path
        if request.method == "GET" and path in _HEALTH:
            return web.Response(text="ok")
        if request.method == "GET" and (document := discovery.DOCUMENTS.get(path.rstrip("/"))):
            return _answer(document)
        what = requests.target(path)
        if what is None:
            return self._nothing(path)
        if what.resource in reviews.ALL:
            return await self._review(request, what)
        verbs: dict[tuple[str, bool], Callable[..., Awaitable[web.StreamResponse]]] = {
            ("GET", False): self._collection,
            ("GET", True): self._get,
            ("POST", False): self._create,
            ("PUT", True): self._update,
            ("PATCH", True): self._patch,
            ("DELETE", True): self._delete,
            ("DELETE", False): self._delete_collection,
        }
        verb = verbs.get((request.method, bool(what.name)))
        unplaced = what.resource.namespaced and not what.namespace and request.method != "GET"
        if verb is None or unplaced or (what.subresource and request.method == "DELETE"):
            raise errors.method_not_allowed()
        return await verb(request, what)

    def _view(self, request: web.Request, what: Target, *, of_list: bool = False) -> View:
        include = request.query.get("includeObject", "Metadata") or "Metadata"
        asked = shape(request.headers.get("Accept", ""), of_list=of_list)
        return View(what.resource, asked, self.store.now, include)

    def _nothing(self, path: str) -> web.Response:
        if not any(path.startswith(f"/{discovery.root(gv)}/") for gv in discovery.GROUP_VERSIONS):
            return web.Response(text=_UNKNOWN_PATH, status=404)
        raise errors.ApiError(404, "NotFound", "the server could not find the requested resource")

    async def _review(self, request: web.Request, what: Target) -> web.Response:
        if request.method != "POST":
            raise errors.method_not_allowed()
        review = await requests.object_body(request, what.resource)
        return _answer(reviews.answer(self.store, what.resource, review), 201)

    async def _collection(self, request: web.Request, what: Target) -> web.StreamResponse:
        watches = requests.wants_watch(request.query)
        if watches and asked_kind(request.headers.get("Accept", "")) == LIST_OF_PARTIALS:
            # The real server's encoder fails on the first event: an empty stream and no reason.
            return _answer(b"")
        view = self._view(request, what, of_list=not watches)
        query = requests.list_query(what, request.query)
        stored = conversion.stored_as(what.resource)
        if not watches:
            return _answer(view.page(self.store.page(stored, query)))
        options = requests.watch_options(request.query)
        # The parameters say where the watch begins; what is there at first is a list of now.
        now = Query(
            namespace=query.namespace,
            label_selector=query.label_selector,
            field_selector=query.field_selector,
        )
        watch = Watch(self.store, stored, now, self.store.version)
        return await Stream(watch, view, options, self.bookmark_seconds).run(request, self.bells)

    async def _get(self, request: web.Request, what: Target) -> web.Response:
        view = self._view(request, what)
        stored = conversion.stored_as(what.resource)
        return _answer(view.item(self.store.entry(stored, what.namespace, what.name)))

    async def _create(self, request: web.Request, what: Target) -> web.Response:
        obj = await requests.object_body(request, what.resource)
        write = requests.write(request.query)
        obj = conversion.to_stored(what.resource, obj)
        stored = conversion.stored_as(what.resource)
        made = self.store.create(stored, what.namespace, obj, write)
        return _answer(conversion.to_shown(what.resource, made), 201, write)

    async def _update(self, request: web.Request, what: Target) -> web.Response:
        obj = await requests.object_body(request, what.resource)
        write = requests.write(request.query)
        made, created = self.store.update(
            conversion.stored_as(what.resource),
            what.namespace,
            what.name,
            conversion.to_stored(what.resource, obj),
            subresource=what.subresource,
            write=write,
        )
        return _answer(conversion.to_shown(what.resource, made), 201 if created else 200, write)

    async def _patch(self, request: web.Request, what: Target) -> web.Response:
        media_type = requests.media_type(request)
        if media_type not in patches.ACCEPTED:
            note = " (the embedded API server has no server-side apply)"
            raise errors.unsupported_media_type(patches.ACCEPTED, note)
        write = requests.write(request.query)
        patch = conversion.renamed(what.resource, await requests.body(request))
        made = self.store.patch(
            conversion.stored_as(what.resource),
            what.namespace,
            what.name,
            patch,
            media_type,
            subresource=what.subresource,
            write=write,
        )
        return _answer(conversion.to_shown(what.resource, made), 200, write)

    async def _delete(self, request: web.Request, what: Target) -> web.Response:
        options = await requests.delete_options(request)
        stored = conversion.stored_as(what.resource)
        return _answer(self.store.delete(stored, what.namespace, what.name, options))

    async def _delete_collection(self, request: web.Request, what: Target) -> web.Response:
        options = await requests.delete_options(request)
        stored = conversion.stored_as(what.resource)
        page = self.store.page(stored, requests.list_query(what, request.query))
        for one in page.entries:
            self.store.delete(stored, what.namespace, one.view["metadata"]["name"], options)
        return _answer(View(what.resource, "whole", self.store.now).page(page))


@dataclass
class EmbeddedServer:
    """A running front; ``url`` has no trailing slash."""

    store: Store
    url: str
    _front: Front
    _runner: web.AppRunner

    def kubeconfig(self) -> dict[str, object]:
        """Return a kubeconfig for this server, ready to be written as YAML or JSON."""
        name = "node-slots-embedded"
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": self.url}}],
            "users": [{"name": name, "user": {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        }

    async def stop(self) -> None:
        """End all watches, then the server. The store stays as it is."""
        self._front.bells.stop()
        await self._runner.cleanup()


async def start(
    store: Store,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    bookmark_seconds: float = 5.0,
    middlewares: Sequence[Middleware] = (),
) -> EmbeddedServer:
    """Serve a store; port 0 takes a free one. Raises ``OSError`` when the port is taken.

    The middlewares see every request before it is answered: faults are put in there.
    """
    front = Front(store, bookmark_seconds)
    app = web.Application(middlewares=[*middlewares, _statuses], client_max_size=_BODY_LIMIT)
    app.router.add_route("*", "/{path:.*}", front.handle)
    # A watch whose client is gone must end at once, not at its next bookmark.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=2.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError:
        front.bells.stop()
        await runner.cleanup()
        raise
    bound = runner.addresses[0][1]
    return EmbeddedServer(store, f"http://{host}:{bound}", front, runner)
