"""Certificates, authorities and tokens are replaced under load, and no request fails.

Times are chosen so that every certificate is valid by the real clock, too: OpenSSL asks that one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from coordinator.tls.making import AUTHORITY_LIFE, make_authority, make_serving
from coordinator.tls.stored import Stored, signed_by
from tests.api.callers import AGENT, SECRET
from tests.tls.replicas import Load, Pair
from tests.tls.scene import NAMES, Scene

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)


@pytest.fixture
def today() -> datetime:
    return datetime.now(UTC)


async def test_a_renewed_certificate_fails_no_request(
    scene: Scene, tmp_path: Path, today: datetime
) -> None:
    scene.now = today - 61 * DAY
    pair = Pair(scene, tmp_path)
    async with pair.serving(), Load(pair).going() as load:
        first = await scene.stored()
        scene.now = today
        await pair.leader.steps.again()
        assert (await scene.stored()).serving != first.serving
        await load.more()  # the follower serves the old one still
        await pair.follower.steps.again()
        await load.more()
        assert len(pair.follower.counted.expires) == 2
        assert load.answers.keys() == {"200"}


async def test_a_succession_of_authorities_fails_no_request(
    scene: Scene, tmp_path: Path, today: datetime
) -> None:
    old = make_authority(today - AUTHORITY_LIFE + 200 * DAY)
    scene.now = today - 3 * DAY
    serving = make_serving(old, NAMES, scene.now)
    await scene.put(Stored(serving, (old.certificate,), old).data())
    pair = Pair(scene, tmp_path)
    async with pair.serving(), Load(pair).going() as load:
        assert (await scene.stored()).successor, "published beside the old one"
        await load.more()
        scene.now += DAY + timedelta(minutes=1)
        await pair.leader.steps.again()
        await load.more()  # the leader is of the new one, the follower of the old one
        await pair.both_look()
        await pair.publish()
        await load.more()
        served = (await scene.stored()).serving
        assert served
        assert not signed_by(served.certificate, old.certificate)
        scene.now += DAY + timedelta(minutes=1)
        await pair.both_look()
        await pair.publish()
        assert scene.now < today
        assert pair.ca_file.read_bytes().count(b"BEGIN") == 1, "the old one is forgotten"
        await load.more()
        assert load.answers.keys() == {"200"}


async def test_a_lost_key_of_the_authority_fails_no_request(
    scene: Scene, tmp_path: Path, today: datetime
) -> None:
    """An operator's way to a new authority: `ca.key` is removed from the Secret."""
    scene.now = today - 3 * DAY
    pair = Pair(scene, tmp_path)
    async with pair.serving(), Load(pair).going() as load:
        values = await scene.values()
        del values["ca.key"]
        await scene.put(values)
        for _ in range(3):
            await pair.both_look()
            await pair.publish()
            await load.more()
            scene.now += DAY + timedelta(minutes=1)
        stored = await scene.stored()
        assert stored.data()["ca.crt"] not in values["ca.crt"]
        assert stored.authority
        assert load.answers.keys() == {"200"}


async def test_a_token_that_the_kubelet_replaced_fails_no_request(
    scene: Scene, tmp_path: Path, today: datetime
) -> None:
    scene.now = today
    pair = Pair(scene, tmp_path)
    async with pair.serving(), Load(pair).going() as load:
        for number in range(3):
            fresh = f"{SECRET}.agent-{number}"
            pair.known.known[fresh] = pair.known.known[AGENT]
            pair.bring_token(fresh)
            await load.more()
        del pair.known.known[AGENT]
        await load.more()
        assert load.answers.keys() == {"200"}


async def test_the_load_would_see_a_hard_change(
    scene: Scene, tmp_path: Path, today: datetime
) -> None:
    """What the tests above hold against: an emptied Secret is a new authority at once."""
    scene.now = today
    pair = Pair(scene, tmp_path)
    async with pair.serving(), Load(pair).going() as load:
        await scene.put({})
        await pair.both_look()
        await load.more()
        assert any("is not trusted" in answer for answer in load.answers)
        await pair.publish()
        await load.more()
        load.answers.clear()
        await load.more()
        assert load.answers.keys() == {"200"}
