"""Every kind of caller against every route: who they are, and what each must be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.e2e import tokens
from tests.e2e.cluster import AGENTS, limits
from tests.e2e.people import on_leases, on_path, person
from tests.e2e.processes import Site
from tests.e2e.wire import Http

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.e2e.cluster import Cluster
    from tests.e2e.wire import Answer

MOST_PRIORITY = 5
"""What the client namespace's Pods may ask for."""
WAIT = 30
"""Seconds in which a slot that is free is granted, even where a write takes long."""
LONG = 3600
"""Seconds of a TTL that outlasts the whole file: nobody renews these claims."""

Call = "Callable[[Ground, Http, str], Answer]"


@dataclass
class Ground:
    """A coordinator, a pool with a client's namespace, two nodes, and everybody's tokens."""

    site: Site
    node: str
    client: str
    """The namespace of the client."""
    callers: dict[str, str] = field(default_factory=dict)
    """Tokens by who shows them."""

    @property
    def cluster(self) -> Cluster:
        return self.site.cluster

    def token_of(self, account_pod: Mapping[str, str], account: str = AGENTS) -> str:
        """What is mounted in the Pod."""
        bound = (account_pod["name"], account_pod["uid"])
        namespace = account_pod["namespace"]
        return tokens.token(
            self.cluster.api, namespace, account, pod=bound, audience=tokens.AUDIENCE
        )

    def as_(self, token: str) -> Http:
        return Http(self.site.url, token, self.site.mount.file)

    def held(self, claim: str, ttl: int = 60) -> str:
        """A claim that the node's own agent has just been granted."""
        self.site.granted(self.node, claim, ttlSeconds=ttl)
        return claim


def stand(cluster: Cluster, folder: Path) -> Ground:
    """Everything but the callers; the coordinator is ready."""
    client = cluster.add_namespace(f"{cluster.namespace}-client")
    site = Site(cluster, folder, clients=(f"{client}:{MOST_PRIORITY}",))
    ground = Ground(site, cluster.add_node(), client)
    cluster.configure(limits(500))
    site.start()
    return ground


def summon(ground: Ground) -> None:
    """Makes the tokens. Those that must not be good any more were good once."""
    cluster, node, space = ground.cluster, ground.node, ground.cluster.namespace
    foreign = cluster.add_namespace(f"{space}-foreign")
    own = cluster.add_pod(node, "own")
    gone = cluster.add_pod(node, "gone")
    here = ground.token_of(own)
    bound = (own["name"], own["uid"])
    ground.callers |= {
        "no token": "",
        "garbage": "garbage.of-three.parts",
        "wrong audience": tokens.token(cluster.api, space, AGENTS, pod=bound, audience="others"),
        "expired": tokens.expired(here, cluster.server.signing_key),
        "deleted Pod": ground.token_of(gone),
        "another node's Pod": ground.token_of(cluster.add_pod(cluster.add_node(2), "elsewhere")),
        "a foreign namespace's Pod": ground.token_of(
            cluster.add_pod(node, "foreign", namespace=foreign)
        ),
        "a client's Pod": ground.token_of(cluster.add_pod(node, "client", namespace=ground.client)),
        "the node's own Pod": here,
        "a Pod's token for the API server": tokens.token(cluster.api, space, AGENTS, pod=bound),
        "a token of agents bound to no Pod": tokens.token(
            cluster.api, space, AGENTS, audience=tokens.AUDIENCE
        ),
        "a person without rights": person(cluster, "nobody"),
        "a person who may read": person(cluster, "reader", on_leases("get", "list")),
        "a person who may get": person(cluster, "getter", on_leases("get")),
        "a person who may delete": person(cluster, "freer", on_leases("delete")),
        "a scraper": person(cluster, "scraper", on_path("/metrics"), everywhere=True),
        "the administrator": cluster.server.token,
    }
    cluster.delete_pod("gone")


# --- the routes -----------------------------------------------------------------------------------


def _put(ground: Ground, api: Http, claim: str) -> Answer:
    body = {"load": claim, "waitSeconds": WAIT}
    return api.put(ground.site.claim_path(ground.node, claim), body)


