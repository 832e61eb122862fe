"""What the server no longer remembers: the 410 that a watcher answers with a new list."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.contract.objects import lease

if TYPE_CHECKING:
    from tests.contract.client import Api


async def test_a_watch_from_a_forgotten_version_is_one_error_and_the_end(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    await api.make(api.leases, lease("b"))
    await api.forget()
    async with api.watch(api.leases, f"resourceVersion={made.version}") as stream:
        (error,) = await stream.until_end()
    assert error["type"] == "ERROR"
    assert error["object"]["kind"] == "Status"
    assert (error["object"]["code"], error["object"]["reason"]) == (410, "Expired")


async def test_a_list_of_exactly_a_forgotten_version_is_gone(api: Api) -> None:
    made = await api.make(api.leases, lease("a"))
    await api.make(api.leases, lease("b"))
    await api.forget()
    query = f"resourceVersion={made.version}&resourceVersionMatch=Exact"
    assert (await api.get(f"{api.leases}?{query}")).outcome == (410, "Expired")
    assert (await api.get(f"{api.leases}?resourceVersion={made.version}")).names == ["a", "b"]


async def test_a_forgotten_page_offers_the_rest_as_it_is_now(api: Api) -> None:
    for name in "abc":
        await api.make(api.leases, lease(name))
    first = await api.get(f"{api.leases}?limit=1")
    await api.make(api.leases, lease("d"))
    await api.forget()
    token = quote(first.json["metadata"]["continue"])
    gone = await api.get(f"{api.leases}?limit=9&continue={token}")
    assert gone.outcome == (410, "Expired")
    rest = quote(gone.json["metadata"]["continue"])
    assert (await api.get(f"{api.leases}?limit=9&continue={rest}")).names == ["b", "c", "d"]
