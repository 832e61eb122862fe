"""Every setting of `slot-coordinator serve`, each with its reason: flags first, then environment.

A field is both: `listen_port` is the flag `--listen-port` and the variable
`NODE_SLOTS_COORDINATOR_LISTEN_PORT`. Its description is the flag's help.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from coordinator.core.access import ClientNamespace
from coordinator.logs import LogFormat, LogLevel  # noqa: TC001 - pydantic reads them at run time
from coordinator.settings_metrics import MetricsSettings
from coordinator.settings_velero import SUBDOMAIN, VeleroSettings

ENV_PREFIX = "NODE_SLOTS_COORDINATOR_"
MOST_STOP_GRACE = 5.0
"""Seconds. A stopped coordinator is replaced: the longer it takes, the longer nobody grants."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_CLIENT = re.compile(rf"(?:({_LABEL.pattern})/)?({_LABEL.pattern})(?::(-?[0-9]{{1,9}}))?")
_URL = re.compile(r"https?://[^\s/?#]+/?")
_KINDS = {
    "node_agent_configmap": "ConfigMap",
    "election_lease": "Lease",
    "tls_secret": "Secret",
    "ca_configmap": "ConfigMap",
    "service": "Service",
}
"""What the fields name that are names of objects."""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class SettingsError(Exception):
    """The settings cannot be used; the text names each flag, its variable, and what is wrong."""


