"""The two forms of patches that the kustomizations of `deploy/` use."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def patched(found: list[Object], told: Object) -> list[Object]:
    """The objects with an entry of `patches` applied.

    A list is a JSON patch (RFC 6902), a mapping with `$patch: delete` takes the target away. Raises
    ValueError where there is no target, or the patch is neither.
    """
    import yaml

    patch, target = yaml.safe_load(told["patch"]), told["target"]
    if not any(_is(one, target) for one in found):
        raise ValueError(f"nothing to patch: {target['kind']} {target['name']}")
    if isinstance(patch, list):
        return [_changed(one, patch) if _is(one, target) else one for one in found]
    if patch.get("$patch") == "delete":
        return [one for one in found if not _is(one, target)]
    raise ValueError(f"a form of patch that is not known here: {told['patch']}")


def _is(one: Object, target: Object) -> bool:
    return (one["kind"], one["metadata"]["name"]) == (target["kind"], target["name"])


def _changed(one: Object, operations: list[Object]) -> Object:
    import jsonpatch

    changed: Object = jsonpatch.apply_patch(one, operations)
    return changed
