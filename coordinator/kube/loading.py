"""The part of the `kubernetes` package that loads credentials, and none of the rest.

The `__init__` of the two packages above that part imports all else: a second client, its dynamic
twin, streams, requests and oauthlib, where it is installed a validator of manifests. Nothing of it
is used here, and it takes 9 to 31 MiB and up to a second of CPU at each start. So the part is
imported below packages of those names that were never run. Whoever imports `kubernetes` elsewhere
gets all of it.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = (
    "Configuration",
    "list_kube_config_contexts",
    "load_incluster_config",
    "load_kube_config",
)


@contextmanager
def _never_run(*packages: str) -> Iterator[None]:
    """In here, what is below these packages is imported without what they themselves import."""
    new = [name for name in packages if name not in sys.modules]
    for name in new:
        if (spec := find_spec(name)) is not None:
            sys.modules[name] = module_from_spec(spec)
    try:
        yield
    finally:
        for name in new:
            sys.modules.pop(name, None)


with _never_run("kubernetes", "kubernetes.aio"):
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.config import (
        list_kube_config_contexts,
        load_incluster_config,
        load_kube_config,
    )
