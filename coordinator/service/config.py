"""One pool's ConfigMap: the rules in force, and what is wrong with the newest text.

A broken or deleted ConfigMap never raises or zeroes a limit (P11): the last good rules stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coordinator.core.limits import DEFAULT_RULES, ConfigRefused, LimitRules, read_config

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT = "the last good limits stay in force"
_DEFAULT = "every node has the default limit of 1"


@dataclass(slots=True)
class ConfigState:
    """What is in force. `accepted` is false while the newest state of the ConfigMap is not it."""

    config_map: str | None
    accepted: bool
    rules: LimitRules = DEFAULT_RULES
    error: str = ""
    version: str = ""
    """The resourceVersion of the rules in force; "" while the default holds."""
    since: str = ""
    refused_since: str = ""
    """Since when the newest state is not taken; "" while it is."""
    uid: str = ""
    known: bool = False
    """Whether the ConfigMap has been looked at, or none is named."""


class ConfigKeeper:
    """Takes in what the watch shows of the ConfigMap.

    `changed` is called when other rules are in force, `refused(message)` when a new text was not
    taken or the ConfigMap is missing. `stamp` gives the time for people.
    """

    def __init__(
        self,
        config_map: str | None,
        *,
        stamp: Callable[[], str],
        changed: Callable[[], None],
        refused: Callable[[str], None],
    ) -> None:
        self.state = ConfigState(config_map, accepted=config_map is None, known=config_map is None)
        self.trouble = "it has not been read yet"
        """Why the ConfigMap is not known yet."""
        self._stamp = stamp
        self._changed = changed
        self._refused = refused

    def present(self, obj: dict[str, Any]) -> None:
        """The ConfigMap as it is now."""
        head = obj["metadata"]
        self.state.known, self.state.uid = True, head.get("uid", "")
        try:
            rules = read_config(obj.get("data") or {})
        except ConfigRefused as refused:
            self._refuse(f"ConfigMap {self.state.config_map} is refused: {refused}")
            return
        self._accept(rules, head.get("resourceVersion", ""))

    def missing(self) -> None:
        """There is no such ConfigMap."""
        self.state.known, self.state.uid = True, ""
        self._refuse(f"ConfigMap {self.state.config_map} does not exist")

    def _accept(self, rules: LimitRules, version: str) -> None:
        state = self.state
        news = rules != state.rules or not state.accepted or not state.version
        state.rules, state.version = rules, version
        state.accepted, state.error, state.refused_since = True, "", ""
        if news:
            state.since = self._stamp()
            self._changed()

    def _refuse(self, what: str) -> None:
        message = f"{what}; {_KEPT if self.state.version else _DEFAULT}"
        news = self.state.accepted or self.state.error != message
        self.state.accepted, self.state.error = False, message
        self.state.refused_since = self.state.refused_since or self._stamp()
        if news:
            self._refused(message)
