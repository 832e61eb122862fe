// Who holds and who waits on a handful of nodes, for the list to name them.

import { get, poolPath } from "./api.js";
import { now } from "./draw.js";
import { Poll } from "./poll.js";

const PAGE = 500;

/** The claims of the nodes last asked for; nudged by what happens on them. */
export class Naming {
  #key = "";
  #poll = null;

  constructor(store) {
    this.store = store;
    this.heard = (name, data) => this.#hear(name, data);
    store.listen(this.heard);
  }

  /** The claims of these nodes by node; null until they are known. No nodes: no claims are asked for. */
  claims(pool, nodes) {
    const key = nodes.length ? [pool, ...nodes.map((node) => node.node).sort()].join(" ") : "";
    if (key !== this.#key) this.#begin(key, pool, nodes);
    const read = this.#poll?.value;
    return read && new Map(nodes.map(({ node }) => [node, aged(read, node)]));
  }

  /** Ask no more. */
  end() {
    this.#poll?.end();
    this.store.ignore(this.heard);
  }

  /** What happened is shown at once; the next answer is what counts. */
  #hear(name, data) {
    if (!this.#poll || !this.#key.split(" ").includes(data.node)) return;
    const read = this.#poll.value;
    if (read) this.#poll.value = { ...read, claims: after(read, name, data) };
    this.#poll.nudge();
  }

  #begin(key, pool, nodes) {
    this.#key = key;
    this.#poll?.end();
    const query = [["limit", PAGE], ...nodes.map(({ node }) => ["node", node])];
    this.#poll = key
      ? new Poll(async () => ({ ...(await get(poolPath(pool, "claims"), query)), at: now() }))
      : null;
  }
}

/** The claims with what happened: who left, and who has the slot now. */
function after({ claims, at }, name, data) {
  if (!["grant", "handover", "release"].includes(name)) return claims;
  const others = claims.filter(
    ({ node, slot, claim }) => node !== data.node || (slot !== data.slot && claim !== data.claim),
  );
  if (name === "release") return others;
  const { node, slot, claim, load, pod } = data;
  const held = { node, slot, claim, load, pod, state: "held", heldSeconds: at - now() };
  return [...others, held].sort((one, two) => (one.slot ?? Infinity) - (two.slot ?? Infinity));
}

function aged({ claims, at }, node) {
  const passed = now() - at;
  return claims.filter((claim) => claim.node === node).map((claim) => ({ ...claim, passed }));
}
