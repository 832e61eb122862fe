"""What the command line says about the way, and where nothing is said, the kubeconfig does."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

import pytest

from coordinator.kube.credentials import CredentialsError
from coordinator.kubectl.connect import Options, Unreachable, add_options, connect, options_of
from coordinator.kubectl.connect.place import namespace_of_context

if TYPE_CHECKING:
    from pathlib import Path


def parsed(*words: str) -> Options:
    """The options of a parser with one command, which has them, too."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    add_options(parser.add_subparsers().add_parser("nodes"))
    return options_of(parser.parse_args(words))


def kubeconfig(folder: Path, **context: str) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [
            {"name": "here", "context": {"cluster": "c", "user": "u", **context}},
            {"name": "there", "context": {"cluster": "c", "user": "u", "namespace": "far"}},
        ],
        "users": [{"name": "u", "user": {"token": "s3cret"}}],
    }
    path = folder / "config"
    path.write_text(json.dumps(config))
    return str(path)


def test_nothing_said_is_the_defaults() -> None:
    assert parsed() == parsed("nodes") == Options()


def test_options_count_before_and_after_the_commands_name() -> None:
    expected = Options(namespace="a", server="https://b", timeout=3.0, service_account="c/d")
    words = ("-n", "a", "--server", "https://b", "--timeout", "3", "--as-account", "c/d")
    assert parsed(*words, "nodes") == parsed("nodes", *words) == expected
    assert parsed("-n", "a", "nodes", "--timeout", "3") == Options(namespace="a", timeout=3.0)


@pytest.mark.parametrize("seconds", ["0", "nan", "601", "soon"])
def test_a_timeout_has_to_be_one(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--timeout", seconds)
    assert "number of seconds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("context", "told", "expected"),
    [
        ({"namespace": "mine"}, "", "mine"),
        ({}, "", "velero"),
        ({"namespace": "mine"}, "there", "far"),
    ],
)
def test_the_pools_namespace_is_the_contexts(
    context: dict[str, str], told: str, expected: str, tmp_path: Path
) -> None:
    assert namespace_of_context(kubeconfig(tmp_path, **context), told) == expected


async def test_the_namespace_that_is_told_counts(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, namespace="mine")
    async with connect(Options(kubeconfig=file, namespace="told")) as cluster:
        assert (cluster.namespace, cluster.home) == ("told", "told")
    async with connect(Options(kubeconfig=file, coordinator_namespace="home")) as cluster:
        assert (cluster.namespace, cluster.home) == ("mine", "home")


async def test_a_context_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="nowhere"):
        async with connect(Options(kubeconfig=kubeconfig(tmp_path), context="nowhere")):
            pass


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ("http://192.0.2.1:8443", "without TLS"),
        ("http://evil.example", "without TLS"),
        ("coordinator:8443", "https://HOST:PORT"),
        ("https://me:s3cret@host", "https://HOST:PORT"),
    ],
)
async def test_a_server_that_no_token_should_go_to_is_refused(
    server: str, why: str, tmp_path: Path
) -> None:
    async with connect(Options(kubeconfig=kubeconfig(tmp_path), server=server)) as cluster:
        with pytest.raises(Unreachable, match=why):
            await cluster.coordinator()
