"""How many slots a node has, read from the ConfigMap that Velero's node-agent reads.

The judge in every doubt is Velero's own code: `GetConfigs` in `pkg/nodeagent/node_agent.go` reads
the file, `getDataPathConcurrentNum` in `pkg/cmd/cli/nodeagent/server.go` picks the number:
the smallest number of the rules that match, else `globalConfig`, else 1. One rule is ours: a key
that stands twice in one object is refused. This module's names are public and stable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING

from coordinator.core.gojson import JSONError, quoted
from coordinator.core.matching import Matcher
from coordinator.core.schema import LoadConcurrency, RuleConfig, read_load_concurrency
from coordinator.core.selectors import SelectorError, read_selector, selector_text
from coordinator.core.shapes import Remark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.core.matching import Alike
    from coordinator.core.selectors import Selector

__all__ = [
    "DEFAULT_LIMIT",
    "DEFAULT_RULES",
    "ConfigRefused",
    "Fallback",
    "LimitRules",
    "Remark",
    "Resolution",
    "Rule",
    "Skipped",
    "read_config",
]

DEFAULT_LIMIT = 1
"""Slots of a node that nothing was said about; Velero's `defaultDataPathConcurrentNum`."""
NO_NUMBER = 2**31 - 1
"""Velero starts its search for the smallest number here, so a rule with this or more is in vain."""
REMEMBERED = 1_000_000
"""Labels and rules in the answers that are kept for nodes that are alike: at most some 10 MB."""


class ConfigRefused(ValueError):
    """A ConfigMap that Velero would refuse, or that gives a key twice.

    `path` is the place in the configuration (`loadConcurrency.perNodeConfig[1].number`), empty
    when the whole of it is meant; `reason` says what is wrong and what is needed.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class Fallback(StrEnum):
    """What decided when no rule did."""

    GLOBAL = "globalConfig"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `perNodeConfig`."""

    index: int
    """Its place in `perNodeConfig`, from 0."""
    number: int
    text: str
    """Its selector in kubectl's syntax; "everything" for an empty one."""
    selector: Selector | None
    """None when Kubernetes would refuse it."""
    void: str = ""
    """Why it counts for no node at all; empty when it counts."""

    @property
    def name(self) -> str:
        """Its place in the file."""
        return f"perNodeConfig[{self.index}]"

    def __str__(self) -> str:
        return f"{self.name} {self.text}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that had no say for one node, and why."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """One node's limit and how it came about; nodes that are alike to the rules share one."""

    limit: int
    decided_by: Rule | Fallback
    matched: tuple[Rule, ...] = ()
    """Every rule that counts and matches, in the file's order."""
    why: str = field(init=False, compare=False)
    """What decided, for a person: a rule's place and selector, `globalConfig` or `default`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "why", str(self.decided_by))


_number = attrgetter("number")


@dataclass(frozen=True, slots=True)
class LimitRules:
    """The rules of one ConfigMap, ready to be asked for any node.

    Equal rules give every node the same answer for the same reasons.
    """

    limit: int = DEFAULT_LIMIT
    """The limit where no rule matches."""
    origin: Fallback = Fallback.DEFAULT
    """Where that limit comes from."""
    rules: tuple[Rule, ...] = ()
    """All of them in the file's order, void ones too."""
    warnings: tuple[Remark, ...] = ()
    """Accepted, but hardly meant: skipped rules, unknown keys, likely misspellings."""
    _matcher: Matcher[Rule] = field(init=False, repr=False, compare=False)
    _known: dict[Alike, Resolution] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The answers given so far, for nodes that are alike to the rules."""

    def __post_init__(self) -> None:
        counting = (one for one in self.rules if not one.void)
        matcher = Matcher((one, one.selector) for one in counting if one.selector)
        object.__setattr__(self, "_matcher", matcher)

    def resolve(self, labels: Mapping[str, str]) -> Resolution:
        """The limit of a node with these labels."""
        alike = self._matcher.alike(labels)
        found = self._known.get(alike)
        return found if found is not None else self._decide(alike, labels)

    def skipped(self, labels: Mapping[str, str]) -> tuple[Skipped, ...]:
        """Every rule that does not match a node with these labels, with the reason."""
        matched = {rule.index for rule in self.resolve(labels).matched}
        return tuple(
            Skipped(rule, rule.void or _mismatch(rule, labels))
            for rule in self.rules
            if rule.index not in matched
        )

    def _decide(self, alike: Alike, labels: Mapping[str, str]) -> Resolution:
        matched = tuple(self._matcher.matching(labels))
        if matched:
            deciding = min(matched, key=_number)
            found = Resolution(deciding.number, deciding, matched)
        else:
            found = Resolution(self.limit, self.origin)
        if len(self._known) >= REMEMBERED // (len(alike) + len(self.rules) + 1):
            self._known.clear()
        self._known[alike] = found
        return found


DEFAULT_RULES = LimitRules()
"""What holds where no ConfigMap is named: one slot on every node."""


def read_config(data: Mapping[str, str] | None) -> LimitRules:
    """The rules in a ConfigMap's `data`: one key of any name, its value the JSON text.

    Skipped rules, unknown keys and likely misspellings are on the result's `warnings`. Raises
    ConfigRefused where Velero refuses the file, and for a key that stands twice in an object.
    """
    try:
        config, remarks = read_load_concurrency(_only_text(data))
    except JSONError as refused:
        raise ConfigRefused(refused.path, refused.reason) from None
    limit, origin = _fallback(config, remarks)
    rules = tuple(_rule(*entry) for entry in enumerate(config.get("perNodeConfig", [])))
    for rule in rules:
        if rule.void:
            place = f"loadConcurrency.{rule.name}"
            remarks.append(Remark(place, f"this rule is skipped ({rule.text}): {rule.void}"))
    return LimitRules(limit, origin, rules, tuple(remarks))


def _only_text(data: Mapping[str, str] | None) -> str:
    """The text under the one key of a ConfigMap's data."""
    if not data:
        raise ConfigRefused(
            "", "the ConfigMap has no data; create it with kubectl create cm NAME --from-file=FILE"
        )
    if len(data) > 1:
        names = ", ".join(quoted(name) for name in sorted(data))
        raise ConfigRefused("", f"the ConfigMap has {len(data)} data keys ({names}); keep only one")
    name, text = next(iter(data.items()))
    if not isinstance(text, str):
        raise ConfigRefused("", f"the value of the data key {quoted(name)} is not a text")
    return text


