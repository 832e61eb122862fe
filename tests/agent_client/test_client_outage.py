"""The asyncio client when the coordinator is away, slow, full or says no; in virtual time."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from agent_client.errors import CoordinatorUnavailable, Refused, SlotTimeout
from agent_client.messages import Reply
from agent_client.session import State
from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.scene import client_of, until
from tests.agent_client.virtual import in_virtual_time, now


def test_retries_are_never_more_than_five_seconds_apart_and_not_a_storm() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        fake.down = True
        with pytest.raises(SlotTimeout):
            async with client_of(fake).slot(load="l", timeout=600):
                pass
        gaps = [b - a for a, b in zip(fake.times, fake.times[1:], strict=False)]
        assert max(gaps) <= 5.0
        assert len(gaps) < 400

    in_virtual_time(scenario())


def test_retry_after_is_obeyed() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        fake.problem = Reply(503, problem("not-ready", 503, retryAfter=12))
        with pytest.raises(SlotTimeout):
            async with client_of(fake).slot(load="l", timeout=60):
                pass
        gaps = [b - a for a, b in zip(fake.times, fake.times[1:], strict=False)]
        assert min(gaps) >= 12.0

    in_virtual_time(scenario())


def test_silence_past_the_ttl_is_unconfirmed_and_an_answer_confirms_again() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", ttl=30) as slot:
            fake.stop()
            silent = now()
            await slot.unconfirmed.wait()
            assert now() - silent <= 30 - 1.5
            assert not slot.lost.is_set()
            fake.start()
            await until(lambda: slot.state is State.HELD)
            assert not slot.unconfirmed.is_set()

    in_virtual_time(scenario())


def test_a_refusal_is_raised_with_its_problem() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator(limit=2)
        fake.refusals["a"] = problem("claim-mismatch", 409)
        client = client_of(fake)
        async with client.slot(load="good"):
            with pytest.raises(Refused) as caught:
                async with client.slot(load="l", claim="a"):
                    pass
            assert caught.value.problem.name == "claim-mismatch"
        assert "a" not in fake.released, "the id is another one's: it must not be released"

    in_virtual_time(scenario())


def test_a_full_queue_is_tried_again_after_the_time_it_asks_for() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        fake.refusals["a"] = problem("queue-full", 429, retryAfter=9)

        async def clear() -> None:
            await asyncio.sleep(1)
            fake.refusals.clear()

        clearing = asyncio.create_task(clear())
        async with client_of(fake).slot(load="l", claim="a"):
            assert 9 <= now() < 9.5
        await clearing
        assert len(fake.bodies) <= 4

    in_virtual_time(scenario())


def test_one_bad_claim_does_not_refuse_the_others_of_its_request() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator(limit=3)
        client = client_of(fake)

        def judge(body: dict[str, Any]) -> Reply | None:
            bad = [i for i, c in enumerate(body["claims"]) if c["priority"] > 1_000_000]
            errors = [{"field": f"claims[{i}].priority", "detail": "too large"} for i in bad]
            return Reply(422, problem("out-of-range", 422, errors=errors)) if bad else None

        fake.judge = judge
        good = asyncio.create_task(client.slot(load="good", claim="good").__aenter__())
        bad = client.slot(load="bad", claim="bad", priority=10**9)
        with pytest.raises(Refused, match="out of range"):
            await bad.__aenter__()
        assert (await good).state is State.HELD
        await client.close()

    in_virtual_time(scenario())


def test_fail_raises_when_nobody_answers() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        fake.down = True
        taking = client_of(fake).slot(load="l", if_unavailable="fail", unavailable_after=7)
        with pytest.raises(CoordinatorUnavailable, match="for 7 s"):
            await taking.__aenter__()
        assert 7 <= now() < 8.5

    in_virtual_time(scenario())


def test_a_long_queue_is_not_taken_for_an_absent_coordinator() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="h"):
            with pytest.raises(SlotTimeout):
                async with client_of(fake).slot(
                    load="w", timeout=90, if_unavailable="fail", unavailable_after=3
                ):
                    pass

    in_virtual_time(scenario())


def test_runs_without_a_slot_are_counted_and_reported_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "agent_client")

    async def scenario() -> None:
        fake = FakeCoordinator()
        fake.down = True
        taking = client_of(fake).slot(load="l", if_unavailable="run", unavailable_after=5)
        async with taking as slot:
            assert (slot.state, slot.governed) == (State.UNCONFIRMED, False)
            assert (slot.ordinal, slot.fencing_token) == (None, None)
            assert slot.unconfirmed.is_set()
            await asyncio.sleep(20)
            assert "ran without a slot" not in caplog.text
            fake.start()
            await until(lambda: fake.released)
            await asyncio.sleep(0.1)
        assert fake.holders == {}

    in_virtual_time(scenario())
    assert "1 load(s) ran without a slot while no coordinator answered" in caplog.text


def test_an_answer_of_an_older_term_is_no_answer() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", ttl=30) as slot:
            fake.term -= 1
            await slot.unconfirmed.wait()
            assert slot.state is State.UNCONFIRMED
            fake.term += 1

    in_virtual_time(scenario())


def test_no_early_answer_makes_the_loop_hot() -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", claim="a") as slot:
            grant = {"slot": 0, "lease": "node1-slot-0", "ttlSeconds": 60}
            state = {"claim": "a", "state": "granted", **grant, "fencingToken": slot.fencing_token}
            fake.problem = Reply(200, {"term": 7, "claims": [state], "released": []})
            fake.touch()
            begun = len(fake.bodies)
            await asyncio.sleep(200)
            assert len(fake.bodies) - begun < 15
            assert slot.state is State.HELD
            fake.problem = None

    in_virtual_time(scenario())


@pytest.mark.parametrize("status", [401, 403])
def test_not_being_let_in_ends_no_load_and_is_said_loudly(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        fake = FakeCoordinator()
        async with client_of(fake).slot(load="l", ttl=30) as slot:
            fake.stop()
            await until(lambda: "no coordinator answers" in caplog.text)
            fake.problem = Reply(status, problem("barred", status, detail="Pod p is not let in"))
            fake.down = False
            await slot.unconfirmed.wait()
            assert not slot.lost.is_set()
            fake.problem = None
            await until(lambda: slot.state is State.HELD)

    with caplog.at_level(logging.WARNING):
        in_virtual_time(scenario())
    warnings = [record.getMessage() for record in caplog.records]
    barred = [line for line in warnings if f"(HTTP {status}: Pod p is not let in)" in line]
    assert len(barred) == 1
    assert warnings[-1].endswith("answers again")
