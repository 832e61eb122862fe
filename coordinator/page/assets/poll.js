// Something that is asked for now, soon after each nudge, and every so often.

import { redraw } from "./draw.js";

const APART = 1000; // milliseconds between two questions at least
const EVERY = 10_000;

/** Keeps `value` up: what `ask` answered last, `error` what it raised last. */
export class Poll {
  value = null;
  error = null;
  #ask;
  #timer = null;
  #due = 0;
  #asking = false;
  #again = false;
  #ended = false;

  constructor(ask) {
    this.#ask = ask;
    this.#run();
  }

  /** Something changed: ask soon. */
  nudge() {
    if (this.#asking) this.#again = true;
    else this.#at(Math.max(0, this.#due - performance.now()));
  }

  /** Ask no more. */
  end() {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #at(milliseconds) {
    clearTimeout(this.#timer);
    if (!this.#ended) this.#timer = setTimeout(() => this.#run(), milliseconds);
  }

  async #run() {
    this.#asking = true;
    this.#due = performance.now() + APART;
    try {
      this.value = await this.#ask(this.value);
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.#asking = false;
    redraw();
    this.#at(this.#again ? APART : EVERY);
    this.#again = false;
  }
}
