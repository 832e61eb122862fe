// One node as a row of the list. Where there are few, each slot is named by the load that has it.

import { box, boxes, tally } from "./boxes.js";
import { h } from "./dom.js";
import { longestWait } from "./store.js";
import { age, count, whole } from "./text.js";
import { link } from "./url.js";

const NAMED_WAITING = 2;

/** The cells of a node's row; `claims` are the node's claims, where they are to be named. */
export function cells(node, claims) {
  return [
    cell(
      "node",
      h(
        "a",
        {
          class: "name",
          href: link({ view: "node", node: node.node }),
          "data-go": true,
          tabindex: -1,
          title: node.node,
        },
        node.node,
      ),
    ),
    cell("slots", claims ? named(node, claims) : boxes(node)),
    cell("held", held(node)),
    cell("waiting", queue(node, claims), { "data-testid": "queue" }),
    cell(
      "limit",
      [
        node.hold && h("span", { class: "tag", title: node.hold }, `on hold: ${node.hold}`),
        ` ${node.decidedBy ?? ""}`,
      ],
      { title: node.decidedBy },
    ),
  ];
}

function cell(name, content, more = {}) {
  return h("div", { role: "gridcell", class: `cell cell-${name}`, ...more }, content);
}

function held(node) {
  const attention = tally(node).filter(
    ([state]) => state === "unresponsive" || state === "draining",
  );
  return [
    h("span", { class: "numbers" }, h("b", {}, whole(node.held)), " of ", whole(node.limit)),
    attention.map(([state, number]) =>
      h("span", { class: `word ${state}` }, `${number} ${state}`),
    ),
    node.hold && h("span", { class: "word draining", title: node.hold }, "on hold"),
  ];
}

function queue(node, claims) {
  if (!node.queued) return h("span", { class: "quiet nobody" }, "none");
  const oldest = longestWait(node);
  const waiting = claims?.filter(({ state }) => state === "queued").slice(0, NAMED_WAITING) ?? [];
  return [
    h("b", {}, whole(node.queued)),
    h("span", { class: "unit" }, " waiting"),
    h("span", { class: "oldest" }, oldest ? `oldest ${age(oldest)}` : ""),
    waiting.map(({ claim, load }, index) =>
      h("span", { class: "next", key: claim, title: load }, `${index + 1}. ${load}`),
    ),
  ];
}

/** A box and a load for each slot that somebody has, then the free ones. */
function named(node, claims) {
  const holders = claims.filter(({ state }) => state !== "queued");
  const free = Math.max(0, node.limit - holders.length);
  return h(
    "ul",
    { class: "named" },
    holders.map((claim) =>
      h(
        "li",
        { key: claim.claim, title: claim.pod ? `${claim.load}, Pod ${claim.pod}` : claim.load },
        box(claim.state),
        h("span", { class: "load" }, claim.load),
        h("span", { class: "quiet" }, age(claim.heldSeconds + claim.passed)),
      ),
    ),
    free > 0 &&
      h(
        "li",
        { key: "free" },
        boxes({ node: node.node, held: 0, limit: free }),
        h("span", { class: "quiet" }, count(free, "free slot")),
      ),
  );
}
