// What stands on every view: which pool, its sums, how fresh the picture is, where else to go.

import { hasToken } from "./api.js";
import { h, show } from "./dom.js";
import { now } from "./draw.js";
import { sums } from "./order.js";
import { age, clock, whole } from "./text.js";
import { go, link, read } from "./url.js";

const VIEWS = [
  ["nodes", "Nodes"],
  ["config", "Config"],
  ["events", "Events"],
];
const STALE = 5; // seconds after which a lost connection tells how old the picture is

/** The header in `element`. `actions` has `retry`, `logOut` and `showKeys`. */
export class Header {
  constructor(element, store, actions) {
    this.element = element;
    this.store = store;
    new ResizeObserver(() => tellHeight(element)).observe(element);
    element.addEventListener("click", (event) => {
      const action = event.target.closest("button[data-action]")?.dataset.action;
      if (action === "theme") window.nodeSlotsTheme.next();
      else if (action) actions[action]();
      this.draw();
    });
    element.addEventListener("change", (event) => {
      if (event.target.matches("select"))
        go({ pool: event.target.value, view: "nodes", node: "", q: "", states: [] });
    });
  }

  /** Show what is true now; `pools` are the names that may be chosen. */
  draw(pools = this.pools ?? []) {
    this.pools = pools;
    const { pool, view } = read();
    const known = pools.length > 0;
    show(
      this.element,
      h(
        "div",
        { class: "brand" },
        h(
          "a",
          { href: link({ view: "nodes", q: "", states: [] }), "data-go": true },
          h("span", { class: "mark", "aria-hidden": "true" }),
          "node-slots",
        ),
      ),
      known && poolSelect(pools, pool),
      known && totals(this.store),
      known && connection(this.store),
      h("div", { class: "buttons" }, buttons()),
      known &&
        h(
          "nav",
          { "aria-label": "Views" },
          VIEWS.map((each) => tab(each, view)),
        ),
    );
    const select = this.element.querySelector("select");
    if (select && select.value !== pool) select.value = pool;
  }
}

/** What sticks below the header has to know where that ends. */
function tellHeight({ offsetHeight }) {
  document.documentElement.style.setProperty("--header", `${offsetHeight}px`);
}

function poolSelect(pools, pool) {
  const options = pools.map((name) => h("option", { value: name, selected: name === pool }, name));
  return h(
    "label",
    { class: "pool" },
    h("span", {}, "Pool"),
    h("select", { "aria-label": "Pool", "data-testid": "pool-select", key: pools.join() }, options),
  );
}

function totals(store) {
  const found = sums(store.nodes.values(), now());
  return h(
    "dl",
    { class: "totals" },
    total("Held", [
      h("b", { "data-testid": "total-held" }, whole(found.held)),
      " of ",
      h("span", { "data-testid": "total-limit" }, whole(found.limit)),
    ]),
    total("Waiting", h("b", { "data-testid": "total-queued" }, whole(found.queued))),
    total(
      "Oldest wait",
      h("b", {}, found.queued ? age(found.longest) : "–"),
      found.longest >= 1800 ? "warn" : "",
    ),
    total(
      "Unresponsive",
      h("b", { "data-testid": "total-unresponsive" }, whole(found.unresponsive)),
      found.unresponsive ? "bad" : "",
    ),
  );
}

function total(term, fact, kind = "") {
  return h("div", { class: `total ${kind}` }, h("dt", {}, term), h("dd", {}, fact));
}

function connection({ connection: found, current }) {
  return h(
    "div",
    { class: `connection ${found.state}`, "data-testid": "connection", "data-state": found.state },
    h("span", { class: "lamp", "aria-hidden": "true" }),
    h("span", {}, words(found, current)),
    found.state === "lost" &&
      h("button", { type: "button", class: "small", "data-action": "retry" }, "Try now"),
  );
}

function words({ state, why, next }, current) {
  if (state === "live") return "Live";
  if (state === "connecting") return "Connecting …";
  const wait = Math.max(0, Math.ceil(next - now()));
  const old = current && now() - current.at > STALE ? ` This is from ${clock(current.wall)}.` : "";
  return `Lost: ${why}.${old} ${wait ? `Trying again in ${wait} s.` : "Trying again …"}`;
}

function buttons() {
  const theme = window.nodeSlotsTheme.choice;
  return [
    h(
      "button",
      {
        type: "button",
        class: "icon",
        "data-action": "theme",
        "data-testid": "theme-toggle",
        title: "System, light or dark",
        "aria-label": `Theme: ${theme}`,
      },
      "◐",
      h("span", { class: "label" }, ` ${theme}`),
    ),
    h(
      "button",
      {
        type: "button",
        class: "icon",
        "data-action": "showKeys",
        "aria-keyshortcuts": "?",
        title: "Keys and boxes (?)",
        "aria-label": "Keys and boxes",
      },
      "?",
    ),
    hasToken() &&
      h("button", { type: "button", class: "icon", "data-action": "logOut" }, "Log out"),
  ];
}

function tab([view, word], current) {
  const here = view === current || (view === "nodes" && current === "node");
  return h(
    "a",
    {
      href: link({ view, q: "", states: [] }),
      "data-go": true,
      "aria-current": here ? "page" : null,
    },
    word,
  );
}
