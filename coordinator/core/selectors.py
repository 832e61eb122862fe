"""Label selectors as Kubernetes reads them: `metav1.LabelSelector`, ANDed, validated.

The rules are apimachinery's `LabelSelectorAsSelector`, `labels.NewRequirement` and its
`validation.IsQualifiedName` and `IsValidLabelValue`. They are ASCII rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from coordinator.core.gojson import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coordinator.core.schema import ExpressionConfig, SelectorConfig

MAX_NAME, MAX_PREFIX = 63, 253
_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_RULE = "letters, digits, '-', '_' and '.', with a letter or digit at both ends"


Test = tuple[str, frozenset[str] | frozenset[None], bool]
_NO_LABEL: frozenset[None] = frozenset([None])


class SelectorError(ValueError):
    """A selector that Kubernetes would not accept; the text says which part and why."""


class Operator(StrEnum):
    """What a requirement asks of a label. `EQUALS` is a pair of `matchLabels`."""

    EQUALS = "="
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    @property
    def pins(self) -> bool:
        """Whether only labels with one of `values` fulfil it."""
        return self.operator in (Operator.EQUALS, Operator.IN)

    @property
    def test(self) -> Test:
        """The same condition as data: `(labels.get(key) in values) is expected`, None for no label.

        NotIn is also fulfilled where the label is missing.
        """
        match self.operator:
            case Operator.EXISTS:
                return self.key, _NO_LABEL, False
            case Operator.DOES_NOT_EXIST:
                return self.key, _NO_LABEL, True
            case Operator.NOT_IN:
                return self.key, self.values, False
            case _:
                return self.key, self.values, True

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil it."""
        key, values, expected = self.test
        return (labels.get(key) in values) is expected

    def __str__(self) -> str:
        values = sorted(self.values)
        if self.operator is Operator.EQUALS:
            return _pair_text(self.key, values[0])
        return _expression_text(self.key, self.operator, values)


@dataclass(frozen=True, slots=True)
class Selector:
    """All of its requirements; none at all is everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return self.missing(labels) is None

    def missing(self, labels: Mapping[str, str]) -> Requirement | None:
        """The first requirement that the labels do not fulfil, or None."""
        return next((r for r in self.requirements if not r.matches(labels)), None)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements)) or "everything"


def read_selector(config: SelectorConfig) -> Selector:
    """The selector of a `metav1.LabelSelector`; raises SelectorError."""
    pairs = sorted(config.get("matchLabels", {}).items())
    expressions = config.get("matchExpressions", [])
    return Selector(
        (
            *(_requirement(key, Operator.EQUALS, [value]) for key, value in pairs),
            *(_expression(expression) for expression in expressions),
        )
    )


def selector_text(config: SelectorConfig) -> str:
    """The selector in kubectl's syntax, also for one that Kubernetes refuses."""
    pairs = sorted(config.get("matchLabels", {}).items())
    texts = [_pair_text(key, value) for key, value in pairs]
    texts += [
        _expression_text(e.get("key", ""), e.get("operator", ""), sorted(e.get("values", [])))
        for e in config.get("matchExpressions", [])
    ]
    return ",".join(texts) or "everything"


def check_label_key(key: str) -> None:
    """Raise SelectorError unless the key is `name` or `prefix/name` (`IsQualifiedName`)."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > MAX_PREFIX or not _PREFIX.fullmatch(prefix)):
        raise SelectorError(
            f"the label key {quoted(key)} has a bad prefix: before '/' stands a DNS name of small "
            f"letters, digits, '-' and '.', at most {MAX_PREFIX} characters"
        )
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise SelectorError(
            f"the label key {quoted(key)} is not valid: 1 to {MAX_NAME} {_NAME_RULE}"
        )


def check_label_value(key: str, value: str) -> None:
    """Raise SelectorError unless the value may stand in a label (`IsValidLabelValue`)."""
    if value and (len(value) > MAX_NAME or not _NAME.fullmatch(value)):
        raise SelectorError(
            f"{quoted(value)} is no valid value for the label {quoted(key)}: "
            f"at most {MAX_NAME} {_NAME_RULE}"
        )


def _expression(config: ExpressionConfig) -> Requirement:
    name = config.get("operator", "")
    if name not in _OPERATORS:
        raise SelectorError(
            f"{quoted(name)} is no operator; {', '.join(_OPERATORS)} are, spelled exactly so"
        )
    return _requirement(config.get("key", ""), Operator(name), config.get("values", []))


_OPERATORS = tuple(str(o) for o in Operator if o is not Operator.EQUALS)


def _requirement(key: str, operator: Operator, values: Sequence[str]) -> Requirement:
    check_label_key(key)
    wants_values = operator not in (Operator.EXISTS, Operator.DOES_NOT_EXIST)
    if wants_values and not values:
        raise SelectorError(f"{operator} on {quoted(key)} needs at least one value")
    if values and not wants_values:
        raise SelectorError(f"{operator} on {quoted(key)} takes no values")
    for value in values:
        check_label_value(key, value)
    return Requirement(key, operator, frozenset(values))


def _pair_text(key: str, value: str) -> str:
    return f"{_plain(key)}={_plain(value)}"


def _expression_text(key: str, operator: str, values: Sequence[str]) -> str:
    listed = f"({','.join(map(_plain, values))})"
    match operator:
        case Operator.IN | Operator.NOT_IN:
            return f"{_plain(key)} {operator.lower()} {listed}"
        case Operator.EXISTS if not values:
            return _plain(key)
        case Operator.DOES_NOT_EXIST if not values:
            return f"!{_plain(key)}"
        case _:
            words = (_plain(word) if word else quoted(word) for word in (key, operator))
            return " ".join((*words, listed))


def _plain(text: str) -> str:
    """The text itself where it reads as one word, else in quotes."""
    return text if re.fullmatch(r"[-A-Za-z0-9_./]*", text) and len(text) <= 80 else quoted(text)
