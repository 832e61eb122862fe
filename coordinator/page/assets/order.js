// Which nodes are shown, and in which order. Pure functions over NodeSummaryJson.

import { longestWait } from "./store.js";

/** What nodes can be filtered by, as the API's `state` has it, and the word for it. */
export const STATES = new Map([
  ["queued", { word: "waiting", has: (node) => node.queued > 0 }],
  ["unresponsive", { word: "unresponsive", has: (node) => node.unresponsive > 0 }],
  ["over-limit", { word: "over limit", has: (node) => node.held > node.limit }],
  ["on-hold", { word: "on hold", has: (node) => node.hold !== "" }],
  ["full", { word: "full", has: (node) => node.held >= node.limit }],
  ["held", { word: "in use", has: (node) => node.held > 0 }],
  ["free", { word: "free slots", has: (node) => node.held < node.limit }],
]);

const STEPS = [3600, 1200, 300, 60, 10]; // seconds; see `step`

/** Whether the node is among those asked for: any of the states, and the text in name or rule. */
export function asked(node, text, states) {
  if (states.length && !states.some((state) => STATES.get(state)?.has(node))) return false;
  return (
    !text ||
    [node.node, node.decidedBy, node.hold].some((part) => part?.toLowerCase().includes(text))
  );
}

/** The nodes asked for, in the order asked for. */
export function ordered(nodes, { q, states, sort }, at) {
  const text = q.trim().toLowerCase();
  const found = [];
  for (const node of nodes) {
    if (asked(node, text, states)) found.push({ node, rank: rank(node, sort, at) });
  }
  found.sort((a, b) => a.rank - b.rank || compareNames(a.node.node, b.node.node));
  return found.map(({ node }) => node);
}

function rank(node, sort, at) {
  if (sort === "name") return 0;
  if (sort === "wait") return -longestWait(node, at);
  if (node.unresponsive) return 0;
  if (node.held > node.limit) return 1;
  return 2 + step(longestWait(node, at), node.queued);
}

/**
 * Waits in steps, the longest first: rows that changed places with every second that passes could
 * not be read.
 */
function step(seconds, queued) {
  if (!queued) return STEPS.length + 1;
  const found = STEPS.findIndex((atLeast) => seconds >= atLeast);
  return found < 0 ? STEPS.length : found;
}

const collator = new Intl.Collator("en", { numeric: true });
/** node2 comes before node10. */
export const compareNames = collator.compare;

/** Sums over the nodes, and how many of them are in each state. */
export function sums(nodes, at) {
  const found = {
    nodes: 0,
    limit: 0,
    held: 0,
    queued: 0,
    unresponsive: 0,
    longest: 0,
    states: new Map(),
  };
  for (const node of nodes) {
    found.nodes += 1;
    found.limit += node.limit;
    found.held += node.held;
    found.queued += node.queued;
    found.unresponsive += node.unresponsive ?? 0;
    found.longest = Math.max(found.longest, longestWait(node, at));
    for (const [state, { has }] of STATES) {
      if (has(node)) found.states.set(state, (found.states.get(state) ?? 0) + 1);
    }
  }
  return found;
}
