// The first view: every node as a row, what needs attention first.

import { sample } from "./boxes.js";
import { h, show } from "./dom.js";
import { now } from "./draw.js";
import { Feed } from "./feed.js";
import { List } from "./list.js";
import { Lookup } from "./lookup.js";
import { Naming } from "./naming.js";
import { STATES, ordered, sums } from "./order.js";
import { cells } from "./row.js";
import { count, whole } from "./text.js";
import { go, link, read } from "./url.js";

const SAMPLES = new Map([
  ["held", "held"],
  ["unresponsive", "unresponsive"],
  ["over-limit", "draining"],
  ["free", "free"],
]);
const COLUMNS = [
  ["Node", "name"],
  ["Slots", ""],
  ["Held", ""],
  ["Waiting", "wait"],
  ["Limit comes from", ""],
];
const MOST_NAMED = 32; // slots of a node, for that
const FEW = 8; // nodes whose loads are named in the list
const CALM = 0.25; // seconds between two orderings of all nodes

/** The view; `draw` shows what is true now. */
export class NodesView {
  #seen = { version: -1, at: 0, address: "", found: [], total: null };

  constructor(store) {
    this.store = store;
    this.lookup = new Lookup();
    this.naming = new Naming(store);
    this.named = null;
    this.search = searchField();
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Show nodes that are" });
    this.told = h("div", { class: "told" });
    this.list = new List({
      label: "Nodes",
      head: h("div", { role: "row", "aria-rowindex": 1, class: "list-row-head" }),
      idOf: (node) => node.node,
      cellsOf: (node) => cells(node, this.named?.get(node.node)),
      open: (node) => go({ view: "node", node: node.node }),
    });
    this.empty = h("div", { class: "empty-place" });
    this.feed = new Feed(store);
    this.element = this.#layout();
    this.scrolled = () => this.list.draw();
    addEventListener("scroll", this.scrolled, { passive: true });
    this.resized = () => this.list.resized();
    addEventListener("resize", this.resized);
  }

  #layout() {
    const bar = h("div", { class: "toolbar" }, this.search, this.chips);
    const nodes = h(
      "section",
      { class: "nodes", "aria-label": "Nodes" },
      bar,
      this.told,
      this.list.element,
      this.empty,
    );
    return h(
      "div",
      { class: "split" },
      h("h1", { class: "unseen" }, "Nodes"),
      nodes,
      this.feed.element,
    );
  }

  /** Show what is true now. */
  draw() {
    const state = read();
    const { found, total } = this.#ordered(state);
    if (document.activeElement !== this.search) this.search.value = state.q;
    show(this.chips, chips(state, total), clearing(state));
    show(this.told, this.#telling(state, found, total));
    show(
      this.list.head.firstChild,
      COLUMNS.map((column) => heading(column, state)),
    );
    this.list.element.hidden = found.length === 0;
    const few = found.length <= FEW && found.every((node) => node.limit <= MOST_NAMED);
    this.named = this.naming.claims(state.pool, few ? found : []);
    this.list.set(found, { roomy: few });
    show(this.empty, found.length ? null : this.#nothing(state, total));
    this.feed.draw();
  }

  #ordered(state) {
    const { seen = this.#seen, at = now(), address = location.search } = {};
    const stale = seen.version !== this.store.version || at - seen.at > 2;
    const none = !seen.total?.nodes; // what was empty is not worth keeping for a moment
    if (seen.address !== address || (stale && (none || at - seen.at > CALM))) {
      const nodes = [...this.store.nodes.values()];
      const found = ordered(nodes, state, at);
      this.#seen = { version: this.store.version, at, address, found, total: sums(nodes, at) };
    } else if (stale) {
      this.#seen.found = seen.found.map((node) => this.store.nodes.get(node.node) ?? node);
    }
    return this.#seen;
  }

  #telling(state, found, total) {
    const claims = this.lookup.found(this.store, state);
    const narrowed = state.q || state.states.length;
    const sentence = this.store.pool?.why?.sentence;
    return [
      sentence && !narrowed
        ? h("p", { class: "pool-why", "data-testid": "pool-why", key: "why" }, sentence)
        : null,
      claims,
      narrowed && found.length
        ? h("p", { class: "hint" }, `${whole(found.length)} of ${count(total.nodes, "node")}`)
        : null,
    ];
  }

  #nothing(state, total) {
    const reading = !total.nodes && this.store.connection.state !== "live";
    if (reading) return h("p", { class: "empty" }, "Reading the nodes …");
    if (total.nodes) return nothingFound(state);
    return h(
      "div",
      { class: "empty" },
      h("h2", {}, "No nodes"),
      h(
        "p",
        {},
        "The coordinator knows no node of this cluster. It watches Nodes: see that its ClusterRole lets it list and watch them (",
        h("code", {}, "slot-coordinator install"),
        " prints one).",
      ),
    );
  }

  /** The view is left. */
  end() {
    this.naming.end();
    removeEventListener("scroll", this.scrolled);
    removeEventListener("resize", this.resized);
  }
}

