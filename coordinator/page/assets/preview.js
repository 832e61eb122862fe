// A text for the ConfigMap, tried against the living cluster. Nothing is changed by it.

import { post, poolPath } from "./api.js";
import { h, show } from "./dom.js";
import { notice } from "./notice.js";
import { ruleTable } from "./rules.js";
import { table } from "./table.js";
import { count, whole } from "./text.js";
import { link } from "./url.js";

const EXAMPLE = `{"loadConcurrency": {
  "globalConfig": 2,
  "perNodeConfig": [
    {"nodeSelector": {"matchLabels": {"disktype": "nvme"}}, "number": 4}
  ]
}}`;
const COLUMNS = [
  ["Node", ""],
  ["Slots now", "number"],
  ["Then", "number"],
  ["Decided by", ""],
  ["Held", "number"],
  ["Over", "number"],
];
const SHOWN = 200;

/** The box, its button and its result. */
export class PreviewBox {
  #asked = 0;

  constructor(pool) {
    this.pool = pool;
    this.text = h("textarea", {
      id: "preview-text",
      rows: 10,
      spellcheck: "false",
      autocomplete: "off",
      placeholder: EXAMPLE,
      "data-testid": "preview-text",
      "aria-describedby": "preview-hint",
    });
    this.result = h("div", { "data-testid": "preview-result", role: "status" });
    this.element = this.#layout();
  }

  #layout() {
    const run = h(
      "button",
      { type: "button", class: "primary", "data-testid": "preview-run" },
      "Preview",
    );
    const file = h("input", {
      type: "file",
      accept: ".json,.yaml,.yml,.txt",
      id: "preview-file",
      class: "unseen",
    });
    run.addEventListener("click", () => this.#run());
    file.addEventListener("change", () => this.#load(file));
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#run();
    });
    return h(
      "section",
      { class: "panel" },
      h("div", { class: "panel-head" }, h("h2", {}, "Preview")),
      h(
        "div",
        { class: "preview" },
        h("label", { for: "preview-text" }, "Another text for the ConfigMap"),
        this.text,
        h(
          "p",
          { class: "hint", id: "preview-hint" },
          "The JSON of its one key, or the whole ConfigMap as kubectl get -o json prints it. It is only looked at: nothing changes.",
        ),
        h(
          "div",
          { class: "actions" },
          run,
          file,
          h("label", { for: "preview-file", class: "button" }, "Open a file"),
        ),
      ),
      this.result,
    );
  }

  async #load(file) {
    const [chosen] = file.files;
    if (chosen) this.text.value = await chosen.text();
  }

  async #run() {
    const text = this.text.value;
    const mine = (this.#asked += 1);
    if (!text.trim()) {
      show(
        this.result,
        notice("warn", "There is no text yet", "Write or paste one, or open a file."),
      );
      return;
    }
    show(this.result, h("p", { class: "hint" }, "Looking …"));
    const result = await preview(this.pool, text);
    if (mine === this.#asked) show(this.result, result); // else another text was tried meanwhile
  }
}

async function preview(pool, text) {
  try {
    return told(await post(poolPath(pool, "preview"), { text }));
  } catch (error) {
    return notice("bad", "No preview", error.message);
  }
}

function told(found) {
  if (!found.accepted) return notice("bad", "This text would be refused", found.error);
  const { changed, changedCount, nodes, overLimit, warnings } = found;
  const summary = changedCount
    ? `${whole(changedCount)} of ${count(nodes, "node")} would change`
    : `None of ${count(nodes, "node")} would change`;
  return [
    notice(overLimit.holders ? "warn" : "good", summary, over(overLimit)),
    warnings.length ? notice("warn", count(warnings.length, "warning"), ...warnings) : null,
    changedCount ? changes(changed, changedCount) : null,
    h("h3", {}, "Its rules"),
    ruleTable(found),
  ];
}

function over({ nodes, holders }) {
  if (!holders) return "Nobody would be over a limit.";
  return `${count(holders, "holder")} on ${count(nodes, "node")} would be over the limit. Nobody is put out: ${nodes === 1 ? "that node gives" : "those nodes give"} nothing new until enough are released.`;
}

function changes(changed, total) {
  const rows = changed.slice(0, SHOWN).map((change) => ({
    key: change.node,
    cells: [
      h("a", { href: link({ view: "node", node: change.node }), "data-go": true }, change.node),
      change.from,
      h(
        "b",
        { class: change.to < change.from ? "less" : "more-slots" },
        change.to < change.from
          ? `${change.to} ↓`
          : change.to > change.from
            ? `${change.to} ↑`
            : change.to,
      ),
      change.decidedBy,
      change.held,
      change.over ? h("span", { class: "word draining" }, change.over) : "",
    ],
  }));
  return [
    table("What changes", COLUMNS, rows),
    total > rows.length
      ? h("p", { class: "hint" }, `and ${whole(total - rows.length)} more`)
      : null,
  ];
}
