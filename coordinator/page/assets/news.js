// What a screen reader is told unasked: the connection, refused configs, silent holders. Never
// grants: on a busy cluster nobody could hear anything else.

const APART = 5000; // milliseconds between two announcements

/** Tells `element`'s listeners what changed in what matters; `look` is called now and then. */
export class News {
  #told = {};
  #last = 0;

  constructor(element, store) {
    this.element = element;
    this.store = store;
  }

  /** Announce what changed since the last look, unless something was announced just now. */
  look() {
    if (performance.now() - this.#last < APART) return;
    const now = this.#facts();
    const said = Object.keys(now).filter(
      (name) => name in this.#told && now[name] !== this.#told[name] && now[name],
    );
    this.#told = now;
    if (!said.length) return;
    this.#last = performance.now();
    this.element.textContent = said.map((name) => now[name]).join(" ");
  }

  #facts() {
    const { connection, pool, nodes } = this.store;
    let unresponsive = 0;
    for (const node of nodes.values()) unresponsive += node.unresponsive ?? 0;
    return {
      connection: { live: "Connected.", lost: "Connection lost.", connecting: "" }[
        connection.state
      ],
      config: pool && !pool.config.accepted ? "The ConfigMap's newest text is refused." : "",
      unresponsive: unresponsive ? `Unresponsive holders: ${unresponsive}.` : "",
    };
  }
}
