// A search that names a load, a Pod or a claim finds where it holds or waits. The coordinator is
// asked; the page keeps no claims.

import { get, poolPath } from "./api.js";
import { h } from "./dom.js";
import { redraw } from "./draw.js";
import { age } from "./text.js";
import { link } from "./url.js";

const PAUSE = 300; // milliseconds after the last key
const SHORTEST = 3; // characters
const MOST = 8;

/** What the last text that was searched for names. */
export class Lookup {
  #asked = "";
  #claims = [];
  #timer;

  /** The claims that the text names, as an element, or null; asks for them when it is new. */
  found(store, { pool, q }) {
    const text = q.trim();
    if (text !== this.#asked) this.#begin(pool, text);
    if (!this.#claims.length) return null;
    return h("ul", { class: "claims", "aria-label": "Claims that match" }, this.#claims.map(line));
  }

  #begin(pool, text) {
    this.#asked = text;
    this.#claims = [];
    clearTimeout(this.#timer);
    if (text.length >= SHORTEST) this.#timer = setTimeout(() => this.#ask(pool, text), PAUSE);
  }

  async #ask(pool, text) {
    const answers = await Promise.allSettled(
      ["load", "pod", "claim"].map((field) =>
        get(poolPath(pool, "claims"), [
          [field, text],
          ["limit", MOST],
        ]),
      ),
    );
    if (text !== this.#asked) return;
    const claims = answers.flatMap((answer) => answer.value?.claims ?? []);
    this.#claims = [
      ...new Map(claims.map((claim) => [`${claim.node} ${claim.claim}`, claim])).values(),
    ].slice(0, MOST);
    redraw();
  }
}

function line(claim) {
  const place =
    claim.state === "queued"
      ? `waits at position ${claim.position}`
      : `${claim.state} in slot ${claim.slot}`;
  const since = age(claim.waitedSeconds ?? claim.heldSeconds);
  return h(
    "li",
    { key: `${claim.node} ${claim.claim}` },
    h("strong", {}, claim.load),
    ` ${place} of `,
    h(
      "a",
      { href: link({ view: "node", node: claim.node, q: "", states: [] }), "data-go": true },
      claim.node,
    ),
    since ? ` for ${since}` : "",
    claim.pod ? h("span", { class: "quiet" }, ` Pod ${claim.pod}`) : null,
  );
}
