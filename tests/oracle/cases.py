"""Made-up node-agent configurations, right and wrong in every way that JSON and Go leave open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

KEYS = ["disk", "team", "env", "kubernetes.io/hostname", "example.com/zone", "a_b.c", "x"]
VALUES = ["ssd", "hdd", "a", "b", "", "node-1", "eu-west-1c", "1.0_x", "A"]
BAD_KEYS = [
    "", "/", "a/", "/a", "a/b/c", "a b", "-a", "a-", "é", "a\n", "a\u0000", "\u017f", "٣", "a/é",
    "_a", "a" * 63, "a" * 64,
    "Ex.com/a", "ex..com/a", "-ex.com/a", "ex.com./a", "a\ufffd", "ex_m/a",
    ".".join(["a" * 50] * 5)[:253] + "/a", ".".join(["a" * 50] * 6)[:254] + "/a", "a" * 70 + "/a",
]  # fmt: skip
BAD_VALUES = [
    "a b",
    "-",
    "a-",
    ".a",
    "é",
    "a\n",
    "a/b",
    "b" * 63,
    "b" * 64,
    "٣",
    "\u212a",
    "\ufffd",
]
OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"]
BAD_OPERATORS = ["in", "IN", "notIn", "exists", "", "=", "Gt", "Lt", " In", "In ", "Equals", "!="]
NUMBERS = [1, 2, 3, 5, 8, 100, 2**31 - 2, 2**31 - 1, 2**31, 2**63 - 1]
ODD = [
    "null", "true", "false", '""', '"3"', "[]", "{}", "[[]]", "[null]", "[{}]", '{"a":"b"}',
    "2.0", "1e2", "1E2", "-0", "0", "-1", "-0.0", "1e400", "-1e400", "1e-5", "007", "+1", ".5",
    "5.", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "9" * 40,
    "-" + "9" * 5000,
    "1." + "0" * 30,
    "[1,]", '{"a":1,}', "'a'", "undefined", "True", "None", '"\\u0041"', '"\\ud800"', '"\\x41"',
    '"\\ud83d\\ude00"', '"\\ude00\\ud83d"', '"\\u12"', '"a\tb"', '"a\u007fb"', '"\\/"', '"\\\'"',
    '["a","b"]', '["a",1]', '["a",null]', '[{"key":"team","operator":"Exists"}]', '"\ufeff"',
    "[" * 40 + "]" * 40, '{"a":' * 30 + "1" + "}" * 30, "\u0663", "tru", "nul", "-", "1e", "1e+",
]  # fmt: skip
DEEP = [9_990, 9_996, 9_997, 9_998, 9_999, 10_000, 10_001, 10_002]
BLANKS = [" ", "\n", "\t", "\r\n", "\u00a0", "\u2028", "\x0b", "\x0c", "\x00", "\ufeff", "\u3000"]
SECTIONS: dict[str, list[str]] = {
    "loadAffinity": ['[{"nodeSelector":{"matchLabels":{"a":"b"}},"storageClass":"s"}]', "[null]"],
    "backupPVC": [
        '{"gp3":{"storageClass":"s","readOnly":true,"annotations":{"a":"b"}}}',
        '{"":{}}',
    ],
    "restorePVC": ['{"ignoreDelayBinding":true}', '{"ignoreDelayBinding":null}'],
    "podResources": ['{"cpuRequest":"1","ephemeralStorageLimit":"1Gi"}', '{"cpu":3}'],
    "priorityClassName": ['"high"'],
    "privilegedFsBackup": ["true"],
    "cachePVC": ['{"storageClass":"s","residentThresholdInMB":1024}'],
    "podAnnotations": ['{"a":"b"}', '{"a":null}'],
    "podLabels": ['{"a":"b"}'],
}


class Raw(str):
    """Text that stands in the JSON as it is."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """An object whose keys may stand twice."""


def generate(random: Random, count: int) -> Iterator[dict[str, Any]]:
    """`count` cases `{id, data, node_labels}`."""
    for number in range(count):
        kind, text = _text(random)
        data: dict[str, str] | None = {random.choice(["cfg.json", "a", "-"]): text}
        if random.random() < 0.005:
            data = random.choice([None, {}, {"a": text, "b": "{}"}, {"a": ""}])
        yield {"id": f"{kind}-{number:05}", "data": data, "node_labels": _labels(random)}


def _labels(random: Random) -> dict[str, str]:
    keys = random.sample([*KEYS, "a" * 63], k=random.randrange(6))
    return {key: random.choice(VALUES) for key in keys}


def _text(random: Random) -> tuple[str, str]:
    root = _config(random)
    kind = random.choice(["valid", *_MUTATIONS])
    if kind == "valid":
        return kind, _written(root, random)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        _MUTATIONS[kind](root, random)
    text = _written(root, random)
    if kind == "text":
        for _ in range(random.choice([1, 1, 2, 4])):
            text = _scratched(text, random)
    return kind, text


def _config(random: Random) -> Members:
    concurrency = Members()
    if random.random() < 0.8:
        concurrency.append(("globalConfig", random.choice([*NUMBERS, 0, -1])))
    if random.random() < 0.9:
        rules = [_rule(random) for _ in range(random.choice([0, 1, 1, 2, 3, 5]))]
        concurrency.append(("perNodeConfig", rules))
    if random.random() < 0.2:
        concurrency.append(("prepareQueueLength", random.choice(NUMBERS)))
    root = Members([("loadConcurrency", concurrency)])
    for name in random.sample(sorted(SECTIONS), k=random.choice([0, 0, 1, 3])):
        root.append((name, Raw(random.choice(SECTIONS[name]))))
    random.shuffle(root)
    return root


def _rule(random: Random) -> Members:
    rule = Members()
    if random.random() < 0.95:
        rule.append(("nodeSelector", _selector(random)))
    if random.random() < 0.95:
        rule.append(("number", random.choice([*NUMBERS, *range(1, 10), 0, -7])))
    return rule


def _selector(random: Random) -> Members:
    selector = Members()
    if random.random() < 0.6:
        keys = random.sample(KEYS, k=random.choice([0, 1, 1, 2]))
        selector.append(("matchLabels", Members((k, random.choice(VALUES)) for k in keys)))
    if random.random() < 0.6:
        count = random.choice([0, 1, 1, 2])
        selector.append(("matchExpressions", [_expression(random) for _ in range(count)]))
    return selector


def _expression(random: Random) -> Members:
    operator = random.choice(OPERATORS)
    expression = Members([("key", random.choice(KEYS)), ("operator", operator)])
    if operator.endswith("In") or random.random() < 0.1:
        values = random.choices(VALUES, k=random.choice([0, 1, 1, 2, 3]))
        expression.append(("values", values))
    return expression


def _containers(root: Members) -> list[list[Any]]:
    found: list[list[Any]] = [root]
    for container in found:
        for item in container:
            value = item[1] if isinstance(container, Members) else item
            if isinstance(value, list):
                found.append(value)
    return [c for c in found if c]


def _odd_value(root: Members, random: Random) -> None:
    container = random.choice(_containers(root))
    place = random.randrange(len(container))
    odd = Raw(random.choice(ODD))
    if isinstance(container, Members):
        container[place] = (container[place][0], odd)
    else:
        container[place] = odd


def _odd_section(root: Members, random: Random) -> None:
    name = random.choice(sorted(SECTIONS))
    inner = json.loads(random.choice(SECTIONS[name]))
    root.append((name, _spoiled(inner, random)))


def _spoiled(value: Any, random: Random) -> Any:
    """A value with an odd one somewhere inside."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        spoiled = random.choice(sorted(value))
        return Members((k, _spoiled(v, random) if k == spoiled else v) for k, v in value.items())
    if isinstance(value, list) and value and random.random() < 0.8:
        return [_spoiled(value[0], random), *value[1:]]
    return Raw(random.choice(ODD))


