"""What governs an unmodified Velero: the coordinator, and the injection into its mover Pods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from coordinator.injection import Sidecar, kyverno, policy, webhook
from coordinator.injection.source import read
from coordinator.install import Options, limits, objects
from coordinator.install.defaults import IMAGE, NAME, NAMESPACE
from coordinator.install.files import MOUNTED
from coordinator.install.naming import Naming

if TYPE_CHECKING:
    from coordinator.install.files import Object

POLICY, WEBHOOK, KYVERNO = "policy", "webhook", "kyverno"
INJECTIONS = {
    POLICY: "a MutatingAdmissionPolicy, Kubernetes 1.36 and newer: the API server does it alone",
    WEBHOOK: "a mutating webhook of the coordinator, Kubernetes 1.29 and newer",
    KYVERNO: "a MutatingPolicy, where Kyverno is there already",
}
"""The ways to put the sidecar into mover Pods, and which cluster each is for."""
RIGHTS = "webhook-rights.yaml"
CERT_MANAGER = "cert-manager"
_INJECT_FROM = "cert-manager.io/inject-ca-from"
NETWORK_POLICY = "network-policy"
_SHUT = (
    "--with network-policy: the API server calls the webhook from outside of all namespaces; let"
    " its addresses reach port 8443, or no mover gets the sidecar"
)
PREPARE_TIMEOUT = 12 * 3600.0
"""Seconds that movers shall be able to wait, unless somebody says otherwise."""


@dataclass(frozen=True)
class Governing:
    """How to govern Velero in `namespace`. Raises `OptionsError` for what cannot work.

    `url` is where the sidecars reach the coordinator, "" for its Service; `prepare_timeout` is in
    seconds. `name` begins the names of all objects: the injection and the rights are the whole
    cluster's, so a second Velero needs another one. `limit` for every node, or the file `limits`,
    makes the ConfigMap of limits. `extras` and `flags` are those of `coordinator.install.Options`.
    """

    namespace: str = NAMESPACE
    name: str = NAME
    injection: str = POLICY
    image: str = IMAGE
    replicas: int = 2
    url: str = ""
    restore_headroom: int = 0
    prepare_timeout: float = PREPARE_TIMEOUT
    limit: int | None = None
    limits: str | None = None
    extras: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()

    @cached_property
    def options(self) -> Options:
        """The coordinator's installation."""
        own = [
            f"--restore-headroom={self.restore_headroom}",
            f"--prepare-timeout={self.prepare_timeout:.12g}",
        ]
        if self.injection == WEBHOOK:
            own.append(f"--inject-image={self.image}")
            own += [f"--inject-url={self.url}"] if self.url else []
            own += [f"--webhook-configuration={self._movers}"] if self.name != NAME else []
        return Options(
            namespace=self.namespace,
            name=self.name,
            image=self.image,
            replicas=self.replicas,
            extras=self.extras,
            flags=(*own, *self.flags),
        )

    @cached_property
    def asked_limits(self) -> tuple[list[Object], list[str]]:
        """The ConfigMap of limits, if it is to be made, and what is odd about it."""
        return limits.asked_for(self.options, self.limit, self.limits)

    @property
    def warnings(self) -> list[str]:
        """What can be made so, but will hardly do what is wanted."""
        found = [f"{self.limits}: {warning}" for warning in self.asked_limits[1]]
        shut = self.injection == WEBHOOK and NETWORK_POLICY in self.extras
        return [*found, _SHUT] if shut else found

    @property
    def sidecar(self) -> Sidecar:
        """What the mover Pods get."""
        service = f"https://{self.options.name}.{self.namespace}.svc:8443"
        return Sidecar(
            image=self.image,
            url=self.url or service,
            pool=self.namespace,
            config_map_ca=self._authority,
        )

    @property
    def _authority(self) -> str:
        told = self.options.settings
        chosen = "ca_configmap" in told.model_fields_set
        return told.ca_configmap if chosen else f"{self.name}-ca"

    def injecting(self) -> list[Object]:
        """The objects by which mover Pods get the sidecar."""
        if self.injection == WEBHOOK:
            made = webhook(self.namespace, self.options.name, self._movers)
            return [self._believed(one) for one in made]
        form = kyverno if self.injection == KYVERNO else policy
        return form(self.sidecar, self.namespace, self._movers)

    @property
    def _movers(self) -> str:
        """The name of the injection, as `velero check` looks for it."""
        return f"{self.name}-movers"

    def _believed(self, configuration: Object) -> Object:
        """With cert-manager, which hands out its own authority."""
        if CERT_MANAGER not in self.extras:
            return configuration
        source = f"{self.namespace}/{self.options.name}-certificate"
        annotated = configuration["metadata"] | {"annotations": {_INJECT_FROM: source}}
        return configuration | {"metadata": annotated}

    @property
    def has_own_authority(self) -> bool:
        """Whether the coordinator makes its certificate, and publishes who signs it."""
        own = self.options.settings.tls_mode == "self-made"
        return own and not self.extras & MOUNTED

    def _rights(self) -> list[Object]:
        """To publish that in the webhook's configuration."""
        if self.injection != WEBHOOK or not self.has_own_authority:
            return []
        naming = Naming(self.options.name, self.namespace)
        return [naming.apply(one) for one in read(RIGHTS)]

    def installed(self) -> list[Object]:
        """All of it, in the order of applying: no mover gets a sidecar before there is anybody for
        it to ask.
        """
        return [*self._coordinator(), *self.injecting()]

    def undone(self) -> list[Object]:
        """What to delete, in the order of deleting; the namespace is never among it.

        The injection goes first, so that no new mover waits for a coordinator that is going.
        """
        first, rest = reversed(self.injecting()), reversed(self._coordinator())
        return [_named(one) for one in (*first, *rest)]

    def _coordinator(self) -> list[Object]:
        return [*self.asked_limits[0], *self._rights(), *objects(self.options)]


def _named(one: Object) -> Object:
    """As much of an object as `kubectl delete` needs."""
    head = {key: one["metadata"][key] for key in ("name", "namespace") if key in one["metadata"]}
    return {"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": head}
