"""A made-up cluster, as clouds make them: its nodes' labels, and rules that pick among them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTNAME = "kubernetes.io/hostname"
TYPE = "node.kubernetes.io/instance-type"
ZONE = "topology.kubernetes.io/zone"
POOL = "eks.amazonaws.com/nodegroup"
CAPACITY = "karpenter.sh/capacity-type"
GPU = "nvidia.com/gpu.present"
DISK = "example.com/local-disk"
TEAM = "example.com/team"

TYPES = [f"{family}.{size}" for family in ("m6i", "m7g", "c6i", "r6i", "r7g", "i4i", "g5", "t3a")
         for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge")]  # fmt: skip
ZONES = [f"eu-{place}-{number}{letter}" for place in ("west", "central") for number in (1, 2)
         for letter in "abc"]  # fmt: skip
POOLS = [f"pool-{number}" for number in range(40)]
TEAMS = ["payments", "search", "web", "data", "platform"]


def labels(number: int) -> dict[str, str]:
    """Those of one node: 16 to 20, most of them of no interest to anybody's limit."""
    kind, zone = TYPES[number * 7 % len(TYPES)], ZONES[number * 5 % len(ZONES)]
    arch = "arm64" if kind[2] == "g" else "amd64"
    made = {
        "beta.kubernetes.io/arch": arch,
        "beta.kubernetes.io/instance-type": kind,
        "beta.kubernetes.io/os": "linux",
        POOL: POOLS[number * 11 % len(POOLS)],
        "eks.amazonaws.com/nodegroup-image": f"ami-{number // 5000:017x}",
        TEAM: TEAMS[number * 3 % len(TEAMS)],
        "failure-domain.beta.kubernetes.io/region": zone[:-1],
        "failure-domain.beta.kubernetes.io/zone": zone,
        "k8s.io/cloud-provider-aws": "7d8a1c1a7c5e4f0b9a3d2e1f",
        CAPACITY: "spot" if number % 3 else "on-demand",
        "kubernetes.io/arch": arch,
        HOSTNAME: f"ip-10-{number >> 16}-{number >> 8 & 255}-{number & 255}.internal",
        "kubernetes.io/os": "linux",
        TYPE: kind,
        "topology.ebs.csi.aws.com/zone": zone,
        "topology.kubernetes.io/region": zone[:-1],
        ZONE: zone,
    }
    if kind.startswith("g5"):
        made[GPU] = "true"
    if kind.startswith("i4i"):
        made[DISK] = "nvme"
    return made


def rules() -> list[dict[str, Any]]:
    """A hundred entries of `perNodeConfig`, most of them `matchLabels`."""
    return [
        {"nodeSelector": selector, "number": 2 + number * 7 % 23}
        for number, selector in enumerate(_selectors())
    ]


def _selectors() -> Iterator[dict[str, Any]]:
    for kind in TYPES[:30]:
        yield {"matchLabels": {TYPE: kind}}
    for kind, zone in zip(TYPES[30:], ZONES + ZONES, strict=False):
        yield {"matchLabels": {TYPE: kind, ZONE: zone}}
    for number in range(0, 1500, 100):
        yield {"matchLabels": {HOSTNAME: labels(number)[HOSTNAME]}}
    for pool in POOLS[:17]:
        yield {"matchLabels": {POOL: pool, CAPACITY: "spot"}}
    for one, other in pairwise(POOLS[21:]):
        yield _matching((POOL, "In", [one, other]), (GPU, "DoesNotExist", []))
    yield _matching((DISK, "Exists", []))
    yield _matching((TEAM, "NotIn", ["payments", "search", "web"]), (ZONE, "In", ZONES[:2]))


def _matching(*expressions: tuple[str, str, list[str]]) -> dict[str, Any]:
    told = [{"key": key, "operator": how, "values": values} for key, how, values in expressions]
    return {"matchExpressions": told}
