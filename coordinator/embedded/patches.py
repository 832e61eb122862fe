"""Patches: RFC 7386 merge patch, RFC 6902 JSON patch, and Kubernetes' strategic merge.

The strategic merge knows the merge keys of the lists that Nodes, Pods and metadata have; any other
list is replaced whole, which is also what the real server does with lists that have no merge key.
"""

from __future__ import annotations

from typing import Any

import jsonpatch
import jsonpointer
import orjson

from coordinator.embedded import errors

MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
ACCEPTED = (JSON, MERGE, STRATEGIC)

_MERGE_KEYS = {
    "ownerReferences": "uid",
    "conditions": "type",
    "addresses": "type",
    "taints": "key",
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "hostAliases": "ip",
    "podIPs": "ip",
    "hostIPs": "ip",
}
_UNFIT = (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException)
_MERGED_TEXTS = {"finalizers", "podCIDRs"}


def merge(target: Any, patch: Any) -> Any:
    """Return the target with an RFC 7386 merge patch applied; neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


def _strategic_list(name: str, target: list[Any], patch: list[Any]) -> list[Any]:
    if name in _MERGED_TEXTS:
        return target + [one for one in patch if one not in target]
    key = _MERGE_KEYS.get(name)
    if key is None:
        return patch
    if any(one.get("$patch") == "replace" for one in patch):
        return [one for one in patch if "$patch" not in one]
    out = list(target)
    for one in patch:
        at = next((i for i, old in enumerate(out) if old.get(key) == one.get(key)), None)
        if one.get("$patch") == "delete":
            out = [old for old in out if old.get(key) != one.get(key)]
        elif at is None:
            out.append(strategic({}, one))
        else:
            out[at] = strategic(out[at], one)
    return out


def _ordered(name: str, items: list[Any], order: list[Any]) -> list[Any]:
    key = _MERGE_KEYS.get(name, "")
    wanted = [one.get(key) if isinstance(one, dict) else one for one in order]

    def place(item: Any) -> int:
        value = item.get(key) if isinstance(item, dict) else item
        return wanted.index(value) if value in wanted else len(wanted)

    return sorted(items, key=place)


def _directive(out: dict[str, Any], key: str, value: Any) -> None:
    word, _, name = key.partition("/")
    if word == "$deleteFromPrimitiveList":
        out[name] = [one for one in out.get(name) or [] if one not in value]
    elif word == "$setElementOrder" and isinstance(out.get(name), list):
        out[name] = _ordered(name, out[name], value)
    elif word == "$retainKeys":
        for gone in [one for one in out if one not in value]:
            del out[gone]


def strategic(target: Any, patch: Any) -> Any:
    """Return the target with a strategic merge patch applied; neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    out = dict(target) if isinstance(target, dict) else {}
    directives = {key: value for key, value in patch.items() if key.startswith("$")}
    if "$retainKeys" in directives:
        _directive(out, "$retainKeys", directives.pop("$retainKeys"))
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            out.pop(key, None)
        elif isinstance(value, list):
            out[key] = _strategic_list(key, out.get(key) or [], value)
        else:
            out[key] = strategic(out.get(key), value)
    for key, value in directives.items():
        _directive(out, key, value)
    return out


def _json_patch(target: dict[str, Any], patch: Any) -> Any:
    if not isinstance(patch, list) or not all(isinstance(one, dict) for one in patch):
        raise errors.bad_request("error decoding patch: a JSON patch must be a list of objects")
    try:
        # The library would write into lists of the target.
        return jsonpatch.JsonPatch(patch).apply(orjson.loads(orjson.dumps(target)))
    except (*_UNFIT, TypeError, AttributeError, KeyError) as exc:
        why = f"the server rejected our request due to an error in our request: {exc}"
        raise errors.ApiError(422, "Invalid", why) from exc


def _strategic_patch(target: dict[str, Any], patch: dict[str, Any]) -> Any:
    try:
        return strategic(target, patch)
    except (AttributeError, TypeError) as exc:
        # A list with a merge key must hold objects; the types are read only afterwards.
        raise errors.bad_request(f"the patch does not have the shape of the object: {exc}") from exc


def apply(media_type: str, target: dict[str, Any], patch: Any) -> dict[str, Any]:
    """Return the patched object.

    Raises ``ApiError``: 415 for a patch type that is not known here (server-side apply is not), 400
    for a malformed patch, 422 for a JSON patch that does not fit the object.
    """
    if media_type not in ACCEPTED:
        raise errors.unsupported_media_type(ACCEPTED)
    if media_type == JSON:
        out = _json_patch(target, patch)
    elif not isinstance(patch, dict):
        raise errors.bad_request("error decoding patch: a merge patch must be a JSON object")
    elif media_type == MERGE:
        out = merge(target, patch)
    else:
        out = _strategic_patch(target, patch)
    if not isinstance(out, dict):
        raise errors.bad_request("the patch does not leave a JSON object")
    return out
