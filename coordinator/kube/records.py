"""A slot's Lease as JSON: reading it from the API server, and the bodies of writes. Pure.

The fields are those of design section 5. A body depends on nothing but the arguments, so that a
write whose outcome is unknown can be repeated byte for byte.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.core.model import MAX_TTL, MIN_TTL, Holder, Lease, PodRef, Terms
from coordinator.core.names import lease_name, split_lease_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.kube.answers import Json

PREFIX = "nodeslots.io/"
NODE = PREFIX + "node"
MANAGED_BY, MANAGER = "app.kubernetes.io/managed-by", "node-slots"
NO_BACKUP = "velero.io/exclude-from-backup"

_CLAIM = tuple(
    PREFIX + field
    for field in (
        "claim",
        "load",
        "priority",
        "ttl-seconds",
        "fencing-token",
        "pod",
        "pod-uid",
        "owner",
    )
)
_CLAIMS = frozenset(_CLAIM)
_CLAIMS_AND_NODE = _CLAIMS | {NODE}
_LABELS = frozenset({MANAGED_BY, NODE, NO_BACKUP})
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_LARGEST = 2**63 - 1
"""What fits into 64 bits: no JSON that is answered could say more."""
_MAX_NAME = 63
"""Characters of a Pod's or a load's name in `kubectl get leases`, which breaks no column."""

_UNTRACKED: list[Json] = []
"""As `managedFields`: the API server forgets who wrote which field, and from then on keeps no such
books, which cost it half of each write and made the object twice as large. Only who uses
server-side apply reads them, and a slot has one writer."""

_NOT_OURS = "the name is taken by a Lease that node-slots did not make"
_UNREADABLE = "unreadable: the Lease has a holderIdentity, but its annotation {} {}"


class Unreadable(ValueError):
    """The Lease names a holder, but not a claim that can be made out."""


# --- reading ----------------------------------------------------------------------------------


def parse(obj: object) -> Lease:
    """The Lease in a JSON object, whatever it holds; never raises.

    A Lease that is not ours, or names a holder without a readable claim, is `foreign`, with the
    reason. One without `holderIdentity` is free even if a claim's annotations remain: that is how
    an operator clears it by hand.
    """
    whole = _mapping(obj)
    head, spec = _mapping(whole.get("metadata")), _mapping(whole.get("spec"))
    labels, notes = _texts(head.get("labels")), _texts(head.get("annotations"))
    version = _whole(head.get("resourceVersion"))
    holder, foreign = None, ""
    if labels.get(MANAGED_BY) != MANAGER and NODE not in notes:
        foreign = _NOT_OURS
    elif version is None:
        foreign = "unreadable: its resourceVersion is no number"
    else:
        holder, foreign = _holder_or_reason(spec, notes)
    return Lease(
        name=_text(head.get("name")),
        uid=_text(head.get("uid")),
        version=version or 0,
        holder=holder,
        transitions=_count(spec.get("leaseTransitions")),
        terminating=bool(head.get("deletionTimestamp")),
        foreign=foreign,
        rest=_rest(head, labels, notes),
    )


def identity_of(obj: object) -> tuple[str, str, int | None]:
    """Name, uid and version of the Lease in a JSON object: what `parse` would say they are."""
    head = _mapping(_mapping(obj).get("metadata"))
    return _text(head.get("name")), _text(head.get("uid")), _whole(head.get("resourceVersion"))


def place_of(lease: Lease) -> tuple[str, int] | None:
    """`(node, ordinal)` of the slot whose name the Lease has; None where it has no slot's name.

    The name decides. Only a name cut for its length leaves the node open; then the annotation is
    believed if it leads to that very name.
    """
    split = split_lease_name(lease.name)
    if split is None:
        return None
    stem, ordinal = split
    told = _texts((lease.rest or {}).get("annotations")).get(NODE, "")
    if told and lease_name(told, ordinal) == lease.name:
        return told, ordinal
    return stem, ordinal


def _holder_or_reason(
    spec: Mapping[str, object], notes: Mapping[str, str]
) -> tuple[Holder | None, str]:
    if not spec.get("holderIdentity"):
        return None, ""
    try:
        return _holder(notes, _text(spec.get("acquireTime"))), ""
    except Unreadable as error:
        return None, str(error)


def _holder(notes: Mapping[str, str], acquired: str) -> Holder:
    terms = Terms(
        load=_note(notes, "load"),
        priority=_number(notes, "priority"),
        ttl=_number(notes, "ttl-seconds", MIN_TTL, MAX_TTL),
        pod=_pod(notes),
        owner=sys.intern(notes.get(PREFIX + "owner", "")),
    )
    token = _number(notes, "fencing-token", 0)
    return Holder(_note(notes, "claim"), terms, token, acquired)


def _note(notes: Mapping[str, str], field: str) -> str:
    value = notes.get(PREFIX + field, "")
    if not value:
        raise Unreadable(_UNREADABLE.format(PREFIX + field, "is missing"))
    return value


def _number(
    notes: Mapping[str, str], field: str, low: int = -_LARGEST, high: int = _LARGEST
) -> int:
    text = _note(notes, field)
    value = int(text) if _NUMBER.fullmatch(text) else None
    if value is None or not low <= value <= high:
        raise Unreadable(_UNREADABLE.format(PREFIX + field, f"says {text[:40]!r}"))
    return value


def _pod(notes: Mapping[str, str]) -> PodRef | None:
    """A Pod that cannot be made out is no missing Pod: the holder's life may hang on it."""
    text = notes.get(PREFIX + "pod")
    if text is None:
        return None
    namespace, slash, name = text.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise Unreadable(_UNREADABLE.format(PREFIX + "pod", f"says {text[:80]!r}"))
    return PodRef(sys.intern(namespace), name, notes.get(PREFIX + "pod-uid", ""))


