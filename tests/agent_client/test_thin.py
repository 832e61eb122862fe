"""The agent stays thin: what it imports, and how it finds its settings."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agent_client.errors import SettingsError
from agent_client.messages import Pod
from agent_client.settings import Settings

HEAVY = {
    *("aiohttp", "coordinator", "kubernetes", "orjson", "pydantic", "structlog", "yaml"),
    *("ctypes", "email", "http.client", "importlib.metadata", "multiprocessing", "pty", "shtab"),
}
"""What no agent needs while it waits or holds; each costs start time and memory."""
LOADED = """
import sys
for name in ("coordinator", "kubernetes", "pydantic", "structlog", "aiohttp", "orjson"):
    sys.modules[name] = None
import agent_client, agent_client.cli.main, agent_client.cli.run, agent_client.transport
from agent_client import BlockingSlotClient, SlotClient
SlotClient("https://coordinator:8443", namespace="velero", node="node1")
print(*sorted(name for name, module in sys.modules.items() if module is not None))
"""


def test_it_loads_nothing_heavy_and_nothing_that_only_the_coordinator_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    loaded = done.stdout.split()
    assert "agent_client.http.calls" in loaded
    assert HEAVY & set(loaded) == set()


ENVIRON = {
    "NODE_SLOTS_URL": "https://coordinator:8443/",
    "NODE_SLOTS_NAMESPACE": "velero",
    "NODE_NAME": "node1",
    "POD_NAMESPACE": "velero",
    "POD_NAME": "agent-x",
    "POD_UID": "u1",
    "NODE_SLOTS_TOKEN_FILE": "/var/run/token",
    "NODE_SLOTS_CA_FILE": "/var/run/ca.crt",
}


def test_everything_can_come_from_the_environment() -> None:
    settings = Settings.resolve(environ=ENVIRON)
    assert (settings.url, settings.namespace, settings.node) == (
        "https://coordinator:8443",
        "velero",
        "node1",
    )
    assert settings.pod == Pod("velero", "agent-x", "u1")
    assert (settings.token_file, settings.ca_file) == ("/var/run/token", "/var/run/ca.crt")
    assert settings.agent.startswith("agent-x/")


def test_an_argument_goes_before_the_environment() -> None:
    settings = Settings.resolve(node="node2", agent="me", environ=ENVIRON)
    assert (settings.node, settings.agent) == ("node2", "me")


def test_the_specific_node_variable_goes_before_the_general_one() -> None:
    settings = Settings.resolve(environ={**ENVIRON, "NODE_SLOTS_NODE": "node3"})
    assert settings.node == "node3"


@pytest.mark.parametrize("name", ["NODE_SLOTS_URL", "NODE_SLOTS_NAMESPACE", "NODE_NAME"])
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.resolve(environ={k: v for k, v in ENVIRON.items() if k != name})


@pytest.mark.parametrize(
    "url",
    [
        "coordinator",
        "coordinator:8443",
        "ftp://x",
        "http://",
        "http://:8443",
        "http://x:port",
        "http://x:0",
        "http://[::1",
        "http://x y",
        "http://x/ü",
        "http://x\r\nHost: y",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="no http:// or https:// URL"):
        Settings.resolve(url=url, environ=ENVIRON)


@pytest.mark.parametrize("url", ["https://me:s3cr3t@x", "https://me@x"])
def test_an_address_with_a_user_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(SettingsError, match="use --token-file instead") as raised:
        Settings.resolve(url=url, environ=ENVIRON)
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize("url", ["https://x/?a=b", "https://x#a"])
def test_an_address_that_goes_on_after_its_path_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="goes on after its path"):
        Settings.resolve(url=url, environ=ENVIRON)
