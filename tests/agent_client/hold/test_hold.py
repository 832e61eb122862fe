"""`slot-agent hold` as a process, against a coordinator in memory."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from agent_client.messages import Reply
from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.hold.container import pods
from tests.agent_client.scene import until

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_load_may_start_exactly_while_its_slot_is_held(tmp_path: Path) -> None:
    fake = FakeCoordinator(limit=1)
    async with pods(fake, tmp_path, "first", "second") as (first, second):
        await first.start()
        await first.reaches("held")
        await second.start()
        await until(lambda: second.record.get("position") == 1)
        assert (first.may_start, second.may_start) == (True, False)

        fake.limit = 2
        fake.touch()

        await second.reaches("held")
        assert second.may_start
        assert second.record["slot"] == 1
        assert await second.end() == 0
        assert not second.may_start


async def test_what_the_claim_asks_for_names_the_pod_and_stays_the_same_over_restarts(
    tmp_path: Path,
) -> None:
    fake = FakeCoordinator()
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start("--priority", "3", "--ttl", "30")
        await job.reaches("held")
        token = job.record["fencingToken"]
        assert await job.end(signal.SIGKILL) == -signal.SIGKILL
        assert job.may_start, "left behind"

        await job.start("--priority", "3", "--ttl", "30")
        await until(lambda: fake.bodies[-1]["boot"] != fake.bodies[0]["boot"])
        await job.reaches("held")

        assert job.record["fencingToken"] == token
        before, after = fake.bodies[0], fake.bodies[-1]
        assert before["agent"] == after["agent"]
        claim = before["claims"][0]
        assert claim["pod"] == {"namespace": "jobs", "name": "job", "uid": "uid-of-job"}
        assert (claim["load"], claim["priority"], claim["ttlSeconds"]) == ("job", 3, 30)
        assert {body["claims"][0]["claim"] for body in fake.bodies} == {claim["claim"]}
        assert fake.released == []
        assert await job.end() == 0
        assert "lost" not in job.log.lower()


async def test_two_loads_of_one_pod_are_two_agents_with_two_slots(tmp_path: Path) -> None:
    fake = FakeCoordinator(limit=2)
    async with pods(fake, tmp_path, "read", "write") as (read, write):
        write.environment |= {"POD_NAME": "read", "POD_UID": "uid-of-read"}
        await read.start()
        await write.start("--load", "write")
        await read.reaches("held")
        await write.reaches("held")
        assert len(set(fake.holders.values())) == 2
        assert len({body["agent"] for body in fake.bodies}) == 2


async def test_sigterm_says_ending_of_a_held_slot_and_releases_nothing(tmp_path: Path) -> None:
    fake = FakeCoordinator()
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start()
        await job.reaches("held")
        assert await job.end() == 0
        # It waits less than a second for the answer; a busy coordinator reads later what it got.
        await until(lambda: fake.bodies[-1]["claims"][0].get("ending") is True)
        last = fake.bodies[-1]
        assert last["waitSeconds"] == 0
        assert last["releases"] == fake.released == []
        assert "freed once the Pod's own containers have ended" in job.log


async def test_sigterm_takes_a_waiting_claim_out_of_the_queue(tmp_path: Path) -> None:
    fake = FakeCoordinator(limit=0)
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start()
        await until(lambda: job.record.get("position") == 1)
        assert await job.end() == 0
        await until(lambda: fake.released)
        assert fake.queue == []
        assert fake.released == [job.record["claim"]]


@pytest.mark.parametrize("given", [(), ("--claim", "5f3c-11")])
async def test_who_left_the_queue_and_is_started_again_asks_under_a_new_id(
    tmp_path: Path, given: tuple[str, ...]
) -> None:
    fake = FakeCoordinator(limit=0)
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start(*given)
        await until(lambda: job.record.get("position") == 1)
        await job.end()
        await until(lambda: fake.released)
        (first,) = fake.released
        assert not given or first == given[1]
        fake.limit = 1

        await job.start(*given)
        await job.reaches("held")
        assert job.record["claim"] == f"{first}.1"
        await job.end(signal.SIGKILL)
        fake.released.clear()  # two minutes later
        before = fake.bodies[-1]["boot"]
        await job.start(*given)
        await until(lambda: fake.bodies[-1]["boot"] != before)
        assert fake.bodies[-1]["claims"][0]["claim"] == f"{first}.1", "the next start knows the id"


async def test_sigterm_ends_it_in_time_when_nobody_listens_any_more(tmp_path: Path) -> None:
    fake = FakeCoordinator()
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start()
        await job.reaches("held")
        fake.down = True
        assert await job.end() == 0
        assert "no coordinator heard it in time" in job.log


async def test_sigterm_ends_it_in_time_when_the_coordinator_hangs(tmp_path: Path) -> None:
    fake = FakeCoordinator()
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start()
        await job.reaches("held")
        await until(lambda: fake.bodies[-1]["waitSeconds"] > 0)
        fake.delay = 3600.0  # for an answer nobody would be there any more
        assert await job.end() == 0


async def test_a_lost_slot_is_told_loudly_and_asked_for_again(tmp_path: Path) -> None:
    fake = FakeCoordinator()
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start()
        await job.reaches("held")
        claim = job.record["claim"]
        fake.lose(claim)
        await until(lambda: job.record["losses"] == 1)
        assert not job.may_start
        assert job.record["state"] == "waiting"

        fake.lost.clear()
        await job.reaches("held")
        assert job.may_start
        assert job.record["claim"] == claim
        await job.end()
        assert "HAS LOST ITS SLOT: slot lost" in job.log


async def test_without_a_coordinator_it_waits_and_says_so_after_a_while(tmp_path: Path) -> None:
    fake = FakeCoordinator()
    fake.down = True
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start()
        await until(lambda: job.record.get("silence"))
        code, out, _ = await job.ask("--status")
        assert code == 1
        assert "no coordinator answers at http://127.0.0.1" in out
        fake.down = False
        await job.reaches("held")


async def test_where_the_owner_says_so_the_load_runs_without_a_slot(tmp_path: Path) -> None:
    fake = FakeCoordinator()
    fake.down = True
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start("--if-unavailable", "run", "--unavailable-after", "0.2")
        await job.reaches("without-slot")
        assert job.may_start
        fake.down = False
        await job.reaches("held")
        assert job.record["generation"] == 1
        assert await job.end() == 0
        assert "runs without a slot" in job.log
        assert "it was let run without one" in job.log


async def test_where_the_owner_says_so_it_fails_with_75(tmp_path: Path) -> None:
    fake = FakeCoordinator()
    fake.down = True
    async with pods(fake, tmp_path, "job") as (job,):
        code, _, err = await job.ask("--if-unavailable", "fail", "--unavailable-after", "0.2")
        assert code == 75
        assert "got no slot of node1 in pool velero: no coordinator answers" in err
        assert not job.may_start


async def test_a_refusal_ends_it_with_76_and_the_coordinators_sentence(tmp_path: Path) -> None:
    fake = FakeCoordinator()
    fake.problem = Reply(404, problem("unknown-pool", 404))
    async with pods(fake, tmp_path, "job") as (job,):
        code, _, err = await job.ask()
        assert code == 76
        assert "was refused a slot of node1 in pool velero: unknown pool" in err
        assert job.record["problem"]["status"] == 404


async def test_where_the_coordinator_saw_the_pods_end_first_it_waits_for_its_own(
    tmp_path: Path,
) -> None:
    fake = FakeCoordinator()
    fake.problem = Reply(410, problem("pod-finished", 410))
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start()
        await job.reaches("refused")
        assert await job.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_before_it_is_ready_for_one_is_not_lost(
    tmp_path: Path, number: signal.Signals
) -> None:
    """As PID 1 it would be: the kernel drops what nobody handles yet. Here it would kill."""
    fake = FakeCoordinator(limit=0)
    async with pods(fake, tmp_path, "job") as (job,):
        await job.start()
        await until((job.folder / "hold.json").exists)  # before its first question
        assert await job.end(number) == 0
