"""The coordinator is shown the user's token, or one made for it, and none is ever told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from coordinator.kube.calls import call_of
from coordinator.kube.credentials import OpenAccess
from coordinator.kube.errors import Forbidden
from coordinator.kubectl.connect import Unreachable
from coordinator.kubectl.connect.tokens import AccountToken, FileToken, KubeconfigToken
from tests.kube.fakes import Clock

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.kube.client import KubeClient

PATH = "/api/v1/namespaces/velero/serviceaccounts/viewer/token"


class Access(OpenAccess):
    """Credentials with this header."""

    def __init__(self, header: str) -> None:
        super().__init__("https://127.0.0.1:1")
        self._header = header

    async def headers(self) -> dict[str, str]:
        return {"Authorization": self._header} if self._header else {}


class Kube:
    """Answers TokenRequests with tokens of an hour, or as it is told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.made = 0
        self.answer: dict[str, Any] | None = None

    async def request(self, method: str, path: str, *, body: bytes) -> dict[str, Any]:
        assert (method, path) == ("POST", PATH)
        assert b'"expirationSeconds":3600' in body
        self.made += 1
        if self.answer is not None:
            return self.answer
        end = f"1970-01-01T{1 + int(self._clock.now) // 3600:02}:00:00Z"
        return {"status": {"token": f"s3cret-{self.made}", "expirationTimestamp": end}}


async def test_the_kubeconfigs_own_token_is_shown() -> None:
    assert await KubeconfigToken(Access("Bearer s3cret")).header() == "Bearer s3cret"


@pytest.mark.parametrize("header", ["", "Basic dXNlcjpwYXNz"])
async def test_without_a_token_the_user_is_told_what_to_do(header: str) -> None:
    with pytest.raises(Unreachable, match=r"--as-account NAME.* --token-file") as caught:
        await KubeconfigToken(Access(header)).header()
    assert "dXNlcjpwYXNz" not in str(caught.value)


async def test_a_token_file_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    token = FileToken(str(file))
    assert await token.header() == "Bearer one"
    file.write_text("two")
    assert await token.header() == "Bearer two"


@pytest.mark.parametrize("text", ["", "s3cret and more", "s3crét", "s3cret\r\nX-Other: 1"])
async def test_a_file_without_just_a_token_is_refused_without_its_text(
    text: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    with pytest.raises(Unreachable, match="--token-file") as caught:
        await FileToken(str(file)).header()
    assert "s3cr" not in str(caught.value)


async def test_an_accounts_token_is_made_once_and_renewed_before_its_end() -> None:
    clock = Clock()
    clock.now = 0.0
    kube = Kube(clock)
    token = AccountToken(cast("KubeClient", kube), "velero", "viewer", clock)
    assert [await token.header() for _ in range(2)] == 2 * ["Bearer s3cret-1"]
    clock.now = 0.8 * 3600
    assert await token.header() == "Bearer s3cret-2"


async def test_an_accounts_token_that_was_not_accepted_is_made_anew() -> None:
    clock = Clock()
    clock.now = 0.0
    token = AccountToken(cast("KubeClient", Kube(clock)), "velero", "viewer", clock)
    assert await token.header() == "Bearer s3cret-1"
    token.rejected()
    assert await token.header() == "Bearer s3cret-2"


@pytest.mark.parametrize("answer", [{}, {"status": {"token": "s3cret"}}, {"status": None}])
async def test_an_answer_without_a_token_is_told_without_its_text(answer: dict[str, Any]) -> None:
    kube = Kube(Clock())
    kube.answer = answer
    token = AccountToken(cast("KubeClient", kube), "velero", "viewer")
    with pytest.raises(Unreachable, match="velero/viewer") as caught:
        await token.header()
    assert "s3cret" not in str(caught.value)


async def test_the_right_that_is_missing_is_named() -> None:
    class Refusing:
        async def request(self, method: str, path: str, *, body: bytes) -> None:
            raise Forbidden(call_of(method, path), "no", status=403)

    token = AccountToken(cast("KubeClient", Refusing()), "velero", "viewer")
    with pytest.raises(Unreachable, match="create serviceaccounts/token in namespace velero"):
        await token.header()
