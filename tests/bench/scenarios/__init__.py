"""The scenarios, each in a file of its own."""

from tests.bench.scenarios import (
    s01_saturated,
    s02_idle,
    s03_handover,
    s05_renewing,
    s06_midnight,
    s07_limits,
    s08_edit,
    s09_takeover,
    s10_growth,
    s11_agent,
)

ALL = (
    s01_saturated.SCENARIO,
    s02_idle.SCENARIO,
    s03_handover.SCENARIO,
    s05_renewing.SCENARIO,
    s06_midnight.SCENARIO,
    s07_limits.SCENARIO,
    s08_edit.SCENARIO,
    s09_takeover.SCENARIO,
    s10_growth.SCENARIO,
    s11_agent.SCENARIO,
)
