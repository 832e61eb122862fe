"""What an installation may choose, and whether it fits together."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from coordinator.flags import add_flags, flag_of
from coordinator.install.defaults import IMAGE, NAME, NAMESPACE
from coordinator.install.files import EXTRAS
from coordinator.settings import Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_NAME = 50
"""Characters. `NAME-coordinator` is a label's value, at most 63."""

_NAME = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_OWN = ("namespace", "node_agent_configmap", "pool", "clients")
"""Settings that an installation says in its own words."""
_NO_ENVIRONMENT = "NODE_SLOTS_INSTALL_READS_NONE_"


class OptionsError(ValueError):
    """The options cannot be used; the text says which one and why."""


@dataclass(frozen=True)
class Options:
    """How to install. Raises `OptionsError` where it would give objects that cannot work.

    `name` begins the name of every object, those of the whole cluster too; `config_map` is the
    ConfigMap of limits. `pools` are more pools as NAMESPACE/CONFIGMAP, `clients` are
    [POOL/]NAMESPACE[:MAX_PRIORITY], both as `serve` takes them; `extras` are keys
    of `coordinator.install.files.EXTRAS`, `flags` more flags of `serve`, as --node-cap=4.
    """

    namespace: str = NAMESPACE
    name: str = NAME
    config_map: str = NAME
    pools: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    image: str = IMAGE
    replicas: int = 2
    extras: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > MOST_NAME:
            raise OptionsError(
                f"name {self.name!r}: lower-case letters, digits and `-`, a letter first, at most"
                f" {MOST_NAME} characters"
            )
        if self.replicas < 1:
            raise OptionsError(f"replicas {self.replicas}: at least 1")
        if not self.image or any(map(str.isspace, self.image)):
            raise OptionsError(f"image {self.image!r}: not the name of an image")
        if unknown := sorted(self.extras - set(EXTRAS)):
            raise OptionsError(f"nothing to add named {', '.join(unknown)}: {', '.join(EXTRAS)}")
        _ = self.settings

    @cached_property
    def settings(self) -> Settings:
        """What the installed coordinator will read from its flags. Raises `OptionsError`."""
        try:
            return Settings(
                _env_prefix=_NO_ENVIRONMENT,
                **self._more
                | {
                    "namespace": self.namespace,
                    "node_agent_configmap": self.config_map,
                    "pool": list(self.pools),
                    "clients": list(self.clients),
                    "kubeconfig": "",
                },
            )
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False)
            raise OptionsError("; ".join(map(_told, problems))) from None

    @property
    def _more(self) -> dict[str, Any]:
        """The settings in `flags`. Raises `OptionsError` for what `serve` would not take."""
        parser = argparse.ArgumentParser(exit_on_error=False, add_help=False, allow_abbrev=False)
        add_flags(parser)
        try:
            found, unknown = parser.parse_known_args(self.flags)
        except argparse.ArgumentError as error:
            raise OptionsError(f"--flag: {error}") from None
        if wrong := [*unknown, *(name for name in _OWN if name in found)]:
            raise OptionsError(
                f"--flag: {', '.join(wrong)}: not a flag of `serve` (one word, as --node-cap=4),"
                " or one that has an option of its own here"
            )
        return vars(found)

    @property
    def client_namespaces(self) -> list[str]:
        """The namespaces of clients that are no pool's, each once, in the order given."""
        pools = {namespace for namespace, _ in self.settings.pools}
        found = (client.namespace for client in self.settings.client_namespaces)
        return [namespace for namespace in dict.fromkeys(found) if namespace not in pools]

    @property
    def namespaces(self) -> list[str]:
        """Those of all pools and clients, the coordinator's own first; each once."""
        pools = [namespace for namespace, _ in self.settings.pools]
        return [*pools, *self.client_namespaces]


def _told(problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    return f"{flag_of(str(problem['loc'][0]))}: {message}" if problem["loc"] else message