def _sync(ground: Ground, api: Http, claim: str, **asked: Any) -> Answer:
    body: dict[str, Any] = {"agent": claim, "boot": "boot-1", "sequence": 1}
    body |= {"claims": [{"claim": claim, "load": claim, **asked}], "releases": []}
    return api.post(f"{ground.site.node_path(ground.node)}/sync", body)


def sync_one(ground: Ground, api: Http, claim: str, **asked: Any) -> dict[str, Any]:
    """What a sync tells of its one claim."""
    (told,) = _sync(ground, api, claim, **asked).json["claims"]
    return dict(told)


def _delete(ground: Ground, api: Http, claim: str) -> Answer:
    return api.delete(ground.site.claim_path(ground.node, ground.held(claim)))


def _get_claim(ground: Ground, api: Http, claim: str) -> Answer:
    return api.get(ground.site.claim_path(ground.node, "held"))


def _get_node(ground: Ground, api: Http, claim: str) -> Answer:
    return api.get(ground.site.node_path(ground.node))


def _get_nodes(ground: Ground, api: Http, claim: str) -> Answer:
    return api.get(f"{ground.site.pool_path}/nodes")


def _preview(ground: Ground, api: Http, claim: str) -> Answer:
    return api.post(f"{ground.site.pool_path}/preview", {"text": "{}"})


def _events(ground: Ground, api: Http, claim: str) -> Answer:
    """Of a stream only its beginning: it goes on for minutes."""
    return api.begin("GET", f"{ground.site.pool_path}/events")


def _get_pool(ground: Ground, api: Http, claim: str) -> Answer:
    return api.get(ground.site.pool_path)


ROUTES: dict[str, Callable[[Ground, Http, str], Answer]] = {
    "PUT claim": _put,
    "POST sync": _sync,
    "DELETE claim": _delete,
    "GET claim": _get_claim,
    "GET node": _get_node,
    "GET nodes": _get_nodes,
    "GET claims": lambda ground, api, _claim: api.get(f"{ground.site.pool_path}/claims"),
    "GET config": lambda ground, api, _claim: api.get(f"{ground.site.pool_path}/config"),
    "POST preview": _preview,
    "GET events": _events,
    "GET pool": _get_pool,
    "GET status": lambda _ground, api, _claim: api.get("/v1/status"),
    "GET openapi": lambda _ground, api, _claim: api.get("/openapi.json"),
    "GET metrics": lambda _ground, api, _claim: api.get("/metrics"),
}
"""Each takes the ground, the coordinator as the caller reaches it, and a claim id of its own."""

UNKNOWN = dict.fromkeys(ROUTES, 401)
STRANGER = dict.fromkeys(ROUTES, 403) | {"GET openapi": 200}
"""Accepted, and without any right."""
CLIENT = STRANGER | {"PUT claim": 200, "POST sync": 200, "GET claim": 200, "GET node": 200}
AGENT = CLIENT | {"DELETE claim": 204}
SEEN = ("nodes", "claims", "config", "events", "pool", "node", "claim", "status")
READER = STRANGER | {"POST preview": 200} | {f"GET {what}": 200 for what in SEEN}

EXPECTED: dict[str, dict[str, int]] = {
    "no token": UNKNOWN,
    "garbage": UNKNOWN,
    "wrong audience": UNKNOWN,
    "expired": UNKNOWN,
    "deleted Pod": UNKNOWN,
    "another node's Pod": STRANGER,
    "a foreign namespace's Pod": STRANGER,
    "a client's Pod": CLIENT,
    "the node's own Pod": AGENT,
    "a Pod's token for the API server": STRANGER,
    "a token of agents bound to no Pod": STRANGER,
    "a person without rights": STRANGER,
    "a person who may read": READER,
    "a person who may get": STRANGER | {"GET claim": 200},
    "a person who may delete": STRANGER | {"DELETE claim": 204},
    "a scraper": STRANGER | {"GET metrics": 200},
    "the administrator": READER | {"DELETE claim": 204, "GET metrics": 200},
}
