"""The pure part of hold: what follows from each answer."""

from __future__ import annotations

import pytest

from agent_client.hold import record as r
from agent_client.hold.holding import Before
from agent_client.messages import Reply
from tests.agent_client.fake import problem
from tests.agent_client.hold.scene import LOST, Scene, granted, queued, refused


def test_the_load_may_start_once_the_slot_is_granted_and_not_before() -> None:
    scene = Scene()
    states = [scene.step()["state"], scene.answer(queued())["state"]]
    assert states == [r.WAITING, r.WAITING]
    assert scene.answer(granted())["state"] == r.HELD
    assert {r.HELD, r.WITHOUT} == r.MAY_START


def test_a_lost_slot_is_asked_for_again_under_the_same_id() -> None:
    scene = Scene()
    scene.answer(granted())
    told = scene.answer(LOST)
    assert (told["state"], told["losses"], told["loss"]) == (r.WAITING, 1, "slot lost")
    assert scene.asked == ["stem"]
    told = scene.answer(granted(9))
    assert (told["state"], told["fencingToken"], told["losses"]) == (r.HELD, 9, 1)


def test_a_grant_with_another_token_is_a_loss_and_a_new_id_is_asked_for() -> None:
    """The old id is being released: it is refused for two minutes."""
    scene = Scene()
    scene.answer(granted(7))
    assert scene.answer(granted(8))["losses"] == 1
    assert scene.asked == ["stem.1"]
    assert list(scene.agent.releases) == ["stem"]


def test_an_id_that_was_released_a_moment_ago_gives_way_to_the_next() -> None:
    scene = Scene()
    assert scene.answer(refused("released", 410))["claim"] == "stem.1"
    assert scene.asked == ["stem.1"]
    assert scene.answer(granted())["state"] == r.HELD


def test_any_other_refusal_is_final() -> None:
    scene = Scene()
    told = scene.answer(refused("pod-finished", 410))
    assert told["state"] == r.REFUSED
    assert told["problem"]["type"].endswith("pod-finished")
    assert scene.agent.idle


def test_after_a_restart_the_grant_that_was_there_is_no_news() -> None:
    scene = Scene(Before(2, 7))
    assert scene.asked == ["stem.2"]
    assert scene.answer(granted(7))["losses"] == 0


@pytest.mark.parametrize("answer", [queued(), granted(8)], ids=["queued", "another grant"])
def test_after_a_restart_a_slot_that_is_gone_is_told_as_lost(answer: dict[str, object]) -> None:
    scene = Scene(Before(0, 7))
    told = scene.answer(answer)
    assert (told["losses"], told["loss"]) == (1, "it was freed while hold was away")
    assert scene.step()["losses"] == 1, "once"


def test_a_silent_coordinator_leaves_a_held_slot_unconfirmed_and_the_next_answer_confirms() -> None:
    scene = Scene()
    scene.answer(granted())
    told = scene.silence(until=70)
    assert told["state"] == r.UNCONFIRMED
    assert told["fencingToken"] == 7
    assert scene.answer(granted())["state"] == r.HELD


def test_run_lets_the_load_start_without_a_slot_and_fail_gives_up() -> None:
    assert Scene(if_unavailable="run").silence(until=31)["state"] == r.WITHOUT
    scene = Scene(if_unavailable="fail")
    assert scene.silence(until=31)["state"] == r.UNAVAILABLE
    assert scene.holding.unavailable


def test_a_load_that_runs_without_a_slot_is_asked_for_once_a_coordinator_is_back() -> None:
    """It cannot be stopped, so the node shall count it: an outage is no licence for a whole run."""
    scene = Scene(if_unavailable="run")
    scene.silence(until=31)
    assert scene.silence(until=40)["state"] == r.WITHOUT, "while nobody answers"
    told = scene.answer({}, released=["stem"])
    assert (told["state"], told["ranWithout"], told["losses"]) == (r.WAITING, True, 0)
    assert scene.asked == ["stem.1"], "the id that was withdrawn is refused for two minutes"
    told = scene.answer(granted())
    assert (told["state"], told["ranWithout"]) == (r.HELD, False)


def test_a_request_that_was_refused_as_a_whole_is_no_coordinator_that_is_back() -> None:
    """Asking then would be refused, and end hold beside a load that runs."""
    scene = Scene(if_unavailable="run")
    scene.silence(until=31)
    request = scene.agent.request(scene.now)
    scene.agent.replied(request, Reply(403, problem("forbidden", 403)), scene.now)
    assert scene.step()["state"] == r.WITHOUT
