"""`slot-coordinator serve`: put the layers together, run until a signal, leave in order."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import secrets
import signal
import socket
from contextlib import AsyncExitStack
from importlib.metadata import version
from random import Random
from typing import TYPE_CHECKING, Literal

import structlog
import uvloop
from yarl import URL

from coordinator import certified
from coordinator.api.app import api_app, health_app, listen
from coordinator.api.connections import Connections
from coordinator.core.access import Admissions
from coordinator.core.claims import Policy
from coordinator.injection import Sidecar
from coordinator.injection.sidecar import container_name
from coordinator.injection.webhook import PORT
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import CredentialsError, load_access
from coordinator.kube.election import Elector
from coordinator.service.callers import Callers
from coordinator.service.clock import Clock
from coordinator.service.coordinator import Coordinator
from coordinator.service.metrics import Metrics, QueueLimits
from coordinator.service.reports import ElectionReports
from coordinator.service.sources import PoolSpec
from coordinator.tls.names import server_name

if TYPE_CHECKING:
    from aiohttp import web

    from coordinator.api.app import Listener
    from coordinator.api.secured import Tls
    from coordinator.settings import Settings
    from coordinator.tls.certificates import Certificates

STOPPED, FAILED = 0, 1
"""Exit codes: ended by SIGTERM or SIGINT; could not start, or a fault (the log says which)."""

MOST_PROBES = 100
"""Connections for health and metrics."""

COLLECTING = (20_000, 500, 100)
"""How many objects more than before have the cyclic garbage looked for, and how often in the older
ones, too. By default (700, 10, 10) that took a sixth of the time under load and a third where
fifty thousand claims come at once, in pauses of up to two seconds: what is older is claims and
requests that wait. Hence only the young are looked through, some 25 ms at a time, until ten
million have stayed; what ends leaves no rings of references behind."""

LOCAL = "only this machine can reach the API; on it, any user can take, free and see any slot"
CUT_SHORT = "writes may still be under way; the next coordinator finds out and settles them"

log = structlog.get_logger("coordinator.run")


class CannotStart(Exception):
    """Something outside is missing; the text says what to do."""


class _StoppedEarly(Exception):
    """A signal came before everything was up."""


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code."""
    _leave_no_core()
    gc.freeze()  # what is imported stays
    gc.set_threshold(*COLLECTING)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))
    except CannotStart as error:
        log.error("cannot start", error=str(error))  # noqa: TRY400 - no fault of the code
        return FAILED
    except Exception:
        log.exception("failed")
        return FAILED
    return STOPPED


def _leave_no_core() -> None:
    """While a caller is judged, its token is in this process's memory: no core dump may show it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


async def _serve(settings: Settings) -> None:
    """Everything up, wait for a signal, everything down in the opposite order."""
    bounds = QueueLimits(settings.max_queue_per_node, settings.max_queue)
    signalled, metrics = _signals(), Metrics(settings.metrics_per_node, bounds)
    try:
        async with asyncio.timeout(None) as deadline, AsyncExitStack() as stack:
            coordinator, api = await _start(settings, metrics, stack, signalled)
            gc.freeze()  # and so does what the start has imported
            log.info("stopping", signal=await signalled, grace=settings.stop_grace)
            deadline.reschedule(asyncio.get_running_loop().time() + settings.stop_grace)
            coordinator.begin_stop()
            await api.close()
    except _StoppedEarly:
        log.info("stopping", signal=await signalled)
    except TimeoutError:
        log.warning("stop cut short", grace=settings.stop_grace, detail=CUT_SHORT)
    log.info("stopped")


async def _start(
    settings: Settings, metrics: Metrics, stack: AsyncExitStack, signalled: asyncio.Future[str]
) -> tuple[Coordinator, Listener]:
    """Health listens first: it tells what the rest is waiting for.

    Raises `CannotStart`, and `_StoppedEarly` when a signal comes first.

    The API listens before this replica runs for leadership: its URL is what followers are told.
    """
    client = await stack.enter_async_context(await _client(settings, metrics))
    elector = await _elector(settings, metrics, stack)
    coordinator = _coordinator(settings, client, metrics, elector)
    metrics.watch(lambda: coordinator.pools.values())  # noqa: PLW0108 - other pools in each reign
    certificates = certified.certificates(
        settings,
        client,
        metrics,
        leading=lambda: coordinator.leading,
        namespaces=coordinator.admissions.namespaces(),
    )
    troubles = dict if certificates is None else lambda: {"tls": certificates.trouble}
    health = await _listener(settings, "health", health_app(coordinator, troubles), MOST_PROBES)
    stack.push_async_callback(health.close)
    if certificates is not None:
        await _usable(await stack.enter_async_context(certificates), signalled)
    app = api_app(coordinator, metrics, certificates, injection(settings))
    api = await _listener(settings, "listen", app, settings.max_connections, certificates)
    stack.push_async_callback(api.close)
    elector.url = advertised(settings, api.url)
    await stack.enter_async_context(coordinator)
    log.info("listening", api=api.url, health=health.url, version=version("node-slots"))
    if coordinator.callers is None:
        log.warning("callers are not authenticated", auth=settings.auth, detail=LOCAL)
    return coordinator, api


async def _usable(certificates: Certificates, signalled: asyncio.Future[str]) -> None:
    """Wait for a certificate, for as long as it takes; /readyz tells what is missing."""
    ready = asyncio.ensure_future(certificates.ready())
    both: tuple[asyncio.Future[None], asyncio.Future[str]] = (ready, signalled)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ready.cancel()
    if signalled.done():
        raise _StoppedEarly


async def _client(settings: Settings, metrics: Metrics) -> KubeClient:
    try:
        access = await load_access(settings.kubeconfig, settings.context)
    except CredentialsError as error:
        raise CannotStart(str(error)) from None
    agent = f"node-slots/{version('node-slots')}"
    return KubeClient(access, observe=metrics.api_request, user_agent=agent)


async def _elector(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> Elector:
    """With connections of its own: an election never waits behind other requests."""
    clock, name = Clock(), os.environ.get("POD_NAME") or socket.gethostname()
    return Elector(
        await stack.enter_async_context(await _client(settings, metrics)),
        settings.election_namespace or settings.pools[0][0],
        settings.election_lease,
        identity=f"{name}_{secrets.token_hex(4)}",
        url="",
        clock=clock.now,
        stamp=clock.stamp,
        rng=Random(),  # noqa: S311 - spreads retries, keeps no secret
        told=ElectionReports(metrics).trouble,
    )


def advertised(settings: Settings, listens: str) -> str:
    """Where other replicas reach this one's API; `listens` is the URL that it listens on."""
    if settings.advertise_url:
        return settings.advertise_url.rstrip("/")
    url = URL(listens)
    pod = os.environ.get("POD_IP", "")
    return str(url.with_host(pod)).rstrip("/") if pod and not settings.loopback else listens


