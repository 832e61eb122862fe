"""Where the API server is and how to be let in: kubeconfig, or a Pod's service account.

Loading is left to the `kubernetes` package, imported by those who need it (`loading`). Secrets stay
in private fields: nothing here logs or prints them.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REFRESH_INTERVAL = 60.0
"""Seconds between looks at token files, exec plugins and client certificates. A kubelet renews a
projected token at 80 % of its life, which is ten minutes or more."""


class CredentialsError(Exception):
    """The credentials could not be loaded or renewed. The text says which and what to do."""


class Access(Protocol):
    """The API server's address and the way in."""

    @property
    def base_url(self) -> str:
        """Scheme, host, port and, behind some proxies, a path; no slash at the end."""

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """None for plain http."""

    @property
    def server_name(self) -> str | None:
        """The name in the server's certificate, where it differs from the host."""

    @property
    def proxy(self) -> str | None:
        """The HTTP proxy's URL."""

    async def headers(self) -> dict[str, str]:
        """The `Authorization` header as of now. Raises `CredentialsError`."""

    def rejected(self) -> None:
        """A 401 came: look for newer credentials before the next request."""


class OpenAccess:
    """Plain http without credentials, for the embedded API server and `kubectl proxy`."""

    ssl_context = None
    server_name = None
    proxy = None

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")

    async def headers(self) -> dict[str, str]:
        """No header at all."""
        return {}

    def rejected(self) -> None:
        """There is nothing to renew."""


class LoadedAccess:
    """Credentials that the `kubernetes` package loaded, and loads again every minute."""

    def __init__(
        self,
        configuration: Any,  # kubernetes.aio.client.Configuration
        reload: Callable[[], Awaitable[None]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configuration = configuration
        self._reload = reload
        self._clock = clock
        self._fresh_until = clock() + REFRESH_INTERVAL
        self._turn = asyncio.Lock()
        self.base_url: str = configuration.host.rstrip("/")
        self.server_name: str | None = configuration.tls_server_name
        self.proxy: str | None = configuration.proxy
        self._certificate = _stamp(configuration)
        self.ssl_context = _ssl_context(configuration) if self._encrypted else None

    def __repr__(self) -> str:
        return f"LoadedAccess({self.base_url!r})"

    @property
    def _encrypted(self) -> bool:
        return self.base_url.startswith("https")

    async def headers(self) -> dict[str, str]:
        """The `Authorization` header, renewed when a minute has passed or after a 401."""
        if self._clock() >= self._fresh_until:
            async with self._turn:
                if self._clock() >= self._fresh_until:
                    await self._renew()
        token = self._configuration.api_key.get("BearerToken", "").strip()
        return {"Authorization": token} if token else {}

    def rejected(self) -> None:
        """The next request renews first."""
        self._fresh_until = self._clock()

    async def _renew(self) -> None:
        try:
            await self._reload()
            self._adopt_certificate()
        except Exception as error:  # noqa: BLE001 - whatever plugins and files cause
            raise _unusable(error) from None
        self._fresh_until = self._clock() + REFRESH_INTERVAL

    def _adopt_certificate(self) -> None:
        """New connections present the renewed client certificate; open ones keep theirs."""
        stamp = _stamp(self._configuration)
        if self.ssl_context is None or stamp == self._certificate:
            return
        self.ssl_context.load_cert_chain(
            self._configuration.cert_file, self._configuration.key_file
        )
        self._certificate = stamp


async def load_access(kubeconfig: str = "", context: str = "") -> Access:
    """The credentials to use: the kubeconfig given, else `KUBECONFIG`, else those of the Pod that
    this runs in, else `~/.kube/config`, as kubectl has it. Raises `CredentialsError`.
    """
    paths = kubeconfig or os.environ.get("KUBECONFIG", "")
    if paths:
        return await load_kubeconfig(paths, context)
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return await load_in_cluster()
    return await load_kubeconfig(str(Path.home() / ".kube" / "config"), context)


async def load_kubeconfig(paths: str, context: str = "") -> Access:
    """The credentials of a context, the current one by default. `paths` may name several files,
    separated by colons, to be merged. Raises `CredentialsError`.
    """
    _look_for(paths)
    from coordinator.kube.loading import Configuration, load_kube_config

    configuration = Configuration()
    try:
        loader = await load_kube_config(paths, context or None, configuration, persist_config=False)
        return LoadedAccess(configuration, lambda: loader.load_and_set(configuration))
    except Exception as error:  # noqa: BLE001 - ConfigException, YAMLError, SSLError, TypeError
        raise _unusable(error, f" in {paths}") from None


async def load_in_cluster() -> Access:
    """The service account of the Pod that this runs in. Raises `CredentialsError`."""
    from coordinator.kube.loading import Configuration, load_incluster_config

    configuration = Configuration()

    async def reload() -> None:  # the file's path leads to the kubelet's newest token
        load_incluster_config(configuration, try_refresh_token=False)

    try:
        await reload()
        return LoadedAccess(configuration, reload)
    except Exception as error:  # noqa: BLE001 - ConfigException, OSError, SSLError
        raise _unusable(error, " of the Pod's service account") from None


def _look_for(paths: str) -> None:
    if not any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path):
        msg = f"no kubeconfig at {paths}: name one with --kubeconfig, or run in a Pod"
        raise CredentialsError(msg)


def _unusable(error: Exception, place: str = "") -> CredentialsError:
    return CredentialsError(f"unusable credentials{place}: {type(error).__name__}: {error}")


def _ssl_context(configuration: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    # Python 3.13 asks for extensions that many clusters' own authorities lack.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


def _stamp(configuration: Any) -> tuple[str, float] | None:
    """Tells one client certificate from its successor under the same name."""
    path = configuration.cert_file
    return (path, Path(path).stat().st_mtime) if path else None
