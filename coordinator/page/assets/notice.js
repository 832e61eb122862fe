// What stands out: a title and a few lines, good, bad or a warning.

import { h } from "./dom.js";
import { moment } from "./text.js";

/** A box of this kind; empty lines are left out. */
export function notice(kind, title, ...lines) {
  return h(
    "div",
    { class: `notice ${kind}`, key: title },
    h("b", {}, title),
    lines.filter(Boolean).map((line) => h("p", {}, line)),
  );
}

/** That the ConfigMap's newest text is refused, and since when. */
export function refusedTitle({ configMap }, why) {
  const since = why?.config?.refusedSince;
  return `The newest text of ConfigMap ${configMap} is refused${since ? ` since ${moment(since)}` : ""}`;
}
