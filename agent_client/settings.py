"""Where the coordinator is and who this agent is: arguments first, then the environment."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from agent_client.errors import SettingsError
from agent_client.messages import Pod

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """What one client needs to know. `agent` names this process to the coordinator."""

    url: str
    namespace: str
    node: str
    agent: str
    pod: Pod | None = None
    token_file: str | None = None
    ca_file: str | None = None

    @property
    def node_path(self) -> str:
        """The node's path in the coordinator's API, to follow its URL and a slash."""
        return f"v1/namespaces/{quote(self.namespace, safe='')}/nodes/{quote(self.node, safe='')}"

    @classmethod
    def resolve(
        cls,
        *,
        url: str | None = None,
        namespace: str | None = None,
        node: str | None = None,
        pod: Pod | None = None,
        agent: str | None = None,
        token_file: str | None = None,
        ca_file: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> Settings:
        """The settings from the arguments, and from `environ` where an argument is None.

        Raises:
            SettingsError: no URL, namespace or node is known, or the URL is none.
        """
        url = _needed(url, environ, "the coordinator's URL", "NODE_SLOTS_URL")
        return cls(
            url=_checked(url),
            namespace=_needed(namespace, environ, "the pool", "NODE_SLOTS_NAMESPACE"),
            node=_needed(node, environ, "the node", "NODE_SLOTS_NODE", "NODE_NAME"),
            agent=agent or agent_name(str(os.getpid()), environ),
            pod=pod or _own_pod(environ),
            token_file=token_file or environ.get("NODE_SLOTS_TOKEN_FILE") or None,
            ca_file=ca_file or environ.get("NODE_SLOTS_CA_FILE") or None,
        )


def _needed(value: str | None, environ: Mapping[str, str], what: str, *names: str) -> str:
    for found in (value, *(environ.get(name) for name in names)):
        if found:
            return found
    flag = "--" + names[0].removeprefix("NODE_SLOTS_").lower()
    raise SettingsError(f"{what} is not known: give {flag} or set {' or '.join(names)}")


def _checked(url: str) -> str:
    if not _is_url(url):
        raise SettingsError(f"the coordinator's URL {url!r} is no http:// or https:// URL")
    parts = urlsplit(url)
    if "@" in parts.netloc:  # not quoted: there may be a password in it
        raise SettingsError("the coordinator's URL has a user name: use --token-file instead")
    if parts.query or parts.fragment:
        raise SettingsError(f"the coordinator's URL {url!r} goes on after its path: end it there")
    return url.rstrip("/")


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        where = parts.hostname and parts.port != 0
    except ValueError:  # brackets without an end, a port that is no number
        return False
    plain = all("!" <= character <= "~" for character in url)
    return plain and parts.scheme in {"http", "https"} and bool(where)


def agent_name(part: str, environ: Mapping[str, str] = os.environ) -> str:
    """The Pod, or the host, and what of it speaks. With the process id as `part`, a restarted
    container mostly gets the same name back; with a name, always.
    """
    return f"{environ.get('POD_NAME') or socket.gethostname()}/{part}"[-253:]


def _own_pod(environ: Mapping[str, str]) -> Pod | None:
    namespace, name = environ.get("POD_NAMESPACE"), environ.get("POD_NAME")
    return Pod(namespace, name, environ.get("POD_UID", "")) if namespace and name else None
