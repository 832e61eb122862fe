"""`slot-coordinator serve`: put the layers together, run until a signal, leave in order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

import structlog

from coordinator.api.app import api_app, health_app, listen
from coordinator.core.claims import Policy
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import CredentialsError, load_access
from coordinator.service.coordinator import Coordinator, PoolSpec
from coordinator.service.metrics import Metrics

if TYPE_CHECKING:
    from aiohttp import web

    from coordinator.api.app import Listener
    from coordinator.settings import Settings

STOPPED, FAILED = 0, 1
"""Exit codes: ended by SIGTERM or SIGINT; could not start, or a fault (the log says which)."""

LOCAL = "only this machine can reach the API; on it, any user can take and release any slot"
OPEN = "whoever reaches the API can take and release any slot: restrict who can (a NetworkPolicy)"
CUT_SHORT = "writes may still be under way; the next coordinator finds out and settles them"

log = structlog.get_logger("coordinator.run")


class CannotStart(Exception):
    """Something outside is missing; the text says what to do."""


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code."""
    try:
        asyncio.run(_serve(settings))
    except CannotStart as error:
        log.error("cannot start", error=str(error))  # noqa: TRY400 - no fault of the code
        return FAILED
    except Exception:
        log.exception("failed")
        return FAILED
    return STOPPED


async def _serve(settings: Settings) -> None:
    """Everything up, wait for a signal, everything down in the opposite order."""
    signalled, metrics = _signals(), Metrics()
    try:
        async with asyncio.timeout(None) as deadline, AsyncExitStack() as stack:
            coordinator, api = await _start(settings, metrics, stack)
            log.info("stopping", signal=await signalled, grace=settings.stop_grace)
            deadline.reschedule(asyncio.get_running_loop().time() + settings.stop_grace)
            coordinator.begin_stop()
            await api.close()
    except TimeoutError:
        log.warning("stop cut short", grace=settings.stop_grace, detail=CUT_SHORT)
    log.info("stopped")


async def _start(
    settings: Settings, metrics: Metrics, stack: AsyncExitStack
) -> tuple[Coordinator, Listener]:
    """Health listens first: it tells what the rest is waiting for. Raises `CannotStart`."""
    client = await stack.enter_async_context(await _client(settings, metrics))
    coordinator = _coordinator(settings, client, metrics)
    metrics.watch(coordinator.pools.values)
    health = await _listener(settings, "health", health_app(coordinator, metrics))
    stack.push_async_callback(health.close)
    await stack.enter_async_context(coordinator)
    api = await _listener(settings, "listen", api_app(coordinator))
    stack.push_async_callback(api.close)
    log.info("listening", api=api.url, health=health.url, version=version("node-slots"))
    log.warning("callers are not authenticated", detail=LOCAL if settings.loopback else OPEN)
    return coordinator, api


async def _client(settings: Settings, metrics: Metrics) -> KubeClient:
    try:
        access = await load_access(settings.kubeconfig, settings.context)
    except CredentialsError as error:
        raise CannotStart(str(error)) from None
    agent = f"node-slots/{version('node-slots')}"
    return KubeClient(access, observe=metrics.api_request, user_agent=agent)


def _coordinator(settings: Settings, client: KubeClient, metrics: Metrics) -> Coordinator:
    return Coordinator(
        client,
        [PoolSpec(namespace, config_map) for namespace, config_map in settings.pools],
        metrics=metrics,
        policy=Policy(unresponsive_timeout=settings.unresponsive_timeout),
        instance=os.environ.get("POD_NAME") or socket.gethostname(),
    )


async def _listener(
    settings: Settings, which: Literal["listen", "health"], app: web.Application
) -> Listener:
    address: str = getattr(settings, f"{which}_address")
    port: int = getattr(settings, f"{which}_port")
    try:
        return await listen(app, address, port)
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
