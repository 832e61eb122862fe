// What happens, as it happens. Newest first; it can be stopped to be read.

import { h, show } from "./dom.js";
import { redraw } from "./draw.js";
import { brief, age, clock } from "./text.js";
import { link } from "./url.js";

const SHOWN = 60;
const EMPTY = "Nothing yet. Grants, hand-overs and releases appear here as they happen.";

/** The stream of happenings; `wanted(happening)` picks those that are shown. */
export class Feed {
  #stopped = null; // what is shown while it is stopped

  constructor(store, { wanted = () => true, title = "Live", empty = EMPTY } = {}) {
    Object.assign(this, { store, wanted, empty });
    this.items = h("ol", {
      class: "feed",
      "data-testid": "feed",
      tabindex: 0,
      "aria-label": "What happens",
    });
    this.button = h("button", { type: "button", class: "small" });
    this.button.addEventListener("click", () => this.#toggle());
    this.element = h(
      "aside",
      { class: "panel feed-panel", "aria-label": title },
      h("div", { class: "panel-head" }, h("h2", {}, title), this.button),
      this.items,
    );
  }

  /** Show what happened by now. */
  draw() {
    const all = this.#stopped ?? this.#found();
    const none = h("li", { class: "quiet", key: "none" }, this.empty);
    this.button.setAttribute("aria-pressed", this.#stopped !== null);
    show(this.button, this.#stopped ? "Go on" : "Stop");
    show(this.items, all.length ? all.slice(0, SHOWN).map(item) : none);
  }

  #found() {
    return this.store.happenings.filter(this.wanted);
  }

  #toggle() {
    this.#stopped = this.#stopped ? null : this.#found();
    redraw();
  }
}

function item({ name, data, key }) {
  const [what, more] = (SENTENCES[name] ?? SENTENCES.other)(data);
  return h(
    "li",
    { key, class: `feed-item ${name}`, "data-testid": "feed-item", "data-event": name },
    h("time", { datetime: data.at }, clock(data.at)),
    h("span", { class: "kind" }, name === "handover" ? "hand-over" : name),
    h("span", { class: "what" }, what),
    h(
      "span",
      { class: "more" },
      more.filter(Boolean).flatMap((part, index) => [index ? " · " : "", h("span", {}, part)]),
    ),
  );
}

/** Each kind: what happened, and what more there is to say. */
const SENTENCES = {
  grant: (data) => [h("strong", {}, data.load), [place(data), waited(data)]],
  handover: (data) => [
    [h("span", {}, data.from.load), h("span", { class: "to" }, " → "), h("strong", {}, data.load)],
    [place(data), waited(data), taken(data)],
  ],
  release: (data) => [h("span", {}, data.load), [place(data), held(data)]],
  reclaim: (data) => [
    h("strong", {}, data.load),
    [place(data), `taken back: ${data.reason || data.cause}`],
  ],
  limit: (data) => [
    h("strong", {}, `limit ${data.before} → ${data.after}`),
    [node(data), data.rule],
  ],
  hold: (data) => [
    h("strong", {}, data.reason ? `on hold: ${data.reason}` : "no longer on hold"),
    [node(data)],
  ],
  config: (data) => [
    h("strong", {}, data.error ? "ConfigMap refused" : "ConfigMap in force"),
    [data.error],
  ],
  other: (data) => ["", [data.node ? node(data) : null]],
};

function node(data) {
  return h(
    "a",
    { href: link({ view: "node", node: data.node, q: "", states: [] }), "data-go": true },
    data.node,
  );
}

function place(data) {
  return [node(data), ` slot ${data.slot}`];
}

function waited({ waitedSeconds }) {
  return waitedSeconds >= 1 ? `waited ${age(waitedSeconds)}` : "";
}

function held({ heldSeconds }) {
  return heldSeconds === null || heldSeconds === undefined ? "" : `held ${age(heldSeconds)}`;
}

function taken({ handoverSeconds }) {
  return handoverSeconds === undefined ? "" : `in ${brief(handoverSeconds)}`;
}

/** The stream as a view of its own; the search in the address picks by any name in it. */
export class EventsView {
  constructor(store, read) {
    const wanted = ({ data }) => mentions(data, read().q);
    this.feed = new Feed(store, { title: "Events", wanted });
    const title = h("h1", { class: "unseen" }, "Events");
    this.element = h("div", { class: "page" }, title, this.feed.element);
  }

  draw() {
    this.feed.draw();
  }

  end() {}
}

function mentions(data, q) {
  const text = q.trim().toLowerCase();
  const names = [
    data.node,
    data.load,
    data.pod,
    data.claim,
    data.from?.load,
    data.from?.pod,
    data.from?.claim,
  ];
  return !text || names.some((name) => name?.toLowerCase().includes(text));
}
