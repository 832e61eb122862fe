"""One Secret, several replicas: who makes the certificates, who renews them, what is left alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from coordinator.tls.certificates import Trouble
from coordinator.tls.making import make_authority, make_serving
from coordinator.tls.stored import CA, CA_KEY, CERT, KEY, Stored
from tests.tls.scene import (
    CLIENTS,
    DEADLINE,
    HOME,
    NAMES,
    SECRET,
    SECRET_PATH,
    Scene,
    config_map_path,
)

if TYPE_CHECKING:
    from cryptography import x509

PUT, GET = ("PUT", SECRET_PATH), ("GET", SECRET_PATH)


def only(stored: Stored) -> x509.Certificate:
    assert stored.serving is not None
    return stored.serving.certificate


async def test_an_empty_secret_is_filled_by_whoever_comes_first(scene: Scene) -> None:
    async with scene.replica(leading=False).running() as certificates:
        assert certificates.trouble == ""
    stored = await scene.stored()
    assert stored.serving
    assert stored.faults == ()


async def test_of_two_that_come_at_once_one_makes_and_both_serve_it(scene: Scene) -> None:
    one, two = scene.replica(leading=False), scene.replica(leading=False)

    async def other_writes() -> None:
        await one.source.read()

    scene.before[PUT] = other_writes
    second = await two.source.read()
    first = await one.source.read()
    assert first == second
    assert scene.requests.count(PUT) == 2  # the one that lost, and the one that won


async def test_who_loses_every_time_says_so(scene: Scene) -> None:
    async def somebody_writes() -> None:
        await scene.put({"other": b"%d" % len(scene.requests)})
        scene.before[PUT] = somebody_writes

    scene.before[PUT] = somebody_writes
    with pytest.raises(Trouble, match="is being written by somebody else"):
        await scene.replica().source.read()
    assert (await scene.values()).keys() == {"other"}


async def test_a_right_that_is_missing_is_named(scene: Scene) -> None:
    scene.refusals[PUT] = 403
    with pytest.raises(Trouble, match="Missing right: secrets: update in namespace velero"):
        await scene.replica().source.read()


async def test_only_the_leader_renews_and_the_other_takes_it_up(scene: Scene) -> None:
    leader, follower = scene.replica(), scene.replica(leading=False)
    async with leader.running() as leading, follower.running() as following:
        first, before = only(await scene.stored()), following.server
        scene.pass_time(days=61)
        await follower.steps.again()
        assert only(await scene.stored()) == first
        assert following.server is before
        await leader.steps.again()
        second = only(await scene.stored())
        assert second != first
        await follower.steps.again()
        assert following.server is not before
        assert leading.trouble == following.trouble == ""
    assert follower.counted.expires == [
        first.not_valid_after_utc.timestamp(),
        second.not_valid_after_utc.timestamp(),
    ]


async def test_while_all_is_well_a_look_is_one_request_a_minute(scene: Scene) -> None:
    replica = scene.replica()
    async with replica.running():
        scene.requests.clear()
        for _ in range(3):
            await replica.steps.again()
    assert scene.requests == [GET] * 3
    assert replica.steps.slept == [60.0] * 4


async def test_a_secret_that_is_missing_is_waited_for(scene: Scene) -> None:
    scene.refusals[GET] = 404
    replica = scene.replica()
    async with asyncio.timeout(DEADLINE), replica.certificates as certificates:
        await replica.steps.begun()
        assert f"the Secret {HOME}/{SECRET} does not exist" in certificates.trouble
        with pytest.raises(RuntimeError):
            _ = certificates.server
        del scene.refusals[GET]
        await replica.steps.again()
        await certificates.ready()
        assert certificates.trouble == ""


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_an_outage_ends_no_serving_and_asks_ever_less(scene: Scene, status: int) -> None:
    replica = scene.replica()
    async with replica.running() as certificates:
        before = certificates.server
        scene.refusals[GET] = status
        for _ in range(8):
            await replica.steps.again()
        assert certificates.server is before
        assert certificates.trouble == ""
        waits = replica.steps.slept[1:]
        assert waits[0] >= 1.0
        assert 15 <= waits[-1] <= 30
        del scene.refusals[GET]
        await replica.steps.again()
    assert replica.steps.slept[-1] == 60.0


async def test_a_renewal_that_is_refused_leaves_the_old_one_served(scene: Scene) -> None:
    replica = scene.replica()
    async with replica.running() as certificates:
        before = certificates.server
        scene.pass_time(days=61)
        scene.refusals[PUT] = 403
        await replica.steps.again()
        assert certificates.server is before
        del scene.refusals[PUT]
        await replica.steps.again()
        assert certificates.server is not before


async def test_what_node_slots_did_not_make_is_never_written_over(scene: Scene) -> None:
    await scene.put({CERT: b"somebody's", KEY: b"key"})
    before = await scene.secret()
    for replica in (scene.replica(), scene.replica(leading=False)):
        with pytest.raises(Trouble, match=r"holds what node-slots did not make.*--tls mounted"):
            await replica.source.read()
    assert await scene.secret() == before


async def test_foreign_content_while_serving_ends_no_serving(scene: Scene) -> None:
    replica = scene.replica()
    async with replica.running() as certificates:
        before = certificates.server
        await scene.put({CERT: b"somebody's", KEY: b"key"})
        await replica.steps.again()
        assert (certificates.server, certificates.trouble) == (before, "")
        await scene.put({})
        await replica.steps.again()
        assert certificates.server is not before


async def test_what_else_the_secret_holds_stays(scene: Scene) -> None:
    await scene.put({"other": b"value"})
    await scene.replica().source.read()
    assert (await scene.values())["other"] == b"value"


async def test_a_broken_part_is_mended_with_the_rest_kept(scene: Scene) -> None:
    await scene.replica().source.read()
    good = await scene.values()
    await scene.put(good | {KEY: b"torn"})
    await scene.replica(leading=False).source.read()
    mended = await scene.values()
    assert (mended[CA], mended[CA_KEY]) == (good[CA], good[CA_KEY])
    assert mended[CERT] != good[CERT]


async def test_a_name_that_is_added_gets_into_the_certificate(scene: Scene) -> None:
    await scene.replica().source.read()
    replica = scene.replica(names=[*NAMES, "slots.example"])
    material = await replica.source.read()
    serving = (await scene.stored()).serving
    assert serving is not None
    assert material.chain == (await scene.values())[CERT]
    assert replica.leading
    assert "slots.example" in str(serving.certificate.extensions)


async def test_the_successor_signs_only_when_every_namespace_has_it(scene: Scene) -> None:
    authority = make_authority(scene.now)
    scene.pass_time(days=3650 - 364)
    serving = make_serving(authority, NAMES, scene.now)
    await scene.put(Stored(serving, (authority.certificate,), authority).data())
    replica = scene.replica()
    await replica.source.read()
    stored = await scene.stored()
    assert stored.successor
    scene.refusals[("PUT", config_map_path(CLIENTS))] = 404
    await replica.publisher.look()
    scene.pass_time(days=2)
    await replica.source.read()
    assert (await scene.stored()).authorities == stored.authorities, "imports does not know it yet"
    scene.refusals.clear()
    await replica.publisher.look()
    await replica.source.read()
    assert (await scene.stored()).authorities[0] == stored.successor.certificate


async def test_a_fault_of_the_code_is_not_swallowed(scene: Scene) -> None:
    """A keeper that has died quietly would be noticed when the certificate ends."""
    replica = scene.replica()

    async def fault() -> None:
        raise ZeroDivisionError

    replica.source.read = fault  # type: ignore[assignment,method-assign]
    with pytest.raises(ExceptionGroup) as told:
        async with replica.certificates as certificates:
            await certificates.ready()
    assert [type(error) for error in told.value.exceptions] == [ZeroDivisionError]
