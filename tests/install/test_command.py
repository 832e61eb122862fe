"""`slot-coordinator install`: what is printed is what is installed, and can be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from coordinator.cli import main
from coordinator.install import Options, objects

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs it; what comes back is the exit code, the text and what was said."""

    def _run(*words: str) -> tuple[int, str, str]:
        code = main(["install", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return _run


def test_the_printed_objects_are_those_of_the_library_in_order(run: Any) -> None:
    code, text, _ = run(
        *("--print", "--namespace=backup", "--name=second", "--configmap=lim", "--replicas=3"),
        *("--image=registry.example.org/node-slots@sha256:00", "--pool=scans/two"),
        *("--client=apps:5", "--client=scans/jobs", "--with=alerts", "--with=flow-schema"),
    )
    options = Options(
        namespace="backup",
        name="second",
        config_map="lim",
        pools=("scans/two",),
        clients=("apps:5", "scans/jobs"),
        image="registry.example.org/node-slots@sha256:00",
        replicas=3,
        extras=frozenset({"alerts", "flow-schema"}),
    )
    assert code == 0
    assert list(yaml.safe_load_all(text)) == objects(options)


def test_the_text_says_at_its_top_what_it_needs_and_where_agents_ask(run: Any) -> None:
    _, text, _ = run("--print", "--client=apps")
    head = text.partition("---")[0]
    assert "Namespaces that must exist: velero, apps" in head
    assert "Limits are read from: ConfigMap velero/node-slots" in head
    assert "https://node-slots.velero.svc:8443" in head


def test_texts_of_several_lines_can_be_read_and_nothing_is_an_anchor(run: Any) -> None:
    _, text, _ = run("--print", "--with=dashboard")
    assert "node-slots.json: |" in text
    assert "&id" not in text


def test_a_limit_for_every_node_makes_the_config_map_first(run: Any) -> None:
    _, text, _ = run("--print", "--global-limit=3")
    first, *rest = yaml.safe_load_all(text)
    assert (first["kind"], first["metadata"]["name"]) == ("ConfigMap", "node-slots")
    (value,) = first["data"].values()
    assert json.loads(value) == {"loadConcurrency": {"globalConfig": 3}}
    assert rest == objects(Options())


def test_without_limits_the_config_map_is_left_alone(run: Any) -> None:
    _, text, _ = run("--print")
    names = [one["metadata"]["name"] for one in yaml.safe_load_all(text)]
    assert names.count("node-slots") == 1, "the Service"


def test_a_file_of_limits_is_taken_as_it_is_and_its_doubts_are_told(
    run: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"loadConcurrency":{"globalConfig":2,"perNodeConfig":[{"number":0}]}}')
    code, text, told = run("--print", f"--limits={path}")
    assert code == 0
    assert next(yaml.safe_load_all(text))["data"] == {"mine.json": path.read_text()}
    assert "perNodeConfig[0]" in told


@pytest.mark.parametrize("content", ["[]", '{"loadConcurrency": {"globalConfig": "2"}}'])
def test_a_file_that_the_coordinator_would_refuse_is_refused(
    run: Any, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content)
    code, text, told = run("--print", f"--limits={path}")
    assert (code, text) == (2, "")
    assert "would refuse it" in told


def test_a_missing_file_and_a_wrong_option_are_told_in_one_line(run: Any, tmp_path: Path) -> None:
    code, _, told = run("--print", f"--limits={tmp_path}/none.json")
    assert code == 2
    assert "none.json: No such file" in told
    code, _, told = run("--print", "--client=A!")
    assert (code, told.count("\n")) == (2, 1)


def test_the_namespace_is_made_only_when_asked_for(run: Any) -> None:
    _, text, _ = run("--print", "--namespace=backup", "--create-namespace", "--client=apps")
    namespaces = [one for one in yaml.safe_load_all(text) if one["kind"] == "Namespace"]
    assert [one["metadata"]["name"] for one in namespaces] == ["backup"]
    assert "must exist: apps" in text
    assert "kind: Namespace" not in run("--print")[1]


def test_without_print_it_changes_nothing_and_says_what_to_do(run: Any) -> None:
    code, text, told = run()
    assert (code, text) == (2, "")
    assert "--print | kubectl apply --server-side -f -" in told


def test_the_help_shows_how_to_look_before_applying(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["install", "--help"])
    told = capsys.readouterr().out
    assert "kubectl diff --server-side -f -" in told
    assert "exit codes" in told
