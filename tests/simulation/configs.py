"""ConfigMaps good and bad, each with what it means: an independent reading of their few shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random


@dataclass(frozen=True, slots=True)
class Limits:
    """A number for all, and smaller or larger ones by label: the smallest that matches wins."""

    everywhere: int
    rules: tuple[tuple[str, str, int], ...] = ()

    def of(self, labels: Mapping[str, str]) -> int:
        matching = [number for key, value, number in self.rules if labels.get(key) == value]
        return min(matching, default=self.everywhere)

    def text(self) -> str:
        """As the ConfigMap has it."""
        rules = [
            {"nodeSelector": {"matchLabels": {key: value}}, "number": number}
            for key, value, number in self.rules
        ]
        whole: dict[str, Any] = {"globalConfig": self.everywhere}
        if rules:
            whole["perNodeConfig"] = rules
        return orjson.dumps({"loadConcurrency": whole}).decode()


DEFAULT = Limits(1)

BAD: tuple[dict[str, str], ...] = (
    {"limits.json": "{"},
    {"limits.json": '{"loadConcurrency": {"globalConfig": "9"}}'},
    {"limits.json": '{"loadConcurrency": {"globalConfig": 9.5}}'},
    {"limits.json": '{"loadConcurrency": []}'},
    {"one": '{"loadConcurrency": {"globalConfig": 9}}', "two": "{}"},
    {},
)


class Registry:
    """Every good text of this seed and its meaning."""

    def __init__(self) -> None:
        self._known: dict[str, Limits] = {}

    def data(self, limits: Limits) -> dict[str, str]:
        """The ConfigMap's data for these limits."""
        text = limits.text()
        self._known[text] = limits
        return {"limits.json": text}

    def read(self, data: Mapping[str, str]) -> Limits | None:
        """What the data means; None for a text that is to be refused."""
        return self._known.get(next(iter(data.values()))) if len(data) == 1 else None


def drawn(rng: Random) -> Limits:
    """Some limits: small numbers, so that there is something to wait for."""
    rules = [
        ("size", rng.choice(("small", "large")), rng.randint(1, 4))
        for _ in range(rng.choice((0, 0, 1, 2)))
    ]
    return Limits(rng.choice((1, 1, 2, 2, 3, 4)), tuple(rules))
