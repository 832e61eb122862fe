"""The sidecar with what an installation chooses, as parts of a Pod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.core.movers import BACKUP_PRIORITY, RESTORE_PRIORITY
from coordinator.injection.source import Object, filled, read

if TYPE_CHECKING:
    from coordinator.core.movers import Kind

SOURCE = "sidecar.yaml"


@dataclass(frozen=True)
class Sidecar:
    """What may differ from cluster to cluster.

    `image` has slot-agent, `url` is the coordinator's, `pool` the namespace whose slots it takes.
    `config_map_ca` holds the coordinator's authority, `ttl` is in seconds.
    """

    image: str
    url: str
    pool: str
    config_map_ca: str = "node-slots-ca"
    ttl: int = 30
    restore_priority: int = RESTORE_PRIORITY
    backup_priority: int = BACKUP_PRIORITY

    def priority(self, kind: Kind) -> int:
        """What a mover of this kind asks with."""
        return self.restore_priority if kind.restores else self.backup_priority

    def container(self, priority: str) -> Object:
        """The init container; `priority` is what its command says."""
        container: Object = filled(_source()["container"], self._words | {"PRIORITY": priority})
        return container

    @property
    def volumes(self) -> list[Object]:
        """What it mounts."""
        volumes: list[Object] = filled(_source()["volumes"], self._words)
        return volumes

    @property
    def _words(self) -> dict[str, str]:
        return {
            "IMAGE": self.image,
            "URL": self.url,
            "POOL": self.pool,
            "CA": self.config_map_ca,
            "TTL": str(self.ttl),
        }


def labels() -> dict[str, str]:
    """What a Pod with the sidecar is labelled with."""
    return dict(_source()["labels"])


def container_name() -> str:
    """The name of the sidecar's container."""
    return str(_source()["container"]["name"])


def volume_names() -> list[str]:
    """The names of its volumes."""
    return [str(volume["name"]) for volume in _source()["volumes"]]


def _source() -> Object:
    (source,) = read(SOURCE)
    return source
