// A stream of server-sent events, read by fetch: EventSource cannot show a token.
// https://html.spec.whatwg.org/multipage/server-sent-events.html

import { Unreached, open } from "./api.js";

const SILENCE = 40_000; // milliseconds: the coordinator sends a comment each 15 s

/** The events of a text that comes in pieces: {name, data, id}. */
export class Parser {
  #rest = "";
  #event = {};

  /** What is complete with this piece. */
  take(piece) {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    return lines.map((line) => this.#line(line)).filter(Boolean);
  }

  #line(line) {
    if (line === "") return this.#end();
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (field === "data") this.#event.data = [...(this.#event.data ?? []), value ?? ""];
    else if (field === "event" || field === "id") this.#event[field] = value ?? "";
    return null;
  }

  #end() {
    const { event, data, id } = this.#event;
    this.#event = {};
    return data ? { name: event || "message", data: data.join("\n"), id: id ?? "" } : null;
  }
}

/**
 * The events of `path`, until the server ends the stream. `data` is read as JSON.
 * Raises `Refused`, and `Unreached` when it breaks off or falls silent.
 */
export async function* events(path, query, lastId, signal) {
  const silence = new AbortController();
  const watchdog = new Watchdog(() => silence.abort());
  const headers = { Accept: "text/event-stream" };
  if (lastId) headers["Last-Event-ID"] = lastId;
  try {
    const answer = await open(path, query, headers, AbortSignal.any([signal, silence.signal]));
    yield* decoded(answer.body.getReader(), watchdog);
  } finally {
    watchdog.stop();
    silence.abort(); // also ends a stream that nobody reads on
  }
}

async function* decoded(reader, watchdog) {
  const parser = new Parser();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await next(reader);
    if (done) return;
    watchdog.fed();
    for (const event of parser.take(decoder.decode(value, { stream: true }))) {
      yield { ...event, data: JSON.parse(event.data) };
    }
  }
}

async function next(reader) {
  try {
    return await reader.read();
  } catch (cause) {
    throw new Unreached(cause);
  }
}

class Watchdog {
  #timer;

  constructor(bark) {
    this.bark = bark;
    this.fed();
  }

  fed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.bark, SILENCE);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
