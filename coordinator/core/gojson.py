"""JSON text as Go's `encoding/json` takes it, where Python's own reader is laxer or stricter.

`parse` gives a tree of plain values. Like Go it refuses NaN, Infinity, a byte order mark, control
characters in strings, anything after the value and nesting past 10,000; a half of a surrogate
pair becomes U+FFFD; numbers stay the text that they are, since 1e400 or a hundred digits are good
JSON until somebody wants an int. One rule is ours: a key that stands twice in one object is
refused by its name, Go would quietly keep or merge the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_DEPTH = 10_000
"""Objects and arrays inside each other; `maxNestingDepth` in Go's scanner.go."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it stands in the text."""

    text: str


Value = None | bool | str | Number | list["Value"] | dict[str, "Value"]


class JSONError(ValueError):
    """Text or value that Go would not read; `path` is where (may be empty), `reason` is why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


_BLANK = r"[ \t\n\r]*"
_ESCAPED = r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
_PLAIN = r'[^"\\\x00-\x1f]*'
_TOKEN = re.compile(
    rf"""{_BLANK}(?:
        (?P<mark>[{{}}\[\]:,])
      | (?P<string>"{_PLAIN}(?:{_ESCAPED}{_PLAIN})*")
      | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<word>true|false|null)
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_BLANKS = re.compile(_BLANK)
_STRING_START = re.compile(rf'"{_PLAIN}(?:{_ESCAPED}{_PLAIN})*')
_UNESCAPE = re.compile(
    r"\\u([dD][89abAB]..)\\u([dD][c-fC-F]..)|\\u(....)|\\(.)|[\ud800-\udfff]", re.DOTALL
)
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
_HINTS = {
    "\ufeff": "a byte order mark; save the file as UTF-8 without one",
    "/": "'/': JSON has no comments",
    "#": "'#': JSON has no comments",
    "'": "a single quote: JSON strings stand in double quotes",
    "]": "']'; a comma before it, or a value left out?",
    "}": "'}'; a comma before it, or a value left out?",
    "": "the end of the text; it is cut off, or a bracket is not closed",
}


def parse(text: str) -> Value:
    """The one value of a JSON text; raises JSONError with line, column and what was found."""
    return _Parser(text).parse()


def child_path(path: str, key: str) -> str:
    """`path` with one key more: `.key`, or `["key"]` where a dot would mislead."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key):
        return f"{path}[{quoted(key)}]"
    return f"{path}.{key}" if path else key


def quoted(text: str) -> str:
    """The text in double quotes for a message: printable, and cut when it is long."""
    shown = text if len(text) <= 80 else text[:77] + "..."
    inner = shown.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in inner) + '"'


class _Parser:
    """One pass over the text. Open containers are a list, not Python's stack: depth is data."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._start = 0  # of the last token
        self._after = 0
        self._kind = ""
        self._open: list[list[Value] | dict[str, Value]] = []
        self._keys: list[str] = []  # the last key of each open object, for paths

    def parse(self) -> Value:
        value = self._value(self._next())
        while self._open:
            self._item(self._open[-1])
        self._next()
        if self._kind != "end":
            raise self._refused("the end of the text")
        return value

    def _item(self, container: list[Value] | dict[str, Value]) -> None:
        """Read the container's next item, or its end."""
        closing = "}" if isinstance(container, dict) else "]"
        piece = self._next()
        if piece == closing:
            self._close()
            return
        if container:
            if piece != ",":
                raise self._refused(f"',' or '{closing}'")
            piece = self._next()
        if isinstance(container, dict):
            self._member(container, piece)
        else:
            container.append(self._value(piece))

    def _member(self, container: dict[str, Value], piece: str) -> None:
        if self._kind != "string":
            raise self._refused("a key in double quotes")
        key = _unescape(piece)
        self._keys[-1] = key
        if key in container:
            raise JSONError(
                self._path(), f"this key stands twice in one object ({self._where()}); remove one"
            )
        if self._next() != ":":
            raise self._refused("':'")
        container[key] = self._value(self._next())

    def _value(self, piece: str) -> Value:
        match self._kind:
            case "string":
                return _unescape(piece)
            case "number":
                return Number(piece)
            case "word":
                return _WORDS[piece]
        if piece == "{":
            return self._opened({})
        if piece == "[":
            return self._opened([])
        raise self._refused("a value")

    def _opened(self, container: list[Value] | dict[str, Value]) -> Value:
        self._open.append(container)
        self._keys.append("")
        if len(self._open) > MAX_DEPTH:
            raise JSONError("", f"{self._where()}: nested deeper than {MAX_DEPTH}")
        return container

    def _close(self) -> None:
        self._open.pop()
        self._keys.pop()

    def _next(self) -> str:
        found = _TOKEN.match(self._text, self._after)
        if found is None or found.lastgroup is None:
            blank = _BLANKS.match(self._text, self._after)
            self._start = blank.end() if blank else self._after
            self._kind = "bad"
            return ""
        self._kind = found.lastgroup
        self._start, self._after = found.span(found.lastgroup)
        return found[found.lastgroup]

    def _refused(self, wanted: str) -> JSONError:
        rest = self._text[self._start : self._start + 20]
        found = _HINTS.get(rest[:1]) or (_broken_string(self._text, self._start) or quoted(rest))
        return JSONError("", f"not JSON: {self._where()}: {wanted} is needed, found {found}")

    def _where(self) -> str:
        line_start = self._text.rfind("\n", 0, self._start) + 1
        line = self._text.count("\n", 0, self._start) + 1
        return f"line {line}, column {self._start - line_start + 1}"

    def _path(self) -> str:
        path = ""
        for container, key in zip(self._open, self._keys, strict=True):
            index = f"{path}[{len(container) - 1}]"
            path = child_path(path, key) if isinstance(container, dict) else index
        return path


def _unescape(piece: str) -> str:
    return _UNESCAPE.sub(_unescaped, piece[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    high, low, unit, short = found.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    if short:
        return _SHORT.get(short, short)
    code = int(unit, 16) if unit else 0xD800
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)


def _broken_string(text: str, start: int) -> str:
    """What is wrong with a string that begins at `start`, or nothing."""
    if text[start : start + 1] != '"':
        return ""
    good = _STRING_START.match(text, start)
    stop = text[good.end() :][:1] if good else ""
    if stop == "\\":
        return "a string with a backslash that begins no JSON escape"
    if stop == '"':
        return "a string"
    if not stop:
        return "a string that is not closed"
    return f"a string with the raw control character {ascii(stop)[1:-1]}; write it as an escape"
