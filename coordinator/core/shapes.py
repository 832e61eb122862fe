"""Reading a JSON tree into a Go type: the rules of `encoding/json`'s `Unmarshal`, no more.

A shape is the Go type, a structure's fields found by their exact name or, failing that, without
regard to case. null leaves a number, text, bool or structure as it was and empties a list or map.
Two keys may name one field (`number` and `Number` are two keys): Go reads the second over what
the first left, cell by cell in lists, and so does this. Unlike Go it stops at the first mistake.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from coordinator.core.gojson import JSONError, Number, Value, child_path, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_INT, MAX_INT = -(2**63), 2**63 - 1
_TO_ASCII = str.maketrans({"\u017f": "s", "\u212a": "k"})


def fold(name: str) -> str:
    """The name without regard to case, as Go's simple folding sees it against ASCII names.

    Beside A-Z only the long s and the Kelvin sign fold into ASCII. Python's casefold knows many
    more (and longer) pairs.
    """
    return "".join(c.lower() if c.isascii() else c for c in name.translate(_TO_ASCII))


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that is accepted but hardly meant; `path` is where."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


@dataclass(slots=True)
class Place:
    """Where in the tree a value stands, and the list that collects remarks about all of it."""

    path: str = ""
    remarks: list[Remark] = field(default_factory=list)

    def child(self, key: str) -> Place:
        """The place of an object's member."""
        return Place(child_path(self.path, key), self.remarks)

    def cell(self, index: int) -> Place:
        """The place of a list's item."""
        return Place(f"{self.path}[{index}]", self.remarks)

    def remark(self, message: str) -> None:
        """Note something about this place."""
        self.remarks.append(Remark(self.path, message))


class Cells(list[object]):
    """A Go slice. What a shorter list read over it cut off is `spare`; Go finds it there again."""

    def __init__(self) -> None:
        super().__init__()
        self.spare: list[object] = []


class Shape(ABC):
    """One Go type."""

    kind: ClassVar[type]
    """The Python type of its values; called, it makes the zero value."""
    needs: ClassVar[str]
    """What a value has to be, for the sentence of a refusal."""

    @property
    def null_resets(self) -> bool:
        """Whether null sets the zero value; else it leaves what was there."""
        return False

    def zero(self) -> object:
        """The value of a field that nobody set."""
        return self.kind()

    def read(self, value: Value, old: object, place: Place) -> object:
        """`value` read over `old`; raises JSONError where the type does not fit."""
        if value is None:
            return self.zero() if self.null_resets else old
        return self._read(value, old, place)

    @abstractmethod
    def _read(self, value: Value, old: object, place: Place) -> object: ...

    def _mismatch(self, value: Value, place: Place) -> JSONError:
        return JSONError(place.path, f"{_described(value)}, {self.needs} is needed")


class Text(Shape):
    """Go's string."""

    kind: ClassVar[type] = str
    needs = "a string"

    def _read(self, value: Value, old: object, place: Place) -> object:
        if not isinstance(value, self.kind):
            raise self._mismatch(value, place)
        return value


class Flag(Text):
    """Go's bool."""

    kind: ClassVar[type] = bool
    needs = "true or false"


class Int(Shape):
    """Go's int on 64 bits: digits only, so 2.0 and 1e2 are none."""

    kind: ClassVar[type] = int
    needs = "an integer"

    def _read(self, value: Value, old: object, place: Place) -> object:
        if not isinstance(value, Number) or not value.text.removeprefix("-").isdigit():
            raise self._mismatch(value, place)
        # Twenty characters hold every 64-bit int; Python refuses to convert thousands of digits.
        if len(value.text) > 20 or not MIN_INT <= int(value.text) <= MAX_INT:
            raise JSONError(place.path, f"{_described(value)} and does not fit into 64 bits")
        return int(value.text)


