"""Properties of the log: every watch and every list of the past agrees with what was there."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.embedded import objects
from coordinator.embedded.errors import ApiError
from coordinator.embedded.history import DELETED
from coordinator.embedded.listing import Query
from coordinator.embedded.resources import LEASES, NODES
from coordinator.embedded.store import Store
from coordinator.embedded.watching import Watch

NAMES = ("a", "b", "c")
Picture = dict[str, str]

# A step: which Lease, and its label afterwards (None deletes it).
STEPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["red", "blue", None])), max_size=25
)


def _apply(store: Store, name: str, colour: str | None) -> None:
    there = {one["metadata"]["name"]: one for one in store.list(LEASES)}
    if colour is None:
        if name in there:
            store.delete(LEASES, "default", name)
        return
    lease = there.get(name) or objects.lease("default", name)
    lease["metadata"]["labels"] = {"colour": colour}
    store.update(LEASES, "default", name, lease)


def _picture(store: Store, query: Query) -> Picture:
    entries = store.page(LEASES, query).entries
    return {one.view["metadata"]["name"]: str(one.version) for one in entries}


def _replay(watch: Watch, start: Picture) -> Picture:
    seen = dict(start)
    for kind, entry in watch.changes():
        meta = entry.view["metadata"]
        if kind == DELETED:
            assert meta["name"] in seen, "a DELETED for something that the watch never had"
            del seen[meta["name"]]
        else:
            assert (kind == "ADDED") == (meta["name"] not in seen)
            seen[meta["name"]] = meta["resourceVersion"]
    return seen


@settings(deadline=None, max_examples=60)
@given(STEPS, st.sampled_from(["", "colour=red", "colour!=red"]))
def test_a_watch_from_any_version_leads_to_what_is_there(
    steps: list[tuple[str, str | None]], selector: str
) -> None:
    store = Store()
    query = Query(label_selector=selector)
    pictures = {store.version: _picture(store, query)}
    for step in steps:
        _apply(store, *step)
        pictures[store.version] = _picture(store, query)
    for version, picture in pictures.items():
        watch = Watch(store, LEASES, query, version)
        assert _replay(watch, picture) == _picture(store, query)
        assert watch.changes() == []


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_a_list_of_the_past_is_what_was_there(steps: list[tuple[str, str | None]]) -> None:
    store = Store()
    pictures = {store.version: _picture(store, Query())}
    for step in steps:
        _apply(store, *step)
        pictures[store.version] = _picture(store, Query())
    for version, picture in pictures.items():
        exact = Query(resource_version=str(version), resource_version_match="Exact")
        assert _picture(store, exact) == picture


@settings(deadline=None, max_examples=40)
@given(STEPS, STEPS, st.integers(1, 3))
def test_pages_show_one_moment_whatever_is_written_between_them(
    before: list[tuple[str, str | None]], between: list[tuple[str, str | None]], limit: int
) -> None:
    store = Store()
    for step in before:
        _apply(store, *step)
    expected = _picture(store, Query())
    page = store.page(LEASES, Query(limit=limit))
    found = list(page.entries)
    for step in between:
        _apply(store, *step)
    while page.continue_token:
        page = store.page(LEASES, Query(limit=limit, continue_token=page.continue_token))
        found += page.entries
    assert {one.view["metadata"]["name"]: str(one.version) for one in found} == expected


def test_a_forgotten_version_is_gone_for_watches_and_lists() -> None:
    store = Store()
    old = store.version
    store.create(NODES, "", objects.node("n"))
    store.compact()
    exact = Query(resource_version=str(old), resource_version_match="Exact")
    for attempt in (Watch(store, NODES, Query(), old).changes, lambda: store.page(NODES, exact)):
        with pytest.raises(ApiError) as error:
            attempt()
        assert (error.value.status, error.value.reason) == (410, "Expired")
    assert Watch(store, NODES, Query(), store.version).changes() == []


def test_a_watch_sees_its_namespace_only() -> None:
    store = Store()
    watch = Watch(store, LEASES, Query(namespace="default"), store.version)
    store.create(LEASES, "kube-system", objects.lease("kube-system", "x"))
    store.create(LEASES, "default", objects.lease("default", "y"))
    assert [entry.view["metadata"]["name"] for _, entry in watch.changes()] == ["y"]