def injection(settings: Settings) -> Sidecar | None:
    """What the webhook puts into Velero's movers, which are where the first pool is; None without
    --inject-image.
    """
    if not settings.inject_image:
        return None
    container_name()  # reads the source: a package without it is to fail now, not at each mover
    service = f"https://{server_name(settings.service, settings.home)}:{PORT}"
    return Sidecar(
        image=settings.inject_image,
        url=settings.inject_url or service,
        pool=settings.pools[0][0],
        config_map_ca=settings.ca_configmap,
    )


def _coordinator(
    settings: Settings, client: KubeClient, metrics: Metrics, elector: Elector
) -> Coordinator:
    namespaces = [namespace for namespace, _ in settings.pools]
    admissions = Admissions(namespaces, settings.client_namespaces)
    return Coordinator(
        client,
        [PoolSpec(namespace, config_map) for namespace, config_map in settings.pools],
        metrics=metrics,
        policy=policy(settings),
        instance=os.environ.get("POD_NAME") or socket.gethostname(),
        elector=elector,
        max_queue=settings.max_queue,
        node_cap=settings.node_cap,
        callers=_callers(settings, client, metrics, admissions),
        admissions=admissions,
    )


def policy(settings: Settings) -> Policy:
    """What every table goes by."""
    return Policy(
        unresponsive_timeout=settings.unresponsive_timeout,
        max_queue=settings.max_queue_per_node,
        aging=settings.aging,
        long_wait=settings.long_wait,
        headroom=settings.restore_headroom,
        urgent_from=settings.restore_priority,
        prepare_timeout=settings.prepare_timeout,
    )


def _callers(
    settings: Settings, client: KubeClient, metrics: Metrics, admissions: Admissions
) -> Callers | None:
    """Who is asking; None with `--auth none`."""
    if settings.auth == "none":
        return None
    rng = Random()  # noqa: S311 - spreads retries, keeps no secret
    return Callers(client, admissions, metrics=metrics, now=Clock().now, rng=rng)


async def _listener(
    settings: Settings,
    which: Literal["listen", "health"],
    app: web.Application,
    most: int,
    tls: Tls | None = None,
) -> Listener:
    address: str = getattr(settings, f"{which}_address")
    port: int = getattr(settings, f"{which}_port")
    try:
        return await listen(app, address, port, Connections(most), tls)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {address} port {port}: {error.strerror or error};"
            f" choose others with --{which}-address and --{which}-port"
        ) from None


def _signals() -> asyncio.Future[str]:
    """Done with the name of the first SIGTERM or SIGINT; a second one ends the process at once."""
    loop = asyncio.get_running_loop()
    signalled: asyncio.Future[str] = loop.create_future()
    wanted = (signal.SIGTERM, signal.SIGINT)

    def stop(name: str) -> None:
        signalled.set_result(name)
        for number in wanted:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in wanted:
        loop.add_signal_handler(number, stop, number.name)
    return signalled
