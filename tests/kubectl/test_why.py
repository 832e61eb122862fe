"""A claim and a node as people read them: the sentence first."""

from __future__ import annotations

from typing import Any

from coordinator.kubectl.describing import RULES, node_lines
from coordinator.kubectl.why import claim_lines, estimate, typical

HOLDER = {
    "claim": "a1",
    "load": "nightly/pvc-0",
    "pod": "velero/nightly-8d2mw",
    "slot": 0,
    "lease": "worker-1-slot-0",
    "priority": 0,
    "state": "unresponsive",
    "heldSeconds": 960.0,
    "silentSeconds": 400.0,
}
AHEAD = {
    "claim": "b2",
    "load": "nightly/pvc-1",
    "pod": None,
    "priority": 10,
    "position": 1,
    "waitedSeconds": 61.0,
    "present": False,
}
ESTIMATE = {
    "seconds": 480.0,
    "lowSeconds": 300.0,
    "highSeconds": 840.0,
    "samples": 40,
    "method": "replayed",
}
WHY: dict[str, Any] = {
    "sentence": "nightly/pvc-2 waits on worker-1.",
    "code": "slots-held",
    "node": "worker-1",
    "position": 2,
    "queued": 7,
    "limit": 1,
    "decidedBy": "perNodeConfig[0] disk=fast",
    "waitedSeconds": 720.0,
    "held": 1,
    "draining": 0,
    "unresponsive": 1,
    "holders": [HOLDER],
    "ahead": [AHEAD],
    "aheadCount": 21,
    "config": {"refusedSince": "2026-11-22T10:00:00Z", "error": "no JSON"},
    "estimate": ESTIMATE,
    "estimateAbsent": "",
}
QUEUED: dict[str, Any] = {
    "claim": "c3",
    "state": "queued",
    "load": "nightly/pvc-2",
    "pod": "velero/nightly-c6n2j",
    "priority": 0,
    "present": True,
    "why": WHY,
}


def words(lines: list[str]) -> list[list[str]]:
    return [line.split() for line in lines]


def test_the_sentence_of_a_claim_comes_first() -> None:
    lines = claim_lines("worker-1", QUEUED)
    assert lines[:2] == ["nightly/pvc-2 waits on worker-1.", ""]


def test_a_waiting_claim_is_told_with_place_wait_limit_estimate_and_config() -> None:
    told = claim_lines("worker-1", QUEUED)
    for line in (
        "Position: 2 of 7",
        "Waiting for: 12m",
        "Estimate: about 8m (5m to 14m, from 40 loads)",
        "Limit: 1 (perNodeConfig[0] disk=fast)",
        "Unresponsive: 1",
        "Config: refused since 2026-11-22T10:00:00Z: no JSON",
    ):
        assert line.split() in words(told), line


def test_each_holder_and_who_is_ahead_has_a_row_and_the_rest_is_counted() -> None:
    told = words(claim_lines("worker-1", QUEUED))
    holder = ["0", "unresponsive", "nightly/pvc-0", "velero/nightly-8d2mw", "16m", "6m40s"]
    assert [*holder, "worker-1-slot-0"] in told
    assert ["1", "nightly/pvc-1", "<none>", "10", "61s", "no", "b2"] in told
    assert ["and", "20", "claims", "more"] in told


def test_a_claim_that_holds_is_told_with_its_slot_and_not_with_a_place() -> None:
    held = {**QUEUED, "state": "granted", "slot": 3, "lease": "worker-1-slot-3"}
    lines = claim_lines("worker-1", held | {"heldSeconds": 960, "silentSeconds": 4})
    assert ["Held", "for:", "16m"] in words(lines)
    assert ["Last", "heard", "of:", "4s", "ago"] in words(lines)
    assert not any("Position" in line or "SLOT" in line for line in lines)


def test_one_that_nobody_asks_for_is_said_to_be_so() -> None:
    told = claim_lines("worker-1", QUEUED | {"present": False})
    assert any(line.endswith("no: nobody asks for it any more") for line in told)


def test_an_estimate_that_is_absent_says_why() -> None:
    absent = {"estimate": None, "estimateAbsent": "too little to go by"}
    assert estimate(absent) == "too little to go by"


def test_an_estimate_tells_its_spread_its_samples_and_its_method() -> None:
    assert estimate({"estimate": ESTIMATE}) == ("about 8m (5m to 14m, from 40 loads)\nreplayed")
    assert typical(ESTIMATE) == "8m (5m to 14m, from 40 loads)"


def slot(ordinal: int, state: str, holder: Any = None, detail: str = "") -> dict[str, Any]:
    name = f"worker-1-slot-{ordinal}"
    silent = 4.0 if holder else None
    return {"slot": ordinal, "lease": name, "state": state, "detail": detail, "holder": holder} | {
        "silentSeconds": silent
    }


def whole(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "node": "worker-1",
        "limit": 1,
        "decidedBy": "globalConfig",
        "matched": [],
        "skipped": [],
        "hold": "",
        "held": 1,
        "slots": [],
        "queue": [],
        "why": {"sentence": "worker-1 is full.", "estimateAbsent": "nobody waits"},
    }
    return made | changes


def test_a_slot_over_the_limit_drains_and_a_free_one_has_no_holder() -> None:
    holder = HOLDER | {"heldSeconds": 61}
    slots = [slot(0, "free"), slot(1, "held", holder)]
    told = words(node_lines(whole(slots=slots), []))
    nobody = ["<none>"] * 4
    assert ["0", "free", *nobody, "worker-1-slot-0"] in told
    row = ["1", "draining", "nightly/pvc-0", "velero/nightly-8d2mw", "61s", "4s"]
    assert [*row, "worker-1-slot-1"] in told


def test_why_a_slot_is_blocked_stands_below_the_slots() -> None:
    slots = [slot(0, "blocked", detail="the name is taken")]
    assert "worker-1-slot-0: the name is taken" in node_lines(whole(slots=slots), [])


def test_the_queue_is_told_in_order_with_how_long_each_has_waited() -> None:
    queue = [AHEAD | {"position": place, "claim": f"c{place}"} for place in (1, 2)]
    for one in queue:
        del one["waitedSeconds"]
    claims = [{"claim": "c1", "waitedSeconds": 61.0}, {"claim": "c2", "waitedSeconds": 5.0}]
    told = words(node_lines(whole(queue=queue), claims))
    assert told[-2:] == [
        ["1", "nightly/pvc-1", "<none>", "10", "61s", "no", "c1"],
        ["2", "nightly/pvc-1", "<none>", "10", "5s", "no", "c2"],
    ]


def test_of_many_rules_without_a_say_the_first_are_named() -> None:
    skipped = [{"rule": f"perNodeConfig[{n}] a=b", "reason": "not matching: x"} for n in range(50)]
    lines = node_lines(whole(skipped=skipped), [])
    assert sum("perNodeConfig[" in line for line in lines) == RULES
    assert f"and {50 - RULES} more" in lines[-1]


def test_hostile_names_reach_no_terminal() -> None:
    bad = "\x1b]0;owned\x07"
    told = claim_lines("n", QUEUED | {"load": bad, "why": WHY | {"sentence": bad}})
    told += node_lines(whole(why={"sentence": bad}, slots=[slot(0, "blocked", detail=bad)]), [])
    assert not [line for line in told if "\x1b" in line or "\x07" in line]
