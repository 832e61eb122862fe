// What is shown stands in the address: it can be reloaded, shared, and gone back to.

const VIEWS = ["nodes", "node", "config", "events"];
const SORTS = ["attention", "name", "wait"];
const watchers = [];

/** What the address says; anything unknown in it is left out. */
export function read(search = location.search) {
  const query = new URLSearchParams(search);
  const view = query.get("view");
  const sort = query.get("sort");
  return {
    pool: query.get("pool") ?? "",
    view: VIEWS.includes(view) && (view !== "node" || query.get("node")) ? view : "nodes",
    node: query.get("node") ?? "",
    q: query.get("q") ?? "",
    states: query.getAll("state"),
    sort: SORTS.includes(sort) ? sort : "attention",
  };
}

/** The address of what is shown now, with these changes. */
export function link(change) {
  const wanted = { ...read(), ...change };
  const query = new URLSearchParams();
  if (wanted.pool) query.set("pool", wanted.pool);
  if (wanted.view !== "nodes") query.set("view", wanted.view);
  if (wanted.view === "node") query.set("node", wanted.node);
  if (wanted.q) query.set("q", wanted.q);
  for (const state of wanted.states) query.append("state", state);
  if (wanted.sort !== "attention") query.set("sort", wanted.sort);
  const text = query.toString();
  return text ? `?${text}` : location.pathname;
}

/** Go there. With `replace` the place before is forgotten, as while somebody types. */
export function go(change, { replace = false } = {}) {
  follow(link(change), replace);
}

function follow(address, replace) {
  if (address === location.search) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  tell();
}

function tell() {
  for (const watcher of watchers) watcher(read());
}

/** Have `watcher` called with every change of the address. Links marked `data-go` change it. */
export function watch(watcher) {
  watchers.push(watcher);
}

addEventListener("popstate", tell);
document.addEventListener("click", (event) => {
  const anchor = event.target.closest?.("a[data-go]");
  if (!anchor || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    return;
  event.preventDefault();
  follow(anchor.getAttribute("href"), false);
});
