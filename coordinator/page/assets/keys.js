// The keys that work everywhere, and the dialog that tells of them and of the boxes.

import { SLOT_STATES, sample } from "./boxes.js";
import { h } from "./dom.js";
import { go, read } from "./url.js";

const KEYS = [
  ["/", "search"],
  ["↑ ↓ Home End PgUp PgDn", "move in the list of nodes"],
  ["Enter", "open the node"],
  ["Esc", "leave the search, go back to the nodes"],
  ["n c e", "nodes, config, events"],
  ["?", "this"],
];
const VIEWS = { n: "nodes", c: "config", e: "events" };

/** Listen to them; the dialog is shown in `dialog`. Returns what opens it. */
export function listenToKeys(dialog) {
  fill(dialog);
  addEventListener("keydown", (event) => pressed(event, dialog));
  return () => dialog.showModal();
}

function pressed(event, dialog) {
  if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key === "Escape") escape(typing);
  else if (typing) return;
  else if (event.key === "/") search(event);
  else if (event.key === "?") dialog.showModal();
  else if (VIEWS[event.key]) go({ view: VIEWS[event.key], node: "", q: "", states: [] });
}

function search(event) {
  event.preventDefault();
  if (!field()) go({ view: "nodes" });
  field()?.focus();
}

function field() {
  return document.querySelector("[data-testid=search]");
}

function escape(typing) {
  if (typing?.type === "search") {
    if (typing.value) go({ q: "" }, { replace: true });
    typing.value = "";
    document.querySelector("[role=grid]")?.focus();
  } else if (typing) typing.blur();
  else if (read().view === "node") go({ view: "nodes" });
}

function fill(dialog) {
  const close = h("button", { type: "button", class: "primary", autofocus: true }, "Close");
  close.addEventListener("click", () => dialog.close());
  dialog.append(
    h("h2", { id: "keys-title" }, "Keys"),
    h(
      "dl",
      { class: "keys" },
      KEYS.map(([key, does]) => [
        h(
          "dt",
          {},
          key.split(" ").map((one) => h("kbd", {}, one)),
        ),
        h("dd", {}, does),
      ]),
    ),
    h("h2", {}, "Boxes"),
    h(
      "dl",
      { class: "legend" },
      [...SLOT_STATES].map(([state, meaning]) => [
        h("dt", {}, sample(state), state),
        h("dd", {}, meaning),
      ]),
    ),
    close,
  );
}