def _rest(head: Mapping[str, object], labels: Json, notes: Json) -> Json | None:
    """What a write carries on: everything but our labels and the claim's annotations.

    None where there is nothing else, as of nearly every Lease; a node is kept only where the name
    does not tell it (`place_of`).
    """
    kept: Json = {}
    if theirs := labels.keys() - _LABELS:
        kept["labels"] = {key: value for key, value in labels.items() if key in theirs}
    known = _CLAIMS_AND_NODE if _tells_node(head, notes) else _CLAIMS
    if theirs := notes.keys() - known:
        kept["annotations"] = {key: value for key, value in notes.items() if key in theirs}
    for field in ("finalizers", "ownerReferences"):
        if value := head.get(field):
            kept[field] = value
    return kept or None


def _tells_node(head: Mapping[str, object], notes: Json) -> bool:
    return _text(head.get("name")).startswith(f"{notes.get(NODE)}-slot-")


# --- bodies of writes -------------------------------------------------------------------------


def render_create(node: str, name: str) -> bytes:
    """The body of a create: an empty Lease of a slot on `node`."""
    return _body({"name": name}, node, {}, {}, {"holderIdentity": ""})


def render_grant(base: Lease, node: str, claim: str, terms: Terms, wall: str) -> bytes:
    """The body of a grant or hand-over onto `base`; its version becomes the fencing token.

    `wall` is the time of the grant as a MicroTime.
    """
    spec = _held_spec(terms, base.transitions + 1, acquired=wall, renewed=wall)
    holder = Holder(claim, terms, base.version)
    return _body(_identity(base), node, base.rest, _claim_notes(holder), spec)


def render_free(base: Lease, node: str) -> bytes:
    """The body that empties `base`: nobody holds it, and nothing of the claim stays."""
    spec = {"holderIdentity": "", "leaseTransitions": base.transitions}
    return _body(_identity(base), node, base.rest, {}, spec)


def render_refresh(base: Lease, node: str, wall: str, terms: Terms | None = None) -> bytes:
    """The body that says `base`'s holder was alive at `wall`; `terms` bring an adopted Pod.

    Raises ValueError if `base` has no holder.
    """
    holder = base.holder
    if holder is None:
        msg = f"the Lease {base.name} has no holder whose renewal could be written"
        raise ValueError(msg)
    terms = terms or holder.terms
    spec = _held_spec(terms, base.transitions, acquired=holder.acquired, renewed=wall)
    notes = _claim_notes(Holder(holder.claim, terms, holder.token))
    return _body(_identity(base), node, base.rest, notes, spec)


def render_delete(base: Lease) -> bytes:
    """The body of a delete that removes `base` only as it stands."""
    conditions = {"uid": base.uid, "resourceVersion": str(base.version)}
    return orjson.dumps({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": conditions})


def holder_identity(terms: Terms) -> str:
    """What `kubectl get leases` shows: Pod name / load, or one name where both are the same.

    For people; the claim id is the truth. A long name is cut in its middle: both of its ends tell
    it from others.
    """
    pod, load = terms.pod.name if terms.pod else "", terms.load
    names = [pod, load] if pod and pod != load else [load]
    text = "/".join(map(_short, names))
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "?" for char in text)


def _short(name: str) -> str:
    if len(name) <= _MAX_NAME:
        return name
    half = (_MAX_NAME - 3) // 2
    return f"{name[:half]}...{name[-half:]}"


def _identity(base: Lease) -> Json:
    """A PUT without uid onto a deleted Lease would create it, so both are always there."""
    return {
        "name": base.name,
        "uid": base.uid,
        "resourceVersion": str(base.version),
        "managedFields": _UNTRACKED,
    }


def _held_spec(terms: Terms, transitions: int, *, acquired: str, renewed: str) -> Json:
    spec: Json = {"holderIdentity": holder_identity(terms), "renewTime": renewed}
    if acquired:
        spec["acquireTime"] = acquired
    return spec | {"leaseTransitions": transitions}


def _claim_notes(holder: Holder) -> dict[str, str]:
    terms = holder.terms
    values = [
        holder.claim,
        terms.load,
        str(terms.priority),
        str(terms.ttl),
        str(holder.token),
        str(terms.pod or ""),
        terms.pod.uid if terms.pod else "",
        terms.owner,
    ]
    return {key: value for key, value in zip(_CLAIM, values, strict=True) if value}


def _body(
    identity: Json,
    node: str,
    rest: Mapping[str, Any] | None,
    notes: Mapping[str, str],
    spec: Json,
) -> bytes:
    rest = rest or {}
    labels = dict(rest.get("labels") or {}) | {MANAGED_BY: MANAGER, NO_BACKUP: "true"}
    if _LABEL_VALUE.fullmatch(node):
        labels[NODE] = node
    annotations = dict(rest.get("annotations") or {}) | {NODE: node} | dict(notes)
    head = {**rest, **identity, "labels": labels, "annotations": annotations}
    return orjson.dumps(
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": head, "spec": spec},
        option=orjson.OPT_SORT_KEYS,
    )


# --- hostile input ----------------------------------------------------------------------------


_TEXT = {str}


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> Json:
    whole = _mapping(value)
    if {*map(type, whole), *map(type, whole.values())} <= _TEXT:
        return whole  # as every API server answers
    return {
        key: text for key, text in whole.items() if isinstance(key, str) and isinstance(text, str)
    }


def _whole(value: object) -> int | None:
    text = _text(value)
    return int(text) if _NUMBER.fullmatch(text) and not text.startswith("-") else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
