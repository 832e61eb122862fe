"""Every setting of `slot-coordinator serve`, each with its reason: flags first, then environment.

A field is both: `listen_port` is the flag `--listen-port` and the variable
`NODE_SLOTS_COORDINATOR_LISTEN_PORT`. Its description is the flag's help.
"""

from __future__ import annotations

import argparse
import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, Any, Self, get_args

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from coordinator.logs import LogFormat, LogLevel  # noqa: TC001 - pydantic reads them at run time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

ENV_PREFIX = "NODE_SLOTS_COORDINATOR_"
MOST_STOP_GRACE = 5.0
"""Seconds. A stopped coordinator is replaced: the longer it takes, the longer nobody grants."""

_URL = re.compile(r"https?://[^\s/?#]+/?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class SettingsError(Exception):
    """The settings cannot be used; the text names each flag, its variable, and what is wrong."""


class Settings(BaseSettings):
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
    listen_address: str = Field(
        "127.0.0.1",
        description="The address of the API. Only this machine can reach the default, because"
        " callers are NOT authenticated yet: whoever reaches the API can take and release any"
        " slot. Another address needs --allow-unauthenticated.",
    )
    listen_port: int = Field(
        8443, ge=0, le=65535, description="The port of the API; 0 takes a free one and logs it."
    )
    allow_unauthenticated: bool = Field(
        False,
        description="Let the API listen where other machines reach it, although callers are not"
        " authenticated and nothing is encrypted. Restrict who reaches it by other means (a"
        " NetworkPolicy).",
    )
    health_address: str = Field(
        "127.0.0.1",
        description="The address of /livez, /readyz and /metrics, apart from the API so that"
        " probes and Prometheus never need to reach it. In a Pod: 0.0.0.0, probes come from"
        " outside.",
    )
    health_port: int = Field(
        8080, ge=0, le=65535, description="The port of health and metrics; 0 takes a free one."
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
        20_000, ge=1, description="Claims that may wait in all; more are answered 429."
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

    @field_validator("node_agent_configmap", "election_lease")
    @classmethod
    def _an_object(cls, name: str, info: ValidationInfo) -> str:
        if name and not _SUBDOMAIN.fullmatch(name):
            kind = "Lease" if info.field_name == "election_lease" else "ConfigMap"
            raise ValueError(f"{name!r} is no name of a {kind}")
        return name

    @field_validator("advertise_url")
    @classmethod
    def _a_url(cls, url: str) -> str:
        if url and not _URL.fullmatch(url):
            raise ValueError(f"{url!r} is not http://HOST:PORT or https://HOST:PORT")
        return url

    @field_validator("pool", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [part for part in value.split(",") if part] if isinstance(value, str) else value

    @field_validator("pool")
    @classmethod
    def _paired(cls, pools: list[str]) -> list[str]:
        for pool in pools:
            namespace, _, name = pool.partition("/")
            if not (_LABEL.fullmatch(namespace) and _SUBDOMAIN.fullmatch(name)):
                raise ValueError(f"{pool!r} is not NAMESPACE/CONFIGMAP")
        return pools

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
        if not (self.loopback or self.allow_unauthenticated):
            raise ValueError(
                f"--listen-address {self.listen_address} lets other machines in, but callers are"
                " not authenticated yet: whoever reaches the API can take and release any slot."
                " Keep 127.0.0.1, or say --allow-unauthenticated"
            )
        return self

    @property
    def pools(self) -> list[tuple[str, str | None]]:
        """Every pool as namespace and ConfigMap; None: the limit is 1 everywhere."""
        first = [(self.namespace, self.node_agent_configmap or None)] if self.namespace else []
        more = [pool.partition("/") for pool in self.pool]
        return [*first, *((namespace, name) for namespace, _, name in more)]

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the API."""
        try:
            return ipaddress.ip_address(self.listen_address).is_loopback
        except ValueError:
            return self.listen_address == "localhost"


def flag_of(name: str) -> str:
    """The flag of a field."""
    return "--" + name.replace("_", "-")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One flag for each setting; one that is not given leaves no trace in the namespace."""
    for name, info in Settings.model_fields.items():
        options: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS}
        if info.annotation is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif name == "pool":
            options |= {"action": "append", "metavar": "NAMESPACE/CONFIGMAP"}
        else:
            options["metavar"] = _metavar(info)
        parser.add_argument(flag_of(name), help=_help(name, info), **options)


def _metavar(info: FieldInfo) -> str:
    if choices := get_args(info.annotation):
        values = [str(choice) for choice in choices if isinstance(choice, str)]
        if values:
            return "|".join(values)
    return "TEXT" if info.annotation is str else "NUMBER"


def _help(name: str, info: FieldInfo) -> str:
    default = info.default
    shown = f" Default: {default}." if isinstance(default, str | int | float) and default else ""
    return f"{info.description}{shown} [{ENV_PREFIX}{name.upper()}]".replace("%", "%%")


def load(flags: Mapping[str, Any]) -> Settings:
    """The settings from these flags and, for the others, the environment.

    Raises `SettingsError`.
    """
    try:
        return Settings(**flags)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        lines = [_told(problem["loc"], problem["msg"]) for problem in problems]
        raise SettingsError("\n".join(lines)) from None


def _told(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    name = str(location[0])
    return f"{flag_of(name)} (or {ENV_PREFIX}{name.upper()}): {message}"
