"""Which groups, versions and kinds there are, for kubectl and client libraries.

The OpenAPI documents name no schemas. kubectl asks them one thing before it writes: whether PATCH
of a kind knows ``fieldValidation``, so that the server checks the fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.embedded import resources, reviews

if TYPE_CHECKING:
    from coordinator.embedded.resources import Resource

Object = dict[str, Any]

VERSION: Object = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0+embedded",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_SERVED: tuple[Resource, ...] = (*resources.ALL, *reviews.ALL)
GROUP_VERSIONS = tuple(dict.fromkeys(one.group_version for one in _SERVED))
_GROUPS = tuple(dict.fromkeys(one.group for one in _SERVED if one.group))


def _resource(one: Resource, subresource: str = "") -> Object:
    verbs = ["create"] if one in reviews.ALL else _VERBS
    shown: Object = {
        "name": f"{one.plural}/{subresource}" if subresource else one.plural,
        "singularName": "" if subresource else one.kind.lower(),
        "namespaced": one.namespaced,
        "kind": one.kind,
        "verbs": ["get", "patch", "update"] if subresource else verbs,
    }
    if one.short_names and not subresource:
        shown["shortNames"] = list(one.short_names)
    return shown


def resource_list(group_version: str) -> Object:
    """Return the kinds of one group and version."""
    found = []
    for one in _SERVED:
        if one.group_version == group_version:
            found.append(_resource(one))
            if one.has_status:
                found.append(_resource(one, "status"))
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": found,
    }


def group(name: str) -> Object:
    """Return one group with its versions."""
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": [version],
        "preferredVersion": version,
    }


def _members(name: str) -> Object:
    return {key: value for key, value in group(name).items() if key not in {"kind", "apiVersion"}}


def _openapi_operation(one: Resource) -> Object:
    wanted = ("dryRun", "fieldManager", "fieldValidation", "force")
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in wanted]
    return {
        "patch": {
            "parameters": parameters,
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-group-version-kind": {
                "group": one.group,
                "version": one.version,
                "kind": one.kind,
            },
        }
    }


def root(group_version: str) -> str:
    """Return the path under which a group and version is served, without a leading slash."""
    return f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"


def _openapi(group_version: str) -> Object:
    paths = {}
    for one in _SERVED:
        if one.group_version == group_version:
            scope = "namespaces/{namespace}/" if one.namespaced else ""
            paths[f"/{root(group_version)}/{scope}{one.plural}/{{name}}"] = _openapi_operation(one)
    info = {"title": "node-slots embedded API server", "version": VERSION["gitVersion"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}


def _build() -> dict[str, Object]:
    groups = {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_members(g) for g in _GROUPS]}
    core = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    documents = {"/version": VERSION, "/api": core, "/apis": groups}
    documents |= {f"/apis/{name}": group(name) for name in _GROUPS}
    documents |= {f"/{root(gv)}": resource_list(gv) for gv in GROUP_VERSIONS}
    documents |= {f"/openapi/v3/{root(gv)}": _openapi(gv) for gv in GROUP_VERSIONS}
    links = {root(gv): {"serverRelativeURL": f"/openapi/v3/{root(gv)}"} for gv in GROUP_VERSIONS}
    return documents | {"/openapi/v3": {"paths": links}}


DOCUMENTS = _build()
"""Path to document: everything that GET answers without looking at the store."""
