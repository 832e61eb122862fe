// The pool's ConfigMap: the rules in force, what each matches and decides, what is wrong, and a box
// to try another text in.

import { get, poolPath } from "./api.js";
import { h, show } from "./dom.js";
import { notice, refusedTitle } from "./notice.js";
import { Poll } from "./poll.js";
import { PreviewBox } from "./preview.js";
import { ruleTable } from "./rules.js";
import { count, moment } from "./text.js";

/** The view; `draw` shows what is true now. */
export class ConfigView {
  constructor(store, { pool }) {
    this.store = store;
    this.poll = new Poll(() => read(pool));
    this.changed = (name) => ["config", "limit"].includes(name) && this.poll.nudge();
    this.present = h("div", { class: "present" });
    this.box = new PreviewBox(pool);
    const head = h("div", { class: "page-head" }, h("h1", {}, "Config"));
    this.element = h(
      "div",
      { class: "page", "data-testid": "config-view" },
      head,
      this.present,
      this.box.element,
    );
    store.listen(this.changed);
  }

  /** Show what is true now. */
  draw() {
    const { value, error } = this.poll;
    show(
      this.present,
      error &&
        notice(
          "bad",
          value ? "This may be out of date" : "The config cannot be shown",
          error.message,
        ),
      value && present(value),
    );
  }

  /** The view is left. */
  end() {
    this.poll.end();
    this.store.ignore(this.changed);
  }
}

async function read(pool) {
  const [report, rules] = await Promise.all([get(poolPath(pool)), get(poolPath(pool, "config"))]);
  return { report, rules };
}

function present({ report: { namespace, config, why }, rules }) {
  return [
    state(namespace, config, why),
    warnings(config.warnings),
    h("section", { class: "panel", key: "rules" }, heading(config), ruleTable(rules)),
  ];
}

function state(namespace, config, why) {
  if (!config.configMap) return missing(namespace);
  if (config.accepted) return null;
  return notice(
    "bad",
    refusedTitle(config, why),
    config.error || why?.config?.error,
    "The rules below stay in force. Correct the ConfigMap; it is read at once. The box below says beforehand what a text does.",
  );
}

function missing(namespace) {
  return notice(
    "warn",
    "This pool has no ConfigMap: each node has one slot",
    "Write limits into a file, then:",
    h("code", {}, `kubectl create configmap node-slots -n ${namespace} --from-file=limits.json`),
    `and start the coordinator with --pool ${namespace}/node-slots. Try the file in the box below first.`,
  );
}

function warnings(lines) {
  if (!lines.length) return null;
  return h(
    "div",
    { class: "notice warn", key: "warnings" },
    h("b", {}, count(lines.length, "warning")),
    h(
      "ul",
      { class: "plain" },
      lines.map((line) => h("li", {}, line)),
    ),
  );
}

function heading(config) {
  const from = config.configMap
    ? `ConfigMap ${config.configMap}, in force since ${moment(config.since)}`
    : "";
  return h(
    "div",
    { class: "panel-head" },
    h("h2", {}, "Rules"),
    h("span", { class: "quiet" }, from),
  );
}
