"""The Python client of docs/examples/sidecar, used as a library."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples.sidecar import DEADLINE, GRANTED, QUEUED, FakeSidecar, problem
from tests.examples.workers import python_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path


slots = python_client()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def client(sidecar: FakeSidecar) -> Any:
    return slots.Sidecar(str(sidecar.socket))


class Body:
    """The body of a `with`, which lasts until the test ends it."""

    def __init__(self, client: Any, **asking: Any) -> None:
        self.entered, self.ending, self.lost = (threading.Event() for _ in range(3))
        self.lines: list[str] = []
        self._client = client
        self._asking = asking

    def run(self) -> bool:
        """Whether the slot was lost."""
        told = {
            "on_change": lambda line: self.lines.append(line["state"]),
            "on_lost": self.lost.set,
        }
        with self._client.slot("a", **told, **self._asking) as self.slot:
            self.entered.set()
            assert self.ending.wait(DEADLINE)
        return bool(self.slot.lost.is_set())


def _result(body: Future[bool]) -> bool:
    return body.result(DEADLINE)


def test_the_body_runs_from_the_grant_until_its_end_and_the_slot_goes_back(
    client: Any, sidecar: FakeSidecar, threads: ThreadPoolExecutor
) -> None:
    body = Body(client, priority=-1, timeoutSeconds=2.5)
    done = threads.submit(body.run)
    asked = sidecar.next()
    assert asked.body == {"load": "a", "priority": -1, "timeoutSeconds": 2.5}
    asked.say(QUEUED, GRANTED)
    assert body.entered.wait(DEADLINE)
    assert body.slot.granted["fencingToken"] == 1201
    assert not asked.gone.is_set()
    body.ending.set()
    assert _result(done) is False
    asked.wait_gone()
    assert body.lines == ["queued", "granted"]


def test_a_lost_slot_is_told_once_and_raises_nothing(
    client: Any, sidecar: FakeSidecar, threads: ThreadPoolExecutor
) -> None:
    body = Body(client)
    done = threads.submit(body.run)
    asked = sidecar.next()
    asked.say(GRANTED, {"state": "lost", "problem": problem("slot-lost")})
    assert body.lost.wait(DEADLINE)
    asked.end()
    body.ending.set()
    assert _result(done) is True


@pytest.mark.parametrize("state", ["timeout", "refused", "unavailable"])
def test_a_no_is_raised_with_its_problem_before_the_body(
    client: Any, sidecar: FakeSidecar, threads: ThreadPoolExecutor, state: str
) -> None:
    body = Body(client)
    done = threads.submit(body.run)
    asked = sidecar.next()
    asked.say({"state": state, "problem": problem(state)})
    with pytest.raises(slots.NoSlot, match=f"about {state}") as raised:
        _result(done)
    assert raised.value.problem == problem(state)
    assert not body.entered.is_set()
    asked.wait_gone()


def test_a_sidecar_that_stops_or_goes_or_is_not_there_is_no_sidecar(
    client: Any, sidecar: FakeSidecar, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    done = threads.submit(Body(client).run)
    sidecar.next().answer(503, problem("stopping", 503))
    with pytest.raises(slots.NoSidecar, match="about stopping"):
        _result(done)
    done = threads.submit(Body(client).run)
    asked = sidecar.next()
    asked.say(QUEUED)
    asked.end()
    with pytest.raises(slots.NoSidecar):
        _result(done)
    with pytest.raises(slots.NoSidecar), slots.Sidecar(str(tmp_path / "nobody")).slot("a"):
        pytest.fail("there is no sidecar")


def test_named_calls_say_what_they_want_and_hand_the_answer_over(
    client: Any, sidecar: FakeSidecar, threads: ThreadPoolExecutor
) -> None:
    calls = (
        (lambda: client.put("backup-7/pvc 3", wait=20, uid="u"), 202, QUEUED),
        (lambda: client.get("a", wait=5), 200, GRANTED),
        (lambda: client.delete("a"), 204, None),
    )
    seen = []
    for call, status, body in calls:
        done = threads.submit(call)
        asked = sidecar.next()
        asked.answer(status, body)
        assert done.result(DEADLINE) == (body or {})
        seen.append((asked.command, asked.path, asked.body))
    assert seen == [
        ("PUT", "/v1/slots/backup-7%2Fpvc%203?wait=20", {"uid": "u"}),
        ("GET", "/v1/slots/a?wait=5", None),
        ("DELETE", "/v1/slots/a?wait=0", None),
    ]


def test_a_named_call_that_is_refused_raises_the_problem(
    client: Any, sidecar: FakeSidecar, threads: ThreadPoolExecutor
) -> None:
    done = threads.submit(client.get, "a")
    sidecar.next().answer(404, problem("unknown-load", 404))
    with pytest.raises(slots.NoSlot) as raised:
        done.result(DEADLINE)
    assert raised.value.problem["status"] == 404
