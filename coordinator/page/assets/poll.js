// Something that is asked for now, soon after each nudge, and every so often.

import { redraw } from "./draw.js";

const APART = 1000; // milliseconds between two questions at least
const EVERY = 10_000;

/**
 * Keeps `value` up: what `ask` answered last, `error` what it raised last. `told(value)` hears each
 * answer, and none that comes after the end.
 */
export class Poll {
  value = null;
  error = null;
  #ask;
  #told;
  #timer = null;
  #due = 0;
  #asking = false;
  #again = false;
  #ended = false;

  constructor(ask, told = () => {}) {
    this.#ask = ask;
    this.#told = told;
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
      const value = await this.#ask(this.value);
      if (this.#ended) return;
      this.value = value;
      this.error = null;
      this.#told(value);
    } catch (error) {
      this.error = error;
    }
    this.#asking = false;
    redraw();
    this.#at(this.#again ? APART : EVERY);
    this.#again = false;
  }
}
