// Slots as boxes. Each state has a shape, a colour and a word of its own.

import { h } from "./dom.js";

const MOST_BOXES = 16;

/** The states of a slot, in the order in which they are told, and what each means. */
export const SLOT_STATES = new Map([
  ["held", "a load runs in it"],
  ["unresponsive", "its holder is silent and cannot be shown to have ended"],
  ["draining", "held above the limit; not given again once it is released"],
  ["releasing", "being taken from its holder"],
  ["blocked", "its Lease's name is somebody else's"],
  ["free", "nobody has it"],
]);

/** One slot's box. */
export function box(state) {
  return h("span", {
    class: "box",
    "data-testid": "slot",
    "data-state": state,
    title: titleOf(state),
  });
}

/** A box that only explains: no slot. */
export function sample(state) {
  return h("span", {
    class: "box",
    "data-state": state,
    "aria-hidden": "true",
    title: titleOf(state),
  });
}

function titleOf(state) {
  return `${state}: ${SLOT_STATES.get(state)}`;
}

/** How many slots of a node are in each state: [state, number] where there are any. */
export function tally(node) {
  const unresponsive = node.unresponsive ?? 0;
  const draining = Math.max(
    0,
    Math.min(node.draining ?? node.held - node.limit, node.held - unresponsive),
  );
  const found = [
    ["held", node.held - unresponsive - draining],
    ["unresponsive", unresponsive],
    ["draining", draining],
    ["free", Math.max(0, node.limit - node.held)],
  ];
  return found.filter(([, number]) => number > 0);
}

/** "2 held, 1 free", for those who see no boxes. */
export function inWords(node) {
  const told = tally(node).map(([state, number]) => `${number} ${state}`);
  return told.join(", ") || "no slots";
}

/** All slots of a node: a box each, or a bar of a fixed number of cells where they are many. */
export function boxes(node) {
  const found = tally(node);
  const total = found.reduce((sum, [, number]) => sum + number, 0);
  const label = { role: "img", "aria-label": inWords(node), title: inWords(node) };
  if (total > MOST_BOXES) return h("span", { class: "boxes bar", ...label }, cells(found, total));
  return h(
    "span",
    { class: "boxes", ...label },
    found.map(([state, number]) => Array.from({ length: number }, () => box(state))),
  );
}

/** Cells by share; a state that has one slot of a thousand has a cell all the same. */
function cells(found, total) {
  return found.map(([state, number]) => {
    const length = Math.max(1, Math.round((number / total) * MOST_BOXES));
    return Array.from({ length }, () => box(state));
  });
}
