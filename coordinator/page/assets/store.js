// The picture of one pool: its nodes by name, as they were last told. Nothing is counted here;
// each number is the coordinator's own, so none can drift.

import { now, redraw } from "./draw.js";

const KEPT = 500; // happenings

/** The nodes and the latest happenings of a pool, and how the connection is. */
export class Store {
  nodes = new Map();
  /** What happened since the page was opened, newest first. */
  happenings = [];
  /** Grows with every change of the nodes. */
  version = 0;
  /** live, connecting or lost; since when; why; when it is tried again. */
  connection = { state: "connecting", since: now(), why: "", next: 0 };
  /** When the picture was last known to be complete, by `now()` and by the wall; null: never. */
  current = null;
  /** The pool's own report, PoolJson. */
  pool = null;
  #loading = null;
  #whole = false; // whether there was a complete picture: a part of one would look like all
  #listeners = [];

  /** Have `listener` called with each happening and each node's change: (name, data). */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** Call it no more. */
  ignore(listener) {
    this.#listeners = this.#listeners.filter((each) => each !== listener);
  }

  /** Forget everything: another pool. */
  clear() {
    this.nodes = new Map();
    this.happenings = [];
    this.pool = null;
    this.current = null;
    this.#loading = null;
    this.#whole = false;
    this.#changed();
  }

  /** A new picture begins; the old one is shown until it is complete. */
  beginLoading() {
    this.#loading = { nodes: new Map(), told: new Set() };
  }

  /** A page of the new picture. What was told of a node meanwhile counts more. */
  loaded(summaries) {
    for (const summary of summaries) {
      if (!this.#loading.told.has(summary.node))
        this.#loading.nodes.set(summary.node, stamped(summary));
    }
  }

  /** The new picture is complete. */
  endLoading() {
    this.nodes = this.#loading.nodes;
    this.#loading = null;
    this.#whole = true;
    this.#changed();
  }

  /** A node's numbers changed. */
  tell(summary) {
    const node = stamped(summary);
    if (this.#whole) this.nodes.set(summary.node, node);
    this.#loading?.nodes.set(summary.node, node);
    this.#loading?.told.add(summary.node);
    this.#changed();
    this.#listeners.forEach((listener) => listener("node", summary));
  }

  /** Something happened. */
  happened(name, data, id) {
    this.happenings.unshift({ name, data, id, key: id || `${name}-${now()}` });
    if (this.happenings.length > KEPT) this.happenings.length = KEPT;
    redraw();
    this.#listeners.forEach((listener) => listener(name, data));
  }

  /** The connection is as told. */
  connected(change) {
    const since = change.state === this.connection.state ? this.connection.since : now();
    this.connection = { why: "", next: 0, ...change, since };
    redraw();
  }

  /** The stream spoke: what is shown is what is true. */
  heard() {
    this.current = { at: now(), wall: Date.now() };
  }

  #changed() {
    this.version += 1;
    redraw();
  }
}

function stamped(summary) {
  return { ...summary, at: now() };
}

/** How long a node's oldest claim waits by now, in seconds; 0 where nobody waits. */
export function longestWait(node, at = now()) {
  if (!node.queued) return 0;
  return (node.longestWaitSeconds ?? 0) + (at - node.at);
}
