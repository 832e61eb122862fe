// The queue of one node: who waits, for how long, and for how long still.

import { h } from "./dom.js";
import { now } from "./draw.js";
import { table } from "./table.js";
import { age, estimate } from "./text.js";

const COLUMNS = [
  ["Position", "narrow"],
  ["Load", ""],
  ["Pod", ""],
  ["Priority", "number"],
  ["Waits for", "number"],
  ["Likely still", "nowrap"],
  ["Explained", "narrow"],
];

/** Who waits, in order; `asked` are the claims whose whole explanation is shown. */
export function queueTable({ node, at, claims, whys }, asked) {
  const passed = now() - at;
  const rows = node.queue.map((waiting) =>
    row(waiting, claims.get(waiting.claim), whys.get(waiting.claim), asked, passed),
  );
  return h(
    "div",
    { "data-testid": "queue" },
    rows.length ? table("Queue", COLUMNS, rows) : nobody(node),
  );
}

function row(waiting, claim, why, asked, passed) {
  const open = asked.has(waiting.claim);
  const waited = waiting.waitedSeconds ?? claim?.waitedSeconds ?? why?.waitedSeconds;
  return {
    key: waiting.claim,
    attributes: { "data-claim": waiting.claim },
    cells: [
      waiting.position,
      [
        h("strong", { title: `claim ${waiting.claim}` }, waiting.load),
        !waiting.present && absent(),
        open && explained(why),
      ],
      waiting.pod ?? "",
      waiting.priority || "",
      waited === null || waited === undefined ? "" : age(waited + passed),
      h("span", {}, likely(why)),
      button(waiting, open),
    ],
  };
}

function absent() {
  return h(
    "span",
    {
      class: "tag",
      title:
        "Nobody asked for this claim in the last 15 seconds: it is passed over until somebody does.",
    },
    "not asking",
  );
}

function likely(why) {
  if (!why) return "";
  return why.estimate
    ? estimate(why.estimate)
    : h("span", { class: "quiet", title: why.estimateAbsent || null }, "unknown");
}

function explained(why) {
  return h("span", { class: "detail" }, why?.sentence ?? "…");
}

function button({ claim, load }, open) {
  return h(
    "button",
    {
      type: "button",
      class: "small",
      "data-claim": claim,
      "aria-expanded": open,
      "aria-label": `Why ${load} waits`,
    },
    "Why",
  );
}

function nobody(node) {
  const free = node.limit - node.held;
  const more =
    free > 0 && !node.hold
      ? ` The next ${free === 1 ? "claim gets its slot" : `${free} claims get their slots`} at once.`
      : "";
  return h("p", { class: "empty" }, `Nobody waits for this node.${more}`);
}
