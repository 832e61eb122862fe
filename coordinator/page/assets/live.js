// Keeps the picture of one pool up: the stream first, then all pages, so that nothing falls between
// them; after every break the whole picture anew.

import { Refused, get, poolPath } from "./api.js";
import { now } from "./draw.js";
import { events } from "./stream.js";

const PAGE = 500;
const FIRST_WAIT = 0.5;
const LONGEST_WAIT = 10;
const HISTORY = 50; // happenings before the page was opened

/** The connection of one pool's store. `refused(error)` hears of a token that does not count. */
export class Live {
  #ended = new AbortController();
  #wait = FIRST_WAIT;
  #wake = () => {};
  #lastId = "";
  #reloads = 0;

  constructor(pool, store, refused) {
    this.pool = pool;
    this.store = store;
    this.refused = refused;
    addEventListener("online", () => this.#wake(), { signal: this.#ended.signal });
  }

  /** Follow the pool until `end`. */
  async run() {
    while (!this.#ended.signal.aborted) {
      const error = await this.#follow();
      if (this.#ended.signal.aborted) return;
      if (error instanceof Refused && error.status === 401) {
        this.refused(error);
        return;
      }
      await this.#pause(error);
    }
  }

  /** Follow it no more. */
  end() {
    this.#ended.abort();
    this.#wake();
  }

  /** Do not wait any longer before the next attempt. */
  retry() {
    this.#wake();
  }

  /** Follow one stream to its end. Returns the error that ended it, or null. */
  async #follow() {
    const path = poolPath(this.pool, "events");
    const reading = new AbortController();
    const signal = AbortSignal.any([this.#ended.signal, reading.signal]);
    const failed = [];
    try {
      for await (const event of events(path, [["summaries", "1"]], this.#lastId, signal)) {
        if (event.name === "hello" && this.#rewind(event.id)) return this.#follow();
        this.#take(event, (error) => {
          failed.push(error);
          reading.abort();
        });
      }
      return failed[0] ?? null;
    } catch (error) {
      return failed[0] ?? error;
    }
  }

  #take({ name, data, id }, fail) {
    this.store.heard();
    if (id) this.#lastId = id;
    if (name === "hello" || name === "reset") this.#load().catch(fail);
    else if (name === "node") this.store.tell(data);
    else this.store.happened(name, data, id);
  }

  /**
   * The very first stream tells where the coordinator is; the next one begins a little before that,
   * so that the page opens with what happened last. Returns whether there is such a thing.
   */
  #rewind(id) {
    const [term, number] = id.split(".");
    if (this.#lastId || !(number > 0)) return false;
    this.#lastId = `${term}.${Math.max(0, number - HISTORY)}`;
    return true;
  }

  /** All nodes, page by page. A newer load makes an older one stop. */
  async #load() {
    const mine = (this.#reloads += 1);
    this.store.beginLoading();
    let after = null;
    do {
      const query = [["limit", PAGE], ...(after ? [["continue", after]] : [])];
      const page = await get(poolPath(this.pool, "nodes"), query);
      if (mine !== this.#reloads || this.#ended.signal.aborted) return;
      this.store.loaded(page.nodes);
      after = page.continue;
    } while (after);
    this.store.endLoading();
    this.store.heard();
    this.store.connected({ state: "live" });
    this.#wait = FIRST_WAIT;
  }

  async #pause(error) {
    this.#reloads += 1; // a load that is still under way is of a stream that is gone
    if (!error && this.store.connection.state === "live") {
      this.#wait = FIRST_WAIT; // the server ends each stream after a while: no trouble
      return this.#sleep(0.1);
    }
    const wait = Math.max(this.#wait * (0.75 + Math.random() / 2), error?.retryAfter ?? 0);
    const why = error?.message ?? "the stream ended";
    this.store.connected({ state: "lost", why, next: now() + wait });
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    return this.#sleep(wait);
  }

  #sleep(seconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
