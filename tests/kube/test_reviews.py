"""What is asked in a review, what an answer means, and that no token gets out of it."""

from __future__ import annotations

import traceback
from typing import Any

import orjson
import pytest

from coordinator.core.access import Action, Caller
from coordinator.kube import errors
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.kube.reviews import Identity, access_review, token_review
from tests.kube.fakes import FakeServer, Reply, answer, status

TOKEN = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0LXBhcnQ.c2lnbmF0dXJlLXBhcnQ"
USER = {
    "username": "system:serviceaccount:velero:agent",
    "uid": "u1",
    "groups": ["system:serviceaccounts", "system:authenticated"],
    "extra": {"authentication.kubernetes.io/pod-name": ["agent-x"]},
}
CALLER = Caller(
    USER["username"],  # type: ignore[arg-type]
    "u1",
    ("system:serviceaccounts", "system:authenticated"),
    {"authentication.kubernetes.io/pod-name": ("agent-x",)},
)


def reviewed(**told: Any) -> Reply:
    return answer(201, {"kind": "TokenReview", "spec": {"token": TOKEN}, "status": told})


async def test_a_token_goes_in_the_body_alone_with_the_audiences_asked_for(
    client: KubeClient, fake: FakeServer
) -> None:
    fake.then(reviewed(authenticated=True, user=USER, audiences=["node-slots"]), reviewed())
    assert await token_review(client, TOKEN, ["node-slots"]) == Identity(CALLER, ("node-slots",))
    assert await token_review(client, TOKEN) is None
    first, second = fake.asked
    assert (first.method, first.path) == ("POST", "/apis/authentication.k8s.io/v1/tokenreviews")
    assert TOKEN not in f"{first.path} {first.params} {first.headers}"
    assert orjson.loads(first.body)["spec"] == {"token": TOKEN, "audiences": ["node-slots"]}
    assert orjson.loads(second.body)["spec"] == {"token": TOKEN}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"authenticated": False, "user": USER},
        {"authenticated": "true", "user": USER},
        {"error": "no"},
    ],
)
async def test_only_authenticated_true_is_an_acceptance(
    client: KubeClient, fake: FakeServer, told: dict[str, Any]
) -> None:
    fake.then(reviewed(**told))
    assert await token_review(client, TOKEN) is None


@pytest.mark.parametrize(
    "reply",
    [
        reviewed(authenticated=True),
        reviewed(authenticated=True, user={"uid": "u1"}),
        answer(201, {"kind": "TokenReview"}),
        answer(201, {"status": []}),
    ],
)
async def test_an_answer_that_says_nothing_is_no_answer(
    client: KubeClient, fake: FakeServer, reply: Reply
) -> None:
    fake.then(reply)
    with pytest.raises(errors.Unavailable):
        await token_review(client, TOKEN)


async def test_what_is_no_user_info_in_an_answer_is_left_out(
    client: KubeClient, fake: FakeServer
) -> None:
    odd = {"username": "alice", "uid": 3, "groups": ["a", 4], "extra": {"k": "text", "l": ["m"]}}
    fake.then(reviewed(authenticated=True, user=odd, audiences="node-slots"))
    extra: dict[str, tuple[str, ...]] = {"k": (), "l": ("m",)}
    assert await token_review(client, TOKEN) == Identity(Caller("alice", "", ("a",), extra))


async def test_what_the_api_server_calls_invalid_is_no_token(
    client: KubeClient, fake: FakeServer
) -> None:
    fake.then(answer(400, status(400, "BadRequest", f"cannot read {TOKEN}")))
    assert await token_review(client, TOKEN) is None


ECHOES = {
    "503": (answer(503, status(503, "ServiceUnavailable", f"etcd of {TOKEN}")), errors.Unavailable),
    "500 of a proxy": (answer(500, f"<p>POST {TOKEN}</p>".encode()), errors.Unavailable),
    "403": (answer(403, status(403, "Forbidden", f"not with {TOKEN}")), errors.Forbidden),
    "401": (answer(401, status(401, "Unauthorized", TOKEN)), errors.Unauthorized),
    "429": (
        answer(429, status(429, "TooManyRequests", TOKEN[-20:]), Retry_After="7"),
        errors.Throttled,
    ),
    "404": (answer(404, status(404, "NotFound", TOKEN.split(".")[1])), errors.NotFound),
    "no JSON": (answer(201, f'{{"spec": "{TOKEN}'.encode()), errors.Unavailable),
    "no HTTP": (Reply(f"{TOKEN}\r\n\r\n".encode(), "close"), errors.Unavailable),
    "odd reason": (answer(409, status(409, TOKEN)), errors.Conflict),
    "cut": (Reply(b"HTTP/1.1 201 Created\r\n", "close"), errors.Unavailable),
}


