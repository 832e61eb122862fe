"""The API server's objects in memory: one counter, one log, compare-and-swap.

Synchronous and pure: the clock and the ids are passed in. A store belongs to one thread. Objects
that go in and come out are the caller's own; nothing is shared. What the real server does around
these rules (admission plugins, managedFields, garbage collection, namespace cleaning) is left out.
The rules are those of ``k8s.io/apiserver/pkg/registry/generic/registry/store.go``.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.embedded import deletion, errors, kinds, listing, patches, schema, validation
from coordinator.embedded.history import ADDED, DELETED, MODIFIED, Entry, Event, History, entry
from coordinator.embedded.resources import NAMESPACES, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Object = dict[str, Any]

STARTING_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_LOST = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
# Version 0 stands for "any", so the first commit is version 2 and 1 is the time before it.
_FIRST_VERSION = 1


@dataclass
class Write:
    """How a write is meant: ``validation`` is fieldValidation (Ignore, Warn or Strict).

    ``unknown`` is filled with the paths of the fields that were dropped.
    """

    validation: str = "Warn"
    dry_run: bool = False
    unknown: list[str] = field(default_factory=list)


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _random_uid() -> str:
    return str(uuid.uuid4())


def allow_all(_spec: Object) -> bool:
    """Allow every SubjectAccessReview."""
    return True


class Store:
    """The objects of one emulated cluster. Every refusal is an ``ApiError``."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = _wall_clock,
        uids: Callable[[], str] = _random_uid,
        history: int = 10_000,
        namespaces: Iterable[str] = STARTING_NAMESPACES,
    ) -> None:
        self.tokens: dict[str, Object] = {}
        """What TokenReview knows: token to user info (username, uid, groups, extra)."""
        self.rules: Callable[[Object], bool] = allow_all
        """What SubjectAccessReview asks, with the review's spec."""
        self.version = _FIRST_VERSION
        self.history = History(_FIRST_VERSION)
        self._keep = history
        self.now = now
        self._uids = uids
        self._tables: dict[Resource, dict[str, Entry]] = {}
        self._subscribers: list[Callable[[Event], None]] = []
        for name in namespaces:
            self.create(NAMESPACES, "", {"metadata": {"name": name}})

    # -- reading

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Return an object; raises 404."""
        return self.entry(resource, namespace, name).copy(resource)

    def entry(self, resource: Resource, namespace: str, name: str) -> Entry:
        """Return an object with its bytes; raises 404."""
        found = self._table(resource).get(f"{namespace}/{name}")
        if found is None:
            raise errors.not_found(resource, name)
        return found

    def page(self, resource: Resource, query: listing.Query | None = None) -> listing.Page:
        """Return a page of a list; raises as ``listing.page`` does."""
        table = self._table(resource)
        return listing.page(resource, table, self.history, self.version, query or listing.Query())

    def list(
        self, resource: Resource, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Return all objects that both selectors match, by namespace and name."""
        query = listing.Query(namespace=namespace, label_selector=labels, field_selector=fields)
        return [one.copy(resource) for one in self.page(resource, query).entries]

    # -- watching

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call back at each commit, before the write returns; returns what ends it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def compact(self, keep: int = 0) -> None:
        """Forget all but the last ``keep`` events: older watches and lists get 410."""
        self.history.compact(keep)

    # -- writing

    def create(
        self, resource: Resource, namespace: str, obj: Object, write: Write | None = None
    ) -> Object:
        """Create an object and return it; raises 400, 403, 404 (namespace), 409, 422."""
        write = write or Write()
        obj = self._read(resource, namespace, obj, write)
        meta = obj["metadata"]
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = f"{meta['generateName'][:247]}{self._uids().replace('-', '')[-5:]}"
        return self._create(resource, namespace, obj, write).copy(resource)

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        obj: Object,
        *,
        subresource: str = "",
        write: Write | None = None,
    ) -> tuple[Object, bool]:
        """Replace an object; returns it, and whether this created it. Raises 400, 404, 409, 422."""
        write = write or Write()
        obj = self._read(resource, namespace, obj, write)
        self._check_name(obj, name)
        old = self._table(resource).get(f"{namespace}/{name}")
        uid = obj["metadata"].get("uid", "")
        if old is None:
            if not resource.create_on_update or subresource:
                raise errors.not_found(resource, name)
            deletion.check_uid(resource, name, uid, "")
            obj["metadata"].pop("resourceVersion", None)
            return self._create(resource, namespace, obj, write).copy(resource), True
        deletion.check_uid(resource, name, uid, old.view["metadata"]["uid"])
        return self._replace(resource, old, obj, subresource, write).copy(resource), False

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Any,
        media_type: str = patches.MERGE,
        *,
        subresource: str = "",
        write: Write | None = None,
    ) -> Object:
        """Patch an object and return it; raises 400, 404, 409, 415, 422."""
        write = write or Write()
        old = self.entry(resource, namespace, name)
        patched = patches.apply(media_type, old.copy(resource), patch)
        try:
            obj = self._decode(resource, patched, write)
        except errors.ApiError as exc:
            raise errors.unpatchable(exc.message) from exc
        self._place(obj, namespace)
        self._check_name(obj, name)
        return self._replace(resource, old, obj, subresource, write).copy(resource)

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        options: deletion.Options | None = None,
    ) -> Object:
        """Delete an object, or begin to; returns it as long as it stays, else a Status.

        Raises 404, and 409 when a precondition fails.
        """
        options = options or deletion.Options()
        old = self.entry(resource, namespace, name)
        plan = deletion.plan(resource, old, options, self.now())
        if options.dry_run:
            return old.copy(resource) if resource.graceful else deletion.done(resource, old)
        kept = old
        if plan.marked is not None:
            kept = self._commit(resource, MODIFIED, old.key, plan.marked, old)
        if not plan.gone:
            return kept.copy(resource)
        self._remove(resource, kept)
        return kept.copy(resource) if resource.graceful else deletion.done(resource, kept)

    # -- inside

    def _table(self, resource: Resource) -> dict[str, Entry]:
        return self._tables.setdefault(resource, {})

    def _decode(self, resource: Resource, obj: Object, write: Write) -> Object:
        clean, unknown = schema.read(resource, obj)
        write.unknown.extend(unknown)
        if unknown and write.validation == "Strict":
            told = ", ".join(f'unknown field "{path}"' for path in unknown)
            raise errors.bad_request(
                f'{resource.kind} in version "{resource.version}" cannot be handled as a '
                f"{resource.kind}: strict decoding error: {told}"
            )
        clean.pop("kind", None)
        clean.pop("apiVersion", None)
        return clean

    def _place(self, obj: Object, namespace: str) -> None:
        meta = obj["metadata"]
        if meta.get("namespace", namespace) != namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
        if namespace:
            meta["namespace"] = namespace

    def _read(self, resource: Resource, namespace: str, obj: Object, write: Write) -> Object:
        clean = self._decode(resource, obj, write)
        self._place(clean, namespace)
        return clean

    def _check_name(self, obj: Object, name: str) -> None:
        found = obj["metadata"].get("name", "")
        if not found:
            raise errors.bad_request(
                f"the name of the object ({name} based on URL) was undeterminable: name must be "
                "provided"
            )
        if found != name:
            raise errors.bad_request(
                f"the name of the object ({found}) does not match the name on the URL ({name})"
            )

    def _admit(self, resource: Resource, namespace: str, name: str) -> None:
        """Refuse to create in a namespace that is not there or on its way out."""
        if not resource.namespaced:
            return
        found = self._table(NAMESPACES).get(f"/{namespace}")
        if found is None:
            raise errors.not_found(NAMESPACES, namespace)
        if found.view["metadata"].get("deletionTimestamp"):
            why = (
                f"unable to create new content in namespace {namespace} because it is being "
                "terminated"
            )
            told = f"namespace {namespace} is being terminated"
            cause = errors.Cause("NamespaceTerminating", "metadata.namespace", told)
            raise errors.forbidden(resource, name, why, [cause])

    def _create(self, resource: Resource, namespace: str, obj: Object, write: Write) -> Entry:
        meta = obj["metadata"]
        name = meta.get("name", "")
        self._admit(resource, namespace, name)
        for gone in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            meta.pop(gone, None)
        meta["uid"] = self._uids()
        meta["creationTimestamp"] = deletion.timestamp(self.now())
        kinds.prepare_new(resource, obj)
        validation.check_new(resource, obj)
        key = f"{namespace}/{name}"
        if listing.parse_version(meta.get("resourceVersion", "")):
            raise errors.fault("resourceVersion should not be set on objects to be created")
        if there := self._table(resource).get(key):
            raise errors.already_exists(
                resource, name, "deletionTimestamp" in there.view["metadata"]
            )
        if write.dry_run:
            return entry(key, 0, obj)
        return self._commit(resource, ADDED, key, obj, None)

    def _check_version(self, resource: Resource, old: Entry, obj: Object) -> None:
        given, name = obj["metadata"].get("resourceVersion", ""), obj["metadata"]["name"]
        version = listing.parse_version(given)
        if version == 0 and not resource.unconditional_update:
            why = errors.invalid_value(
                "metadata.resourceVersion", 0, "must be specified for an update"
            )
            raise errors.invalid(resource.group, resource.plural, name, [why])
        if version not in {0, old.version}:
            raise errors.conflict(resource, name, _LOST)

    def _replace(
        self, resource: Resource, old: Entry, obj: Object, subresource: str, write: Write
    ) -> Entry:
        self._check_version(resource, old, obj)
        meta, was = obj["metadata"], old.view["metadata"]
        for given in ("uid", "deletionGracePeriodSeconds"):
            if given in was:
                meta.setdefault(given, was[given])
        for fixed in ("generation", "creationTimestamp"):
            meta.pop(fixed, None)
        for fixed in ("generation", "creationTimestamp", "deletionTimestamp"):
            if fixed in was:
                meta[fixed] = was[fixed]
        kinds.prepare_update(resource, obj, old.view, subresource)
        validation.check_update(resource, obj, old.view)
        if entry(old.key, old.version, obj).encoded == old.encoded:
            return old  # nothing changes, so the version does not either
        if write.dry_run:
            return entry(old.key, old.version, obj)
        if deletion.ends(obj, old.view):
            self._remove(resource, old)
            return entry(old.key, old.version, obj)
        return self._commit(resource, MODIFIED, old.key, obj, old)

    def _commit(
        self, resource: Resource, kind: str, key: str, obj: Object, previous: Entry | None
    ) -> Entry:
        new = entry(key, self.version + 1, obj)
        self._table(resource)[key] = new
        self._announce(Event(resource, kind, new, previous))
        return new

    def _remove(self, resource: Resource, old: Entry) -> None:
        del self._table(resource)[old.key]
        last = entry(old.key, self.version + 1, orjson.loads(old.encoded))
        self._announce(Event(resource, DELETED, last, old))

    def _announce(self, event: Event) -> None:
        self.version = event.entry.version
        self.history.append(event)
        if len(self.history) > 2 * self._keep:
            self.history.compact(self._keep)
        for callback in tuple(self._subscribers):
            callback(event)