class Settings(VeleroSettings, MetricsSettings):
    """What `serve` is told. Frozen: a limit changes in its ConfigMap, all else with a restart."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
    )

    namespace: str = Field(
        "",
        description="The pool's namespace: its slots' Leases live here, and its ConfigMap is read"
        " here.",
    )
    node_agent_configmap: str = Field(
        "",
        description="The ConfigMap with the limits, named as for `velero node-agent server`. Give"
        " the coordinator one of its own. Without it every node has the limit 1.",
    )
    pool: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="One more pool, as NAMESPACE/CONFIGMAP; may be repeated (in the variable:"
        " separated by commas). A ConfigMap rules its own namespace only.",
    )
    kubeconfig: str = Field(
        "",
        description="The kubeconfig to use. Without it: KUBECONFIG, else the service account of"
        " the Pod that this runs in, else ~/.kube/config.",
    )
    context: str = Field("", description="The kubeconfig's context, when not its current one.")
    auth: Literal["kubernetes", "none"] = Field(
        "kubernetes",
        description="kubernetes: every caller shows a token that the API server's TokenReview"
        " accepts. none: whoever reaches the API can take, free and see any slot; for a demo, and"
        " on this machine's loopback addresses only.",
    )
    clients: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="A namespace whose Pods may claim too, beside those of the pool's own"
        " namespace, as [POOL/]NAMESPACE[:MAX_PRIORITY]; may be repeated (in the variable:"
        " separated by commas). Without POOL/ it is for the first pool; a claim of a higher"
        " priority than MAX_PRIORITY is refused.",
    )
    node_cap: int | None = Field(
        None,
        ge=1,
        description="How many slots of one node may be held at a time in all pools together."
        " Without it each pool's limit stands alone.",
    )
    tls: Literal["self-made", "mounted", "off"] | None = Field(
        None,
        description="self-made: the replicas make a certificate and renew it; it is kept in"
        " --tls-secret, and its authority is published in --ca-configmap. mounted: the files"
        " tls.crt, tls.key and ca.crt in --tls-dir, as cert-manager lays out a Secret, read again"
        " when they change. off: plain HTTP, on loopback addresses only. Default: self-made; off"
        " with --auth none.",
    )
    tls_dir: str = Field(
        "/etc/node-slots/tls", description="The folder of --tls mounted.", min_length=1
    )
    tls_secret: str = Field(
        "node-slots-tls",
        min_length=1,
        description="The Secret of --tls self-made, in the election's namespace. It has to exist;"
        " empty is enough.",
    )
    ca_configmap: str = Field(
        "node-slots-ca",
        min_length=1,
        description="The ConfigMap in each pool's and each client's namespace that gets the"
        " authority's certificate (key ca.crt) for agents to mount. It has to exist; empty is"
        " enough.",
    )
    service: str = Field(
        "node-slots",
        min_length=1,
        description="The Service in front of the replicas, in the election's namespace: the"
        " certificate is for its DNS names.",
    )
    tls_name: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="One more DNS name or IP address that the self-made certificate is for; may be"
        " repeated (in the variable: separated by commas).",
    )
    listen_address: str = Field(
        "127.0.0.1",
        description="The address of the API. Only this machine can reach the default; `all` is"
        " every address, of IPv4 and IPv6.",
    )
    listen_port: int = Field(
        8443, ge=0, le=65535, description="The port of the API; 0 takes a free one and logs it."
    )
    health_address: str = Field(
        "127.0.0.1",
        description="The address of /livez and /readyz, apart from the API: the kubelet's probes"
        " show no token. In a Pod: all, for probes come from outside.",
    )
    health_port: int = Field(
        8080, ge=0, le=65535, description="The port of /livez and /readyz; 0 takes a free one."
    )
    unresponsive_timeout: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Seconds past its TTL after which a silent holder loses its slot although its"
        " Pod may still run. Without it such a slot is kept, and shown, until an operator frees"
        " it: granting it again could put two loads on one slot.",
    )
    aging: float = Field(
        1800.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds after which a waiting claim counts as one priority step higher, so"
        " that high priorities do not starve the rest. 0 turns it off.",
    )
    long_wait: float = Field(
        600.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds in the queue after which a Warning Event on its Pod tells of a claim"
        " that still waits, once for each wait. 0 turns it off.",
    )
    max_queue_per_node: int = Field(
        1000, ge=1, description="Claims that may wait on one node; more are answered 429."
    )
    max_queue: int = Field(
        100_000, ge=1, description="Claims that may wait in all; more are answered 429."
    )
    max_connections: int = Field(
        6000,
        ge=1,
        description="Connections that the API holds open at a time; more are closed at once. Each"
        " agent has one.",
    )
    election_lease: str = Field(
        "node-slots-coordinator",
        min_length=1,
        description="The name of the Lease that names the leader; the same for all replicas.",
    )
    election_namespace: str = Field(
        "", description="Where that Lease lives. Without it: the first pool's namespace."
    )
    advertise_url: str = Field(
        "",
        description="The URL at which other replicas reach this one's API, to pass requests on to"
        " it while it leads. Without it: the Pod's address (POD_IP), else the listen address.",
    )
    stop_grace: float = Field(
        4.0,
        gt=0,
        le=MOST_STOP_GRACE,
        description="Seconds at most from SIGTERM to the exit; in them, waiting agents are"
        " answered and writes under way are awaited. Held slots stay held.",
    )
    log_format: LogFormat = Field(
        "json", description="json: one object a line, for machines; console: for people."
    )
    log_level: LogLevel = Field(
        "info", description="debug adds a line for every request that is answered."
    )

    @field_validator("namespace", "election_namespace")
    @classmethod
    def _a_namespace(cls, name: str) -> str:
        if name and not _LABEL.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a namespace")
        return name

    @field_validator(*_KINDS)
    @classmethod
    def _an_object(cls, name: str, info: ValidationInfo) -> str:
        kind = _KINDS[info.field_name or ""]
        if name and not (_LABEL if kind == "Service" else SUBDOMAIN).fullmatch(name):
            raise ValueError(f"{name!r} is no name of a {kind}")
        return name

    @field_validator("tls_name")
    @classmethod
    def _a_host(cls, names: list[str]) -> list[str]:
        for name in names:
            if not (_is_address(name) or SUBDOMAIN.fullmatch(name.removeprefix("*."))):
                raise ValueError(f"{name!r} is neither a DNS name nor an IP address")
        return names

    @field_validator("advertise_url")
    @classmethod
    def _a_url(cls, url: str) -> str:
        if url and not _URL.fullmatch(url):
            raise ValueError(f"{url!r} is not http://HOST:PORT or https://HOST:PORT")
        return url

    @field_validator("pool", "clients", "tls_name", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [part for part in value.split(",") if part] if isinstance(value, str) else value

    @field_validator("pool")
    @classmethod
    def _paired(cls, pools: list[str]) -> list[str]:
        for pool in pools:
            namespace, _, name = pool.partition("/")
            if not (_LABEL.fullmatch(namespace) and SUBDOMAIN.fullmatch(name)):
                raise ValueError(f"{pool!r} is not NAMESPACE/CONFIGMAP")
        return pools

    @field_validator("clients")
    @classmethod
    def _clients(cls, clients: list[str]) -> list[str]:
        for client in clients:
            if not _CLIENT.fullmatch(client):
                raise ValueError(f"{client!r} is not [POOL/]NAMESPACE[:MAX_PRIORITY]")
        return clients

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.node_agent_configmap and not self.namespace:
            raise ValueError("--node-agent-configmap needs --namespace, where that ConfigMap is")
        namespaces = [namespace for namespace, _ in self.pools]
        if not namespaces:
            raise ValueError("no pool: give --namespace (with --node-agent-configmap) or --pool")
        twice = sorted({name for name in namespaces if namespaces.count(name) > 1})
        if twice:
            raise ValueError(
                f"two pools in namespace {', '.join(twice)}: their Leases would have the same"
                " names; put each pool into a namespace of its own"
            )
        self._require_known_pools(namespaces)
        self._require_closed()
        self._require_safe_passage()
        self._require_callable(self.tls_mode)
        return self

    def _require_known_pools(self, namespaces: list[str]) -> None:
        for client in self.client_namespaces:
            if client.pool not in namespaces:
                raise ValueError(
                    f"--clients {client.pool}/{client.namespace}: there is no pool in namespace"
                    f" {client.pool}; the pools are {', '.join(namespaces)}"
                )

    def _require_closed(self) -> None:
        """What lets anybody in, or shows tokens to the network, stays on this machine."""
        if self.loopback:
            return
        if self.auth == "none":
            raise ValueError(
                f"--listen-address {self.listen_address} lets other machines in, and with --auth"
                " none whoever reaches the API can take, free and see any slot: keep 127.0.0.1, or"
                " leave --auth none out"
            )
        if self.tls == "off":
            raise ValueError(
                f"--listen-address {self.listen_address} lets other machines in, and with --tls"
                " off their tokens could be read on the way: keep 127.0.0.1, or leave --tls off out"
            )

    def _require_safe_passage(self) -> None:
        """A follower sends its callers' tokens to the leader's URL."""
        if self.tls_mode != "off" and self.advertise_url.startswith("http:"):
            raise ValueError(
                f"--advertise-url {self.advertise_url}: this replica serves HTTPS, and other ones"
                " send their callers' tokens there; give an https:// URL"
            )

    @property
    def pools(self) -> list[tuple[str, str | None]]:
        """Every pool as namespace and ConfigMap; None: the limit is 1 everywhere."""
        first = [(self.namespace, self.node_agent_configmap or None)] if self.namespace else []
        more = [pool.partition("/") for pool in self.pool]
        return [*first, *((namespace, name) for namespace, _, name in more)]

    @property
    def client_namespaces(self) -> list[ClientNamespace]:
        """The namespaces of --clients, each with the pool that it may claim in."""
        return [self._client(text) for text in self.clients]

    def _client(self, text: str) -> ClientNamespace:
        pool, namespace, priority = _CLIENT.fullmatch(text).groups()  # type: ignore[union-attr]
        most = None if priority is None else int(priority)
        return ClientNamespace(pool or self.pools[0][0], namespace, most)

    @property
    def tls_mode(self) -> Literal["self-made", "mounted", "off"]:
        """Where the certificate comes from."""
        return self.tls or ("off" if self.auth == "none" else "self-made")

    @property
    def home(self) -> str:
        """The coordinator's own namespace: of its election, its Service and its Secret."""
        return self.election_namespace or self.pools[0][0]

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the API."""
        try:
            return ipaddress.ip_address(self.listen_address).is_loopback
        except ValueError:
            return self.listen_address == "localhost"
