"""Credentials come from where kubectl looks, renew themselves, and are never shown."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.kube.credentials import (
    REFRESH_INTERVAL,
    CredentialsError,
    LoadedAccess,
    OpenAccess,
    load_access,
    load_in_cluster,
    load_kubeconfig,
)
from tests.kube.fakes import Clock

if TYPE_CHECKING:
    from pathlib import Path


def kubeconfig(folder: Path, user: dict[str, Any], **cluster: Any) -> Path:
    path = folder / "config"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1/", **cluster}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(json.dumps(config))
    return path


async def test_a_token_of_the_kubeconfig_is_sent_and_not_shown(tmp_path: Path) -> None:
    access = await load_kubeconfig(str(kubeconfig(tmp_path, {"token": "s3cret"})))
    assert access.base_url == "http://127.0.0.1:1"
    assert access.ssl_context is None
    assert await access.headers() == {"Authorization": "Bearer s3cret"}
    assert "s3cret" not in f"{access!r} {access}"


async def test_the_environments_kubeconfig_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, {"token": "t"})))
    assert await (await load_access()).headers() == {"Authorization": "Bearer t"}


async def test_a_rotated_token_file_is_read_after_a_401(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    access = await load_kubeconfig(str(kubeconfig(tmp_path, {"tokenFile": str(token)})))
    token.write_text("new\n")
    assert await access.headers() == {"Authorization": "Bearer old"}
    access.rejected()
    assert await access.headers() == {"Authorization": "Bearer new"}


class Loaded:
    """The part of the package's Configuration that is used."""

    host = "http://127.0.0.1:1"
    tls_server_name = None
    proxy = None
    cert_file = None

    def __init__(self) -> None:
        self.api_key = {"BearerToken": "bearer 0"}


async def test_credentials_are_renewed_every_minute() -> None:
    clock, configuration, times = Clock(), Loaded(), 0

    async def reload() -> None:
        nonlocal times
        times += 1
        configuration.api_key = {"BearerToken": f"bearer {times}"}

    access = LoadedAccess(configuration, reload, clock=clock)
    assert await access.headers() == {"Authorization": "bearer 0"}
    clock.advance(REFRESH_INTERVAL)
    assert await access.headers() == {"Authorization": "bearer 1"}
    assert await access.headers() == {"Authorization": "bearer 1"}


async def test_credentials_that_cannot_be_renewed_are_told_and_tried_again() -> None:
    clock, broken = Clock(), [True]

    async def reload() -> None:
        if broken:
            raise OSError("the token file is gone")

    access = LoadedAccess(Loaded(), reload, clock=clock)
    clock.advance(REFRESH_INTERVAL)
    with pytest.raises(CredentialsError, match="token file is gone"):
        await access.headers()
    broken.clear()
    assert await access.headers() == {"Authorization": "bearer 0"}


async def test_an_exec_plugins_token_is_used(tmp_path: Path) -> None:
    version = "client.authentication.k8s.io/v1"
    said = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": "t1"}}
    plugin = {"apiVersion": version, "command": "echo", "args": [json.dumps(said)]}
    access = await load_kubeconfig(str(kubeconfig(tmp_path, {"exec": plugin})))
    assert await access.headers() == {"Authorization": "Bearer t1"}


async def test_tls_is_verified_unless_told_otherwise(tmp_path: Path) -> None:
    server = "https://127.0.0.1:1"
    strict = await load_kubeconfig(str(kubeconfig(tmp_path, {}, server=server)))
    assert strict.ssl_context is not None
    assert strict.ssl_context.verify_mode is ssl.CERT_REQUIRED
    loose = {"server": server, "insecure-skip-tls-verify": True, "tls-server-name": "api"}
    access = await load_kubeconfig(str(kubeconfig(tmp_path, {}, **loose)))
    assert access.ssl_context is not None
    assert access.ssl_context.verify_mode is ssl.CERT_NONE
    assert access.server_name == "api"


async def test_no_kubeconfig_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"no kubeconfig at .*missing"):
        await load_kubeconfig(str(tmp_path / "missing"))


@pytest.mark.parametrize("text", ["", "[]", "{", "kind: Config"])
async def test_a_broken_kubeconfig_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(CredentialsError, match="unusable credentials in"):
        await load_kubeconfig(str(path))


async def test_an_unknown_context_is_told(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="elsewhere"):
        await load_kubeconfig(str(kubeconfig(tmp_path, {})), "elsewhere")


async def test_outside_of_a_pod_there_is_no_service_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(CredentialsError, match="service account"):
        await load_in_cluster()


async def test_a_service_accounts_token_follows_the_kubelet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kubernetes.aio.config import incluster_config

    token, authority = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("old\n")
    known = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not known:
        pytest.skip("this machine knows no certificate authority")
    authority.write_text(ssl.DER_cert_to_PEM_cert(known[0]))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(authority))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    access = await load_in_cluster()
    assert access.base_url == "https://[fd00::1]:443"
    assert await access.headers() == {"Authorization": "bearer old"}
    token.write_text("new")
    access.rejected()
    assert await access.headers() == {"Authorization": "bearer new"}


async def test_plain_http_needs_nothing() -> None:
    assert await OpenAccess("http://127.0.0.1:1/").headers() == {}
