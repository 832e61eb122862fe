"""What the pages name exists: paths, commands, flags, metrics, make targets, variables."""

from __future__ import annotations

import re

import pytest

from coordinator.settings import ENV_PREFIX, Settings
from tests.docs import markdown
from tests.docs.names import command_lines, flags, make_targets, wrong_flags
from tests.docs.places import ROOT, name_of, pages
from tests.docs.reference import metrics

PAGES = {name_of(page): page.read_text("utf-8") for page in pages()}
OTHERS_FLAGS = {
    *("--as", "--client"),
    *("--data-mover-prepare-timeout", "--fs-backup-timeout", "--resource-timeout"),
    *("--default-item-operation-timeout", "--csi-snapshot-timeout", "--item-block-worker-count"),
    *("--terminating-resource-timeout", "--server-side", "--force-conflicts"),
    *("--force", "--force-replace"),
}
"""Flags of kubectl, Helm and Velero that stand alone in a code span."""
GONE = {"CHANGELOG.md": {"--allow-unauthenticated"}}
"""What a page names because it is there no more."""
TOP = ("agent_client/", "coordinator/", "deploy/", "docs/", "tests/", "requirements/")
_PATH = re.compile(rf"^(?:{'|'.join(TOP)})[\w./*{{}},-]*$")
_FLAG = re.compile(r"^--[a-z][a-z-]+")
_METRIC = re.compile(r"\bnodeslots_[a-z_]+\b")
_VARIABLE = re.compile(r"\bNODE_SLOTS_[A-Z_]+\b")


def shown(name: str) -> str:
    """What a page shows as code."""
    return "\n".join([*markdown.spans(PAGES[name]), markdown.blocks(PAGES[name])])


def exists(path: str) -> bool:
    """Whether there is such a file, or one for each that is meant; tests may leave `tests/` out."""
    parts = [path]
    if braces := re.search(r"\{([^}]*)\}", path):
        parts = [path.replace(braces[0], one) for one in braces[1].split(",")]
    return all(
        [*ROOT.glob(part.rstrip("/")), *(ROOT / "tests").glob(part.rstrip("/"))] for part in parts
    )


@pytest.mark.parametrize("name", PAGES)
def test_every_path_that_is_named_exists(name: str) -> None:
    named = [span.split("#")[0] for span in markdown.spans(PAGES[name])]
    assert [path for path in named if _PATH.match(path) and not exists(path)] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_command_is_given_only_flags_that_it_takes(name: str) -> None:
    assert wrong_flags(shown(name)) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_flag_that_stands_alone_is_one(name: str) -> None:
    known = set().union(*flags().values()) | OTHERS_FLAGS | GONE.get(name, set())
    alone = {match[0] for span in markdown.spans(PAGES[name]) if (match := _FLAG.match(span))}
    assert {flag for flag in alone - known if not flag.endswith("-")} == set()


@pytest.mark.parametrize("name", PAGES)
def test_every_metric_that_is_named_is_one(name: str) -> None:
    assert set(_METRIC.findall(PAGES[name])) - metrics.names() == set()


@pytest.mark.parametrize("name", PAGES)
def test_every_make_target_that_is_named_is_one(name: str) -> None:
    named = set(re.findall(r"(?:^|\n)(?:\$ )?make ([a-z][a-z0-9-]*)", shown(name)))
    assert named - make_targets() == set()


def test_every_variable_that_is_named_is_read_by_something() -> None:
    known = {ENV_PREFIX + field.upper() for field in Settings.model_fields}
    agents = "".join(path.read_text("utf-8") for path in (ROOT / "agent_client").rglob("*.py"))
    known |= set(_VARIABLE.findall(agents))
    named = {one for text in PAGES.values() for one in _VARIABLE.findall(text)}
    assert {one for one in named if not one.endswith("_")} - known == set()


def test_a_wrong_flag_would_be_found() -> None:
    line = "slot-coordinator velero check --strict --colour=red -- --else <(kubectl --as jane)"
    assert command_lines(line) == [("slot-coordinator velero check", ["--strict", "--colour"])]
    assert wrong_flags(line) == ["slot-coordinator velero check --colour"]
