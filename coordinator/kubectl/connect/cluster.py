"""The cluster as the user's kubeconfig shows it, and the coordinator in it."""

from __future__ import annotations

import asyncio
import ipaddress
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import load_access
from coordinator.kubectl.connect.coordinator import Coordinator
from coordinator.kubectl.connect.errors import Refused, Unreachable
from coordinator.kubectl.connect.forward import Forwarder
from coordinator.kubectl.connect.place import namespace_of_context
from coordinator.kubectl.connect.tokens import AccountToken, FileToken, KubeconfigToken, NoToken
from coordinator.kubectl.connect.trust import Trust
from coordinator.kubectl.connect.way import ThroughTunnels, Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from coordinator.kube.credentials import Access
    from coordinator.kubectl.connect.options import Options
    from coordinator.kubectl.connect.tokens import Tokens

STATUS = "/v1/status"
USER_AGENT = "kubectl-node_slots"


@asynccontextmanager
async def connect(options: Options) -> AsyncIterator[Cluster]:
    """A cluster to ask; nothing is asked yet. Raises `coordinator.kube.CredentialsError`."""
    access = await load_access(options.kubeconfig, options.context)
    namespace = options.namespace or namespace_of_context(options.kubeconfig, options.context)
    async with KubeClient(access, user_agent=USER_AGENT) as kube, AsyncExitStack() as stack:
        yield Cluster(kube, access, namespace, options, stack)


class Cluster:
    """`kube` asks the API server with the user's own rights; `namespace` is the pool's."""

    def __init__(
        self,
        kube: KubeClient,
        access: Access,
        namespace: str,
        options: Options,
        stack: AsyncExitStack,
    ) -> None:
        self.kube = kube
        self.namespace = namespace
        self.options = options
        self.home = options.coordinator_namespace or namespace
        """The coordinator's namespace."""
        self.status: dict[str, Any] = {}
        """What the coordinator said of itself (`/v1/status`), once it is connected."""
        self._access = access
        self._stack = stack
        self._turn = asyncio.Lock()
        self._found: Coordinator | None = None

    async def coordinator(self) -> Coordinator:
        """The coordinator, which has answered once. Raises `Unreachable`, and `Refused` when it
        does not know the user (401).
        """
        async with self._turn:
            if self._found is None:
                self._found = await self._connected()
            return self._found

    async def _connected(self) -> Coordinator:
        async with AsyncExitStack() as stack:
            made = await self._open(stack)
            self.status = await _status(made)
            self._stack.push_async_callback(stack.pop_all().aclose)
            return made

    async def _open(self, stack: AsyncExitStack) -> Coordinator:
        namespaces, name = (self.namespace, self.home), f"{self.options.service}-ca"
        trust = Trust(self.kube, namespaces, name, self.options.ca_file)
        if self.options.server:
            return await self._open_server(stack, trust)
        forwarder = await stack.enter_async_context(Forwarder(self._access))
        timeout = self.options.timeout
        way = Way(self.kube, forwarder, trust, self.home, self.options.service, timeout)
        session = await stack.enter_async_context(_session(ThroughTunnels(way)))
        url = f"https://{way.server_name}"
        return Coordinator(session, url, self._tokens(), timeout)

    async def _open_server(self, stack: AsyncExitStack, trust: Trust) -> Coordinator:
        url = _server(self.options.server)
        secure = url.scheme == "https"
        tokens = self._tokens() if secure or self.options.token_file else NoToken()
        connector = aiohttp.TCPConnector(ssl=await trust.context() if secure else True)
        session = await stack.enter_async_context(_session(connector))
        return Coordinator(session, str(url).rstrip("/"), tokens, self.options.timeout)

    def _tokens(self) -> Tokens:
        if self.options.token_file:
            return FileToken(self.options.token_file)
        if account := self.options.service_account:
            namespace, _, name = account.rpartition("/")
            return AccountToken(self.kube, namespace or self.namespace, name)
        return KubeconfigToken(self._access)


async def _status(coordinator: Coordinator) -> dict[str, Any]:
    """What it says of itself; nothing to somebody who may not list Leases, but free one, say."""
    try:
        return dict(await coordinator.get(STATUS) or {})
    except Refused as refused:
        if refused.status != HTTPStatus.FORBIDDEN:
            raise
        return {}


def _session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT},
    )


def _server(text: str) -> URL:
    """The URL of --server. Raises `Unreachable` for one that no request should go to."""
    try:
        url = URL(text)
    except ValueError as error:
        raise Unreachable(f"--server {text} is no URL: {error}") from None
    if url.scheme not in {"http", "https"} or not url.host or url.query_string or url.user:
        raise Unreachable(f"--server {text}: give it as https://HOST:PORT")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise Unreachable(
            f"--server {text}: without TLS nobody knows who answers, and what is said can be read"
            " on the way; http:// is for this machine's loopback addresses only"
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
