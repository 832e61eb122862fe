"""The ConfigMap of limits, from a file that the coordinator would accept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from coordinator.core.limits import ConfigRefused, read_config
from coordinator.install.options import OptionsError
from coordinator.manifests import config_data

if TYPE_CHECKING:
    from coordinator.core.limits import LimitRules
    from coordinator.install.files import Object
    from coordinator.install.options import Options

KEY = "limits.json"


def global_limit(number: int) -> dict[str, str]:
    """The `data` for one limit on every node."""
    return {KEY: json.dumps({"loadConcurrency": {"globalConfig": number}})}


def from_file(path: str) -> dict[str, str]:
    """The `data` in a file of limits: bare JSON, or a ConfigMap. Raises `OptionsError`."""
    try:
        data = config_data(Path(path).read_bytes(), path)
        read_config(data)
    except OSError as error:
        raise OptionsError(f"--limits {path}: {error.strerror}") from None
    except ConfigRefused as refused:
        raise OptionsError(f"--limits {path}: the coordinator would refuse it: {refused}") from None
    return dict(data or {})


def warnings(data: dict[str, str]) -> list[str]:
    """What `slot-coordinator check` would say of it."""
    rules: LimitRules = read_config(data)
    return [str(warning) for warning in rules.warnings]


def asked_for(
    options: Options, number: int | None, path: str | None
) -> tuple[list[Object], list[str]]:
    """The ConfigMap with one limit for every node, or from a file, or none; and what `check` would
    say of the file. Raises `OptionsError`.
    """
    if number is not None:
        return [config_map(options, global_limit(number))], []
    if path is None:
        return [], []
    data = from_file(path)
    return [config_map(options, data)], warnings(data)


def config_map(options: Options, data: dict[str, str]) -> Object:
    """The first pool's ConfigMap with this data."""
    labels = {
        "app.kubernetes.io/name": "node-slots",
        "app.kubernetes.io/instance": options.name,
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": options.config_map,
            "namespace": options.namespace,
            "labels": labels,
        },
        "data": data,
    }
