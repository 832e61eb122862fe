"""Another name and namespace for the objects of `deploy/`: everywhere that they are meant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from coordinator.install.defaults import NAME, NAMESPACE

_NAMES = (
    "name",
    "serviceAccountName",
    "priorityClassName",
    "policyName",
    "secretName",
    "app.kubernetes.io/instance",
    "kubernetes.io/service-account.name",
)
_LISTS = ("resourceNames", "dnsNames")
_INSIDE = (
    "system:serviceaccount:{namespace}:{name}-coordinator",  # a policy's expression
    "{name}.{namespace}",  # DNS names of the Service
    'job="{name}"',  # Prometheus calls the job as the Service
)
"""Where they stand inside a longer text."""


@dataclass(frozen=True)
class Naming:
    """A name and a namespace of one's own.

    What only looks like the name stays: the program's labels, its image, its audience.
    """

    name: str
    namespace: str

    @cached_property
    def _texts(self) -> list[tuple[str, str]]:
        mine = {"name": self.name, "namespace": self.namespace}
        theirs = {"name": NAME, "namespace": NAMESPACE}
        return [(text.format(**theirs), text.format(**mine)) for text in _INSIDE]

    def apply(self, found: Any) -> Any:
        """The same object, or part of one, under this name and in this namespace."""
        if isinstance(found, dict):
            return {key: self._value(key, value) for key, value in found.items()}
        if isinstance(found, list):
            return [self.apply(one) for one in found]
        return self._text(found) if isinstance(found, str) else found

    def _value(self, key: str, value: Any) -> Any:
        if key in _NAMES:
            return self._name(value)
        if key in _LISTS:
            return [self._name(one) for one in value]
        if key == "namespace" and value == NAMESPACE:
            return self.namespace
        return self.apply(value)

    def _name(self, value: Any) -> Any:
        if not isinstance(value, str):
            return self.apply(value)
        ours = value == NAME or value.startswith(f"{NAME}-")
        return self.name + value.removeprefix(NAME) if ours else self._text(value)

    def _text(self, text: str) -> str:
        for theirs, mine in self._texts:
            text = text.replace(theirs, mine)
        return text
