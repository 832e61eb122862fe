"""`slot-coordinator check` finds in a file what the coordinator would find in the ConfigMap."""

import argparse
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from coordinator.check import add_parser, check, main

GOOD = """{"loadConcurrency": {"globalConfig": 2, "perNodeConfig": [
  {"nodeSelector": {"matchLabels": {"disk": "ssd"}}, "number": 3},
  {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": "n1"}}, "number": 5}]}}"""
TYPO = '{"loadConcurency": {"globalConfig": 2}}'
BAD = '{"loadConcurrency": {"globalConfig": "2"}}'
NODES = {"n1": {"disk": "ssd", "kubernetes.io/hostname": "n1"}, "n0": {}, "n2": {"disk": "ssd"}}


@pytest.fixture
def write(tmp_path: Path) -> "Writer":
    return Writer(tmp_path)


class Writer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def nodes(self, labels: dict[str, dict[str, str]]) -> Path:
        items = [
            {"kind": "Node", "metadata": {"name": name, **({"labels": found} if found else {})}}
            for name, found in labels.items()
        ]
        return self("nodes.json", json.dumps({"kind": "List", "items": items}))


Out = pytest.CaptureFixture[str]


def report(capsys: Out) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(capsys.readouterr().out))


def test_a_clean_file_exits_0(write: Writer, capsys: Out) -> None:
    assert check(write("limits.json", GOOD), strict=True) == 0
    assert "accepted; 2 rules, else 2 (globalConfig)" in capsys.readouterr().out


def test_a_refused_file_exits_1_and_says_why(write: Writer, capsys: Out) -> None:
    assert check(write("limits.json", BAD)) == 1
    assert 'globalConfig: "2" is a string, an integer is needed' in capsys.readouterr().out


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 3)])
def test_warnings_exit_3_only_when_strict(
    write: Writer, capsys: Out, strict: bool, code: int
) -> None:
    assert check(write("limits.json", TYPO), strict=strict) == code
    assert 'warning: loadConcurency: unknown key, ignored; did you mean "loadConcurrency"?' in (
        capsys.readouterr().out
    )


def test_a_file_that_is_not_there_exits_2(tmp_path: Path, capsys: Out) -> None:
    assert check(tmp_path / "missing.json") == 2
    assert "missing.json: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", '{"items": 3}', '{"kind": "Pod", "metadata": {}}'])
def test_a_nodes_file_that_is_something_else_exits_2(
    write: Writer, capsys: Out, content: str
) -> None:
    assert check(write("limits.json", GOOD), write("nodes.json", content)) == 2
    assert "is not the output of `kubectl get nodes -o json`" in capsys.readouterr().err


def test_each_node_is_shown_with_its_limit_and_the_rule(write: Writer, capsys: Out) -> None:
    check(write("limits.json", GOOD), write.nodes(NODES))
    table = capsys.readouterr().out.splitlines()[2:]
    assert [line.split() for line in table] == [
        ["NODE", "LIMIT", "DECIDED", "BY", "ALSO", "MATCHED"],
        ["n0", "2", "globalConfig"],
        ["n1", "3", "perNodeConfig[0]", "disk=ssd", "perNodeConfig[1]", "(5)"],
        ["n2", "3", "perNodeConfig[0]", "disk=ssd"],
    ]
    assert len({line.find("n") for line in table[1:]}) == 1


def test_the_json_report_tells_matched_and_skipped_rules(write: Writer, capsys: Out) -> None:
    check(write("limits.json", GOOD), write.nodes({"n2": NODES["n2"]}), "json")
    found = report(capsys)
    assert (found["refused"], found["warnings"]) == (None, [])
    (node,) = found["nodes"]
    ssd = {"rule": 0, "selector": "disk=ssd", "number": 3}
    assert (node["name"], node["limit"], node["decidedBy"]) == ("n2", 3, ssd)
    assert node["matched"] == [ssd]
    assert [(s["rule"], s["reason"].split(":")[0]) for s in node["skipped"]] == [
        (1, "not matching")
    ]


def test_the_json_report_of_a_refused_file_has_its_path(write: Writer, capsys: Out) -> None:
    assert check(write("limits.json", BAD), output="json") == 1
    assert report(capsys)["refused"]["path"] == "loadConcurrency.globalConfig"


def manifest(text: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"limits.json": text}}


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(manifest(GOOD)),
        json.dumps({"kind": "List", "items": [manifest(GOOD)]}),
        f"kind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  limits.json: |\n{indented(GOOD)}",
        f"---\nkind: Secret\n---\n# c\nkind: 'ConfigMap'\ndata:\n  a: |\n{indented(GOOD)}",
        f"kind: ConfigMap\nbinaryData: {{x: AA==}}\ndata:\n  a: |\n{indented(GOOD)}",
    ],
)
def test_a_configmap_manifest_is_read_by_its_data(write: Writer, capsys: Out, content: str) -> None:
    assert check(write("cm", content), write.nodes({"n2": NODES["n2"]}), "json") == 0
    assert report(capsys)["nodes"][0]["limit"] == 3


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("kind: ConfigMap\n", "has no data"),
        ("kind: ConfigMap\nbinaryData: {a: AA==}\n", "has no data"),
        ("kind: ConfigMap\ndata: {a: '{}', b: '{}'}\n", "2 data keys"),
        (
            "kind: ConfigMap\ndata:\n  a: {globalConfig: 2}\n",
            "data.a of the ConfigMap is not a text",
        ),
        ("kind: ConfigMap\ndata: [1]\n", "not a mapping"),
        ("kind: ConfigMap\n---\nkind: ConfigMap\n", "2 ConfigMaps"),
        ("loadConcurrency: {globalConfig: 2}\n", "not JSON"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        ("[" * 20_000, "nested deeper"),
        ("kind: ConfigMap" + "[" * 20_000, "not JSON"),
    ],
)
def test_a_file_that_would_make_no_good_configmap_is_refused(
    write: Writer, capsys: Out, content: str | bytes, why: str
) -> None:
    assert check(write("cm.yaml", content)) == 1
    assert why in capsys.readouterr().out


def test_stdin_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert main(["--config", "-"]) == 0
    assert capsys.readouterr().out.startswith("stdin: accepted")


def test_stdin_cannot_be_both_files(capsys: Out) -> None:
    assert main(["--config", "-", "--nodes", "-"]) == 2
    assert "cannot both be stdin" in capsys.readouterr().err


def test_the_command_mounts_on_a_parser(write: Writer, capsys: Out) -> None:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    options = parser.parse_args(["check", "--config", str(write("a", TYPO)), "--strict"])
    assert options.run(options) == 3


def test_the_help_shows_an_example() -> None:
    command = [sys.executable, "-m", "coordinator.check", "--help"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "kubectl get nodes -o json | slot-coordinator check" in shown
