// Tables whose rows become cards on a narrow screen: each cell knows its column's name.

import { h } from "./dom.js";

/**
 * A table. `columns` are [name, class]; `rows` are {key, cells, attributes}; a cell is whatever an
 * element may hold.
 */
export function table(label, columns, rows) {
  const head = h(
    "tr",
    {},
    columns.map(([name, kind]) => h("th", { scope: "col", class: kind }, name)),
  );
  return h(
    "table",
    { class: "table", "aria-label": label },
    h("thead", {}, head),
    h(
      "tbody",
      {},
      rows.map((row) => line(columns, row)),
    ),
  );
}

function line(columns, { key, cells, attributes = {} }) {
  return h(
    "tr",
    { key, ...attributes },
    cells.map((cell, index) => one(columns[index], cell)),
  );
}

/** The cell's content is one element: what a narrow screen lays out beside the column's name. */
function one([name, kind], cell) {
  const blank = cell === "" || cell === null || cell === false;
  return h(
    "td",
    { class: [kind, blank && "blank"].filter(Boolean).join(" "), "data-column": name },
    h("div", {}, cell),
  );
}
