"""A list is whole: page by page, and all at once where its pages outlived their snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from coordinator.kube import errors
from coordinator.kube.calls import call_of
from coordinator.kube.lists import PAGE, whole_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.kube.client import KubeClient

LEASES = "/apis/coordination.k8s.io/v1/namespaces/velero/leases"


class Api:
    """Three objects on two pages; the second one may be gone by then."""

    def __init__(self, *, expires: bool) -> None:
        self.expires = expires
        self.asked: list[dict[str, str]] = []

    async def request(
        self, method: str, path: str, *, params: Mapping[str, str], accept: str, timeout: float
    ) -> dict[str, Any]:
        asked = dict(params)
        self.asked.append(asked)
        if "continue" in asked and self.expires:
            raise errors.Expired(call_of(method, path), "the token is too old", status=410)
        if "limit" not in asked:
            return {"items": [{"n": 1}, {"n": 2}, {"n": 3}]}
        if "continue" in asked:
            return {"items": [{"n": 3}], "metadata": {}}
        return {"items": [{"n": 1}, {"n": 2}], "metadata": {"continue": "next"}}

    async def numbers(self) -> list[int]:
        found = await whole_list(cast("KubeClient", self), LEASES, {"labelSelector": "a=b"})
        return [one["n"] for one in found]


async def test_all_pages_are_one_list_and_each_is_asked_for_with_the_same_selector() -> None:
    api = Api(expires=False)
    assert await api.numbers() == [1, 2, 3]
    asked = {"labelSelector": "a=b", "limit": str(PAGE)}
    assert api.asked == [asked, asked | {"continue": "next"}]


async def test_pages_that_outlived_their_snapshot_are_read_at_once() -> None:
    api = Api(expires=True)
    assert await api.numbers() == [1, 2, 3]
    assert api.asked[-1] == {"labelSelector": "a=b"}
