"""The node-agent configuration as Velero types it (`NodeAgentConfigs` in its `pkg/types`).

Only `loadConcurrency` is used here. The other sections stand for one reason: Velero refuses the
whole file for a wrong type in any of them, so this must too. They are open, since Velero adds
fields to them.
"""

from __future__ import annotations

from typing import TypedDict, cast

from coordinator.core.gojson import parse
from coordinator.core.shapes import (
    Flag,
    Int,
    ListOf,
    MapOf,
    Place,
    Remark,
    Shape,
    Struct,
    Text,
)

_STRINGS = MapOf(Text())
_SELECTOR = Struct(
    {
        "matchLabels": _STRINGS,
        "matchExpressions": ListOf(
            Struct({"key": Text(), "operator": Text(), "values": ListOf(Text())})
        ),
    }
)
_LOAD_CONCURRENCY = Struct(
    {
        "globalConfig": Int(),
        "perNodeConfig": ListOf(Struct({"nodeSelector": _SELECTOR, "number": Int()})),
        "prepareQueueLength": Int(),
    },
    pointer=True,
)


def _section(**fields: Shape) -> Struct:
    return Struct(fields, pointer=True, closed=False)


CONFIG = Struct(
    {
        "loadConcurrency": _LOAD_CONCURRENCY,
        "loadAffinity": ListOf(_section(nodeSelector=_SELECTOR, storageClass=Text())),
        "backupPVC": MapOf(
            _section(
                storageClass=Text(), readOnly=Flag(), spcNoRelabeling=Flag(), annotations=_STRINGS
            )
        ),
        "restorePVC": _section(ignoreDelayBinding=Flag()),
        "podResources": _section(
            cpuRequest=Text(),
            cpuLimit=Text(),
            memoryRequest=Text(),
            memoryLimit=Text(),
            ephemeralStorageRequest=Text(),
            ephemeralStorageLimit=Text(),
        ),
        "priorityClassName": Text(),
        "privilegedFsBackup": Flag(),
        "cachePVC": _section(storageClass=Text(), residentThresholdInMB=Int()),
        "podAnnotations": _STRINGS,
        "podLabels": _STRINGS,
    }
)


class ExpressionConfig(TypedDict, total=False):
    """One of `matchExpressions`; absent is Go's zero value."""

    key: str
    operator: str
    values: list[str]


class SelectorConfig(TypedDict, total=False):
    """A `metav1.LabelSelector`."""

    matchLabels: dict[str, str]
    matchExpressions: list[ExpressionConfig]


class RuleConfig(TypedDict, total=False):
    """One of `perNodeConfig`."""

    nodeSelector: SelectorConfig
    number: int


class LoadConcurrency(TypedDict, total=False):
    """The section that sets the limits."""

    globalConfig: int
    perNodeConfig: list[RuleConfig]


def read_load_concurrency(text: str) -> tuple[LoadConcurrency, list[Remark]]:
    """The section of a configuration text (empty when absent) and remarks on the whole text.

    Raises JSONError where Velero refuses the file.
    """
    place = Place()
    config = CONFIG.read(parse(text), CONFIG.zero(), place)
    section = cast("dict[str, object]", config).get("loadConcurrency", {})
    return cast("LoadConcurrency", section), place.remarks