def _fallback(config: LoadConcurrency, remarks: list[Remark]) -> tuple[int, Fallback]:
    """The limit where no rule matches, and where it comes from."""
    number = config.get("globalConfig")
    if number is None:
        return DEFAULT_LIMIT, Fallback.DEFAULT
    if number > 0:
        return number, Fallback.GLOBAL
    remark = f"{number} is not above 0; the default of {DEFAULT_LIMIT} is used"
    remarks.append(Remark("loadConcurrency.globalConfig", remark))
    return DEFAULT_LIMIT, Fallback.DEFAULT


def _rule(index: int, config: RuleConfig) -> Rule:
    number = config.get("number", 0)
    selector_config = config.get("nodeSelector", {})
    selector, void = None, ""
    try:
        selector = read_selector(selector_config)
    except SelectorError as refused:
        void = f"Kubernetes refuses its selector: {refused}"
    if not void and number <= 0:
        given = f"number is {number}" if "number" in config else "it has no number"
        void = f"{given}; it must be above 0"
    elif not void and number >= NO_NUMBER:
        void = f"number is {number}; Velero takes {NO_NUMBER} and more for no number"
    return Rule(index, number, selector_text(selector_config), selector, void)


def _mismatch(rule: Rule, labels: Mapping[str, str]) -> str:
    """Why a rule that counts does not match a node."""
    unmet = rule.selector.missing(labels) if rule.selector else None
    if unmet is None:
        return ""
    if unmet.key not in labels:
        return f"not matching: the node has no label {unmet.key} ({unmet})"
    return f"not matching: the node has {unmet.key}={labels[unmet.key]} ({unmet})"