def _recased(key: str, random: Random) -> str:
    folds = {"s": "sS\u017f", "k": "kK\u212a", "i": "iI\u0131\u0130"}
    other = "".join(random.choice(folds.get(c.lower(), c.lower() + c.upper())) for c in key)
    return random.choice([other, key.lower(), key.upper(), key.swapcase(), key.title(), other])


def _case(root: Members, random: Random) -> None:
    members = random.choice([c for c in _containers(root) if isinstance(c, Members)])
    place = random.randrange(len(members))
    members[place] = (_recased(members[place][0], random), members[place][1])


def _twice(root: Members, random: Random) -> None:
    """The same field again, mostly in another case, with a value of the same or any kind."""
    members = random.choice([c for c in _containers(root) if isinstance(c, Members)])
    key, value = random.choice(members)
    others: dict[str, Callable[[], Any]] = {
        "globalConfig": lambda: random.choice(NUMBERS),
        "number": lambda: random.choice(NUMBERS),
        "loadConcurrency": lambda: dict(_config(random))["loadConcurrency"],
        "perNodeConfig": lambda: [_rule(random) for _ in range(random.randrange(4))],
        "nodeSelector": lambda: _selector(random),
        "matchLabels": lambda: Members(dict(_labels(random)).items()),
        "matchExpressions": lambda: [_expression(random) for _ in range(random.randrange(3))],
        "values": lambda: random.choices([*VALUES, None], k=random.randrange(4)),
        "operator": lambda: random.choice(OPERATORS),
    }
    other = others[key]() if key in others else value
    again = key if random.random() < 0.1 else _recased(key, random)
    if random.random() < 0.2:
        other = Raw("null")
    members.insert(random.randrange(len(members) + 1), (again, other))


