"""The plain sentence that says what an explanation holds, and what to do about it.

Names of loads, Pods and nodes stand in it as their owners chose them: whoever shows it escapes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.estimate import Estimate
from coordinator.core.hold import HOLD
from coordinator.core.reasons import taken_text
from coordinator.core.words import count, names

if TYPE_CHECKING:
    from coordinator.core.explain import ClaimWhy, Holding, NodeWhy, PoolWhy, Scene
    from coordinator.core.surroundings import ConfigTrouble

SHOWN = 3
"""Names in one sentence; the data has more of them."""


def claim_sentence(why: ClaimWhy) -> str:
    """What is true of the claim."""
    if why.code == "granted":
        return _joined(_holds(why), _config(why.scene.config))
    if why.position is None:
        return _joined(f"{_who(why)} on {why.scene.node}: {why.text}")
    if why.heard is not None:
        return _joined(_forgotten(why, why.heard))
    return _joined(
        _waits(why, why.position),
        *_rest(why.scene),
        f"{why.ahead_count} ahead of it" if why.ahead_count else "",
        _config(why.scene.config),
        _likely(why.forecast, "likely {} more"),
    )


def node_sentence(why: NodeWhy) -> str:
    """Whether the node grants, and why not."""
    scene = why.scene
    waiting = f"{scene.queued} {'waits' if scene.queued == 1 else 'wait'}"
    longest = f", the first for {span(why.longest_wait)}" if why.longest_wait else ""
    next_one = "the next slot is likely to come free in {}"
    return _joined(
        f"{_obstacle(why.code, why.text, scene, scene.node)}{_limit(scene)}",
        *_rest(scene),
        f"{waiting}{longest}" if scene.queued else "nobody waits",
        _config(scene.config),
        _likely(why.forecast, next_one) if why.code != "free" else "",
    )


def pool_sentence(why: PoolWhy) -> str:
    """Where claims wait in the pool."""
    if why.trouble:
        return _joined(f"nothing is granted yet: {why.trouble}", _config(why.config))
    silent = f"{count(why.unresponsive, 'holder')} cannot be shown to have ended"
    return _joined(
        _crowd(why),
        f"{silent}: look at {'its Pod' if why.unresponsive == 1 else 'their Pods'}"
        if why.unresponsive
        else "",
        _config(why.config),
    )


def span(seconds: float) -> str:
    """A length of time in one unit, or two where one is too coarse: 45 s, 12 min, 2 h 5 min."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part) + "."


def _who(why: ClaimWhy) -> str:
    return why.load or f"claim {why.claim}"


# --- one claim --------------------------------------------------------------------------------


def _holds(why: ClaimWhy) -> str:
    own = why.holding
    if own is None:
        return f"{_who(why)} holds a slot of {why.scene.node}"
    since = f" for {span(own.age)}" if own.age is not None else ""
    text = f"{_who(why)} holds slot {own.slot} of {why.scene.node} (Lease {own.lease}){since}"
    if own.state == "draining":
        text += f", over the limit of {why.scene.limit}: it keeps the slot until it ends"
    if own.state == "unresponsive":
        text += f"; {_silence(own)}"
    return text


def _forgotten(why: ClaimWhy, heard: float) -> str:
    return (
        f"{_who(why)} is in the queue of {why.scene.node}, but nobody asks for it any more (last"
        f" heard of {span(heard)} ago): it gets no slot unless its agent asks again, and is"
        " forgotten soon; look at its Pod and its agent"
    )


def _waits(why: ClaimWhy, position: int) -> str:
    waited = f" for {span(why.waited)}" if why.waited and why.waited >= 1 else ""
    if why.code == "granting":
        return f"{_who(why)} gets a slot of {why.scene.node} just now: {why.text}"
    place = f"position {position} of {max(why.scene.queued, position)}"
    obstacle = _obstacle(why.code, why.text, why.scene)
    return f"{_who(why)} waits on {why.scene.node}{waited}, {place}: {obstacle}{_limit(why.scene)}"


# --- what stands in the way ---------------------------------------------------------------------


def _obstacle(code: str, text: str, scene: Scene, of: str = "") -> str:
    """The reason, with what there is to know and to do about it."""
    if code in {"slots-held", "over-limit"}:
        return taken_text(scene.taken, scene.limit, f" of {of}" if of else "") + _holders(scene)
    if code == "on-hold":
        return f"{text} (kubectl annotate node {scene.node} {HOLD}- lets it go)"
    if code == "write-refused":
        return f"{text} (tried again in {span(scene.retry)})"
    return f"{text}{_holders(scene)}" if code in {"headroom", "node-cap"} else text


def _holders(scene: Scene) -> str:
    told = [_held(one) for one in scene.holders if one.state != "releasing"]
    return f" ({names(told, SHOWN)})" if told else ""


def _held(one: Holding) -> str:
    return f"{one.load or one.claim} for {span(one.age)}" if one.age is not None else one.load


def _limit(scene: Scene) -> str:
    """The limit and what made it; of a node without slots that is said already."""
    told = scene.limit and scene.decided_by
    return f", limit {scene.limit} from {scene.decided_by}" if told else ""


def _rest(scene: Scene) -> list[str]:
    """What is out of the ordinary with the node's slots."""
    over = scene.limit and scene.taken > scene.limit
    ends = "all" if scene.limit == 1 else str(scene.taken - scene.limit + 1)
    drain = [one.load for one in scene.draining]
    verb = "keeps its slot" if len(drain) == 1 else "keep their slots"
    return [
        f"no new grants until {ends} of the {scene.taken} that are held end" if over else "",
        f"{names(drain, SHOWN)} {verb} past the limit until the end" if drain else "",
        *(_silence(one) for one in scene.unresponsive[:SHOWN]),
        f"{names(scene.blocked, SHOWN)}: look at it" if scene.blocked else "",
    ]


def _silence(one: Holding) -> str:
    silent = f" for {span(one.silent)}" if one.silent is not None else ""
    pod = f"Pod {one.pod}" if one.pod else "load"
    return (
        f"nobody has heard of {one.load}{silent}, and its {pod} cannot be shown to have ended: look"
        f" at it; once it is over, deleting Lease {one.lease} frees the slot"
    )


def _config(trouble: ConfigTrouble | None) -> str:
    return f"refused since {trouble.since}: {trouble.error}" if trouble else ""


def _likely(expected: object, text: str) -> str:
    """The estimate with its spread; nothing where there is none."""
    if not isinstance(expected, Estimate):
        return ""
    loads = f"from {count(expected.samples, 'load')}"
    return f"{text.format(span(expected.seconds))} ({_range(expected.low, expected.high)}{loads})"


def _range(low: float, high: float) -> str:
    """From and to, the unit once where it is the same."""
    first, last = span(low), span(high)
    if first == last:
        return ""
    number, _, unit = first.partition(" ")
    same = unit == last.partition(" ")[2]
    return f"{number if same else first} to {last}, "


# --- a pool -------------------------------------------------------------------------------------


def _crowd(why: PoolWhy) -> str:
    if not why.waiting:
        return "nobody waits"
    worst = [f"{one.node} ({one.queued}, for {span(one.longest_wait)})" for one in why.starved]
    waits = "claim waits" if why.waiting == 1 else "claims wait"
    where, longest = count(why.nodes, "node"), names(worst, SHOWN, why.nodes)
    return f"{why.waiting} {waits} on {where}, longest on {longest}"
