"""Reading asks for no more than it needs, and says what it could not get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coordinator.kube import errors
from coordinator.kube.calls import call_of
from coordinator.kube.lists import PAGE
from coordinator.velero.reading import Reader, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.kube.client import KubeClient

PODS = "/api/v1/namespaces/velero/pods"
BACKUPS = "/apis/velero.io/v1/namespaces/velero/podvolumebackups"
NODES = "/api/v1/nodes"


class Api:
    """Answers in place of an API server: a path's pages, or its error."""

    def __init__(self) -> None:
        self.pages: dict[str, list[list[dict[str, Any]]]] = {}
        self.troubles: dict[str, errors.ApiError] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def fail(self, path: str, kind: type[errors.ApiError], status: int) -> None:
        self.troubles[path] = kind(call_of("GET", path), "no", status=status)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        accept: str = "",
        timeout: float,
    ) -> dict[str, Any]:
        asked = dict(params or {})
        self.asked.append((method, path, asked))
        if path in self.troubles and ("continue" in asked or path not in self.pages):
            raise self.troubles.pop(path) if path in self.pages else self.troubles[path]
        if path == "/version":
            return {"gitVersion": "v1.36.3"}
        pages = self.pages.get(path, [[]])
        at = int(asked.get("continue", 0))
        if "limit" not in asked:
            return {"items": [one for page in pages for one in page], "data": {"x": "{}"}}
        onward = str(at + 1) if at + 1 < len(pages) else ""
        return {"items": pages[at], "metadata": {"continue": onward}}

    @property
    def client(self) -> KubeClient:
        return self  # type: ignore[return-value]


def node(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {}}}


async def test_long_lists_are_read_page_by_page() -> None:
    api = Api()
    api.pages[NODES] = [[node("b")], [node("a")], [node("c")]]
    world = await read(api.client, "velero", 1.0)
    assert [one.name for one in world.nodes] == ["a", "b", "c"]
    asked = [params for _, path, params in api.asked if path == NODES]
    assert [one.get("continue") for one in asked] == [None, "1", "2"]
    assert {one["limit"] for one in asked} == {str(PAGE)}


async def test_pages_that_outlived_their_snapshot_are_read_at_once() -> None:
    api = Api()
    api.pages[NODES] = [[node("a")], [node("b")]]
    api.fail(NODES, errors.Expired, 410)
    world = await read(api.client, "velero", 1.0)
    assert [one.name for one in world.nodes] == ["a", "b"]


async def test_only_movers_are_asked_for_not_every_pod() -> None:
    api = Api()
    await read(api.client, "velero", 1.0)
    selectors = [params["labelSelector"] for _, path, params in api.asked if path == PODS]
    assert selectors == [
        "velero.io/pod-volume-backup",
        "velero.io/pod-volume-restore",
        "velero.io/data-upload",
        "velero.io/data-download",
    ]
    assert {method for method, _, _ in api.asked} == {"GET"}


async def test_a_missing_right_is_a_sentence_with_the_question_to_ask() -> None:
    api = Api()
    api.fail(PODS, errors.Forbidden, 403)
    world = await read(api.client, "velero", 1.0)
    (told,) = world.unread  # four lists, one sentence
    assert "kubectl auth can-i list pods -n velero" in told


async def test_a_resource_that_is_not_served_is_a_sentence() -> None:
    api = Api()
    api.fail(BACKUPS, errors.Unavailable, 404)  # the API server's page, no Status of its own
    world = await read(api.client, "velero", 1.0)
    assert world.works == ()
    assert "podvolumebackups.velero.io: this cluster does not have" in world.unread[0]


async def test_an_api_server_that_is_away_is_no_empty_cluster() -> None:
    api = Api()
    api.fail(NODES, errors.Unavailable, 0)
    with pytest.raises(errors.Unavailable):
        await read(api.client, "velero", 1.0)


async def test_a_config_map_that_is_not_there_differs_from_one_that_may_not_be_read() -> None:
    api = Api()
    path = "/api/v1/namespaces/velero/configmaps/limits"
    api.fail(path, errors.NotFound, 404)
    reader = Reader(api.client, "velero")
    found = await reader.config_map("limits")
    assert found is not None
    assert (found.data, reader.unread) == (None, [])
    api.fail(path, errors.Forbidden, 403)
    assert await reader.config_map("limits") is None
    assert "configmaps in namespace velero: you may not get them" in reader.unread[0]
