"""Real tokens, made by the API server (TokenRequest), as for a Pod's projected volume."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.wire import Http

AUDIENCE = "node-slots"
DAY = 86400
"""Seconds; TokenRequest gives none for less than ten minutes."""
_COORDINATE = 32
"""Bytes of each half of an ES256 signature (RFC 7518, section 3.4)."""


def token(
    api: Http,
    namespace: str,
    account: str,
    *,
    pod: tuple[str, str] | None = None,
    audience: str | None = None,
) -> str:
    """A token of the service account, bound to a Pod (name, uid) that runs under it.

    Without an audience it is one for the API server itself, as `kubectl create token` makes it.
    """
    spec: dict[str, Any] = {"expirationSeconds": DAY}
    if audience is not None:
        spec["audiences"] = [audience]
    if pod is not None:
        name, uid = pod
        spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    answer = api.post(path, {"spec": spec})
    assert answer.status == 201, answer.raw
    return str(answer.json["status"]["token"])


def expired(fresh: str, key: Path) -> str:
    """The same token, a day too old: signed anew with the key of the API server that made it.

    No TokenRequest can ask for less than ten minutes, and no test waits for them.
    """
    head, claims, _ = fresh.split(".")
    told = json.loads(_decoded(claims))
    told["exp"] = int(time.time()) - DAY
    told["iat"] = told["nbf"] = told["exp"] - DAY
    signed = f"{head}.{_encoded(json.dumps(told).encode())}"
    return f"{signed}.{_encoded(_signature(signed.encode(), key))}"


def signature(of: str) -> str:
    """What makes it a token: who reads that may use it."""
    return of.rpartition(".")[2]


def _signature(text: bytes, key: Path) -> bytes:
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    pair = utils.decode_dss_signature(private.sign(text, ec.ECDSA(hashes.SHA256())))
    return b"".join(number.to_bytes(_COORDINATE, "big") for number in pair)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
