"""The demo as a whole: a process, as a user starts it, on a pipe."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.waiting import until

DEMO = [str(Path(sys.executable).with_name("slot-coordinator")), "demo"]
SHORT = 6.0
LONG = 90
"""Seconds after which it is stuck, however busy the machine is."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * LONG)]


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts demos whose files are in tmp_path; a test that fails leaves none behind."""
    demos: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        demo = subprocess.Popen(
            [*DEMO, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            start_new_session=True,
        )
        demos.append(demo)
        return demo

    yield begin
    for demo in demos:
        demo.kill()
        demo.communicate()


def read_until(demo: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Read lines until one matches; at the end of output the test fails."""
    assert demo.stdout
    told = []
    for line in demo.stdout:
        told.append(line)
        if match := re.search(pattern, line):
            return match
    pytest.fail(f"{pattern!r} was never told:\n{''.join(told)}")


def processes(directory: Path) -> list[str]:
    """The command lines of all processes that know of this directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            text = entry.read_bytes() + entry.with_name("cmdline").read_bytes()
        except OSError:
            continue  # it ended, or is somebody else's
        if str(directory).encode() in text:
            found.append(entry.parent.name)
    return [pid for pid in found if pid != str(os.getpid())]


def wait_for_the_end(directory: Path) -> None:
    """Until none of them is left: who was killed last may still be on its way out."""
    until(lambda: not processes(directory), f"nothing of {directory} runs any more", LONG)


def command_of(pid: str) -> bytes:
    """The command line; nothing of a process that has ended meanwhile."""
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return b""


def test_it_ends_well_by_itself_twice_and_leaves_nothing_behind(
    start: Start, tmp_path: Path
) -> None:
    for _ in range(2):
        demo = start("--seconds", f"{SHORT:g}")
        told, _ = demo.communicate(timeout=LONG)
        assert demo.returncode == 0, told
        assert "no node was ever above its limit" in told
        assert "node1: limit 3 -> 4" in told
        assert "node2: limit 5 -> 2" in told
        assert re.search(r"followed within \d+ ms", told)
        assert "\x1b" not in told
        assert list(tmp_path.iterdir()) == []
        wait_for_the_end(tmp_path)


def test_it_opens_with_the_address_of_the_page(start: Start, tmp_path: Path) -> None:
    demo = start("--forever")
    assert demo.stdout
    assert demo.stdout.readline().startswith("starting ")
    found = re.fullmatch(r"page +(http://127\.0\.0\.1:\d+/)\n", demo.stdout.readline())
    assert found
    with urllib.request.urlopen(found[1], timeout=LONG) as answer:
        assert b"<title>node-slots</title>" in answer.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order_with_its_code(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    demo = start("--forever")
    read_until(demo, r"node1: [1-9] of 3 held")
    demo.send_signal(number)
    told, _ = demo.communicate(timeout=LONG)
    assert demo.returncode == 128 + number, told
    assert "loads run" in told
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []
    wait_for_the_end(tmp_path)


def test_killed_it_takes_everything_with_it(start: Start, tmp_path: Path) -> None:
    demo = start("--forever")
    read_until(demo, r"node1: [1-9] of 3 held")
    assert processes(tmp_path)
    demo.kill()
    demo.communicate(timeout=LONG)
    wait_for_the_end(tmp_path)
    until(lambda: not any(tmp_path.iterdir()), "the demo's folder is gone", LONG)


def test_a_coordinator_that_dies_is_told_and_fails_the_demo(start: Start, tmp_path: Path) -> None:
    demo = start("--forever")
    read_until(demo, r"node1: [1-9] of 3 held")
    for pid in processes(tmp_path):
        if b"\0serve\0" in command_of(pid):
            os.kill(int(pid), signal.SIGKILL)
    told, _ = demo.communicate(timeout=LONG)
    assert demo.returncode == 1, told
    assert "PROBLEM: the coordinator ended by itself" in told
    assert "Traceback" not in told
    wait_for_the_end(tmp_path)


def test_a_load_above_the_limit_fails_the_demo(start: Start, tmp_path: Path) -> None:
    demo = start("--seconds", f"{SHORT:g}")
    read_until(demo, "node3: limit 2")
    (directory,) = tmp_path.glob("node-slots-*")
    with (directory / "journal").open("a") as file:
        for number in range(5):
            file.write(f"start intruder-{number} node3 node3-slot-9 1 {time.time()}\n")
    told, _ = demo.communicate(timeout=LONG)
    assert demo.returncode == 1, told
    assert re.search(r"PROBLEM: node3 was above its limit of 2: \d ran at once", told)


def test_a_port_that_is_taken_is_told(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo = start("--port", str(taken.getsockname()[1]))
        told, _ = demo.communicate(timeout=LONG)
    assert demo.returncode == 1, told
    assert "cannot listen on 127.0.0.1 port" in told


def test_what_is_done_by_hand_is_told_and_is_no_problem(start: Start, tmp_path: Path) -> None:
    demo = start("--forever")
    read_until(demo, r"node2: [1-5] of 5 held")
    (kubeconfig,) = tmp_path.glob("*/kubeconfig")
    server = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    write(f"{server}/apis/coordination.k8s.io/v1/namespaces/velero/leases/node2-slot-0", "DELETE")
    read_until(demo, r"by hand \(kubectl\): DELETE leases/node2-slot-0")
    config_map = f"{server}/api/v1/namespaces/velero/configmaps/node-agent-config"
    write(config_map, "PATCH", b'{"data": {"node-agent-config.json": "{broken"}}')
    read_until(demo, r"ConfigMap node-agent-config is refused: .*broken")
    demo.send_signal(signal.SIGINT)
    told, _ = demo.communicate(timeout=LONG)
    assert demo.returncode == 128 + signal.SIGINT, told
    assert "no node was ever above its limit" in told


def write(url: str, verb: str, patch: bytes | None = None) -> None:
    """One request as kubectl sends it. Raises when it is refused."""
    headers = {"User-Agent": "kubectl/v1", "Content-Type": "application/merge-patch+json"}
    request = urllib.request.Request(url, patch, headers, method=verb)
    with urllib.request.urlopen(request, timeout=LONG) as answer:
        answer.read()
