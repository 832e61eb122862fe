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
_CLAIM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")
"""What the coordinator takes for a claim's id, with room for a generation of seven digits."""
_MOST_NAME, _MOST_AGENT = 150, 253
"""Characters of the Pod's name in the agent's, and of that in all."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The Pod in which hold runs, the load's name, and the stem of the claim's id."""

    namespace: str
    pod: str
    uid: str
    load: str
    claim: str

    @property
    def agent(self) -> str:
        """This agent's name: two hold containers of one Pod are two agents."""
        room = _MOST_AGENT - len(f"/{self.claim}")
        return f"{self.pod[: min(_MOST_NAME, room)]}/{self.claim}"


def identity(environ: Mapping[str, str], load: str | None, claim: str | None = None) -> Identity:
    """Who `environ` says that this is.

    Without `load`, the load has the Pod's name. Without `claim`, the stem is made of the Pod's uid
    and the load: one for each load of each Pod, and not two in a cluster.

    Raises:
        SettingsError: a variable is missing, and the message holds the lines of YAML to add; or
            `claim` can be no claim's id.
    """
    if missing := [name for name in FIELDS if not environ.get(name)]:
        raise SettingsError(_how_to_add(missing))
    uid = environ["POD_UID"]
    if not _UID.fullmatch(uid):
        raise SettingsError(f"POD_UID is {uid!r}, which is no Pod's uid: take metadata.uid")
    name = environ["POD_NAME"]
    load = load or name
    stem = f"hold-{uid}-{crc32(load.encode()):08x}" if claim is None else _checked(claim)
    return Identity(environ["POD_NAMESPACE"], name, uid, load, stem)


def _checked(claim: str) -> str:
    if not _CLAIM.fullmatch(claim):
        raise SettingsError(
            f"--claim {claim!r}: at most 120 letters, digits and `._:-`, a letter or digit first."
            " $(POD_UID) is filled in by the kubelet where `env` of the container has POD_UID"
        )
    return claim


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
