// A long list of which only what is visible is drawn. It scrolls with the window, and is a grid to
// screen readers and the keyboard.

import { h, show } from "./dom.js";

const SPARE = 6; // rows drawn beyond either edge

/**
 * A grid of items, each with a unique `idOf(item)`; `cellsOf(item)` makes a row's cells, `open(item)`
 * follows Enter and clicks.
 */
export class List {
  #items = [];
  #rows = new Map();
  #active = null;
  #roomy = false;
  #height = 0;
  #told = new Set(); // rows that show what is true now: scrolling leaves them alone

  constructor({ label, head, idOf, cellsOf, open }) {
    Object.assign(this, { idOf, cellsOf, open });
    this.head = h("div", { role: "rowgroup", class: "list-head" }, head);
    this.body = h("div", { role: "rowgroup", class: "list-body" });
    this.element = h(
      "div",
      { role: "grid", class: "list", tabindex: 0, "aria-label": label },
      this.head,
      this.body,
    );
    this.element.addEventListener("keydown", (event) => this.#pressed(event));
    this.element.addEventListener("focus", () => this.#focused());
    this.body.addEventListener("click", (event) => this.#clicked(event));
  }

  /** Show these items. `roomy`: they are few, all are drawn, each as high as it needs. */
  set(items, { roomy = false } = {}) {
    this.#items = items;
    this.#told = new Set();
    this.#roomy = roomy;
    this.element.classList.toggle("roomy", roomy);
    this.element.setAttribute("aria-rowcount", items.length + 1);
    this.draw();
  }

  /** Draw what is visible of them. */
  draw() {
    const height = this.#rowHeight();
    this.body.style.height = this.#roomy ? "" : `${this.#items.length * height}px`;
    const [from, to] = this.#roomy ? [0, this.#items.length] : this.#visible(height);
    const gone = new Set(this.#rows.keys());
    for (let index = from; index < to; index += 1) {
      gone.delete(this.#drawRow(index, height));
    }
    for (const id of gone) {
      this.#rows.get(id).remove();
      this.#rows.delete(id);
      this.#told.delete(id);
    }
    this.#tellActive();
  }

  #drawRow(index, height) {
    const item = this.#items[index];
    const id = this.idOf(item);
    const row = this.#rows.get(id) ?? this.#newRow(id);
    row.style.transform = this.#roomy ? "" : `translateY(${index * height}px)`;
    if (this.#roomy && this.body.children[index] !== row)
      this.body.insertBefore(row, this.body.children[index] ?? null);
    row.setAttribute("aria-rowindex", index + 2);
    row.classList.toggle("active", id === this.#active);
    row.classList.toggle("odd", index % 2 === 1);
    if (!this.#told.has(id)) show(row, this.cellsOf(item));
    this.#told.add(id);
    return id;
  }

  #newRow(id) {
    const row = h("div", {
      role: "row",
      class: "list-row",
      "data-testid": "node-row",
      "data-node": id,
    });
    row.id = `row-${id}`;
    this.#rows.set(id, row);
    this.body.append(row);
    return row;
  }

  /** The window has another size: rows may be higher. */
  resized() {
    this.#height = 0;
    this.draw();
  }

  #rowHeight() {
    this.#height ||= parseFloat(getComputedStyle(this.body).getPropertyValue("--row"));
    return this.#height;
  }

  #visible(height) {
    const { top } = this.body.getBoundingClientRect();
    const from = Math.floor(-top / height) - SPARE;
    const to = Math.ceil((innerHeight - top) / height) + SPARE;
    return [Math.max(0, from), Math.min(this.#items.length, Math.max(0, to))];
  }

  #tellActive() {
    const row = this.#rows.get(this.#active);
    if (row && row.getAttribute("aria-rowindex"))
      this.element.setAttribute("aria-activedescendant", row.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  #clicked(event) {
    if (event.target.closest("a") || getSelection().toString()) return;
    const row = event.target.closest(".list-row");
    const item = row && this.#items.find((each) => this.idOf(each) === row.dataset.node);
    if (item) this.open(item);
  }

  #focused() {
    if (this.#index() >= 0 || !this.element.matches(":focus-visible")) return;
    const height = this.#rowHeight();
    const first = Math.ceil((this.#edge() - this.body.getBoundingClientRect().top) / height);
    this.#move(Math.max(0, first));
  }

  #index() {
    return this.#items.findIndex((item) => this.idOf(item) === this.#active);
  }

  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.element) return;
    const at = this.#index();
    const page = Math.max(1, Math.floor((innerHeight - this.#edge()) / this.#rowHeight()) - 1);
    const target = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.#items.length - 1,
    }[event.key];
    if (event.key === "Enter" && at >= 0) this.open(this.#items[at]);
    else if (target === undefined) return;
    else this.#move(target);
    event.preventDefault();
  }

  /** Make this row the active one, and have it in sight. */
  #move(wanted) {
    const index = Math.min(Math.max(0, wanted), this.#items.length - 1);
    if (index < 0) return;
    this.#active = this.idOf(this.#items[index]);
    if (!this.#roomy) this.#reveal(index);
    this.draw();
    if (this.#roomy) this.#rows.get(this.#active).scrollIntoView({ block: "nearest" });
  }

  #reveal(index) {
    const height = this.#rowHeight();
    const top = this.body.getBoundingClientRect().top + index * height;
    if (index === 0) scrollTo({ top: Math.min(scrollY, scrollY + top - this.#edge()) });
    else if (top < this.#edge()) scrollBy(0, top - this.#edge());
    else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight);
  }

  /** Where rows come out from under what sticks to the top of the window. */
  #edge() {
    const { top, height } = this.head.getBoundingClientRect();
    const stuck = getComputedStyle(this.head).position === "sticky";
    return stuck ? Math.max(0, top) + height : 0;
  }
}
