"""The settings of `slot-coordinator serve` that are about its metrics."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from coordinator.service.metrics_table import (
    MANY_NODES,
    PerNode,  # pydantic reads it at run time
)


class MetricsSettings(BaseSettings):
    """A part of `settings.Settings`."""

    metrics_per_node: PerNode = Field(
        "auto",
        description="Whether /metrics shows limit, held slots, queue, silent holders and longest"
        f" wait of each node: auto in pools of fewer than {MANY_NODES} nodes, always, or never."
        " The sums and maxima of each pool are always there.",
    )