function searchField() {
  const field = h("input", {
    type: "search",
    class: "search",
    "data-testid": "search",
    "aria-label": "Search nodes, rules, and claims by exact load, Pod or id",
    placeholder: "Search node or rule; or a load, Pod or claim",
    autocomplete: "off",
    spellcheck: "false",
  });
  field.value = read().q;
  field.addEventListener("input", () => go({ q: field.value }, { replace: true }));
  return field;
}

function chips(state, total) {
  return [...STATES].map(([name, { word }]) => {
    const on = state.states.includes(name);
    const states = on ? state.states.filter((each) => each !== name) : [...state.states, name];
    const number = total.states.get(name) ?? 0;
    return h(
      "a",
      {
        class: number ? "chip" : "chip none",
        key: name,
        href: link({ states }),
        "data-go": true,
        role: "button",
        "aria-pressed": on,
        "data-testid": `filter-${name}`,
      },
      SAMPLES.has(name) ? sample(SAMPLES.get(name)) : null,
      word,
      h("b", {}, whole(number)),
    );
  });
}

function clearing(state) {
  if (!state.states.length && !state.q) return null;
  return h(
    "a",
    { class: "chip clear", key: "clear", href: link({ states: [], q: "" }), "data-go": true },
    "Clear",
  );
}

function heading([word, sort], state) {
  const sorted = sort && state.sort === sort;
  const order = sorted ? (sort === "name" ? "ascending" : "descending") : null;
  const other = sorted ? "attention" : sort;
  const title = sorted ? "Sort by what needs attention" : `Sort by ${word.toLowerCase()}`;
  const inside = sort
    ? h(
        "a",
        { href: link({ sort: other }), "data-go": true, title },
        word,
        h(
          "span",
          { class: "arrow", "aria-hidden": "true" },
          sorted ? (sort === "name" ? " ↑" : " ↓") : "",
        ),
      )
    : word;
  return h(
    "div",
    {
      role: "columnheader",
      "aria-sort": order,
      class: `cell cell-${word.split(" ")[0].toLowerCase()}`,
    },
    inside,
  );
}

function nothingFound(state) {
  const words = state.states.map((name) => STATES.get(name)?.word ?? name).join(" or ");
  const text = state.q ? `“${state.q}”` : "";
  return h(
    "div",
    { class: "empty" },
    h("h2", {}, "No node matches"),
    h("p", {}, `No node is ${[words, text && `found by ${text}`].filter(Boolean).join(" and ")}. `),
    state.states.includes("queued") && !state.q
      ? h("p", {}, "Nobody waits: every claim that was made has its slot.")
      : null,
    h("p", {}, h("a", { href: link({ states: [], q: "" }), "data-go": true }, "Show all nodes")),
  );
}
