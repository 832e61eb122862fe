"""Who may do what: asked of every request before its handler sees it.

What a route needs stands in the table of routes. Whoever lacks it is told so before anything is
looked up, so that nobody learns from the answer which pools, nodes and claims there are. Without
`coordinator.callers` (`--auth none`) everybody may do everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from coordinator.api.bodies import path_values
from coordinator.api.exchange import COORDINATOR
from coordinator.api.problems import Problem
from coordinator.api.shares import SHARE, SHARES
from coordinator.core.access import AUDIENCE, Action, Caller
from coordinator.service.errors import (
    NO_POOLS_LEFT,
    NotLeading,
    PoolUnknown,
    ServiceError,
    Stopping,
)
from coordinator.service.leadership import LOST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from coordinator.core.access import AgentPod
    from coordinator.service.callers import Callers
    from coordinator.service.coordinator import Coordinator

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

RESOURCE = "leases.coordination.k8s.io"
"""What rights on slots are rights on, as `kubectl auth can-i` names it."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""RFC 6750, 2.1."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a caller has to be, or may have to be let, to use a route.

    An `agent` is let in on its own node, in a pool that admits its namespace; where it is `bound`
    to that, no right of its service account gives it more. Anybody else needs the right to `verb`
    Leases in the pool's namespace, or to `get` the nonResourceURL `path`. A route that names
    neither is for agents alone, or else for any accepted token. `each`: the handler asks for the
    right pool by pool.
    """

    agent: bool = False
    verb: str = ""
    path: str = ""
    bound: bool = False
    each: bool = False

    @property
    def problems(self) -> tuple[str, ...]:
        """What somebody may be told who is not let in; keys of `problems.KINDS`."""
        told = ("unauthenticated", "not-confirmed")
        return told if self == ANYBODY else (*told, "forbidden")


CLAIM = Need(agent=True, bound=True)
RELEASE = Need(agent=True, verb="delete", bound=True)
LOOK_AT_CLAIM = Need(agent=True, verb="get")
LOOK_AT_NODE = Need(agent=True, verb="list")
LOOK_AT_POOL = Need(verb="list")
LOOK_AT_STATUS = Need(each=True)
SCRAPE = Need(path="/metrics")
ANYBODY = Need()
"""Any accepted token."""

NEEDS: web.AppKey[Mapping[Handler, Need | None]] = web.AppKey("needs")
"""What each handler's route needs. What has none, as an unknown path, tells nothing to anybody."""
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
"""Who asks; not there with `--auth none`."""


