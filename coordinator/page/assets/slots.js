// The slots of one node: a row for each that somebody has, and the free ones together.

import { box, sample } from "./boxes.js";
import { h } from "./dom.js";
import { now } from "./draw.js";
import { table } from "./table.js";
import { age, count } from "./text.js";

const MOST_FREE = 60; // boxes
const QUIET = 30; // seconds of silence that every agent may take
const COLUMNS = [
  ["Slot", "narrow"],
  ["State", "narrow"],
  ["Load", ""],
  ["Pod", ""],
  ["Priority", "number"],
  ["Held for", "number"],
  ["Last heard", "number"],
];

/** What the node's slots hold. */
export function slotTable({ node, at, claims }) {
  const taken = node.slots.filter((slot) => !["free", "absent"].includes(slot.state));
  const free = Math.max(0, node.limit - taken.filter((slot) => slot.slot < node.limit).length);
  const passed = now() - at;
  return [
    taken.length
      ? table(
          "Slots",
          COLUMNS,
          taken.map((slot) => row(slot, node, claims, passed)),
        )
      : null,
    freeSlots(free, taken.length > 0),
    node.limit === 0 && !taken.length
      ? h("p", { class: "empty" }, "This node has no slots.")
      : null,
  ];
}

function row(slot, node, claims, passed) {
  const { holder } = slot;
  const state = stateOf(slot, node, claims);
  const heard =
    slot.silentSeconds === null || slot.silentSeconds === undefined
      ? null
      : slot.silentSeconds + passed;
  return {
    key: `${slot.slot} ${holder?.claim ?? ""}`,
    attributes: {
      class: state,
      "data-testid": "slot",
      "data-state": state,
      "data-slot": slot.slot,
    },
    cells: [
      h(
        "span",
        { title: `Lease ${slot.lease}, fencing token ${slot.fencingToken ?? "none"}` },
        slot.slot,
      ),
      [sample(state), h("span", { class: `word ${state}` }, state)],
      [name(slot), slot.detail && h("span", { class: "detail" }, slot.detail)],
      holder?.pod ?? "",
      holder?.priority ? holder.priority : "",
      holder?.heldSeconds === null || !holder ? "" : age(holder.heldSeconds + passed),
      heard === null
        ? ""
        : h(
            "span",
            { class: heard > QUIET ? "late" : "" },
            heard < QUIET ? "now" : `${age(heard)} ago`,
          ),
    ],
  };
}

function name({ holder, lease }) {
  if (!holder) return h("span", { class: "quiet" }, `Lease ${lease}`);
  return h("strong", { title: `claim ${holder.claim}` }, holder.load);
}

/** As the coordinator names the claim's state, else by the limit: what is above it drains. */
function stateOf(slot, node, claims) {
  const told = claims.get(slot.holder?.claim)?.state;
  if (told && told !== "queued") return told;
  return slot.state === "held" && slot.slot >= node.limit ? "draining" : slot.state;
}

function freeSlots(free, some) {
  if (!free) return null;
  const shown = Math.min(free, MOST_FREE);
  const boxes = Array.from({ length: shown }, () => box("free"));
  return h(
    "p",
    { class: "free-slots", key: "free" },
    h("span", { class: "boxes", "aria-hidden": "true" }, boxes),
    `${count(free, some ? "more slot is" : "slot is", some ? "more slots are" : "slots are")} free`,
  );
}
