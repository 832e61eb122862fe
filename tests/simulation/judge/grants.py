"""P2, P3, P5 and P6: a grant is one compare-and-swap, stands when told, and is the claim's only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from tests.simulation.judge.base import Judge
from tests.simulation.judge.writes import grant_of

if TYPE_CHECKING:
    from tests.simulation.api import Sent
    from tests.simulation.judge.facts import Commit
    from tests.simulation.judge.knowledge import Knowledge
    from tests.simulation.net import Visit
    from tests.simulation.watcher import Watcher


class GrantsJudge(Judge):
    """What is written, committed and told of grants."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._tokens: dict[str, int] = {}
        self._told: dict[str, tuple[str, int]] = {}
        """Claim to the Lease and token that it was told of last."""

    def sent(self, sent: Sent, known: Knowledge) -> None:
        grant = grant_of(sent)
        if grant is not None:
            unknown = known.sendings.get(grant.key, 0)
            if unknown and known.bodies.get(grant.key) != sent.body:
                self.blame("P2", f"{grant} is repeated with other bytes")
            known.bodies[grant.key] = sent.body
        if grant is not None and not (grant.uid and sent.method == "PUT"):
            self.blame("P3", f"{grant} is sent without a uid: it could make a Lease")
        state = self.watcher.truth.states.get((grant.name, grant.version)) if grant else None
        if state is not None and state.blocked:
            self.blame("P3", f"{grant} overwrites what is not ours to touch")
        if sent.method == "DELETE" and sent.writes_lease:
            conditions = orjson.loads(sent.body or b"{}").get("preconditions") or {}
            if not (conditions.get("uid") and conditions.get("resourceVersion")):
                self.blame("P3", f"{sent.call} carries {sorted(conditions)} only")

    def committed(self, commit: Commit) -> None:
        after, before = commit.after, commit.before
        if commit.takes and after is None and commit.sent is not None and before is not None:
            self.blame("P3", f"{before.name} was deleted while {before.claim} held it")
        if not commit.grants or after is None or commit.sent is None:
            return
        if before is None:
            self.blame("P3", f"{after.name} was made by a grant to {after.claim}")
        elif after.token != before.version:
            self.blame("P5", f"{after.name} has token {after.token}, it replaced v{before.version}")
        if after.token <= self._tokens.get(after.name, -1):
            self.blame("P5", f"{after.name}: token {after.token} does not grow")
        self._tokens[after.name] = after.token

    def restored(self) -> None:
        """Nothing is promised of tokens across a restore of etcd."""
        self._tokens.clear()

    def replied(self, visit: Visit, known: Knowledge, answer: Any) -> None:
        shown = {c["claim"]: c.get("fencingToken") for c in visit.body["claims"]}
        for told in answer["claims"]:
            if told["state"] == "granted":
                self._granted(told["claim"], told["lease"], told["fencingToken"])
            elif told["state"] == "lost":
                self._lost(told["claim"], shown[told["claim"]], visit)

    def _lost(self, claim: str, token: int | None, visit: Visit) -> None:
        """Said only after a fresh read: a grant that stands all the time is not lost."""
        truth = self.watcher.truth
        for one in truth.leases.values():
            key = (one.name, claim, token or 0)
            stands = (one.claim, one.token) == (claim, token)
            if stands and truth.granted.get(key, visit.began) < visit.began:
                self.blame("P6", f"{claim} is told that it lost {one.name}, which names it")

    def _granted(self, claim: str, lease: str, token: int) -> None:
        truth = self.watcher.truth
        if (lease, claim, token) not in truth.granted:
            self.blame("P2", f"{claim} was told {lease} token {token}, which never stood")
        earlier = self._told.get(claim, (lease, token))
        still = truth.leases.get(earlier[0])
        if (
            earlier != (lease, token)
            and still
            and (still.claim, still.token) == (claim, earlier[1])
        ):
            self.blame("P6", f"{claim} was told {earlier}, which stands, and now {(lease, token)}")
        self._told[claim] = (lease, token)
