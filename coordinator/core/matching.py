"""Finds the selectors that match, among many, without trying them all. Pure.

A selector that insists on a value of some label is tried only where that label has that value. And
most objects are alike to all selectors: of their labels only those that a selector names count, and
of the values only those that it names. Where these are equal, the same selectors match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coordinator.core.selectors import Selector, Test

T = TypeVar("T")
Alike = tuple[int | None, ...]
"""For each label that a selector names: which of the values that are named; None for any other."""

_number_of = dict.get  # unbound, so that `map` calls it without a line of Python in between


class Matcher(Generic[T]):
    """Holds selectors, each with what it stands for."""

    def __init__(self, selectors: Iterable[tuple[T, Selector]]) -> None:
        self._named: dict[str, dict[str | None, int]] = {}
        self._always: list[_Entry[T]] = []
        self._pinned: dict[str, dict[str, list[_Entry[T]]]] = {}
        for number, (what, selector) in enumerate(selectors):
            self._file(number, what, selector)
        self._keys = tuple(self._named)
        self._numbers = tuple(self._named.values())

    def alike(self, labels: Mapping[str, str]) -> Alike:
        """Equal for all labels that the same selectors match."""
        return tuple(map(_number_of, self._numbers, map(labels.get, self._keys)))

    def matching(self, labels: Mapping[str, str]) -> list[T]:
        """What stands for the selectors that match, in the order in which they were given."""
        found = self._always
        for key, by_value in self._pinned.items():
            found = found + by_value.get(labels.get(key, ""), [])
        return [what for _, what, tests in sorted(found, key=_place) if _passes(labels, tests)]

    def _file(self, number: int, what: T, selector: Selector) -> None:
        """Put it under the values of a label that it insists on, if there is one."""
        requirements = selector.requirements
        for one in requirements:
            named = self._named.setdefault(one.key, {None: 0})
            for value in one.values:
                named.setdefault(value, len(named))
        entry = number, what, tuple(one.test for one in requirements)
        pin = next((one for one in requirements if one.pins), None)
        if pin is None:
            self._always.append(entry)
            return
        by_value = self._pinned.setdefault(pin.key, {})
        for value in pin.values:
            by_value.setdefault(value, []).append(entry)


_Entry = tuple[int, T, "tuple[Test, ...]"]


def _place(entry: _Entry[T]) -> int:
    return entry[0]


def _passes(labels: Mapping[str, str], tests: tuple[Test, ...]) -> bool:
    return all((labels.get(key) in values) is expected for key, values, expected in tests)
