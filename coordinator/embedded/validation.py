"""What an object must look like to be stored; every broken rule becomes a cause of one 422."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.embedded import names
from coordinator.embedded.errors import Cause, forbidden_field, invalid, invalid_value, required

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.embedded.resources import Resource

Object = dict[str, Any]

_CONFIG_MAP_LIMIT = 1024 * 1024
_OF_TLS = "kubernetes.io/tls"
_IMMUTABLE = "field is immutable"
_NO_META_RULES = "Event"  # core/v1 events keep whatever names and labels they came with


def _name_causes(resource: Resource, meta: Object) -> list[Cause]:
    name = meta.get("name", "")
    if not name:
        return [required("metadata.name", "name or generateName is required")]
    if resource.kind == _NO_META_RULES:
        rule = names.path_segment
    else:
        rule = names.dns_label if resource.name_is_label else names.subdomain
    return [invalid_value("metadata.name", name, why) for why in rule(name)]


def _owner_causes(owners: list[Object]) -> list[Cause]:
    found: list[Cause] = []
    for owner in owners:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                where = f"metadata.ownerReferences.{field}"
                found.append(invalid_value(where, "", "must not be empty"))
    return found


def _metadata_causes(meta: Object) -> list[Cause]:
    found = names.label_causes(meta.get("labels") or {}, "metadata.labels")
    found += names.annotation_causes(meta.get("annotations") or {}, "metadata.annotations")
    found += _owner_causes(meta.get("ownerReferences") or [])
    for name in meta.get("finalizers") or []:
        found += [invalid_value("metadata.finalizers", name, why) for why in names.qualified(name)]
    return found


def _lease_causes(lease: Object) -> list[Cause]:
    spec, found = lease["spec"], []
    duration, transitions = spec.get("leaseDurationSeconds", 1), spec.get("leaseTransitions", 0)
    if duration <= 0:
        where = "spec.leaseDurationSeconds"
        found.append(invalid_value(where, duration, "must be greater than 0"))
    if transitions < 0:
        where = "spec.leaseTransitions"
        found.append(invalid_value(where, transitions, "must be greater than or equal to 0"))
    return found


def _config_map_causes(config: Object) -> list[Cause]:
    data, blobs = config.get("data") or {}, config.get("binaryData") or {}
    found: list[Cause] = []
    for where, members in (("data", data), ("binaryData", blobs)):
        for key in members:
            found += [invalid_value(f"{where}[{key}]", key, why) for why in names.config_key(key)]
            if where == "data" and key in blobs:
                why = "duplicate of key present in binaryData"
                found.append(invalid_value(f"data[{key}]", key, why))
    size = sum(len(v.encode()) for v in data.values()) + _blobs_size(blobs)
    return found + _size_causes(size, "[]")


def _secret_causes(secret: Object) -> list[Cause]:
    data = secret.get("data") or {}
    found = [
        invalid_value(f"data[{key}]", key, why) for key in data for why in names.config_key(key)
    ]
    if secret.get("type") == _OF_TLS:
        found += [required(f"data[{key}]") for key in ("tls.crt", "tls.key") if key not in data]
    return found + _size_causes(_blobs_size(data), "data")


def _blobs_size(blobs: dict[str, str]) -> int:
    """Their bytes: base64 holds three in four characters."""
    return sum(len(text) * 3 // 4 for text in blobs.values())


def _size_causes(size: int, field: str) -> list[Cause]:
    if size <= _CONFIG_MAP_LIMIT:
        return []
    why = f"Too long: may not be more than {_CONFIG_MAP_LIMIT} bytes"
    return [Cause("FieldValueTooLong", field, why)]


def _pod_causes(pod: Object) -> list[Cause]:
    containers = (pod.get("spec") or {}).get("containers")
    return [] if containers else [required("spec.containers")]


def _event_causes(event: Object) -> list[Cause]:
    about, namespace = event.get("involvedObject") or {}, event["metadata"].get("namespace", "")
    found: list[Cause] = []
    allowed = {about["namespace"]} if about.get("namespace") else {"", "default"}
    if event.get("eventTime"):
        allowed = {namespace} if about.get("namespace") else {"default", "kube-system"}
        for field in ("reportingController", "reportingInstance", "action", "reason"):
            stored = "reportingComponent" if field == "reportingController" else field
            if not event.get(stored):
                found.append(required(field))
    if namespace not in allowed:
        where, shown = "involvedObject.namespace", about.get("namespace", "")
        found.insert(0, invalid_value(where, shown, "does not match event.namespace"))
    return found


_BY_KIND: dict[str, Callable[[Object], list[Cause]]] = {
    "Lease": _lease_causes,
    "ConfigMap": _config_map_causes,
    "Secret": _secret_causes,
    "Pod": _pod_causes,
    "Event": _event_causes,
}


def _refuse(resource: Resource, obj: Object, causes: list[Cause]) -> None:
    if causes:
        name = obj["metadata"].get("name", "")
        raise invalid(resource.group, resource.kind, name, causes)


def _own_causes(resource: Resource, obj: Object) -> list[Cause]:
    rule = _BY_KIND.get(resource.kind)
    return rule(obj) if rule else []


def check_new(resource: Resource, obj: Object) -> None:
    """Raise ``ApiError`` 422 when an object may not be created as it is."""
    meta = obj["metadata"]
    causes = _name_causes(resource, meta)
    if resource.kind != _NO_META_RULES:
        causes += _metadata_causes(meta)
    _refuse(resource, obj, causes + _own_causes(resource, obj))


def _new_finalizers(meta: Object, was: Object) -> list[Cause]:
    added = [name for name in meta.get("finalizers") or [] if name not in was.get("finalizers", [])]
    if not was.get("deletionTimestamp") or not added:
        return []
    why = f"no new finalizers can be added if the object is being deleted, found new: {added}"
    return [forbidden_field("metadata.finalizers", why)]


def _immutable_data(obj: Object, old: Object) -> list[Cause]:
    if not old.get("immutable"):
        return []
    why = "field is immutable when `immutable` is set"
    fields = [f for f in ("immutable", "data", "binaryData") if obj.get(f) != old.get(f)]
    return [forbidden_field(field, why) for field in fields]


def check_update(resource: Resource, obj: Object, old: Object) -> None:
    """Raise ``ApiError`` 422 when an object may not become what is asked."""
    meta, was = obj["metadata"], old["metadata"]
    causes = _new_finalizers(meta, was)
    for field in ("uid", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if meta.get(field) != was.get(field):
            causes.append(invalid_value(f"metadata.{field}", meta.get(field), _IMMUTABLE))
    if resource.kind != _NO_META_RULES:
        causes += _metadata_causes(meta)
    if resource.kind in {"ConfigMap", "Secret"}:
        causes += _immutable_data(obj, old)
    if resource.kind == "Secret" and obj.get("type") != old.get("type"):
        causes.append(invalid_value("type", obj.get("type"), _IMMUTABLE))
    _refuse(resource, obj, causes + _own_causes(resource, obj))
