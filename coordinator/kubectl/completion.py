"""Shell completion: what may stand where the cursor is; nodes, Leases and claims come live.

kubectl asks a program named `kubectl_complete-node_slots` on the PATH, with the words after
`kubectl node-slots`, the last one unfinished. It answers a line each, `VALUE<tab>DESCRIPTION`, and
at the end a directive of cobra's (`pkg/cmd/plugin/plugin_completion.go` of k8s.io/kubectl).
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILES, NO_FILES = ":0", ":4"
"""cobra's ShellCompDirectiveDefault and ShellCompDirectiveNoFileComp."""
PROGRAM = "kubectl-node_slots"
_OF_FILES = frozenset({"filename", "kubeconfig", "ca_file", "token_file"})

BASH = r"""# completion of kubectl-node_slots for bash; kubectl's own covers `kubectl node-slots`
_kubectl_node_slots() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    [[ $line == :* ]] || COMPREPLY+=("${line%%$'\t'*}")
  done < <(kubectl_complete-node_slots "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _kubectl_node_slots kubectl-node_slots
"""


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script to be sourced. Only that for bash looks names up."""
    if shell == "bash":
        return BASH
    import shtab

    parser.prog = PROGRAM
    return str(shtab.complete(parser, shell)) + "\n"


def main() -> int:
    """`kubectl_complete-node_slots WORD...`. Returns 0: who presses tab is told of no error."""
    from coordinator.kubectl.cli import parser

    words = sys.argv[1:] or [""]
    found, directive = complete(parser(), words)
    print("\n".join([*found, directive]))
    return 0


def complete(parser: argparse.ArgumentParser, words: Sequence[str]) -> tuple[list[str], str]:
    """The lines for the last of these words, and the directive."""
    *before, begun = words
    place = _Place(parser)
    for word in before:
        place.pass_over(word)
    return place.files(begun) or (
        [one for one in place.offers(begun, before) if _fits(one, begun)],
        NO_FILES,
    )


def _fits(offer: str, begun: str) -> bool:
    return offer.startswith(begun)


class _Place:
    """Where on the command line the cursor is: which command, and whose value is awaited."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._command = ""
        self._awaited: argparse.Action | None = None

    def pass_over(self, word: str) -> None:
        """A word that stands before the cursor."""
        if self._awaited is not None:
            self._awaited = None
        elif word.startswith("-"):
            option = self._options().get(word)
            self._awaited = option if option is not None and option.nargs != 0 else None
        elif not self._command and word in self._commands():
            self._command, self._parser = word, self._commands()[word]

    def files(self, begun: str) -> tuple[list[str], str] | None:
        """Leave it to the shell, where a file is awaited."""
        of_file = self._awaited is not None and self._awaited.dest in _OF_FILES
        return ([], FILES) if of_file and not begun.startswith("-") else None

    def offers(self, begun: str, before: Sequence[str]) -> Iterator[str]:
        """Everything that may stand here."""
        if self._awaited is not None:
            yield from self._values(self._awaited, before)
        elif begun.startswith("-"):
            for name, option in self._options().items():
                if name.startswith("--") and option.help is not argparse.SUPPRESS:
                    yield f"{name}\t{_first(option.help)}"
        elif not self._command:
            for name in self._commands():
                yield f"{name}\t{_first(self._told(name))}"
        else:
            yield from names(self._command, before)

    def _values(self, option: argparse.Action, before: Sequence[str]) -> Iterator[str]:
        if option.choices is not None:
            yield from map(str, option.choices)
        elif option.dest in {"namespace", "coordinator_namespace"}:
            yield from names("--namespace", before[:-1])

    def _options(self) -> dict[str, argparse.Action]:
        return dict(self._parser._option_string_actions)

    def _subparsers(self) -> argparse._SubParsersAction[argparse.ArgumentParser] | None:
        for action in self._parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                return action
        return None

    def _commands(self) -> dict[str, argparse.ArgumentParser]:
        found = self._subparsers()
        return dict(found.choices) if found else {}

    def _told(self, name: str) -> str | None:
        found = self._subparsers()
        listed = found._choices_actions if found else []
        return next((one.help for one in listed if one.dest == name), None)


def _first(text: str | None) -> str:
    """The beginning of a help text: shells show one line."""
    return (text or "").partition(";")[0].replace("%%", "%")


def names(command: str, before: Sequence[str]) -> list[str]:
    """What may be named to this command, from the living cluster; nothing where it is away."""
    from coordinator.kubectl.connect.options import add_options, options_of

    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_options(parser)
    try:
        known, _ = parser.parse_known_args(list(before))
        from coordinator.kubectl.naming import look_up

        return look_up(command, options_of(known))
    except (Exception, SystemExit):  # a shell's prompt is no place for errors
        if os.environ.get("NODE_SLOTS_COMPLETION_DEBUG"):
            raise
        return []
