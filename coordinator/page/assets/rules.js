// The rules of a ConfigMap: what each matches, and where it is the one that decides.

import { h } from "./dom.js";
import { table } from "./table.js";
import { whole } from "./text.js";

const RULES = [
  ["Rule", ""],
  ["Selector", ""],
  ["Slots", "number"],
  ["Matches", "number"],
  ["Decides", "number"],
];

/** Those of a preview, `globalConfig` last. */
export function ruleTable({ rules, globalLimit, nodes }) {
  const decided = rules.reduce((all, rule) => all + rule.decides, 0);
  const rows = rules.map((rule) => ({
    key: rule.rule,
    cells: [rule.rule, selector(rule), rule.number, matches(rule), whole(rule.decides)],
  }));
  rows.push({
    key: "global",
    cells: [
      "globalConfig",
      h("span", { class: "quiet" }, "every other node"),
      globalLimit,
      "",
      whole(nodes - decided),
    ],
  });
  return [
    table("Rules", RULES, rows),
    h(
      "p",
      { class: "hint" },
      "Where several rules match a node, the smallest number decides; globalConfig only where none does.",
    ),
  ];
}

function selector({ selector: text }) {
  return text ? h("code", {}, text) : h("span", { class: "quiet" }, "every node");
}

function matches({ matches: number }) {
  return number ? whole(number) : h("span", { class: "word draining" }, "no node");
}
