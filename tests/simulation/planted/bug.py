"""A planted bug: a realistic mistake as a switch, for the simulator or a unit test to notice."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class Bug:
    """`what` is the mistake as a sentence; `plant` makes it, until the patch is undone."""

    name: str
    what: str
    plant: Callable[[Patch], None]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The mistake is in the product as long as the context lasts."""
        with pytest.MonkeyPatch.context() as patch:
            self.plant(patch)
            yield


def bug_of(plant: Callable[[Patch], None]) -> Bug:
    """The bug that a function plants, called and described as the function is."""
    what = " ".join((plant.__doc__ or "").split())
    return Bug(plant.__name__, what, plant)
