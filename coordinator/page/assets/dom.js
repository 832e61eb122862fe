// Elements without a parser: text is only ever text, whatever a node, a load or a Pod is called.

/**
 * An element. Attributes that are null or false are left out, save that aria's say "false"; `key`
 * names it among its siblings.
 */
export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    const aria = name.startsWith("aria-");
    if (value === null || value === undefined || (value === false && !aria)) continue;
    made.setAttribute(
      name === "key" ? "data-key" : name,
      value === true && !aria ? "" : String(value),
    );
  }
  made.append(...nodes(children));
  return made;
}

/** Turns strings, numbers, elements and lists of them into nodes; null and false are nothing. */
function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/**
 * Make `parent` show these children, and change no more than differs: what has the focus keeps it,
 * what is selected stays selected, and a screen reader hears nothing of what stayed.
 */
export function show(parent, ...children) {
  const keyed = byKey(parent);
  let at = parent.firstChild;
  for (const wanted of nodes(children)) {
    const found = counterpart(at, wanted, keyed);
    if (!found) {
      parent.insertBefore(wanted, at);
      continue;
    }
    if (found === at) at = at.nextSibling;
    else parent.insertBefore(found, at);
    become(found, wanted);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function byKey(parent) {
  const found = new Map();
  for (const child of parent.children) {
    if (child.dataset.key !== undefined) found.set(child.dataset.key, child);
  }
  return found;
}

function counterpart(at, wanted, keyed) {
  const key = wanted.dataset?.key;
  const found = key === undefined ? at : keyed.get(key);
  if (!found || found.nodeName !== wanted.nodeName) return null;
  return found.dataset?.key === key ? found : null;
}

function become(found, wanted) {
  if (found === wanted) return;
  if (found.nodeType === Node.TEXT_NODE) {
    if (found.data !== wanted.data) found.data = wanted.data;
    return;
  }
  for (const { name } of [...found.attributes]) {
    if (!wanted.hasAttribute(name) && name !== "open" && name !== "style")
      found.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (found.getAttribute(name) !== value) found.setAttribute(name, value);
  }
  show(found, ...wanted.childNodes);
}
