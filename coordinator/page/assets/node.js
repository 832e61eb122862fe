// One node: why it is as it is, its slots, its queue, what happens on it.

import { Refused, get, poolPath } from "./api.js";
import { h, show } from "./dom.js";
import { now } from "./draw.js";
import { Feed } from "./feed.js";
import { notice } from "./notice.js";
import { Poll } from "./poll.js";
import { queueTable } from "./queue.js";
import { slotTable } from "./slots.js";
import { age, count } from "./text.js";
import { link } from "./url.js";

const EXPLAINED = 3; // claims at the head of the queue whose wait is explained unasked

/** The view of the node `name`; `draw` shows what is true now. */
export class NodeView {
  #asked = new Set();

  constructor(store, { pool, node }) {
    this.store = store;
    this.name = node;
    this.poll = new Poll((before) => this.#read(pool, before));
    this.mine = (_, data) => data.node === node && this.poll.nudge();
    this.feed = new Feed(store, {
      title: "On this node",
      wanted: ({ data }) => data.node === node,
      empty: "Nothing happened on this node since the page was opened.",
    });
    this.main = h("div", { class: "page", "data-testid": "node-view", "data-node": node });
    this.main.addEventListener("click", (event) => this.#clicked(event));
    this.element = h("div", { class: "split" }, this.main, this.feed.element);
    store.listen(this.mine);
  }

  /** Show what is true now. */
  draw() {
    const { value, error } = this.poll;
    show(this.main, this.#head(), error && trouble(error, value), value && this.#body(value));
    this.feed.draw();
  }

  /** The view is left. */
  end() {
    this.poll.end();
    this.store.ignore(this.mine);
  }

  async #read(pool, before) {
    const [node, claims] = await Promise.all([
      get(poolPath(pool, "nodes", this.name)),
      get(poolPath(pool, "claims"), [
        ["node", this.name],
        ["limit", 500],
      ]).catch(() => ({ claims: [] })),
    ]);
    const ids = node.queue.filter(
      ({ claim, position }) => position <= EXPLAINED || this.#asked.has(claim),
    );
    const whys = await Promise.all(
      ids.map(({ claim }) => this.#why(pool, claim, before?.whys.get(claim))),
    );
    return {
      node,
      at: now(),
      claims: new Map(claims.claims.map((claim) => [claim.claim, claim])),
      whys: new Map(ids.map(({ claim }, index) => [claim, whys[index]])),
    };
  }

  /** Why the claim waits; what was known before, when it cannot be told right now. */
  async #why(pool, claim, before) {
    try {
      return (await get(poolPath(pool, "nodes", this.name, "claims", claim))).why ?? null;
    } catch (error) {
      return before ?? (error instanceof Refused ? { sentence: error.message } : null);
    }
  }

  #clicked(event) {
    const claim = event.target.closest("button[data-claim]")?.dataset.claim;
    if (!claim) return;
    if (!this.#asked.delete(claim)) this.#asked.add(claim);
    this.poll.nudge();
  }

  #head() {
    return h(
      "div",
      { class: "page-head", key: "head" },
      h("a", { class: "back", href: link({ view: "nodes" }), "data-go": true }, "← Nodes"),
      h("h1", {}, this.name),
    );
  }

  #body(read) {
    const { node } = read;
    return [
      why(node),
      facts(node),
      section("Slots", `${node.held} of ${node.limit} held`, slotTable(read)),
      section(
        "Queue",
        node.queue.length ? `${count(node.queue.length, "claim")} waiting` : "",
        queueTable(read, this.#asked),
      ),
    ];
  }
}

function trouble(error, value) {
  const unknown = error instanceof Refused && error.status === 404;
  const stale = value ? "This may be out of date" : "This node cannot be shown";
  return notice("bad", unknown ? "No such node" : stale, error.message);
}

function why({ why: told, hold, slots, queue }) {
  if (!told) return null;
  const absent = queue.length > 0 && !told.nextGrant && told.estimateAbsent;
  return h(
    "div",
    {
      class: hold || slots.some(({ state }) => state === "unresponsive") ? "why warn" : "why",
      "data-testid": "why",
      "data-code": told.code,
      key: "why",
    },
    h("p", { class: "sentence" }, told.sentence),
    absent ? h("p", { class: "more" }, `No estimate: ${absent}.`) : null,
  );
}

function facts(node) {
  const typical = node.why?.typicalHeld;
  const cap = node.nodeCap;
  const told = [
    ["Limit", [h("b", {}, node.limit), h("span", { class: "rule" }, ` ${node.decidedBy}`)]],
    node.hold && ["On hold", node.hold],
    beaten(node).length > 0 && ["Matches as well", list(beaten(node))],
    node.skipped.length > 0 && ["Has no say", skipped(node)],
    node.restoreHeadroom && ["Kept for restores", count(node.restoreHeadroom, "slot")],
    cap && ["All pools together", `${sum(Object.values(cap.taken))} of ${cap.cap}`],
    typical && [
      "A load holds",
      `${age(typical.seconds)} (${age(typical.lowSeconds)} to ${age(typical.highSeconds)}), from ${count(typical.samples, "load")}`,
    ],
  ];
  return h(
    "dl",
    { class: "facts", key: "facts" },
    told.filter(Boolean).map(([term, fact]) => [h("dt", {}, term), h("dd", {}, fact)]),
  );
}

function beaten({ matched, decidedBy }) {
  return matched.filter((rule) => rule !== decidedBy);
}

/** There may be a hundred of them, so they are told on demand. */
function skipped({ skipped: rules }) {
  const lines = rules.map(({ rule, reason }) => h("span", {}, h("b", {}, rule), ` ${reason}`));
  return h("details", {}, h("summary", {}, count(rules.length, "rule")), list(lines));
}

function sum(numbers) {
  return numbers.reduce((all, one) => all + one, 0);
}

function list(lines) {
  return h(
    "ul",
    { class: "plain" },
    lines.map((line) => h("li", {}, line)),
  );
}

function section(title, aside, content) {
  return h(
    "section",
    { class: "panel", key: title },
    h("div", { class: "panel-head" }, h("h2", {}, title), h("span", { class: "quiet" }, aside)),
    content,
  );
}
