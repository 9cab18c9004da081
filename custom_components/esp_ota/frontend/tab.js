// What the tabs have in common: they are told of things, and show those that are looked for.

import { become, h } from "./dom.js";

export class Tab {
  /** `told` is the command by which a tab is told of things. */
  constructor(page, told) {
    this.page = page;
    this.texts = page.texts;
    this.t = page.texts.t;
    this.items = new Map();
    this.rows = new Map();
    this._told = told;
  }

  open() {
    this._stop?.();
    this._stop = this.page.subscribe(this._told, (told) => this._take(told));
  }

  close() {
    this._stop?.();
    this._stop = undefined;
  }

  _take(told) {
    const news = Object.entries(told.all ?? told.changed ?? {});
    const gone = told.all ? [...this.items.keys()].filter((id) => !(id in told.all)) : (told.gone ?? []);
    for (const id of gone) this.forget(id);
    for (const [id, item] of news) this.items.set(id, { ...this.items.get(id), ...item });
    for (const [id, item] of news) this.changed(id, item);
    this.arrange();
  }

  forget(id) {
    this.items.delete(id);
    this.rows.delete(id);
  }

  changed(id) {
    this.draw(id);
  }

  /** Draw one thing, or draw it anew; returns its element. */
  draw(id) {
    const fresh = this.row(id, this.items.get(id));
    if (!this.rows.has(id)) this.rows.set(id, fresh);
    else become(this.rows.get(id), fresh);
    return this.rows.get(id);
  }

  /** Return a field to look for things with. */
  search(label) {
    this._search = h("input", {
      type: "search",
      "aria-label": label,
      placeholder: label,
      oninput: () => this.arrange(),
    });
    return this._search;
  }

  /** Whether a thing of which so much is shown is looked for. */
  fits(...shown) {
    const text = shown.join(" ").toLowerCase();
    return this._search.value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }
}

/** Return a table; each of its heads is a text, or elements. */
export function table(label, heads, body, attributes = {}) {
  const columns = Object.entries(heads).map(([name, head]) =>
    h("th", { role: "columnheader", class: name }, head),
  );
  return h(
    "table",
    { role: "table", "aria-label": label, ...attributes },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns)),
    body,
  );
}

export const tbody = (...rows) => h("tbody", { role: "rowgroup" }, rows);

/** Return a row of cells by the names of their columns; `label` names one where there are no heads. */
export function row(label, cells, attributes = {}) {
  return h(
    "tr",
    { role: "row", ...attributes },
    Object.entries(cells).map(([name, content]) =>
      h("td", { role: "cell", class: name, "data-label": label(name) }, content),
    ),
  );
}
