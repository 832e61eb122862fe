"""The installations that the tests compare and check: one of each switch, and all at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from coordinator.install import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGEST = "sha256:" + 64 * "0"


@dataclass(frozen=True)
class Variant:
    """The same wish in the words of `install` and in those of the chart."""

    options: Options = field(default_factory=Options)
    values: Mapping[str, Any] = field(default_factory=dict)


def _extra(name: str, value: str, setting: object = True) -> Variant:
    return Variant(Options(extras=frozenset({name})), {value: setting})


EXTRAS = {
    "priority-class": _extra("priority-class", "priorityClass.enabled"),
    "network-policy": _extra("network-policy", "networkPolicy.enabled"),
    "flow-schema": _extra("flow-schema", "flowSchema.enabled"),
    "admission-policy": _extra("admission-policy", "admissionPolicy.enabled"),
    "tls-mounted": _extra("tls-mounted", "tls.mode", "mounted"),
    "cert-manager": _extra("cert-manager", "tls.mode", "cert-manager"),
    "service-monitor": _extra("service-monitor", "serviceMonitor.enabled"),
    "alerts": _extra("alerts", "prometheusRule.enabled"),
    "dashboard": _extra("dashboard", "dashboard.enabled"),
}
"""By the name that `install` and `deploy/` have for the extra."""

_SHARED = Variant(
    Options(
        config_map="limits",
        pools=("scans/scan-limits", "exports/limits"),
        clients=("apps:5", "scans/apps", "reports", "exports/reports:-1", "scans"),
    ),
    {
        "configMap": "limits",
        "pools": [
            {"namespace": "scans", "configMap": "scan-limits"},
            {"namespace": "exports", "configMap": "limits"},
        ],
        "clients": [
            {"namespace": "apps", "maxPriority": 5},
            {"namespace": "apps", "pool": "scans"},
            {"namespace": "reports"},
            {"namespace": "reports", "pool": "exports", "maxPriority": -1},
            {"namespace": "scans"},
        ],
    },
)
_RENAMED = Variant(Options(namespace="jobs", name="heavy"), {"name": "heavy"})


def _with_all(variant: Variant) -> Variant:
    """The variant with every extra."""
    values = dict(variant.values)
    for extra in EXTRAS.values():
        values |= extra.values
    return Variant(replace(variant.options, extras=frozenset(EXTRAS)), values)


VARIANTS = {
    "default": Variant(),
    "single": Variant(Options(replicas=1), {"replicas": 1}),
    "image": Variant(
        Options(image=f"registry.example.org/tools/slots@{DIGEST}"),
        {
            "image.registry": "registry.example.org",
            "image.repository": "tools/slots",
            "image.digest": DIGEST,
        },
    ),
    "shared": _SHARED,
    "renamed": _RENAMED,
    **EXTRAS,
    "all": _with_all(_SHARED),
    "all-renamed": _with_all(_RENAMED),
}
