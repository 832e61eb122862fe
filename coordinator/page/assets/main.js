// Puts the page together: who asks, which pool, which view.

import { Refused, get, hasToken, poolPath, useToken } from "./api.js";
import { ConfigView } from "./config.js";
import { h, show } from "./dom.js";
import { drawing } from "./draw.js";
import { EventsView } from "./feed.js";
import { Header } from "./header.js";
import { listenToKeys } from "./keys.js";
import { Live } from "./live.js";
import { showLogin, showTrouble } from "./login.js";
import { News } from "./news.js";
import { NodeView } from "./node.js";
import { NodesView } from "./nodes.js";
import { notice, refusedTitle } from "./notice.js";
import { Poll } from "./poll.js";
import { Store } from "./store.js";
import { go, link, read, watch } from "./url.js";

const AGAIN = 3000; // milliseconds until a coordinator that does not answer is asked again

const store = new Store();
const place = document.getElementById("main");
const banner = document.getElementById("banner");
const news = new News(document.getElementById("news"), store);
const header = new Header(document.getElementById("header"), store, {
  retry: () => live?.retry(),
  logOut: () => leave(),
  showKeys: listenToKeys(document.getElementById("keys")),
});

let pools = [];
let live = null; // the connection
let report = null; // the pool's own report, kept up
let view = null;
let shown = ""; // which view that is
let nodesScroll = 0; // where the list of nodes was left

/** Ask who leads and which pools there are; the page begins, or begins anew, with that. */
async function begin() {
  try {
    const status = await get("v1/status");
    pools = status.pools.map((pool) => pool.namespace);
    if (!pools.length)
      return later(
        "No pool",
        "The coordinator serves no pool that you may see. A pool is a namespace with a ConfigMap of limits: start the coordinator with --pool NAMESPACE/CONFIGMAP.",
      );
  } catch (error) {
    if (error instanceof Refused && [401, 403].includes(error.status)) return login(error);
    return later("No coordinator answers", `${capital(error.message)}.`);
  }
  choosePool();
  navigate();
}

function later(title, text) {
  const timer = setTimeout(begin, AGAIN);
  showTrouble(place, title, text, () => {
    clearTimeout(timer);
    begin();
  });
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Nobody was asked for a token before: no error. One that does not count is forgotten. */
function login(error) {
  const said = hasToken() ? `${capital(error.message)}.` : "";
  stop();
  useToken("");
  pools = [];
  header.draw(pools);
  showLogin(place, {
    error: said,
    submit: (token) => {
      useToken(token);
      begin();
    },
  });
}

/** Forget the token. */
function leave() {
  useToken("");
  stop();
  begin();
}

function stop() {
  live?.end();
  report?.end();
  view?.end();
  live = report = view = null;
  shown = "";
  show(banner);
}

/** The pool of the address; where that is none, the first one. */
function choosePool() {
  const { pool } = read();
  if (!pools.includes(pool)) go({ pool: pools[0] }, { replace: true });
}

function follow(pool) {
  if (live?.pool === pool) return;
  live?.end();
  report?.end();
  store.clear();
  store.connected({ state: "connecting" });
  live = new Live(pool, store, login);
  live.run();
  report = new Poll(
    () => get(poolPath(pool)),
    (told) => (store.pool = told),
  );
}

/** Show what the address says. */
function navigate() {
  if (!pools.length) return;
  choosePool();
  const state = read();
  follow(state.pool);
  const wanted = `${state.pool} ${state.view} ${state.node}`;
  if (wanted !== shown) mount(state, wanted);
  else draw();
}

function mount(state, wanted) {
  const first = shown === "";
  if (view instanceof NodesView) nodesScroll = scrollY;
  view?.end();
  view = makeView(state);
  shown = wanted;
  place.replaceChildren(view.element);
  draw();
  scrollTo(0, state.view === "nodes" ? nodesScroll : 0);
  if (!first) place.focus({ preventScroll: true });
}

function makeView(state) {
  if (state.view === "node") return new NodeView(store, state);
  if (state.view === "config") return new ConfigView(store, state);
  if (state.view === "events") return new EventsView(store, read);
  return new NodesView(store);
}

function draw() {
  if (!view) return;
  const { node, view: name, pool } = read();
  document.title = [name === "node" ? node : name, pool, "node-slots"].join(" · ");
  header.draw(pools);
  show(banner, refusedConfig(store.pool, name));
  view.draw();
  news.look();
}

function refusedConfig(pool, name) {
  if (!pool || pool.config.accepted || !pool.config.configMap || name === "config") return null;
  const more = h(
    "a",
    { href: link({ view: "config" }), "data-go": true },
    "See the rules in force",
  );
  return notice("bad", refusedTitle(pool.config, pool.why), [`${pool.config.error} `, more]);
}

store.listen((name) => name === "config" && report?.nudge());
drawing(draw);
watch(navigate);
begin();