@pytest.mark.parametrize("name", ECHOES)
async def test_no_error_of_a_review_has_a_piece_of_the_token_in_it(
    client: KubeClient, fake: FakeServer, name: str
) -> None:
    reply, kind = ECHOES[name]
    fake.then(reply)
    with pytest.raises(errors.ApiError) as raised:
        await token_review(client, TOKEN, ["node-slots"])
    error = raised.value
    assert type(error) is kind
    assert error.__cause__ is None
    assert error.__context__ is None
    told = [str(error), repr(error), *traceback.format_exception(error)]
    told += [repr(value) for value in vars(error).values()]
    assert all(piece not in "".join(told) for piece in (*TOKEN.split("."), TOKEN[-8:]))


async def test_a_refusal_keeps_what_helps_the_operator_and_no_word_of_the_answer(
    client: KubeClient, fake: FakeServer
) -> None:
    fake.then(answer(403, status(403, "Forbidden", "no words of theirs")), ECHOES["429"][0])
    right = r"tokenreviews\.authentication\.k8s\.io: create"
    with pytest.raises(errors.Forbidden, match=right) as refused:
        await token_review(client, TOKEN)
    assert "words of theirs" not in str(refused.value)
    with pytest.raises(errors.Throttled) as raised:
        await token_review(client, TOKEN)
    assert raised.value.retry_after == 7


async def test_a_lost_connection_still_says_what_is_wrong() -> None:
    async with KubeClient(OpenAccess("http://127.0.0.1:9")) as nowhere:
        with pytest.raises(errors.Unavailable, match="127\\.0\\.0\\.1"):
            await token_review(nowhere, TOKEN)


# --- what somebody may do -------------------------------------------------------------------------


async def test_a_right_is_asked_for_as_the_caller_was_reviewed(
    client: KubeClient, fake: FakeServer
) -> None:
    fake.then(answer(201, {"status": {"allowed": True}}), answer(201, {"status": {}}))
    assert await access_review(client, CALLER, Action("list", "velero"))
    assert not await access_review(client, Caller("bob"), Action("get", path="/metrics"))
    leases, path = fake.asked
    assert leases.path == path.path == "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    assert orjson.loads(leases.body)["spec"] == {
        "user": CALLER.username,
        "uid": "u1",
        "groups": [*CALLER.groups],
        "extra": {"authentication.kubernetes.io/pod-name": ["agent-x"]},
        "resourceAttributes": {
            "verb": "list",
            "namespace": "velero",
            "group": "coordination.k8s.io",
            "resource": "leases",
        },
    }
    asked = orjson.loads(path.body)["spec"]
    assert asked["nonResourceAttributes"] == {"path": "/metrics", "verb": "get"}


@pytest.mark.parametrize(
    "told", [{"allowed": False}, {"allowed": "true"}, {"denied": True}, {"evaluationError": "x"}]
)
async def test_only_allowed_true_is_a_right(
    client: KubeClient, fake: FakeServer, told: dict[str, Any]
) -> None:
    fake.then(answer(201, {"status": told}))
    assert not await access_review(client, CALLER, Action("get", "velero"))


async def test_whoever_cannot_be_asked_about_has_no_right(
    client: KubeClient, fake: FakeServer
) -> None:
    fake.then(answer(422, status(422, "Invalid", "at least one of user or group")))
    assert not await access_review(client, Caller(""), Action("get", "velero"))


async def test_no_answer_about_a_right_is_an_error(client: KubeClient, fake: FakeServer) -> None:
    fake.then(answer(500, status(500, "InternalError")))
    with pytest.raises(errors.Unavailable):
        await access_review(client, CALLER, Action("get", "velero"))