@dataclass(frozen=True)
class ListOf(Shape):
    """Go's slice."""

    item: Shape
    kind: ClassVar[type] = Cells
    needs: ClassVar[str] = "a list"

    @property
    def null_resets(self) -> bool:
        """null empties it."""
        return True

    def _read(self, value: Value, old: object, place: Place) -> object:
        if not isinstance(value, list):
            raise self._mismatch(value, place)
        cells = Cells()
        before = [*old, *old.spare] if isinstance(old, Cells) and value else []
        for index, item in enumerate(value):
            under = before[index] if index < len(before) else self.item.zero()
            cells.append(self.item.read(item, under, place.cell(index)))
        cells.spare = before[len(value) :]
        return cells


@dataclass(frozen=True)
class MapOf(Shape):
    """Go's map with string keys; the keys keep their case."""

    item: Shape
    kind: ClassVar[type] = dict
    needs: ClassVar[str] = "an object"

    @property
    def null_resets(self) -> bool:
        """null empties it."""
        return True

    def _read(self, value: Value, old: object, place: Place) -> object:
        if not isinstance(value, dict):
            raise self._mismatch(value, place)
        entries = dict(old) if isinstance(old, dict) else {}
        for key, item in value.items():
            entries[key] = self.item.read(item, self.item.zero(), place.child(key))
        return entries


@dataclass(frozen=True)
class Struct(Shape):
    """Go's struct, as a dict of the fields that the text set.

    `pointer`: Go holds it by pointer, so null resets it. `closed`: a key that is no field earns a
    remark, with the field that was likely meant.
    """

    fields: Mapping[str, Shape]
    pointer: bool = False
    closed: bool = True
    kind: ClassVar[type] = dict
    needs: ClassVar[str] = "an object"

    @property
    def null_resets(self) -> bool:
        """Only a pointer is reset."""
        return self.pointer

    def _read(self, value: Value, old: object, place: Place) -> object:
        if not isinstance(value, dict):
            raise self._mismatch(value, place)
        filled = dict(old) if isinstance(old, dict) else {}
        given: dict[str, str] = {}
        for key, item in value.items():
            self._read_field(key, item, filled, place.child(key), given)
        return filled

    def _read_field(
        self, key: str, item: Value, filled: dict[str, object], place: Place, given: dict[str, str]
    ) -> None:
        name = self.field_of(key)
        if name is None:
            if self.closed:
                place.remark(f"unknown key, ignored{self._meant(key)}")
            return
        if name in given:
            place.remark(f"the same field as {quoted(given[name])}; this one is read over it")
        given[name] = key
        shape = self.fields[name]
        read = shape.read(item, filled.get(name, shape.zero()), place)
        if item is not None or name in filled:
            filled[name] = read

    def field_of(self, key: str) -> str | None:
        """The field that Go finds for a key, or None."""
        if key in self.fields:
            return key
        folded = fold(key)
        return next((name for name in self.fields if fold(name) == folded), None)

    def _meant(self, key: str) -> str:
        """The end of a remark about an unknown key: what was likely meant."""
        for name, shape in self.fields.items():
            inner = shape.item if isinstance(shape, ListOf) else shape
            if isinstance(inner, Struct) and (found := inner.field_of(key.strip())):
                return f"; {quoted(found)} belongs inside {quoted(name)}"
        folded = {fold(name): name for name in self.fields}
        close = difflib.get_close_matches(fold(key.strip()), folded, n=1, cutoff=0.7)
        return f"; did you mean {quoted(folded[close[0]])}?" if close else ""


def _described(value: Value) -> str:
    """What a value is, as the beginning of a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return f"{str(value).lower()} is a bool"
        case Number(text=text):
            shown = text if len(text) <= 40 else text[:37] + "..."
            return (
                f"{shown} is a number" if text.lstrip("-").isdigit() else f"{shown} is no integer"
            )
        case str():
            return f"{quoted(value)} is a string"
        case list():
            return "this is a list"
        case _:
            return "this is an object"
