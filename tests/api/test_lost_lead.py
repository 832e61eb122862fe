"""Who led when it was asked, and leads no more when the answer is ready, does not give it (P10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.service.leadership import LOST
from tests.api.callers import AGENT, bearer
from tests.api.conftest import CLAIM, SYNC
from tests.api.living import POOL, limits

if TYPE_CHECKING:
    from coordinator.core.access import Caller as Person
    from tests.api.callers import FakeCallers
    from tests.api.conftest import Caller
    from tests.api.fakes import FakeCoordinator
    from tests.api.living import Living


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/nodes", None),
        ("GET", "/claims", None),
        ("GET", "/config", None),
        ("POST", "/preview", {"text": limits(2)}),
        ("POST", "/preview", {"text": "{"}),
    ],
)
async def test_an_answer_that_took_a_while_is_not_given_by_who_leads_no_more(
    alive: Living, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: object
) -> None:
    """Others have a turn between thousands of nodes: the lead may be lost there."""
    looks = iter([""])
    monkeypatch.setattr(alive.pool, "ready", lambda: next(looks, LOST))
    answer = await alive.api(method, POOL + path, body)
    assert (answer.status, answer.problem) == (503, "not-ready")
    assert LOST in answer.json["detail"]


@pytest.mark.parametrize("won_again", [False, True])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", CLAIM, {"load": "x"}),
        ("POST", SYNC, {"agent": "a", "boot": "b", "sequence": 1}),
    ],
)
async def test_nor_one_whose_caller_was_asked_about_once_more(
    api: Caller,
    coordinator: FakeCoordinator,
    known: FakeCallers,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    body: object,
    won_again: bool,
) -> None:
    """While the API server is away that takes seconds, and the lead is lost just then."""
    looks, identify = [], known.identify

    async def slowly(token: str) -> Person:
        looks.append(token)
        if len(looks) == 2:
            coordinator.leading, coordinator.pools = won_again, dict(coordinator.pools)
        return await identify(token)

    monkeypatch.setattr(known, "identify", slowly)
    answer = await api(method, path, body, headers=bearer(AGENT))
    assert (answer.status, answer.problem, len(looks)) == (503, "no-leader", 2)
