"""The names that stand in the code are those of the pinned modules."""

from __future__ import annotations

from tests.velero.programs import PLUGIN_VERSION, VELERO, VERSION

VMWARE = "github.com/vmware-tanzu"


def test_the_programs_are_told_the_versions_that_they_are_built_of() -> None:
    assert VELERO.version_of(f"{VMWARE}/velero") == VERSION
    assert VELERO.version_of(f"{VMWARE}/velero-plugin-for-aws") == PLUGIN_VERSION