def _unknown(root: Members, random: Random) -> None:
    members = random.choice([c for c in _containers(root) if isinstance(c, Members)])
    key, _ = random.choice(members)
    spoiled = random.choice([key + " ", " " + key, key + "s", key[:-1], "", "x", key + "\u0000"])
    members.insert(random.randrange(len(members) + 1), (spoiled, Raw(random.choice(ODD))))


def _bad_selector(root: Members, random: Random) -> None:
    rule = _rule(random)
    key = random.choice([*BAD_KEYS, *KEYS])
    operator = random.choice([*OPERATORS, *BAD_OPERATORS])
    values: Any = random.choices([*BAD_VALUES, *VALUES, None], k=random.choice([0, 1, 1, 2]))
    one = Members([("key", key), ("operator", operator), ("values", values)])
    if random.random() < 0.5:
        selector = Members([("matchExpressions", [one])])
    else:
        value = random.choice([*BAD_VALUES, *VALUES])
        selector = Members([("matchLabels", Members([(key, value)]))])
    rule[:] = [("nodeSelector", selector), ("number", random.choice(NUMBERS))]
    root.append(("loadConcurrency ", None))
    for place, (name, inner) in enumerate(root):
        if name == "loadConcurrency":
            rules: list[Any] = dict(inner).get("perNodeConfig", [])
            root[place] = (name, Members([("globalConfig", 4), ("perNodeConfig", [*rules, rule])]))


def _deep(root: Members, random: Random) -> None:
    depth = random.choice(DEEP) if random.random() < 0.02 else random.randrange(1, 300)
    closing = depth if random.random() < 0.9 else depth - 1
    deep = random.choice(
        [Raw("[" * depth + "]" * closing), Raw('{"a":' * depth + "1" + "}" * closing)]
    )
    random.choice(_containers(root)).append((f"d{random.random()}", deep))


def _nothing(root: Members, random: Random) -> None:
    """The text is spoiled after it was written."""


_MUTATIONS: dict[str, Callable[[Members, Random], None]] = {
    "value": _odd_value,
    "section": _odd_section,
    "case": _case,
    "twice": _twice,
    "unknown": _unknown,
    "selector": _bad_selector,
    "deep": _deep,
    "text": _nothing,
}


def _scratched(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    piece = text[at : at + random.randrange(1, 12)]
    return random.choice(
        [
            text[:at] + text[at + 1 :],
            text[:at] + text[at + len(piece) :],
            text[:at] + piece + text[at:],
            text[:at] + random.choice('{}[]:,"\\0e-.x') + text[at:],
            text[:at] + random.choice(BLANKS) + text[at:],
            random.choice(BLANKS) + text,
            text + random.choice([*BLANKS, "null", ",", "}", "//", "{}"]),
            text[:at],
        ]
    )


def _written(value: Any, random: Random) -> str:
    match value:
        case Raw():
            return value
        case Members():
            colon = random.choice([":", ": "])
            parts = [f"{_string(k, random)}{colon}{_written(v, random)}" for k, v in value]
            return "{" + random.choice([",", ", ", ",\n"]).join(parts) + "}"
        case list():
            return "[" + ",".join(_written(item, random) for item in value) + "]"
        case tuple():
            return _written(list(value), random)
        case str():
            return _string(value, random)
    return json.dumps(value)


def _string(text: str, random: Random) -> str:
    plain = json.dumps(text, ensure_ascii=random.random() < 0.5)
    if random.random() > 0.03 or not text:
        return plain
    at = random.randrange(len(text))
    return (
        '"'
        + "".join(
            f"\\u{ord(c):04X}" if i == at and ord(c) < 0x10000 else json.dumps(c)[1:-1]
            for i, c in enumerate(text)
        )
        + '"'
    )
