"""Looking again and again: an API server that is away is told once, and waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.kube import errors
from coordinator.kube.calls import call_of
from coordinator.observe import session as sessions
from coordinator.observe.session import Session
from tests.observe.test_reading import Api
from tests.observe.worlds import CONFIG, WORLD

if TYPE_CHECKING:
    from coordinator.observe.picture import Picture
    from coordinator.velero.world import World

AWAY = errors.Unavailable(call_of("GET", "/api/v1/nodes"), "refused")


class Shown:
    """Keeps what it is shown; stops the session after so many things."""

    def __init__(self, most: int) -> None:
        self.told: list[str] = []
        self.stop = asyncio.Event()
        self._most = most

    def show(self, seen: Picture) -> None:
        self.tell(0.0, "look")

    def tell(self, at: float, text: str) -> None:
        self.told.append(text)
        if len(self.told) >= self._most:
            self.stop.set()

    def close(self) -> None:
        pass


class AtOnce:
    """Backoff without a wait."""

    def __init__(self, _: object) -> None:
        self.failures = 0

    def next(self, retry_after: float | None = None) -> float:
        self.failures += 1
        return 0.0

    def reset(self) -> None:
        self.failures = 0


def looking(monkeypatch: pytest.MonkeyPatch, *outcomes: World | errors.ApiError) -> None:
    """What each look meets."""
    left = iter(outcomes)

    async def read(*_: Any) -> World:
        found = next(left)
        if isinstance(found, errors.ApiError):
            raise found
        return found

    monkeypatch.setattr(sessions, "read", read)
    monkeypatch.setattr(sessions, "Backoff", AtOnce)


async def test_an_absence_is_told_once_and_its_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    looking(monkeypatch, WORLD, AWAY, AWAY, AWAY, WORLD, WORLD)
    shown = Shown(5)
    await Session(Api().client, "velero", shown).follow(0.0, shown.stop)
    assert shown.told == [
        "look",
        "nothing is seen: could not list nodes: refused; looking on",
        "look",
        "the API server answers again",
        "look",
    ]


async def test_the_only_look_fails_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    looking(monkeypatch, AWAY)
    with pytest.raises(errors.Unavailable):
        await Session(Api().client, "velero", Shown(9)).look()


async def test_a_look_under_way_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Shown(9)

    async def read(*_: Any) -> World:
        shown.stop.set()
        return await asyncio.Future()  # an API server that says nothing

    monkeypatch.setattr(sessions, "read", read)
    async with asyncio.timeout(30):
        await Session(Api().client, "velero", shown).follow(0.0, shown.stop)
    assert shown.told == []


class Kept(Shown):
    """Keeps the last picture."""

    seen: Picture

    def show(self, seen: Picture) -> None:
        self.seen = seen


async def by_config_map(monkeypatch: pytest.MonkeyPatch, api: Api) -> Picture:
    looking(monkeypatch, WORLD)
    kept = Kept(9)
    await Session(api.client, "velero", kept, limits=CONFIG).look()
    return kept.seen


PATH = f"/api/v1/namespaces/velero/configmaps/{CONFIG}"


async def test_limits_may_come_from_another_config_map(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = await by_config_map(monkeypatch, Api())  # its text is {}
    assert [one.limit for one in seen.nodes] == [1, 1, None]
    assert seen.source == f"ConfigMap {CONFIG}"


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (errors.NotFound, 404, "is not there; limits of 1 are shown"),
        (errors.Forbidden, 403, "you may not get them"),
    ],
)
async def test_a_config_map_that_cannot_be_had_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, trouble: type[errors.ApiError], status: int, words: str
) -> None:
    api = Api()
    api.fail(PATH, trouble, status)
    seen = await by_config_map(monkeypatch, api)
    assert any(words in finding for finding in seen.findings)
