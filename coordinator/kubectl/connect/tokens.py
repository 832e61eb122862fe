"""Whose token the coordinator is shown. It stays in private fields and in the one header."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from coordinator.kube.calls import resource_path
from coordinator.kube.credentials import CredentialsError
from coordinator.kube.errors import ApiError
from coordinator.kubectl.connect.errors import Unreachable, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.kube.client import KubeClient
    from coordinator.kube.credentials import Access

LIFETIME = 3600
"""Seconds that a service account's token is asked for; TokenRequest gives 600 at least."""
RENEWED = 0.8
"""The part of its life after which there is a new one, as the kubelet has it."""
_BEARER = "Bearer "

WITHOUT = (
    "your kubeconfig has no token to show the coordinator (a client certificate is for the API"
    " server alone). Give --as-account NAME, which makes one of that service account with your"
    " right to create serviceaccounts/token, or --token-file FILE"
)


class Tokens(Protocol):
    """A source of tokens."""

    async def header(self) -> str:
        """The `Authorization` header as of now; "" for none. Raises `Unreachable`."""

    def rejected(self) -> None:
        """A 401 came: the next one has to be new, if there is a newer one."""


class NoToken:
    """For a coordinator that asks for none."""

    async def header(self) -> str:
        """None."""
        return ""

    def rejected(self) -> None:
        """There is nothing to renew."""


class KubeconfigToken:
    """The user's own token: `token`, `tokenFile` or what the exec plugin says."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def header(self) -> str:
        """The kubeconfig's bearer token; a password is never shown to the coordinator."""
        try:
            found = (await self._access.headers()).get("Authorization", "")
        except CredentialsError as error:
            raise Unreachable(str(error)) from None
        if not found.startswith(_BEARER):
            raise Unreachable(WITHOUT)
        return found

    def rejected(self) -> None:
        """Reads the kubeconfig's sources anew."""
        self._access.rejected()


class FileToken:
    """A token that somebody keeps in a file; read each time, so that it may be renewed."""

    def __init__(self, path: str) -> None:
        self._path = Path(path).expanduser()

    async def header(self) -> str:
        """The file's text, without the space around it."""
        try:
            text = self._path.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise Unreachable(f"--token-file {self._path} cannot be read: {why}") from None
        if not text or len(text.split()) != 1:
            raise Unreachable(f"--token-file {self._path} has to hold one token and nothing else")
        return _BEARER + text

    def rejected(self) -> None:
        """It is read each time anyway."""


class AccountToken:
    """Tokens of a service account, made by TokenRequest with the user's rights."""

    def __init__(
        self,
        kube: KubeClient,
        namespace: str,
        name: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._kube = kube
        self._path = resource_path("serviceaccounts", namespace, name) + "/token"
        self._account = f"{namespace}/{name}"
        self._clock = clock
        self._header = ""
        self._until = 0.0

    async def header(self) -> str:
        """A token for the API server's own audience, as `kubectl create token` makes it."""
        if self._clock() >= self._until:
            self._adopt(await self._request())
        return self._header

    def rejected(self) -> None:
        """The next one is made anew."""
        self._until = 0.0

    async def _request(self) -> dict[str, Any]:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": LIFETIME},
        }
        try:
            answer = await self._kube.request("POST", self._path, body=orjson.dumps(body))
        except ApiError as error:
            why = f"no token of service account {self._account}: {told(error)}"
            raise Unreachable(why) from None
        status = answer.get("status")
        return status if isinstance(status, dict) else {}

    def _adopt(self, status: dict[str, Any]) -> None:
        now = self._clock()
        try:
            end = datetime.fromisoformat(status["expirationTimestamp"]).timestamp()
            self._header = _BEARER + status["token"]
        except (KeyError, TypeError, ValueError):
            raise Unreachable(
                f"no token of service account {self._account}: the API server's answer has none"
            ) from None
        self._until = now + RENEWED * (end - now)
