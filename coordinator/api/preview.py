"""Trying out a ConfigMap's text on the nodes that there are, and showing what is in force."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from coordinator.api.bodies import parse, read_json
from coordinator.api.exchange import UNKNOWN_FIELDS, json_response
from coordinator.api.places import Places
from coordinator.api.pools import ready_pool, require_ready
from coordinator.api.problems import Problem
from coordinator.api.schemas import Body, unknown_fields
from coordinator.core.limits import ConfigRefused, read_config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from coordinator.core.limits import LimitRules
    from coordinator.core.preview import Change, Preview, RuleUse
    from coordinator.service.pool import Pool

LARGEST_PREVIEW = 2 * 1024 * 1024
"""Bytes. A ConfigMap has 1 MiB at most, and within JSON its quotes are escaped."""
MOST_AT_ONCE = 4
PATIENCE = 30.0
"""Seconds for one preview: thousands of rules on thousands of nodes take some."""

PREVIEWS: web.AppKey[Places] = web.AppKey("previews", Places)


class PreviewBody(Body):
    """A text to try out."""

    text: str = Field(
        description="The text under the ConfigMap's one key, or a whole ConfigMap as JSON."
    )


ChangeJson = TypedDict(
    "ChangeJson",
    {"node": str, "from": int, "to": int, "decidedBy": str, "held": int, "over": int},
)
"""A node whose limit would be another one; `over` holders would be past it."""


class OverLimitJson(TypedDict):
    """How many nodes would have more holders than slots, and how many holders too many."""

    nodes: int
    holders: int


class RuleJson(TypedDict):
    """A rule, how many nodes it matches, and of how many it decides the limit."""

    rule: str
    selector: str
    number: int
    matches: int
    decides: int


class PreviewJson(TypedDict):
    """What a ConfigMap's text would do. Where it is refused, `error` says why and nothing is told
    of rules; `globalLimit` is null then.

    `changed` names the first 500 nodes, `changedCount` tells how many there are. `unmatched` are
    the rules that count and match no node.
    """

    accepted: bool
    error: str
    warnings: list[str]
    nodes: int
    changedCount: int
    changed: list[ChangeJson]
    overLimit: OverLimitJson
    rules: list[RuleJson]
    unmatched: list[str]
    globalLimit: int | None


async def get_config(request: web.Request) -> web.Response:
    """The rules in force and what each matches; `error` tells what is wrong with a newer text."""
    pool = ready_pool(request)
    async with _place(request):
        state = pool.config()  # of the rules that are looked at: others may come meanwhile
        made = await pool.previews.in_force()
    require_ready(pool)
    return json_response(_told(made, accepted=state.accepted, error=state.error))


async def preview_config(request: web.Request) -> web.Response:
    """Which nodes would change under another ConfigMap; nothing is changed."""
    pool = ready_pool(request)
    body = parse(PreviewBody, await read_json(request, LARGEST_PREVIEW))
    request[UNKNOWN_FIELDS] = unknown_fields(body)
    async with _place(request):
        try:
            rules = await asyncio.to_thread(_rules, body.text)
        except ConfigRefused as refused:
            require_ready(pool)
            return json_response(_refused(str(refused), pool))
        made = await pool.previews.of(rules)
    require_ready(pool)
    return json_response(_told(made, accepted=True, error=""))


@asynccontextmanager
async def _place(request: web.Request) -> AsyncIterator[None]:
    """One of few at a time, and not for ever. Raises `Problem`."""
    with request.app[PREVIEWS].one():
        try:
            async with asyncio.timeout(PATIENCE):
                yield
        except TimeoutError:
            detail = f"the rules were not tried on all nodes within {PATIENCE:g} s; ask again"
            raise Problem("overloaded", detail) from None


def _rules(text: str) -> LimitRules:
    """Raises `ConfigRefused`."""
    return read_config(_data(text))


def _data(text: str) -> dict[str, Any]:
    """What stands under `data` of a ConfigMap; any other text is that of the one key."""
    try:
        value = orjson.loads(text)
    except ValueError:
        return {"preview": text}
    if not isinstance(value, dict) or value.get("kind") != "ConfigMap":
        return {"preview": text}
    data = value.get("data")
    return data if isinstance(data, dict) else {}


def _told(made: Preview, *, accepted: bool, error: str) -> PreviewJson:
    return PreviewJson(
        accepted=accepted,
        error=error,
        warnings=[str(warning) for warning in made.rules.warnings],
        nodes=made.nodes,
        changedCount=made.changed_count,
        changed=[_change(change) for change in made.changed],
        overLimit=OverLimitJson(nodes=made.over_nodes, holders=made.over_holders),
        rules=[_rule(use) for use in made.uses],
        unmatched=[str(rule) for rule in made.unmatched],
        globalLimit=made.rules.limit,
    )


def _refused(error: str, pool: Pool) -> PreviewJson:
    return PreviewJson(
        accepted=False,
        error=error,
        warnings=[],
        nodes=len(pool.nodes()),
        changedCount=0,
        changed=[],
        overLimit=OverLimitJson(nodes=0, holders=0),
        rules=[],
        unmatched=[],
        globalLimit=None,
    )


def _change(change: Change) -> ChangeJson:
    return {
        "node": change.node,
        "from": change.before,
        "to": change.after,
        "decidedBy": change.decided_by,
        "held": change.held,
        "over": change.over,
    }


def _rule(use: RuleUse) -> RuleJson:
    return RuleJson(
        rule=use.rule.name,
        selector=use.rule.text,
        number=use.rule.number,
        matches=use.matches,
        decides=use.decides,
    )
