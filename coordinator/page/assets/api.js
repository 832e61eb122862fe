// The REST API, asked with the token that the page was given. The token stays in this tab.

const KEY = "node-slots-token";
const DEADLINE = 20_000; // milliseconds for an answer

let token = remembered();

function remembered() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // storage may be forbidden; then the token lasts until the page is reloaded
  }
}

/** Ask with this token from now on; "" forgets it. */
export function useToken(text) {
  token = text;
  try {
    if (text) sessionStorage.setItem(KEY, text);
    else sessionStorage.removeItem(KEY);
  } catch {
    // as above
  }
}

/** Whether there is a token to ask with. */
export function hasToken() {
  return token !== "";
}

/** The coordinator answered with a problem (RFC 9457); the message is its detail. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || `the coordinator answered ${status}`);
    this.status = status;
    this.kind = String(problem.type ?? "")
      .split("/")
      .pop();
    this.retryAfter = problem.retryAfter ?? 0;
  }
}

/** Nobody answered. */
export class Unreached extends Error {
  constructor(cause) {
    super(
      cause?.name === "TimeoutError" ? "no answer in time" : "the coordinator cannot be reached",
    );
  }
}

/** The JSON that `path` answers. Raises `Refused` and `Unreached`. */
export async function get(path, query = []) {
  return (await ask(path, query, {})).json();
}

/** The same for a POST of `body` as JSON. */
export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return (await ask(path, [], { method: "POST", body: JSON.stringify(body), headers })).json();
}

/** An open answer, for streams. `signal` ends it. */
export function open(path, query, headers, signal) {
  return ask(path, query, { headers, signal });
}

async function ask(path, query, options) {
  const search = new URLSearchParams(query).toString();
  const headers = { ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  let answer;
  try {
    answer = await fetch(search ? `${path}?${search}` : path, {
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(DEADLINE),
      ...options,
      headers,
    });
  } catch (cause) {
    throw new Unreached(cause);
  }
  if (!answer.ok) throw new Refused(answer.status, await problemOf(answer));
  return answer;
}

async function problemOf(answer) {
  try {
    return await answer.json();
  } catch {
    return {};
  }
}

/** The path of a pool, or of something in it; each part may hold any character. */
export function poolPath(pool, ...parts) {
  return ["v1", "namespaces", pool, ...parts].map(encodeURIComponent).join("/");
}
