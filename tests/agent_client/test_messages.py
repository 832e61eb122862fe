"""What of an answer is believed."""

from __future__ import annotations

from typing import Any

import pytest

from agent_client.messages import (
    Gone,
    Granted,
    MalformedError,
    Problem,
    Queued,
    Rejected,
    Reply,
    Settling,
    Waiter,
    claims_blamed,
    read_answer,
    read_reply,
)
from tests.agent_client.fake import problem

GRANTED = {
    "claim": "a",
    "state": "granted",
    "term": 7,
    "slot": 2,
    "lease": "node1-slot-2",
    "fencingToken": 1201,
    "ttlSeconds": 60,
}
QUEUED = {
    "claim": "b",
    "state": "queued",
    "position": 2,
    "ticket": "7.17",
    "reason": "full",
    "holders": [{"claim": "a", "load": "l", "lease": "x", "priority": 0, "heldSeconds": 741}, 17],
}


def test_every_kind_of_state_is_read() -> None:
    states = [
        GRANTED,
        QUEUED,
        {"claim": "c", "state": "settling", "problem": problem("settling", 503, retryAfter=2)},
        {"claim": "d", "state": "lost", "problem": problem("slot-lost", 409)},
        {"claim": "e", "state": "refused", "problem": problem("queue-full", 429)},
        {"claim": "f", "state": "settling"},
    ]
    answer = read_answer({"term": 7, "sequence": 1, "claims": states, "released": ["x"]})
    assert answer.told["a"] == Granted(2, "node1-slot-2", 1201, 60.0)
    assert answer.told["b"] == Queued(2, "7.17", "full", (Waiter("a", "l"),))
    assert isinstance(answer.told["b"], Queued)
    assert [waiter.seconds for waiter in answer.told["b"].holders] == [741.0]
    assert answer.told["c"] == Settling(2.0)
    assert isinstance(answer.told["d"], Gone)
    assert isinstance(answer.told["e"], Rejected)
    assert answer.told["f"] == Settling(1.0)
    assert (answer.term, answer.released) == (7, ("x",))


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "no",
        {},
        {"term": "7"},
        {"term": True},
        {"term": 7, "claims": {}},
        {"term": 7, "claims": [17]},
        {"term": 7, "claims": [{"claim": "a"}]},
        {"term": 7, "claims": [{"claim": "a", "state": "glad"}]},
        {"term": 7, "claims": [{**GRANTED, "fencingToken": "1201"}]},
        {"term": 7, "claims": [{**GRANTED, "slot": None}]},
        {"term": 7, "claims": [{**QUEUED, "ticket": None}]},
        {"term": 7, "claims": [{"claim": "a", "state": "lost", "problem": {"type": "x"}}]},
        {"term": 7, "released": [1]},
    ],
)
def test_a_broken_answer_is_no_answer(payload: Any) -> None:
    with pytest.raises(MalformedError):
        read_reply(Reply(200, payload))


@pytest.mark.parametrize("payload", [None, "<html>", {"type": "about:blank", "status": 404}])
def test_an_error_page_of_somebody_else_is_not_the_coordinators_word(payload: Any) -> None:
    with pytest.raises(MalformedError):
        read_reply(Reply(404, payload))


def test_the_retry_after_of_the_body_goes_before_the_header() -> None:
    both = read_reply(Reply(503, problem("stopping", 503, retryAfter=3), 9.0))
    header = read_reply(Reply(503, problem("stopping", 503), 9.0))
    assert isinstance(both, Problem)
    assert isinstance(header, Problem)
    assert (both.retry_after, header.retry_after) == (3.0, 9.0)
    assert (both.name, both.passing) == ("stopping", True)


def test_a_problem_names_the_claims_that_it_is_about() -> None:
    errors = [{"field": "claims[0].ttlSeconds"}, {"field": "claims[12].load"}, {"field": "agent"}]
    found = read_reply(Reply(422, problem("out-of-range", 422, errors=errors)))
    assert isinstance(found, Problem)
    assert claims_blamed(found) == {0, 12}
