"""Who a hold container is: names that are the same again after each of its restarts."""

from __future__ import annotations

import re
from binascii import crc32
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_client.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = {
    "POD_NAMESPACE": "metadata.namespace",
    "POD_NAME": "metadata.name",
    "POD_UID": "metadata.uid",
    "NODE_NAME": "spec.nodeName",
}
"""What hold must know of its Pod, and where the kubelet finds it (the downward API)."""
_UID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Identity:
    """The Pod in which hold runs, and the load's name."""

    namespace: str
    pod: str
    uid: str
    load: str

    @property
    def claim(self) -> str:
        """The stem of the claim's id: one for each load of each Pod, and not two in a cluster."""
        return f"hold-{self.uid}-{crc32(self.load.encode()):08x}"

    @property
    def agent(self) -> str:
        """This agent's name: two hold containers of one Pod are two agents."""
        return f"{self.pod[:150]}/{self.claim}"


def identity(environ: Mapping[str, str], load: str | None) -> Identity:
    """Who `environ` says that this is; without `load`, the load has the Pod's name.

    Raises:
        SettingsError: a variable is missing; the message holds the lines of YAML to add.
    """
    if missing := [name for name in FIELDS if not environ.get(name)]:
        raise SettingsError(_how_to_add(missing))
    uid = environ["POD_UID"]
    if not _UID.fullmatch(uid):
        raise SettingsError(f"POD_UID is {uid!r}, which is no Pod's uid: take metadata.uid")
    name = environ["POD_NAME"]
    return Identity(environ["POD_NAMESPACE"], name, uid, load or name)


def claim_id(stem: str, generation: int) -> str:
    """The claim's id. An id that was released is refused for two minutes: the next one is used."""
    return f"{stem}.{generation}" if generation else stem


def _how_to_add(missing: list[str]) -> str:
    lines = [f"{' and '.join(missing)} must be set: add to the hold container in the Pod's YAML"]
    lines.append("    env:")
    for name in missing:
        lines.append(f"    - name: {name}")
        lines.append(f"      valueFrom: {{fieldRef: {{fieldPath: {FIELDS[name]}}}}}")
    return "\n".join(lines)