@web.middleware
def admitted(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
    """Let in whom the route is for; what is nowhere answers everybody the same."""
    callers = request.app[COORDINATOR].callers
    need = request.app[NEEDS].get(request.match_info.handler)
    if callers is None or need is None:
        return handler(request)
    return _judged(request, handler, callers, need)


async def _judged(
    request: web.Request, handler: Handler, callers: Callers, need: Need
) -> web.StreamResponse:
    """Whoever waited for a slot is looked at once more before the answer: its Pod may be gone."""
    coordinator, token = request.app[COORDINATOR], bearer_token(request)
    caller = request[CALLER] = await callers.identify(token)
    reign = coordinator.pools
    await _require(coordinator, caller, need, path_values(request))
    try:
        if need != CLAIM or caller.agent is None:
            return await handler(request)
        with request.app[SHARES].request(caller.agent) as request[SHARE]:
            response = await handler(request)
    except PoolUnknown:
        raise _no_such_pool(request.match_info["namespace"]) from None
    await callers.identify(token)
    if not coordinator.leading or coordinator.pools is not reign:  # that may take seconds (P10)
        raise NotLeading(LOST)
    return response


async def still_admitted(request: web.Request) -> bool:
    """Whether who was let in would be let in again; where nobody can tell, no."""
    coordinator, need = request.app[COORDINATOR], request.app[NEEDS].get(request.match_info.handler)
    if coordinator.callers is None or need is None:
        return True
    try:
        caller = await coordinator.callers.identify(bearer_token(request))
        await _require(coordinator, caller, need, path_values(request))
    except (Problem, ServiceError):
        return False
    return True


def bearer_token(request: web.Request) -> str:
    """The token that the request shows. Raises `Problem`, which tells nothing of it."""
    found = request.headers.getall("Authorization", ())
    if not found:
        raise _unauthenticated("the request has no Authorization header")
    if len(found) > 1:
        raise _unauthenticated(f"the request has {len(found)} Authorization headers")
    scheme, _, token = found[0].partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
        raise _unauthenticated("the Authorization header has no bearer token")
    return token


def _unauthenticated(why: str) -> Problem:
    return Problem(
        "unauthenticated",
        f"{why}; send one Authorization: Bearer TOKEN. Agents have their Pod's projected token with"
        f" the audience {AUDIENCE}, people that of `kubectl create token` or of their login",
    )


async def _require(
    coordinator: Coordinator, caller: Caller, need: Need, path: Mapping[str, str]
) -> None:
    """Raises `Problem` for who may not, `NotConfirmed` when nobody can tell."""
    if need.agent and caller.agent is not None:
        stands_in_the_way = _elsewhere(coordinator, caller.agent, path)
        if not stands_in_the_way:
            return
        if need.bound:
            raise Problem("forbidden", stands_in_the_way)
    if need.agent and not need.verb:
        raise Problem("forbidden", _not_an_agent(caller, path["node"]))
    if (need.verb or need.path) and coordinator.callers is not None:
        action = Action(need.verb or "get", path.get("namespace", ""), need.path)
        if not await coordinator.callers.permits(caller, action):
            raise Problem("forbidden", _without_right(caller, action))


def _elsewhere(coordinator: Coordinator, agent: AgentPod, path: Mapping[str, str]) -> str:
    """Why the agent has no business on that node of that pool; "" when it has.

    The same is said of a pool that is not there.
    """
    pool, node, pod = path["namespace"], path["node"], f"{agent.namespace}/{agent.name}"
    if not coordinator.admissions.admits(pool, agent.namespace):
        return (
            f"Pods of namespace {agent.namespace} may not claim in pool {pool}; the coordinator's"
            f" --clients {pool}/{agent.namespace} would let them, if there is such a pool"
        )
    if agent.node != node:
        return f"Pod {pod} runs on node {agent.node}: it may claim there only, not on {node}"
    return ""


def _not_an_agent(caller: Caller, node: str) -> str:
    return (
        f"the token of {caller.username} is not that of a Pod on {node}: only the projected token"
        f" of a Pod, made for the audience {AUDIENCE}, claims a slot"
    )


def _without_right(caller: Caller, action: Action) -> str:
    what = action.path or RESOURCE
    where = f" -n {action.namespace}" if action.namespace else ""
    return (
        f"{caller.username} may not {action.verb} {what}"
        f"{f' in namespace {action.namespace}' if action.namespace else ''}: it may once"
        f" `kubectl auth can-i {action.verb} {what}{where}` says yes for it"
    )


def _no_such_pool(namespace: str) -> Problem:
    """Without the names of the others, which the caller may not be let to see."""
    return Problem(
        "unknown-pool",
        f"no pool in namespace {namespace}; GET /v1/status lists the pools that you may see",
    )


async def listable(request: web.Request, namespaces: Iterable[str]) -> list[str]:
    """Those of the pools' namespaces whose slots the caller may list.

    Raises `Problem` when it may list none of them, and `Stopping` when this replica has none left.
    """
    namespaces, callers = list(namespaces), request.app[COORDINATOR].callers
    if callers is None:
        return namespaces
    if not namespaces:
        raise Stopping(f"{NO_POOLS_LEFT}; ask again")
    caller = request[CALLER]
    found = [name for name in namespaces if await callers.permits(caller, Action("list", name))]
    if not found:
        raise Problem(
            "forbidden",
            f"{caller.username} may not list {RESOURCE} in any pool's namespace: it sees a pool"
            f" once `kubectl auth can-i list {RESOURCE} -n NAMESPACE` says yes for it",
        )
    return found
