"""`slot-agent run` called wrongly, and its completion scripts."""

from __future__ import annotations

import pytest

from tests.agent_client.fake import FakeCoordinator
from tests.agent_client.wrapper.process import outcome


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ((), "no command"),
        (("--priority", "high", "--", "true"), "invalid int value"),
        (("--timeout", "-1", "--", "true"), "invalid number of seconds value"),
        (
            ("--strict", "--if-unavailable", "run", "--", "true"),
            "--strict and --if-unavailable run",
        ),
        (("--strict", "--on-lost", "warn", "--", "true"), "--strict and --on-lost warn contradict"),
        (("--try", "--timeout", "5", "--", "true"), "--try and --timeout contradict"),
        (("--quiet", "--json", "--", "true"), "--quiet and --json contradict"),
        (("--on-lost", "nothing", "--", "true"), "choose from"),
        (("--url", "coordinator:8443", "--", "true"), "no http:// or https:// URL"),
        (("--pod-name", "p", "--", "true"), "needs both"),
    ],
)
async def test_a_wrong_usage_is_64_and_says_what(flags: tuple[str, ...], says: str) -> None:
    code, _, err = await outcome(FakeCoordinator(), *flags)
    assert code == 64
    assert says in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_completion_script_knows_the_command_and_its_flags(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from agent_client.cli.main import main

    with pytest.raises(SystemExit) as end:
        main(["--print-completion", shell])
    assert end.value.code == 0
    assert "unavailable-after" in capsys.readouterr().out
